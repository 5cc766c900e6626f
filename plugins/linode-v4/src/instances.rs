//! Linodes: list, read, make, change, destroy. What else can be done with one is in `actions`.

use crate::api::{Api, Noun, class, done, number, one, some_number};
use crate::filter::Filter;
use crate::lenient::{Flag, List as Items, Part, Text as Lenient, Whole};
use crate::list::List;
use linodetool_plugin::{
    ById, CreateInstance, Cx, Instance, InstanceStatus, ListInstances, Nothing, Page, Result, SecretRef, Text,
    UpdateInstance, try_join_lanes,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// Filters by ids that run at once.
const LANES: usize = 4;

pub(crate) async fn list(api: &Api, cx: &Cx, args: ListInstances) -> Result<Page<Instance>> {
    let mut ids = args.ids.iter().map(|id| number("ids", id)).collect::<Result<Vec<_>>>()?;
    ids.sort_unstable();
    ids.dedup();
    let filter = Filter::default()
        .equals("label", args.label.clone())
        .equals("region", args.region.clone())
        .equals("tags", args.tag.clone());
    let chunks = filter.with_ids(&ids).into_iter();
    let lists = chunks
        .map(|filter| async move { List::of(api, "/linode/instances").filter(filter).read::<Instance>(cx).await });
    let mut instances: Vec<Instance> = try_join_lanes(LANES, lists).await?.into_iter().flatten().collect();
    instances.retain(|instance| wanted(instance, &args, &ids));
    Ok(Page::whole(instances))
}

fn wanted(instance: &Instance, args: &ListInstances, ids: &[u64]) -> bool {
    args.label.as_ref().is_none_or(|label| *label == instance.label)
        && args.region.as_ref().is_none_or(|region| *region == instance.region)
        && args.tag.as_ref().is_none_or(|tag| instance.tags.contains(tag))
        && (ids.is_empty() || instance.id.parse().is_ok_and(|id| ids.binary_search(&id).is_ok()))
}

pub(crate) async fn get(api: &Api, cx: &Cx, args: ById) -> Result<Instance> {
    one(cx, api.get(&path("id", &args.id)?)).await
}

/// The body of `POST /linode/instances`. Secrets go in as references; the host puts the values in.
#[derive(Serialize)]
struct CreateBody<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    label: &'a str,
    region: &'a str,
    #[serde(rename = "type")]
    type_id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    image: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    tags: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    authorized_keys: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    root_pass: Option<&'a SecretRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stackscript_id: Option<u64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    stackscript_data: &'a BTreeMap<String, Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    firewall_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    private_ip: Option<bool>,
    /// A firewall at create, an address in the private network and our way into a VPC are for legacy configuration interfaces only, and accounts
    /// may default to the others (Linode API v4, `POST /linode/instances`).
    #[serde(skip_serializing_if = "Option::is_none")]
    interface_generation: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    booted: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    swap_size: Option<u64>,
    #[serde(skip_serializing_if = "<[Value]>::is_empty")]
    interfaces: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    placement_group: Option<Value>,
}

#[derive(Serialize)]
pub(crate) struct Metadata {
    /// API v4 wants base64.
    user_data: SecretRef,
}

impl Metadata {
    pub(crate) fn of(user_data: Option<SecretRef>) -> Option<Self> {
        user_data.map(|user_data| Self { user_data: user_data.base64() })
    }
}

pub(crate) async fn create(api: &Api, cx: &Cx, args: CreateInstance) -> Result<Instance> {
    let subnet = some_number("subnet", args.subnet.as_ref())?;
    let legacy = args.private_ip || args.firewall_id.is_some() || subnet.is_some();
    let body = CreateBody {
        label: &args.label,
        region: &args.region,
        type_id: &args.type_id,
        image: &args.image,
        tags: &args.tags,
        authorized_keys: &args.authorized_keys,
        root_pass: args.root_pass.as_ref(),
        metadata: Metadata::of(args.user_data.clone()),
        stackscript_id: some_number("stackscript_id", args.stackscript_id.as_ref())?,
        stackscript_data: &args.stackscript_data,
        firewall_id: some_number("firewall_id", args.firewall_id.as_ref())?,
        private_ip: args.private_ip.then_some(true),
        interface_generation: legacy.then_some("legacy_config"),
        booted: args.booted,
        swap_size: args.swap_mb,
        // The public one stays the first: it is how we reach the Linode.
        interfaces: subnet.map_or_else(Vec::new, |subnet| {
            vec![json!({ "purpose": "public", "primary": true }), json!({ "purpose": "vpc", "subnet_id": subnet })]
        }),
        placement_group: some_number("placement_group", args.placement_group.as_ref())?.map(|id| json!({ "id": id })),
    };
    one(cx, api.post("/linode/instances").class(class::CREATE).json(&body)?).await
}

