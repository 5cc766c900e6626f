//! Linodes: list, create, change, delete, power.
//!
//! Owns: these methods. Does not know what is on one (`disks`, `configs`) nor how a job is done (`world::hosts`).

use serde_json::{Value, json};

use super::call::{Answer, Call, bit};
use super::fault::Fault;
use super::{dates, ids};
use crate::catalogue::{Region, Type};
use crate::limits::Class;
use crate::rules::label_problem;
use crate::world::{HostWork, Launch, Linode, NewLinode, Status, World};

/// What a display group may be long.
const MOST_GROUP: usize = 50;

pub(super) fn list(call: &mut Call<'_>) -> Answer {
    let wanted = call.number("linodeid");
    let seen = call.world.linodes.values().filter(|linode| linode.visible <= call.now);
    let rows: Vec<_> = seen
        .filter(|linode| wanted.is_none_or(|wanted| wanted == linode.id))
        .map(|linode| row(call.world, linode))
        .collect();
    if rows.is_empty() && wanted.is_some() { Err(Fault::not_found()) } else { Ok(Value::Array(rows)) }
}

fn row(world: &World, linode: &Linode) -> Value {
    let (alerts, catalogue) = (linode.alerts, world.catalogue);
    let image = linode.image.as_deref().and_then(|image| catalogue.image(image));
    json!({
        "LINODEID": linode.id, "LABEL": linode.label, "STATUS": status(world, linode),
        "PLANID": ids::plan(catalogue, linode.linode_type), "DATACENTERID": ids::datacenter(catalogue, linode.region.id),
        "TOTALRAM": linode.linode_type.memory, "TOTALHD": linode.linode_type.disk, "TOTALXFER": linode.linode_type.transfer,
        "LPM_DISPLAYGROUP": linode.group, "CREATE_DT": dates::written(linode.created), "WATCHDOG": bit(linode.watchdog),
        "DISTRIBUTIONVENDOR": image.map_or("", |image| image.vendor), "ISXEN": 0, "ISKVM": 1,
        "BACKUPSENABLED": bit(linode.backups), "BACKUPWINDOW": 0, "BACKUPWEEKLYDAY": 0,
        "ALERT_CPU_ENABLED": bit(alerts.cpu > 0), "ALERT_CPU_THRESHOLD": alerts.cpu,
        "ALERT_DISKIO_ENABLED": bit(alerts.io > 0), "ALERT_DISKIO_THRESHOLD": alerts.io,
        "ALERT_BWIN_ENABLED": bit(alerts.network_in > 0), "ALERT_BWIN_THRESHOLD": alerts.network_in,
        "ALERT_BWOUT_ENABLED": bit(alerts.network_out > 0), "ALERT_BWOUT_THRESHOLD": alerts.network_out,
        "ALERT_BWQUOTA_ENABLED": bit(alerts.transfer_quota > 0), "ALERT_BWQUOTA_THRESHOLD": alerts.transfer_quota,
    })
}

/// This API has no word for what is under way: the jobs tell.
fn status(world: &World, linode: &Linode) -> i64 {
    match linode.status {
        Status::Provisioning => -1,
        Status::Running | Status::Rebooting => 1,
        Status::ShuttingDown => 3,
        Status::Booting | Status::Offline if world.is_brand_new(linode.id) && world.failed_to_boot(linode.id) => -2,
        Status::Booting | Status::Offline if world.is_brand_new(linode.id) => 0,
        Status::Offline if world.failed_to_boot(linode.id) => -2,
        Status::Booting | Status::Rebuilding | Status::Offline => 2,
    }
}

/// Where and what a new Linode is to be.
fn place(call: &Call<'_>) -> Result<(&'static Region, &'static Type), Fault> {
    let catalogue = call.world.catalogue;
    let region = ids::region(catalogue, call.id("datacenterid"));
    let region = region.ok_or_else(|| Fault::invalid("DatacenterID is not one of avail.datacenters"))?;
    let plan = ids::linode_type(catalogue, call.id("planid"));
    Ok((region, plan.ok_or_else(|| Fault::invalid("PlanID is not one of avail.linodeplans"))?))
}

/// A bare Linode: it is paid for from now on, and has neither a label of anybody's nor a disk.
fn bare(call: &mut Call<'_>, (region, linode_type): (&'static Region, &'static Type)) -> Result<u64, Fault> {
    if !call.limits.admit(&call.key, Class::CreateLinodeV3, call.now).admitted {
        return Err(Fault::new(40, "Limit of Linodes added per hour reached"));
    }
    let new = NewLinode {
        label: None,
        group: String::new(),
        tags: Vec::new(),
        linode_type,
        region,
        image: None,
        swap: 0,
        booted: false,
        private_ip: false,
        backups: false,
        disk_encryption: false,
        maintenance_policy: "linode/migrate".to_owned(),
        kernel: String::new(),
        firewall: None,
        stackscript: None,
        launch: Launch::default(),
    };
    let limit = || Fault::new(15, "Account Limit reached. Please open a support ticket.");
    let id = call.world.create_linode(new, call.now).ok_or_else(limit)?;
    call.world.finish_bare(id, call.now);
    Ok(id)
}

pub(super) fn create(call: &mut Call<'_>) -> Answer {
    let place = place(call)?;
    Ok(json!({"LinodeID": bare(call, place)?}))
}

