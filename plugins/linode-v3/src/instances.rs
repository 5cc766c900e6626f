//! Linodes: list, read, change, destroy, power, resize.

use crate::LinodeV3;
use crate::action::Action;
use crate::api::number;
use crate::catalogue::Catalogue;
use crate::data::{Data, Row};
use crate::errors::{lacks, of_code};
use crate::{dates, group, states};
use linodetool_plugin::{
    Address, ById, Cx, ErrorKind, Instance, ListInstances, Nothing, Page, ResizeInstance, Result, UpdateInstance,
};
use std::collections::{BTreeSet, HashMap};

/// Linodes and addresses in one request, then the jobs of those that are wanted, 25 in a request: about N/25 requests.
pub(crate) async fn list(v3: &LinodeV3, cx: &Cx, args: ListInstances) -> Result<Page<Instance>> {
    let ids = args.ids.iter().map(|id| number("ids", id)).collect::<Result<BTreeSet<_>>>()?;
    let catalogue = v3.shelf.get(&v3.api, cx).await?;
    let [linodes, addresses] = both(v3, cx, Action::new("linode.list"), Action::new("linode.ip.list")).await?;
    let addresses = by_linode(addresses.rows());
    let mut wanted = Vec::new();
    for row in linodes.rows() {
        let id = row.id("linodeid")?;
        let instance = instance(&catalogue, &row, addresses.get(&id).map_or(&[], Vec::as_slice), &[])?;
        let fits = args.label.as_ref().is_none_or(|label| *label == instance.label)
            && args.region.as_ref().is_none_or(|region| *region == instance.region)
            && args.tag.as_ref().is_none_or(|tag| instance.tags.contains(tag))
            && (ids.is_empty() || ids.contains(&id));
        if fits {
            wanted.push((id, row, instance));
        }
    }
    let asked: Vec<_> = wanted.iter().map(|(id, ..)| states::pending(*id)).collect();
    let mut items = Vec::new();
    for ((_, row, instance), jobs) in wanted.into_iter().zip(v3.api.all(cx, &asked).await?) {
        match jobs {
            Ok(jobs) => {
                let status = states::of(row.signed("status"), &states::queue(&jobs.rows()));
                items.push(Instance { status, ..instance });
            }
            // It was destroyed in between.
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Page::whole(items))
}

pub(crate) async fn get(v3: &LinodeV3, cx: &Cx, args: ById) -> Result<Instance> {
    let id = number("id", &args.id)?;
    let catalogue = v3.shelf.get(&v3.api, cx).await?;
    read(&catalogue, &v3.api.every(cx, &looks(id)).await?)
}

/// Behind the label of a Linode whose making has not come to its end; no label can have it.
pub(crate) const HALF_MADE: &str = " (half made)";

/// What one Linode is read from.
pub(crate) fn looks(id: u64) -> [Action; 3] {
    [
        Action::new("linode.list").id("LinodeID", id),
        Action::new("linode.ip.list").id("LinodeID", id),
        states::pending(id),
    ]
}

/// The answers to [`looks`] as one Linode.
pub(crate) fn read(catalogue: &Catalogue, answers: &[Data]) -> Result<Instance> {
    let mut rows = answers.iter().cloned().map(Data::rows);
    let mut next = || rows.next().unwrap_or_default();
    let (linodes, addresses, jobs) = (next(), next(), next());
    let Some(row) = linodes.first() else {
        return Err(of_code(5, "Object not found"));
    };
    instance(catalogue, row, &addresses, &states::queue(&jobs))
}

fn instance(catalogue: &Catalogue, row: &Row, addresses: &[Row], queue: &[String]) -> Result<Instance> {
    let (tags, being_made) = group::split(&row.text("lpm_displaygroup"));
    let plan = row.whole("planid");
    let mut label = row.text("label");
    if being_made {
        // So that nobody takes it for the one that is to be: making that one first removes what is left of it.
        label.push_str(HALF_MADE);
    }
    let addresses: Vec<_> = addresses.iter().map(address).collect();
    let pick = |public: bool| addresses.iter().filter(|a| a.public == public).map(|a| a.address.clone()).collect();
    Ok(Instance {
        id: row.id("linodeid")?.to_string(),
        label,
        region: catalogue.region_name(row.whole("datacenterid")),
        type_id: catalogue.type_name(plan),
        status: states::of(row.signed("status"), queue),
        ipv4: pick(true),
        private_ipv4: pick(false),
        tags,
        memory_mb: row.whole("totalram"),
        disk_mb: row.whole("totalhd"),
        vcpus: catalogue.plan(plan).cores,
        created: dates::utc(&row.text("create_dt")),
        watchdog: row.flag("watchdog"),
        ..Instance::default()
    })
}

/// Netmasks are those of Linode's network: 24 bits outside, 17 in a datacenter's private one.
fn address(row: &Row) -> Address {
    let public = row.flag("ispublic");
    Address {
        address: row.text("ipaddress"),
        public,
        family: 4,
        prefix: if public { 24 } else { 17 },
        gateway: None,
        rdns: Some(row.text("rdns_name")).filter(|name| !name.is_empty()),
    }
}

fn by_linode(rows: Vec<Row>) -> HashMap<u64, Vec<Row>> {
    let mut all: HashMap<u64, Vec<Row>> = HashMap::new();
    for row in rows {
        all.entry(row.whole("linodeid")).or_default().push(row);
    }
    all
}

async fn both(v3: &LinodeV3, cx: &Cx, one: Action, other: Action) -> Result<[Data; 2]> {
    let mut answers = v3.api.every(cx, &[one, other]).await?.into_iter();
    let mut next = || answers.next().unwrap_or_default();
    Ok([next(), next()])
}

pub(crate) async fn addresses(v3: &LinodeV3, cx: &Cx, args: ById) -> Result<Page<Address>> {
    let action = Action::new("linode.ip.list").id("LinodeID", number("id", &args.id)?);
    let rows = v3.api.call(cx, action).await?.rows();
    Ok(Page::whole(rows.iter().map(address).filter(|address| !address.address.is_empty()).collect()))
}

/// Nothing to change is a read.
pub(crate) async fn update(v3: &LinodeV3, cx: &Cx, args: UpdateInstance) -> Result<Instance> {
    let id = number("id", &args.id)?;
    let mut update = Action::new("linode.update").id("LinodeID", id);
    if let Some(label) = &args.label {
        update = update.set("Label", label);
    }
    if let Some(tags) = &args.tags {
        update = update.set("lpm_displayGroup", group::join(tags)?);
    }
    if let Some(watchdog) = args.watchdog {
        update = update.flag("watchdog", watchdog);
    }
    if args.label.is_some() || args.tags.is_some() || args.watchdog.is_some() {
        v3.api.call(cx, update).await?;
    }
    get(v3, cx, ById::new(args.id)).await
}

/// With its disks, and whether it runs or not, as with API v4.
pub(crate) async fn delete(v3: &LinodeV3, cx: &Cx, args: ById) -> Result<Nothing> {
    v3.api.call(cx, removal(number("id", &args.id)?)).await?;
    Ok(Nothing {})
}

pub(crate) fn removal(id: u64) -> Action {
    Action::new("linode.delete").id("LinodeID", id).flag("skipChecks", true)
}

pub(crate) async fn boot(v3: &LinodeV3, cx: &Cx, args: ById) -> Result<Nothing> {
    power(v3, cx, &args, "linode.boot").await
}

pub(crate) async fn shutdown(v3: &LinodeV3, cx: &Cx, args: ById) -> Result<Nothing> {
    power(v3, cx, &args, "linode.shutdown").await
}

pub(crate) async fn reboot(v3: &LinodeV3, cx: &Cx, args: ById) -> Result<Nothing> {
    power(v3, cx, &args, "linode.reboot").await
}

async fn power(v3: &LinodeV3, cx: &Cx, args: &ById, action: &str) -> Result<Nothing> {
    v3.api.call(cx, Action::new(action).id("LinodeID", number("id", &args.id)?)).await?;
    Ok(Nothing {})
}

pub(crate) async fn resize(v3: &LinodeV3, cx: &Cx, args: ResizeInstance) -> Result<Nothing> {
    let id = number("id", &args.id)?;
    if args.warm {
        return Err(lacks("warm", "resize that keeps a Linode running"));
    }
    if args.resize_disk == Some(true) {
        return Err(lacks("resize_disk", "resize that takes the disks along (disks.resize does it afterwards)"));
    }
    let plan = v3.shelf.find(&v3.api, cx, |catalogue| catalogue.type_id(&args.type_id)).await?;
    v3.api.call(cx, Action::new("linode.resize").id("LinodeID", id).id("PlanID", plan)).await?;
    Ok(Nothing {})
}
