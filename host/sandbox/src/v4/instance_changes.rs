//! What makes another Linode of one: rebuild, resize, clone, another password.
//!
//! Owns: what makes such a request valid. Does not know what follows from it (`world`).

use super::call::{Answer, Call, Route, done, ok};
use super::error::Refused;
use super::input::Input;
use super::instance_create::{authorized_keys, image, linode_type, region, stackscript, user_data};
use super::instance_view::linode_view;
use super::instances::{at_rest, label_refusal};
use crate::limits::Class;
use crate::rules::password_problem;
use crate::world::{HostWork, Launch, Linode, NewLinode, Status};

const WRITE: &str = "linodes:read_write";

pub(super) const ROUTES: &[Route] = &[
    Route::new("POST", "linode/instances/{}/rebuild", WRITE, rebuild),
    Route::new("POST", "linode/instances/{}/resize", WRITE, resize),
    Route::new("POST", "linode/instances/{}/clone", WRITE, duplicate).counted(Class::CreateLinode),
    Route::new("POST", "linode/instances/{}/password", WRITE, password),
];

fn shown(call: &Call<'_>, id: u64) -> Answer {
    call.world.linodes.get(&id).map_or_else(|| Err(Refused::not_found()), |linode| ok(linode_view(linode)))
}

/// All that is on it goes; its addresses stay.
fn rebuild(call: &mut Call<'_>) -> Answer {
    let (id, of) = (at_rest(call)?.id, at_rest(call)?.region);
    let mut input = call.input()?;
    if !input.has("image") {
        input.problems.add("image", "image is required");
    }
    let image = image(call.world.catalogue, &mut input, Some(of));
    let keys = authorized_keys(call, &mut input, image);
    let user_data = user_data(&mut input, Some(of), image);
    let script = stackscript(call, &mut input, image);
    let booted = input.flag("booted").unwrap_or(true);
    input.done()?;
    let stackscript = script.map(|(_, script)| script);
    if let Some(image) = image {
        let image = (image.id.to_owned(), image.label.to_owned());
        let (launch, now) = (Launch { authorized_keys: keys, user_data, stackscript }, call.now);
        call.world.rebuild_linode(id, image, booted, launch, now);
    }
    shown(call, id)
}

/// It is off meanwhile, and then as it was before.
fn resize(call: &mut Call<'_>) -> Answer {
    let linode = at_rest(call)?;
    let (id, present, runs) = (linode.id, linode.linode_type, linode.status == Status::Running);
    let disks: u64 = linode.disks.iter().map(|disk| disk.size).sum();
    let only = only_disk(linode);
    let mut input = call.input()?;
    let to = linode_type(call.world.catalogue, &mut input, Some(linode.region));
    let grows = input.flag("allow_auto_disk_resize").unwrap_or(true);
    if to.is_some_and(|to| to.id == present.id) {
        input.problems.add("type", "Linode is already running this service plan.");
    }
    if to.is_some_and(|to| to.disk < disks) {
        let why = "The current disk size of your Linode is too large for the new service plan.";
        input.problems.add_general(format!("{why} Please resize your disk to accommodate the new plan."));
    }
    input.done()?;
    let (Some(to), now) = (to, call.now) else { return done() };
    if runs {
        call.world.ask_host(id, HostWork::Shutdown, "", now);
    }
    call.world.ask_host(id, HostWork::Retype(to), to.label, now);
    if let Some((disk, size)) = only.filter(|_| grows && to.disk > disks) {
        call.world.ask_host(id, HostWork::ResizeDisk(disk, size + to.disk - disks), "", now);
    }
    if runs {
        call.world.ask_host(id, HostWork::Boot(None), "", now);
    }
    done()
}

/// The one disk beside swap, with its size: one that can grow with the plan.
fn only_disk(linode: &Linode) -> Option<(u64, u64)> {
    let mut disks = linode.disks.iter().filter(|disk| disk.filesystem != "swap");
    let first = disks.next()?;
    disks.next().is_none().then_some((first.id, first.size))
}

/// As a new Linode, which is off.
fn duplicate(call: &mut Call<'_>) -> Answer {
    let original = at_rest(call)?.clone();
    let needed: u64 = original.disks.iter().map(|disk| disk.size).sum();
    let mut input = call.input()?;
    for field in ["linode_id", "disks", "configs", "placement_group"] {
        if input.has(field) {
            input.problems.add(field, format!("The sandbox does not emulate {field} of a clone."));
        }
    }
    let catalogue = call.world.catalogue;
    let region = region(catalogue, &mut input);
    let to = linode_type(catalogue, &mut input, region);
    if to.is_some_and(|to| to.disk < needed) {
        input.problems.add("type", format!("The disks of this Linode take {needed} MB"));
    }
    let label = input.text("label").filter(|label| !label.is_empty());
    if let Some(reason) = label.as_deref().and_then(|label| label_refusal(call, label, None)) {
        input.problems.add("label", reason);
    }
    let backups = input.flag("backups_enabled").unwrap_or(false);
    let private_ip = input.flag("private_ip").unwrap_or(false);
    input.done()?;
    let (Some(region), Some(to), now) = (region, to, call.now) else {
        return Err(Refused::new(400, "An error occurred")); // Not reached: either is a problem of its own.
    };
    let new = NewLinode {
        label,
        group: original.group,
        tags: original.tags,
        linode_type: to,
        region,
        image: None,
        swap: 0,
        booted: false,
        private_ip,
        backups,
        disk_encryption: original.disk_encryption,
        maintenance_policy: original.maintenance_policy,
        kernel: String::new(),
        firewall: None,
        stackscript: None,
        launch: Launch::default(),
    };
    let limit = || Refused::new(400, "Account Limit reached. Please open a support ticket.");
    let id = call.world.create_linode(new, now).ok_or_else(limit)?;
    call.world.finish_bare(id, now);
    call.world.copy_disks(original.id, id, now);
    call.world.ask_host(id, HostWork::CopyDisks, "", now);
    shown(call, id)
}

/// Nobody logs in with one in the sandbox: keys alone are let in.
fn password(call: &mut Call<'_>) -> Answer {
    if at_rest(call)?.status != Status::Offline {
        return Err(Refused::new(400, "Linode must be powered off"));
    }
    let mut input: Input = call.input()?;
    let password = input.required_text("root_pass");
    if let Some(problem) = password.as_deref().and_then(password_problem) {
        input.problems.add("root_pass", problem);
    }
    input.done()?;
    done()
}
