//! Disks of a Linode.
//!
//! Owns: these methods. A disk is in the list at once and is made by a job; there is room for what the plan has.

use serde_json::{Map, Value, json};

use super::call::{Answer, Call, bit};
use super::fault::Fault;
use super::{dates, ids};
use crate::catalogue::Image;
use crate::machines::StackScript;
use crate::rules::{is_public_key, password_problem};
use crate::world::{Disk, DiskStatus, HostWork, Launch, Linode};

const FILESYSTEMS: &[&str] = &["ext4", "ext3", "swap", "raw"];

pub(super) fn list(call: &mut Call<'_>) -> Answer {
    let (linode, wanted) = (call.linode()?, call.number("diskid"));
    let rows: Vec<_> = linode
        .disks
        .iter()
        .filter(|disk| wanted.is_none_or(|wanted| wanted == disk.id))
        .map(|disk| row(linode, disk))
        .collect();
    if rows.is_empty() && wanted.is_some() { Err(Fault::not_found()) } else { Ok(Value::Array(rows)) }
}

fn row(linode: &Linode, disk: &Disk) -> Value {
    json!({
        "DISKID": disk.id, "LINODEID": linode.id, "LABEL": disk.label, "TYPE": disk.filesystem, "SIZE": disk.size,
        "STATUS": if disk.status == DiskStatus::Ready { 1 } else { 2 }, "ISREADONLY": bit(disk.read_only),
        "CREATE_DT": dates::written(disk.created), "UPDATE_DT": dates::written(disk.created),
    })
}

fn disk<'a>(call: &'a Call<'_>) -> Result<&'a Disk, Fault> {
    let id = call.id("diskid");
    call.linode()?.disks.iter().find(|disk| disk.id == id).ok_or_else(Fault::not_found)
}

/// A disk with nothing on it.
pub(super) fn create(call: &mut Call<'_>) -> Answer {
    let wanted = call.text("type");
    let filesystem = FILESYSTEMS.iter().find(|one| one.eq_ignore_ascii_case(wanted));
    let filesystem = filesystem.ok_or_else(|| Fault::invalid("Type must be ext4, ext3, swap or raw"))?;
    if let Some(distribution) = call.number("fromdistributionid").filter(|id| *id > 0) {
        let made = System::of(image(call, distribution)?, None);
        return with_system(call, made, call.id("size"));
    }
    let size = room(call, call.id("size"))?;
    let read_only = call.flag("isreadonly").unwrap_or_default();
    add(call, Disk { filesystem, size, read_only, ..Disk::default() }, false)
}

pub(super) fn create_from_distribution(call: &mut Call<'_>) -> Answer {
    let made = System::of(image(call, call.id("distributionid"))?, None);
    with_system(call, made, call.id("size"))
}

pub(super) fn create_from_stackscript(call: &mut Call<'_>) -> Answer {
    let image = image(call, call.id("distributionid"))?;
    let answers = answers(call.text("stackscriptudfresponses"))?;
    let id = call.id("stackscriptid");
    let script = call.world.stackscripts.get_mut(&id).ok_or_else(Fault::not_found)?;
    if !script.fits(image.id) {
        return Err(Fault::invalid("The distribution is not among those of the StackScript"));
    }
    let answered =
        script.answered(&answers).map_err(|why| Fault::invalid(format!("StackScriptUDFResponses: {why}")))?;
    script.deployments_total += 1;
    with_system(call, System::of(image, Some(answered)), call.id("size"))
}

/// As large as the image unless another size is asked for. Names in its answer are in upper case.
pub(super) fn create_from_image(call: &mut Call<'_>) -> Answer {
    let id = call.id("imageid");
    let image = call.world.images.get(&id).filter(|image| !image.creating).ok_or_else(Fault::not_found)?;
    let size = call.number("size").unwrap_or(image.size);
    let system =
        System { image: format!("private/{id}"), label: image.label.clone(), least: image.size, stackscript: None };
    let made = with_system(call, system, size)?;
    Ok(json!({"JOBID": made["JobID"], "DISKID": made["DiskID"]}))
}

/// JSON; quotes with a backslash before each are taken too, as some clients send them.
fn answers(text: &str) -> Result<Map<String, Value>, Fault> {
    let read = |text: &str| serde_json::from_str::<Map<String, Value>>(text).ok();
    let read = read(text).or_else(|| read(&text.replace("\\\"", "\"")));
    read.ok_or_else(|| Fault::invalid("StackScriptUDFResponses must be a JSON object"))
}

