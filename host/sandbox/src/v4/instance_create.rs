//! Creating a Linode.
//!
//! Owns: what makes such a request valid. Does not know what follows from it (`world::linodes`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::call::{Answer, Call, ok};
use super::error::Refused;
use super::input::Input;
use super::instance_view::linode_view;
use super::instances::label_refusal;
use crate::catalogue::{self, Catalogue, Image, Region};
use crate::machines::StackScript;
use crate::rules::{is_public_key, password_problem};
use crate::world::{Launch, NewLinode, USERNAME};

/// What a decoded `user_data` may be long.
const MOST_USER_DATA: usize = 65_535;

pub(super) fn create(call: &mut Call<'_>) -> Answer {
    let mut input = call.input()?;
    refuse_what_is_missing_here(&mut input);
    let catalogue = call.world.catalogue;
    let region = region(catalogue, &mut input);
    let linode_type = linode_type(catalogue, &mut input, region);
    let label = input.text("label").filter(|label| !label.is_empty());
    if let Some(reason) = label.as_deref().and_then(|label| label_refusal(call, label, None)) {
        input.problems.add("label", reason);
    }
    let tags = input.tags().unwrap_or_default();
    let image = image(catalogue, &mut input, region);
    let keys = authorized_keys(call, &mut input, image);
    let user_data = user_data(&mut input, region, image);
    let stackscript = stackscript(call, &mut input, image);
    let firewall = firewall(call, &mut input);
    let kernel = kernel(&mut input);
    let swap = input.number("swap_size").unwrap_or(512);
    let booted = input.flag("booted").unwrap_or(true);
    let private_ip = input.flag("private_ip").unwrap_or(false);
    let backups = input.flag("backups_enabled").unwrap_or(false);
    let disk_encryption = encryption(&mut input);
    let group = input.text("group").unwrap_or_default();
    let maintenance_policy = input.text("maintenance_policy").unwrap_or_else(|| "linode/migrate".to_owned());
    input.done()?;
    let (Some(region), Some(linode_type)) = (region, linode_type) else {
        return Err(Refused::new(400, "An error occurred")); // Not reached: either is a problem of its own.
    };

    let (now, script) = (call.now, stackscript.as_ref().map(|(id, _)| *id));
    let new = NewLinode {
        label,
        group,
        tags,
        linode_type,
        region,
        image: image.map(|image| (image.id.to_owned(), image.label.to_owned())),
        swap: swap.min(linode_type.disk),
        booted,
        private_ip,
        backups,
        disk_encryption,
        maintenance_policy,
        kernel,
        firewall,
        stackscript: script,
        launch: Launch { authorized_keys: keys, user_data, stackscript: stackscript.map(|(_, script)| script) },
    };
    let id = call.world.create_linode(new, now).ok_or_else(|| {
        Refused::new(400, "Account Limit reached. Please open a support ticket.") // All addresses are taken.
    })?;
    call.world.linodes.get(&id).map_or_else(|| Err(Refused::not_found()), |linode| ok(linode_view(linode)))
}

/// Better than to leave out silently what somebody relies on.
fn refuse_what_is_missing_here(input: &mut Input) {
    for field in ["backup_id", "interfaces", "placement_group", "ipv4", "network_helper"] {
        if input.has(field) {
            input.problems.add(field, format!("The sandbox does not emulate {field}."));
        }
    }
    if input.text("interface_generation").is_some_and(|generation| generation != "legacy_config") {
        input.problems.add("interface_generation", "The sandbox emulates legacy_config only.");
    }
}

pub(super) fn region(catalogue: &Catalogue, input: &mut Input) -> Option<&'static Region> {
    let id = input.required_text("region")?;
    let region = catalogue.region(&id);
    if region.is_none() { input.wrong("region", "region is not valid") } else { region }
}

pub(super) fn linode_type(
    catalogue: &Catalogue,
    input: &mut Input,
    region: Option<&Region>,
) -> Option<&'static catalogue::Type> {
    let id = input.required_text("type")?;
    let Some(one) = catalogue.linode_type(&id) else {
        return input.wrong("type", "A valid plan type by that ID was not found");
    };
    if region.is_some_and(|region| !catalogue::available(region, one)) {
        return input.wrong("type", "This plan is not available in the selected region");
    }
    Some(one)
}