#[derive(Serialize)]
struct UpdateBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    watchdog_enabled: Option<bool>,
}

/// Nothing to change is a read.
pub(crate) async fn update(api: &Api, cx: &Cx, args: UpdateInstance) -> Result<Instance> {
    let path = path("id", &args.id)?;
    let body = UpdateBody { label: args.label, tags: args.tags, watchdog_enabled: args.watchdog };
    if body.label.is_none() && body.tags.is_none() && body.watchdog_enabled.is_none() {
        return one(cx, api.get(&path)).await;
    }
    one(cx, api.put(&path).json(&body)?).await
}

pub(crate) async fn delete(api: &Api, cx: &Cx, args: ById) -> Result<Nothing> {
    done(cx, api.delete(&path("id", &args.id)?)).await
}

/// The path of one Linode; only a number gets in. `field` is the argument that names it.
pub(crate) fn path(field: &str, id: &str) -> Result<String> {
    Ok(format!("/linode/instances/{}", number(field, id)?))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct InstanceWire {
    id: Lenient,
    label: Lenient,
    region: Lenient,
    #[serde(rename = "type")]
    type_id: Lenient,
    image: Lenient,
    status: Lenient,
    ipv4: Items<Lenient>,
    ipv6: Lenient,
    tags: Items<Lenient>,
    specs: Part<Specs>,
    created: Lenient,
    watchdog_enabled: Flag,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Specs {
    /// MB.
    memory: Whole,
    /// MB.
    disk: Whole,
    vcpus: Whole,
}

impl Noun for Instance {
    type Wire = InstanceWire;

    fn from_wire(wire: InstanceWire) -> Self {
        let (private_ipv4, ipv4) = wire.ipv4.texts().into_iter().partition(|address| is_private(address));
        Self {
            id: wire.id.0,
            label: wire.label.0,
            region: wire.region.0,
            type_id: wire.type_id.0,
            image: wire.image.0,
            status: status(&wire.status.0),
            ipv4,
            private_ipv4,
            ipv6: wire.ipv6.some(),
            tags: wire.tags.texts(),
            memory_mb: wire.specs.0.memory.0,
            disk_mb: wire.specs.0.disk.0,
            vcpus: wire.specs.0.vcpus.small(),
            created: wire.created.0,
            watchdog: wire.watchdog_enabled.0,
        }
    }

    fn id(&self) -> &str {
        &self.id
    }
}

/// `busy` and words of tomorrow are `Other`.
fn status(word: &str) -> InstanceStatus {
    match word {
        "provisioning" => InstanceStatus::Provisioning,
        "booting" => InstanceStatus::Booting,
        "running" => InstanceStatus::Running,
        "rebooting" => InstanceStatus::Rebooting,
        "shutting_down" => InstanceStatus::ShuttingDown,
        "offline" | "stopped" => InstanceStatus::Offline,
        "deleting" => InstanceStatus::Deleting,
        "migrating" => InstanceStatus::Migrating,
        "rebuilding" => InstanceStatus::Rebuilding,
        "resizing" => InstanceStatus::Resizing,
        "cloning" => InstanceStatus::Cloning,
        "restoring" => InstanceStatus::Restoring,
        "billing_suspension" => InstanceStatus::Suspended,
        _ => InstanceStatus::Other,
    }
}

/// Linode's private network is 192.168.128.0/17 in every region; v4 lists its addresses among the public ones.
fn is_private(address: &str) -> bool {
    let address = address.split('/').next().unwrap_or_default();
    address.parse::<Ipv4Addr>().is_ok_and(|address| matches!(address.octets(), [192, 168, 128..=255, _]))
}