fn image(call: &Call<'_>, distribution: u64) -> Result<&'static Image, Fault> {
    let image = ids::image(call.world.catalogue, distribution);
    image.ok_or_else(|| Fault::invalid("DistributionID is not one of avail.distributions"))
}

/// What is put on a disk.
struct System {
    image: String,
    label: String,
    /// MB.
    least: u64,
    stackscript: Option<StackScript>,
}

impl System {
    fn of(image: &Image, stackscript: Option<StackScript>) -> Self {
        Self { image: image.id.to_owned(), label: image.label.to_owned(), least: image.size, stackscript }
    }
}

fn with_system(call: &mut Call<'_>, system: System, size: u64) -> Answer {
    let size = room(call, size)?;
    if size < system.least {
        let System { label, least, .. } = system;
        return Err(Fault::invalid(format!("Size: {label} needs at least {least} MB")));
    }
    let password = call.text("rootpass");
    if password.is_empty() {
        return Err(Fault::missing("rootPass"));
    }
    if let Some(problem) = password_problem(password) {
        return Err(Fault::invalid(format!("rootPass: {problem}")));
    }
    let keys: Vec<String> =
        call.text("rootsshkey").lines().map(str::trim).filter(|key| !key.is_empty()).map(str::to_owned).collect();
    if !keys.iter().all(|key| is_public_key(key)) {
        return Err(Fault::invalid("rootSSHKey is not a valid public key"));
    }
    let launch = Launch { authorized_keys: keys, user_data: None, stackscript: system.stackscript };
    call.linode_mut()?.receive(system.image, launch);
    add(call, Disk { filesystem: "ext4", size, ..Disk::default() }, true)
}

/// A size for which there is room.
fn room(call: &Call<'_>, size: u64) -> Result<u64, Fault> {
    let linode = call.linode()?;
    let used: u64 = linode.disks.iter().map(|disk| disk.size).sum();
    let free = linode.linode_type.disk.saturating_sub(used);
    match size {
        0 => Err(Fault::invalid("Size must be at least 1")),
        size if size > free => {
            Err(Fault::invalid(format!("Insufficient space: {size} MB are wanted, {free} MB are free")))
        }
        size => Ok(size),
    }
}

fn add(call: &mut Call<'_>, mut disk: Disk, with_system: bool) -> Answer {
    let (linode, now, label) = (call.linode()?.id, call.now, call.text("label"));
    label.clone_into(&mut disk.label);
    disk.created = now;
    let id = call.world.add_disk(linode, disk).ok_or_else(Fault::not_found)?;
    let job = call.world.ask_host(linode, HostWork::MakeDisk(id, with_system), label, now);
    Ok(json!({"JobID": job, "DiskID": id}))
}

pub(super) fn duplicate(call: &mut Call<'_>) -> Answer {
    let original = disk(call)?.clone();
    room(call, original.size)?;
    let (linode, now) = (call.linode()?.id, call.now);
    let copy =
        Disk { label: format!("Copy of {}", original.label), status: DiskStatus::NotReady, created: now, ..original };
    let label = copy.label.clone();
    let id = call.world.add_disk(linode, copy).ok_or_else(Fault::not_found)?;
    let job = call.world.ask_host(linode, HostWork::MakeDisk(id, true), &label, now);
    Ok(json!({"JobID": job, "DiskID": id}))
}

pub(super) fn delete(call: &mut Call<'_>) -> Answer {
    let (id, label, linode) = (disk(call)?.id, disk(call)?.label.clone(), call.linode()?.id);
    let job = call.world.ask_host(linode, HostWork::RemoveDisk(id), &label, call.now);
    Ok(json!({"JobID": job, "DiskID": id}))
}

pub(super) fn resize(call: &mut Call<'_>) -> Answer {
    let (present, size, linode) = (disk(call)?.clone(), call.id("size"), call.linode()?.id);
    if size > present.size {
        room(call, size - present.size)?;
    } else if size == 0 {
        return Err(Fault::invalid("size must be at least 1"));
    }
    let job = call.world.ask_host(linode, HostWork::ResizeDisk(present.id, size), &present.label, call.now);
    Ok(json!({"JobID": job, "DiskID": present.id}))
}

/// Its Linode need not be named.
pub(super) fn update(call: &mut Call<'_>) -> Answer {
    let (id, label, read_only) = (call.id("diskid"), call.text("label"), call.flag("isreadonly"));
    let of = call.number("linodeid");
    let mut disks = call
        .world
        .linodes
        .values_mut()
        .filter(|linode| of.is_none_or(|of| of == linode.id))
        .flat_map(|linode| &mut linode.disks);
    let disk = disks.find(|disk| disk.id == id).ok_or_else(Fault::not_found)?;
    if !label.is_empty() {
        label.clone_into(&mut disk.label);
    }
    disk.read_only = read_only.unwrap_or(disk.read_only);
    Ok(json!({"DiskID": id}))
}
