//! StackScripts of the account.
//!
//! Owns: these calls. Does not know how a script is deployed. There are no community scripts in the sandbox.

use serde_json::{Value, json};

use super::call::{Answer, Call, Route, done, ok};
use super::error::Refused;
use super::filter::{Field, Row};
use super::input::Input;
use crate::catalogue::Catalogue;
use crate::limits::Class;
use crate::world::{Script, USERNAME, UserDefinedField};

const READ: &str = "stackscripts:read_only";
const WRITE: &str = "stackscripts:read_write";

pub(super) const ROUTES: &[Route] = &[
    Route::list("linode/stackscripts", READ, |call| call.list(call.world.stackscripts.values(), |one| view(one)))
        .counted(Class::ListStackScripts),
    Route::new("POST", "linode/stackscripts", WRITE, create),
    Route::new("GET", "linode/stackscripts/{}", READ, |call| ok(view(script(call)?))),
    Route::new("PUT", "linode/stackscripts/{}", WRITE, update),
    Route::new("DELETE", "linode/stackscripts/{}", WRITE, delete),
];

fn script<'a>(call: &'a Call<'_>) -> Result<&'a Script, Refused> {
    call.world.stackscripts.get(&call.id(0)?).ok_or_else(Refused::not_found)
}

fn create(call: &mut Call<'_>) -> Answer {
    let mut input = call.input()?;
    for field in ["label", "script", "images"] {
        if !input.has(field) {
            input.problems.add(field, format!("{field} is required"));
        }
    }
    let mut script = Script::default();
    apply(call.world.catalogue, &mut input, &mut script);
    input.done()?;
    let now = call.now;
    let id = call.world.add_stackscript(script, now);
    call.world.stackscripts.get(&id).map_or_else(|| Err(Refused::not_found()), |script| ok(view(script)))
}

fn update(call: &mut Call<'_>) -> Answer {
    let mut changed = script(call)?.clone();
    let mut input = call.input()?;
    apply(call.world.catalogue, &mut input, &mut changed);
    if script(call)?.is_public && !changed.is_public {
        input.problems.add("is_public", "A public StackScript cannot be made private");
    }
    input.done()?;
    changed.updated = call.now;
    let answer = ok(view(&changed));
    call.world.stackscripts.insert(changed.id, changed);
    answer
}

fn delete(call: &mut Call<'_>) -> Answer {
    let (id, now) = (call.id(0)?, call.now);
    if call.world.remove_stackscript(id, now) { done() } else { Err(Refused::not_found()) }
}

/// Takes over what a body says of a script.
fn apply(catalogue: &Catalogue, input: &mut Input, script: &mut Script) {
    if let Some(label) = input.text("label") {
        if !(3..=128).contains(&label.chars().count()) {
            input.problems.add("label", "Must be 3-128 characters");
        }
        script.label = label;
    }
    if let Some(text) = input.text("script") {
        if !text.starts_with("#!") {
            input.problems.add("script", "Must begin with a shebang");
        }
        if text.len() > 65_535 {
            input.problems.add("script", "Must be at most 65535 characters");
        }
        script.script = text;
    }
    if let Some(images) = input.texts("images") {
        for (at, image) in images.iter().enumerate() {
            if image != "any/all" && catalogue.image(image).is_none() {
                input.problems.add(format!("images[{at}]"), "image is not valid");
            }
        }
        script.images = images;
    }
    if let Some(description) = input.text("description") {
        script.description = description;
    }
    if let Some(note) = input.text("rev_note") {
        script.rev_note = note;
    }
    if let Some(public) = input.flag("is_public") {
        script.is_public = public;
    }
}

fn view(script: &Script) -> Value {
    json!({
        "id": script.id,
        "username": USERNAME,
        "user_gravatar_id": "",
        "label": script.label,
        "description": script.description,
        "ordinal": 0,
        "logo_url": "",
        "images": script.images,
        "deployments_total": script.deployments_total,
        "deployments_active": 0,
        "is_public": script.is_public,
        "mine": true,
        "created": script.created.wire(),
        "updated": script.updated.wire(),
        "rev_note": script.rev_note,
        "script": script.script,
        "user_defined_fields": script.fields().iter().map(field_view).collect::<Vec<_>>(),
    })
}

fn field_view(field: &UserDefinedField) -> Value {
    let mut view = json!({"name": field.name, "label": field.label});
    let pairs = [
        ("example", &field.example),
        ("default", &field.default),
        ("oneof", &field.one_of),
        ("manyof", &field.many_of),
    ];
    for (name, value) in pairs {
        if let Some(value) = value {
            view[name] = json!(value);
        }
    }
    view
}

impl Row for &Script {
    const FILTERABLE: &'static [&'static str] =
        &["deployments_total", "description", "is_public", "label", "mine", "rev_note"];

    fn field(&self, name: &str) -> Field<'_> {
        match name {
            "deployments_total" => Field::number(self.deployments_total),
            "description" => Field::text(self.description.as_str()),
            "is_public" => Field::Flag(self.is_public),
            "label" => Field::text(self.label.as_str()),
            "mine" => Field::Flag(true),
            _ => Field::text(self.rev_note.as_str()),
        }
    }
}