pub(super) fn image(catalogue: &Catalogue, input: &mut Input, region: Option<&Region>) -> Option<&'static Image> {
    let id = input.text("image").filter(|id| !id.is_empty())?;
    let Some(image) = catalogue.image(&id) else { return input.wrong("image", "image is not valid") };
    if region.is_some_and(|region| region.distributed) && !image.distributed {
        return input.wrong("image", "This image cannot be deployed in a distributed region");
    }
    Some(image)
}

/// The keys that root gets: those given and those of the users named. Either they or a password are needed with an image.
pub(super) fn authorized_keys(call: &Call<'_>, input: &mut Input, image: Option<&Image>) -> Vec<String> {
    let mut keys = input.texts("authorized_keys").unwrap_or_default();
    keys.retain(|key| !key.trim().is_empty());
    for (at, key) in keys.iter().enumerate() {
        if !is_public_key(key) {
            input.problems.add("authorized_keys", format!("SSH Key {} is not a valid public key", at + 1));
        }
    }
    let users = input.texts("authorized_users").unwrap_or_default();
    for (at, user) in users.iter().enumerate() {
        if user == USERNAME {
            keys.extend(call.world.ssh_keys.values().map(|one| one.key.clone()));
        } else {
            input.problems.add(format!("authorized_users[{at}]"), "User is not valid");
        }
    }
    let password = input.text("root_pass").filter(|password| !password.is_empty());
    if let Some(reason) = password.as_deref().and_then(password_problem) {
        input.problems.add("root_pass", reason);
    }
    if image.is_some() && password.is_none() && keys.is_empty() && users.is_empty() {
        input.problems.add_general("Must provide valid root_pass, authorized_keys, or authorized_users");
    }
    keys
}

pub(super) fn user_data(input: &mut Input, region: Option<&Region>, image: Option<&Image>) -> Option<Vec<u8>> {
    let text = match input.object("metadata")?.remove("user_data")? {
        Value::Null => return None,
        Value::String(text) => text,
        _ => return input.wrong("metadata.user_data", "Must be of type string"),
    };
    let Ok(decoded) = STANDARD.decode(text.trim()) else {
        return input.wrong("metadata.user_data", "Must be base64-encoded");
    };
    if decoded.len() > MOST_USER_DATA {
        return input.wrong("metadata.user_data", "Must be at most 65535 bytes when decoded");
    }
    if region.is_some_and(|region| !region.can("Metadata")) {
        return input.wrong("metadata.user_data", "Metadata is not available in the selected region");
    }
    if image.is_some_and(|image| !image.cloud_init) {
        return input.wrong("metadata.user_data", "The selected image does not support cloud-init");
    }
    (!decoded.is_empty()).then_some(decoded)
}

/// The script and the answers it is run with: those given, else its defaults.
pub(super) fn stackscript(call: &Call<'_>, input: &mut Input, image: Option<&Image>) -> Option<(u64, StackScript)> {
    let id = input.number("stackscript_id")?;
    let given = input.object("stackscript_data").unwrap_or_default();
    let Some(script) = call.world.stackscripts.get(&id) else {
        return input.wrong("stackscript_id", "stackscript_id is not valid");
    };
    match image {
        None => return input.wrong("image", "An image is required to deploy a StackScript"),
        Some(image) if !script.fits(image.id) => {
            return input.wrong("image", "The image is not among those of the StackScript");
        }
        Some(_) => {}
    }
    match script.answered(&given) {
        Ok(answered) => Some((id, answered)),
        Err(reason) => input.wrong("stackscript_data", &reason),
    }
}

fn firewall(call: &Call<'_>, input: &mut Input) -> Option<u64> {
    let id = input.number("firewall_id")?;
    let known = call.world.firewalls.contains_key(&id);
    if known { Some(id) } else { input.wrong("firewall_id", "firewall_id is not valid") }
}

fn kernel(input: &mut Input) -> String {
    let Some(id) = input.text("kernel") else { return "linode/grub2".to_owned() };
    if catalogue::kernel(&id).is_none() {
        input.problems.add("kernel", "kernel is not valid");
    }
    id
}

fn encryption(input: &mut Input) -> bool {
    match input.text("disk_encryption").as_deref() {
        None | Some("enabled") => true,
        Some("disabled") => false,
        Some(_) => {
            input.problems.add("disk_encryption", "Must be enabled or disabled");
            true
        }
    }
}
