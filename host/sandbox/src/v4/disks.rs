//! Disks of a Linode.
//!
//! Owns: these calls. A disk is in the list at once, and made by the Linode's host. Does not know what is on one.

use super::call::{Answer, Call, Route, done, ok};
use super::error::Refused;
use super::input::Input;
use super::instance_create::{authorized_keys, image, stackscript};
use super::instance_view::disk_view;
use super::instances::{at_rest, linode};
use crate::rules::password_problem;
use crate::world::{Disk, DiskStatus, HostWork, Launch, Linode, Status};

const READ: &str = "linodes:read_only";
const WRITE: &str = "linodes:read_write";

const FILESYSTEMS: &[&str] = &["ext4", "ext3", "ext2", "swap", "raw", "initrd"];

pub(super) const ROUTES: &[Route] = &[
    Route::list("linode/instances/{}/disks", READ, |call| {
        let linode = linode(call)?;
        call.list(linode.disks.iter(), |disk| disk_view(linode, disk))
    }),
    Route::new("POST", "linode/instances/{}/disks", WRITE, create),
    Route::new("GET", "linode/instances/{}/disks/{}", READ, |call| ok(disk_view(linode(call)?, disk(call)?))),
    Route::new("PUT", "linode/instances/{}/disks/{}", WRITE, update),
    Route::new("DELETE", "linode/instances/{}/disks/{}", WRITE, delete),
    Route::new("POST", "linode/instances/{}/disks/{}/resize", WRITE, resize),
    Route::new("POST", "linode/instances/{}/disks/{}/clone", WRITE, duplicate),
    Route::new("POST", "linode/instances/{}/disks/{}/password", WRITE, password),
];

fn disk<'a>(call: &'a Call<'_>) -> Result<&'a Disk, Refused> {
    let id = call.id(1)?;
    linode(call)?.disks.iter().find(|disk| disk.id == id).ok_or_else(Refused::not_found)
}

/// MB that no disk has yet.
fn free(linode: &Linode) -> u64 {
    linode.linode_type.disk.saturating_sub(linode.disks.iter().map(|disk| disk.size).sum())
}

fn label(input: &mut Input) -> Option<String> {
    let label = input.text("label")?;
    let fits = (1..=48).contains(&label.chars().count());
    if fits { Some(label) } else { input.wrong("label", "Must be 1-48 characters") }
}

/// A size for which there is room beside what is there.
fn size(input: &mut Input, room: u64) -> u64 {
    if !input.has("size") {
        input.problems.add("size", "size is required");
        return 0;
    }
    let size = input.number("size").unwrap_or(1);
    if size == 0 {
        input.problems.add("size", "Must be greater than 0");
    } else if size > room {
        input.problems.add("size", format!("Must be at most {room}: the Linode has no more space"));
    }
    size
}

fn create(call: &mut Call<'_>) -> Answer {
    let (of, region, room) = (at_rest(call)?.id, linode(call)?.region, free(linode(call)?));
    let mut input = call.input()?;
    let label = label(&mut input);
    let size = size(&mut input, room);
    let filesystem = match input.text("filesystem") {
        None => "ext4",
        Some(wanted) => match FILESYSTEMS.iter().copied().find(|one| *one == wanted) {
            Some(one) => one,
            None => input.wrong("filesystem", "filesystem is not valid").unwrap_or_default(),
        },
    };
    let image = image(call.world.catalogue, &mut input, Some(region));
    if image.is_some_and(|image| size < image.size) {
        input.problems.add("size", format!("Must be at least {} for this image", image.map_or(0, |image| image.size)));
    }
    let keys = authorized_keys(call, &mut input, image);
    let script = stackscript(call, &mut input, image);
    input.done()?;
    let now = call.now;
    let label = label.unwrap_or_else(|| image.map_or("Disk".to_owned(), |image| format!("{} Disk", image.label)));
    if let (Some(image), Some(linode)) = (image, call.world.linodes.get_mut(&of)) {
        let stackscript = script.map(|(_, script)| script);
        linode.receive(image.id.to_owned(), Launch { authorized_keys: keys, user_data: None, stackscript });
    }
    let disk = Disk { label: label.clone(), filesystem, size, created: now, ..Disk::default() };
    make(call, of, disk, image.is_some(), &label)
}

/// Has it made; it is shown as it is until then.
fn make(call: &mut Call<'_>, of: u64, disk: Disk, with_system: bool, about: &str) -> Answer {
    let now = call.now;
    let id = call.world.add_disk(of, disk).ok_or_else(Refused::not_found)?;
    call.world.ask_host(of, HostWork::MakeDisk(id, with_system), about, now);
    let linode = linode(call)?;
    let disk = linode.disks.iter().find(|disk| disk.id == id).ok_or_else(Refused::not_found)?;
    ok(disk_view(linode, disk))
}

fn update(call: &mut Call<'_>) -> Answer {
    let (of, id) = (linode(call)?.id, disk(call)?.id);
    let mut input = call.input()?;
    let label = label(&mut input);
    input.done()?;
    let disks = call.world.linodes.get_mut(&of).into_iter().flat_map(|linode| &mut linode.disks);
    if let (Some(label), Some(disk)) = (label, disks.into_iter().find(|disk| disk.id == id)) {
        disk.label = label;
    }
    ok(disk_view(linode(call)?, disk(call)?))
}

fn delete(call: &mut Call<'_>) -> Answer {
    let (of, disk) = (at_rest(call)?.id, disk(call)?.clone());
    call.world.ask_host(of, HostWork::RemoveDisk(disk.id), &disk.label, call.now);
    done()
}

fn resize(call: &mut Call<'_>) -> Answer {
    let (of, disk) = (switched_off(call)?.id, disk(call)?.clone());
    let room = free(linode(call)?) + disk.size;
    let mut input = call.input()?;
    let size = size(&mut input, room);
    input.done()?;
    call.world.ask_host(of, HostWork::ResizeDisk(disk.id, size), &disk.label, call.now);
    done()
}

fn duplicate(call: &mut Call<'_>) -> Answer {
    let (of, disk) = (at_rest(call)?.id, disk(call)?.clone());
    if disk.size > free(linode(call)?) {
        return Err(Refused::new(400, "The Linode has not enough space for a copy of this disk"));
    }
    let label = format!("Copy of {}", disk.label).chars().take(48).collect::<String>();
    let copy = Disk { label: label.clone(), status: DiskStatus::NotReady, created: call.now, ..disk };
    make(call, of, copy, true, &label)
}

/// Nobody logs in with one in the sandbox: keys alone are let in.
fn password(call: &mut Call<'_>) -> Answer {
    switched_off(call)?;
    disk(call)?;
    let mut input = call.input()?;
    let password = input.text("password").unwrap_or_default();
    if let Some(problem) = password_problem(&password) {
        input.problems.add("password", problem);
    }
    input.done()?;
    done()
}

/// What is changed beneath a running machine would break it.
fn switched_off<'a>(call: &'a Call<'_>) -> Result<&'a Linode, Refused> {
    let linode = at_rest(call)?;
    let is_off = linode.status == Status::Offline;
    if is_off { Ok(linode) } else { Err(Refused::new(400, "Linode must be powered off")) }
}