/// The copy's first boot is that of the original: what a machine has written since is not copied.
pub(super) fn clone(call: &mut Call<'_>) -> Answer {
    let place = place(call)?;
    let original = call.linode()?.clone();
    let needed: u64 = original.disks.iter().map(|disk| disk.size).sum();
    if needed > place.1.disk {
        return Err(Fault::invalid(format!("The disks of this Linode take {needed} MB: the plan has too little")));
    }
    let id = bare(call, place)?;
    let now = call.now;
    call.world.copy_disks(original.id, id, now);
    call.world.ask_host(id, HostWork::CopyDisks, "", now);
    Ok(json!({"LinodeID": id}))
}

pub(super) fn update(call: &mut Call<'_>) -> Answer {
    let id = call.linode()?.id;
    let label = call.text("label");
    if !label.is_empty() {
        if let Some(problem) = label_problem(label, 3, 64) {
            return Err(Fault::invalid(format!("Label: {problem}")));
        }
        if call.world.linode_labelled(label).is_some_and(|owner| owner != id) {
            let message = "This account already has a Linode with that label. Labels must be unique.";
            return Err(Fault::invalid(message));
        }
    }
    let group = call.given("lpm_displaygroup");
    if group.is_some_and(|group| group.chars().count() > MOST_GROUP) {
        return Err(Fault::invalid(format!("lpm_displayGroup must be at most {MOST_GROUP} characters")));
    }
    if !label.is_empty() {
        call.world.relabel_linode(id, label);
    }
    let watchdog = call.flag("watchdog");
    let alert = |name: &str, present: u64| {
        let threshold = call.number(&format!("alert_{name}_threshold")).unwrap_or(present);
        match call.flag(&format!("alert_{name}_enabled")) {
            Some(false) => 0,
            // It has to be something.
            Some(true) => threshold.max(1),
            None => threshold,
        }
    };
    let mut alerts = call.linode()?.alerts;
    alerts.cpu = alert("cpu", alerts.cpu);
    alerts.io = alert("diskio", alerts.io);
    alerts.network_in = alert("bwin", alerts.network_in);
    alerts.network_out = alert("bwout", alerts.network_out);
    alerts.transfer_quota = alert("bwquota", alerts.transfer_quota);
    let now = call.now;
    let linode = call.linode_mut()?;
    if let Some(group) = group {
        group.clone_into(&mut linode.group);
    }
    linode.watchdog = watchdog.unwrap_or(linode.watchdog);
    linode.alerts = alerts;
    linode.updated = now;
    Ok(json!({"LinodeID": id}))
}

pub(super) fn delete(call: &mut Call<'_>) -> Answer {
    let linode = call.linode()?;
    let id = linode.id;
    if !linode.disks.is_empty() && call.flag("skipchecks") != Some(true) {
        return Err(Fault::new(41, "Linode must have no disks before delete"));
    }
    call.world.delete_linode(id, call.now);
    Ok(json!({"LinodeID": id}))
}

/// What is booted must be there now, though the boot comes when its turn does.
fn config(call: &Call<'_>) -> Result<(u64, Option<u64>), Fault> {
    let linode = call.linode()?;
    let config = call.number("configid").filter(|id| *id > 0);
    match config {
        Some(config) if !linode.configs.iter().any(|one| one.id == config) => Err(Fault::not_found()),
        None if linode.configs.is_empty() => Err(Fault::invalid("This Linode has no configuration profile to boot")),
        _ => Ok((linode.id, config)),
    }
}

pub(super) fn boot(call: &mut Call<'_>) -> Answer {
    let (id, config) = config(call)?;
    Ok(json!({"JobID": call.world.ask_host(id, HostWork::Boot(config), "", call.now)}))
}

pub(super) fn reboot(call: &mut Call<'_>) -> Answer {
    let (id, config) = config(call)?;
    Ok(json!({"JobID": call.world.ask_host(id, HostWork::Reboot(config), "", call.now)}))
}

pub(super) fn shutdown(call: &mut Call<'_>) -> Answer {
    let id = call.linode()?.id;
    Ok(json!({"JobID": call.world.ask_host(id, HostWork::Shutdown, "", call.now)}))
}

/// It is shut down, moved and, if it ran, booted again: three jobs. The answer says "ok" where others say nothing.
pub(super) fn resize(call: &mut Call<'_>) -> Answer {
    let to = ids::linode_type(call.world.catalogue, call.id("planid"));
    let to = to.ok_or_else(|| Fault::invalid("PlanID is not one of avail.linodeplans"))?;
    let linode = call.linode()?;
    let (id, now, runs) = (linode.id, call.now, linode.status == Status::Running);
    if linode.linode_type.id == to.id {
        return Err(Fault::invalid("This Linode has this plan already"));
    }
    if linode.disks.iter().map(|disk| disk.size).sum::<u64>() > to.disk {
        return Err(Fault::invalid(format!("The disks of this Linode take more than the {} MB of that plan", to.disk)));
    }
    if runs {
        call.world.ask_host(id, HostWork::Shutdown, "", now);
    }
    call.world.ask_host(id, HostWork::Retype(to), to.label, now);
    if runs {
        call.world.ask_host(id, HostWork::Boot(None), "", now);
    }
    Err(Fault::ok())
}
