//! StackScripts of the account, and the public ones.
//!
//! Owns: these methods. Distributions are a list of numbers in text. Does not know how a script is deployed (`disks`).

use serde_json::{Value, json};

use super::call::{Answer, Call, bit};
use super::fault::Fault;
use super::{dates, ids};
use crate::catalogue::Catalogue;
use crate::world::Script;

/// The number of the account's only user.
const USER: u64 = 1;

pub(super) fn list(call: &mut Call<'_>) -> Answer {
    let wanted = call.number("stackscriptid");
    let (catalogue, all) = (call.world.catalogue, call.world.stackscripts.values());
    let rows: Vec<_> =
        all.filter(|one| wanted.is_none_or(|wanted| wanted == one.id)).map(|one| row(catalogue, one)).collect();
    if rows.is_empty() && wanted.is_some() { Err(Fault::not_found()) } else { Ok(Value::Array(rows)) }
}

/// Public ones, of which there are only those of the account.
pub(super) fn library(call: &mut Call<'_>) -> Answer {
    let catalogue = call.world.catalogue;
    let image = call.number("distributionid").map(|id| ids::image(catalogue, id).map_or("", |image| image.id));
    let (vendor, words) = (call.text("distributionvendor"), call.text("keywords").to_lowercase());
    let of_vendor = |image: &String| catalogue.image(image).is_some_and(|one| one.vendor.eq_ignore_ascii_case(vendor));
    let fits = |one: &&Script| {
        one.is_public
            && image.is_none_or(|image| one.fits(image))
            && (vendor.is_empty() || one.images.iter().any(of_vendor))
            && words
                .split_whitespace()
                .all(|word| one.label.to_lowercase().contains(word) || one.description.to_lowercase().contains(word))
    };
    Ok(call.world.stackscripts.values().filter(fits).map(|one| row(catalogue, one)).collect())
}

fn row(catalogue: &Catalogue, one: &Script) -> Value {
    let any = one.images.iter().any(|image| image == "any/all");
    let all = catalogue.images.iter().map(|image| image.id);
    let ids: Vec<_> = all
        .filter(|image| any || one.images.iter().any(|own| own == image))
        .filter_map(|image| ids::distribution(catalogue, image))
        .collect();
    // What looks like a number is one.
    let list = match ids.as_slice() {
        [one] => json!(one),
        all => json!(all.iter().map(u64::to_string).collect::<Vec<_>>().join(",")),
    };
    json!({
        "STACKSCRIPTID": one.id, "LABEL": one.label, "DESCRIPTION": one.description, "DISTRIBUTIONIDLIST": list,
        "SCRIPT": one.script, "REV_NOTE": one.rev_note, "ISPUBLIC": bit(one.is_public), "USERID": USER, "LATESTREV": one.id,
        "DEPLOYMENTSTOTAL": one.deployments_total, "DEPLOYMENTSACTIVE": 0,
        "CREATE_DT": dates::written(one.created), "REV_DT": dates::written(one.updated),
    })
}

pub(super) fn create(call: &mut Call<'_>) -> Answer {
    let script = applied(call, Script::default())?;
    Ok(json!({"StackScriptID": call.world.add_stackscript(script, call.now)}))
}

pub(super) fn update(call: &mut Call<'_>) -> Answer {
    let id = call.id("stackscriptid");
    let present = call.world.stackscripts.get(&id).cloned().ok_or_else(Fault::not_found)?;
    let was_public = present.is_public;
    let changed = applied(call, present)?;
    if was_public && !changed.is_public {
        return Err(Fault::invalid("A public StackScript cannot be made private"));
    }
    call.world.stackscripts.insert(id, Script { updated: call.now, ..changed });
    Ok(json!({"StackScriptID": id}))
}

pub(super) fn delete(call: &mut Call<'_>) -> Answer {
    let id = call.id("stackscriptid");
    if call.world.remove_stackscript(id, call.now) { Ok(json!({"StackScriptID": id})) } else { Err(Fault::not_found()) }
}

/// A script with what a call says of it.
fn applied(call: &Call<'_>, mut script: Script) -> Result<Script, Fault> {
    let set = |into: &mut String, name: &str| {
        if let Some(text) = call.given(name) {
            text.clone_into(into);
        }
    };
    set(&mut script.label, "label");
    set(&mut script.script, "script");
    set(&mut script.description, "description");
    set(&mut script.rev_note, "rev_note");
    script.is_public = call.flag("ispublic").unwrap_or(script.is_public);
    if !script.script.starts_with("#!") {
        return Err(Fault::invalid("script must begin with a shebang"));
    }
    if script.script.len() > 65_535 {
        return Err(Fault::invalid("script must be at most 65535 characters"));
    }
    if let Some(list) = call.given("distributionidlist") {
        script.images.clear();
        for word in list.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let image = word.parse().ok().and_then(|id| ids::image(call.world.catalogue, id));
            let image =
                image.ok_or_else(|| Fault::invalid(format!("DistributionIDList: {word} is no distribution")))?;
            script.images.push(image.id.to_owned());
        }
    }
    if script.images.is_empty() {
        return Err(Fault::invalid("DistributionIDList names no distribution"));
    }
    Ok(script)
}
