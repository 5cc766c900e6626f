//! What is there before a rehearsal begins: clusters, nodes and firewalls as the inventory has them.
//!
//! Owns: how they become part of the rehearsal's cloud and of its own inventory, so that both agree. Does not know what is
//! on a node (`past`).

use super::Stage;
use crate::core::paths::database_in;
use crate::core::{Failure, FailureKind};
use crate::inventory::model::InstanceStatus;
use crate::inventory::{Change, Cluster, KeyRef, Node, ReadOnly, Resource, SqliteStore, Store};
use crate::nodes::KeyPair;
use crate::runs::cluster_tag;
use crate::toolkit::Toolkit;
use crate::toolkit::clusters::members;
use crate::toolkit::firewall_rules::cluster_rules;
use crate::toolkit::keys::{host_key_names, key_ref};
use crate::toolkit::seen::Seen;
use linodetool_plugin::SetFirewallRules;
use linodetool_sandbox::catalogue::{ListedImage, ListedRegion, ListedType, Listing};
use linodetool_sandbox::world::{Seed, SeedFirewall, SeedLinode};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// The rows of a context.
#[derive(Default)]
pub(super) struct Present {
    pub(super) clusters: Vec<Cluster>,
    pub(super) nodes: BTreeMap<String, Node>,
    pub(super) resources: Vec<Resource>,
}

impl Present {
    /// Of a state directory that need not be there.
    ///
    /// # Errors
    /// Something is there that cannot be read: it is not taken for nothing.
    pub(super) fn read(state: &Path, context: &str) -> Result<Self, Failure> {
        let Some(look) = ReadOnly::look_in(state)? else { return Ok(Self::default()) };
        let store = SqliteStore::only_look(&database_in(state), look.connection);
        Ok(Self {
            clusters: store.clusters(context)?,
            nodes: store.nodes(context)?.into_iter().map(|node| (node.name.clone(), node)).collect(),
            resources: store.resources(context, None)?,
        })
    }

    pub(super) fn firewalls(&self) -> impl Iterator<Item = &Resource> {
        self.resources.iter().filter(|row| row.kind == "firewall")
    }
}

/// Puts the nodes and firewalls into the cloud, and their rows with keys of their own into the inventory.
pub(super) fn sow(stage: &Stage, present: &Present, seen: Option<&Seen>) -> Result<(), Failure> {
    let seed = Seed {
        catalogue: seen.map(|seen| listing(seen).keep()),
        linodes: present.nodes.values().filter_map(linode).collect(),
        firewalls: present.firewalls().filter_map(|row| firewall(row, present)).collect(),
    };
    let cannot = |e: linodetool_sandbox::machines::MachineError| Failure::new(FailureKind::Internal, e.to_string());
    stage.cloud.sandbox.seed(seed).map_err(cannot)?;
    if present.nodes.is_empty() && present.clusters.is_empty() && present.resources.is_empty() {
        return Ok(());
    }
    let keys = Keys::make(stage.toolkit(), present)?;
    let nodes = present.nodes.values().map(|node| Change::put_node(keys.of(node)));
    let clusters = present.clusters.iter().map(|cluster| {
        let key_ref = cluster.key_ref.as_ref().and_then(|old| keys.login(old)).or_else(|| cluster.key_ref.clone());
        Change::put_cluster(Cluster { key_ref, ..cluster.clone() })
    });
    let resources = present.resources.iter().cloned().map(Change::put_resource);
    let changes: Vec<_> = clusters.chain(nodes).chain(resources).collect();
    Ok(stage.toolkit().inventory().apply(&changes)?)
}

fn listing(seen: &Seen) -> Listing {
    let regions = seen.regions.iter().cloned().map(|region| ListedRegion {
        id: region.id,
        label: region.label,
        country: region.country,
        capabilities: region.capabilities,
    });
    let types = seen.types.iter().cloned().map(|one| ListedType {
        id: one.id,
        label: one.label,
        class: one.class,
        memory: one.memory_mb,
        disk: one.disk_mb,
        vcpus: u64::from(one.vcpus),
        gpus: u64::from(one.gpus),
        transfer: one.transfer_gb,
        network_out: one.network_mbps,
        price: (one.price.hourly, one.price.monthly),
        elsewhere: one.region_prices.into_iter().map(|(id, price)| (id, price.hourly, price.monthly)).collect(),
    });
    let images = seen.images.iter().cloned().map(|image| ListedImage {
        id: image.id,
        label: image.label,
        vendor: image.vendor,
        size: image.size_mb,
        capabilities: image.capabilities,
        deprecated: image.deprecated,
    });
    Listing { regions: regions.collect(), types: types.collect(), images: images.collect() }
}

fn linode(node: &Node) -> Option<SeedLinode> {
    let address = |text: &Option<String>| text.as_ref().and_then(|text| text.parse().ok());
    Some(SeedLinode {
        id: node.id.parse().ok()?,
        label: node.name.clone(),
        tags: node.tags.clone(),
        region: node.region.clone(),
        linode_type: node.type_id.clone(),
        image: Some(node.image.clone()).filter(|image| !image.is_empty()),
        public_ip: address(&node.public_ip),
        private_ip: address(&node.private_ip),
        running: node.status != InstanceStatus::Offline,
        memory: node.memory_mb,
        vcpus: u64::from(node.vcpus),
        hourly: node.price_hourly.unwrap_or_default(),
        monthly: node.price_monthly.unwrap_or_default(),
    })
}

fn firewall(row: &Resource, present: &Present) -> Option<SeedFirewall> {
    let guards = |node: &&Node| node.cluster.is_some() && node.cluster == row.cluster;
    Some(SeedFirewall {
        id: row.id.parse().ok()?,
        label: row.name.clone(),
        tags: row.cluster.iter().map(|cluster| cluster_tag(&row.context, cluster)).collect(),
        linodes: present.nodes.values().filter(guards).filter_map(|node| node.id.parse().ok()).collect(),
    })
}

/// Keys that stand for those of the nodes and clusters: the real ones are not needed, and not read.
struct Keys {
    hosts: HashMap<String, KeyRef>,
    logins: HashMap<String, KeyRef>,
}

impl Keys {
    fn make(toolkit: &Toolkit, present: &Present) -> Result<Self, Failure> {
        let lasting = |node: &String| host_key_names(node)[1].clone();
        let hosts: Vec<String> = present.nodes.values().filter(|node| !node.locked).map(|n| lasting(&n.name)).collect();
        let ours = |key: &&KeyRef| key.secret.starts_with(crate::secrets::GENERATED);
        let refs = present.nodes.values().filter_map(|node| node.key_ref.as_ref());
        let refs = refs.chain(present.clusters.iter().filter_map(|cluster| cluster.key_ref.as_ref())).filter(ours);
        let mut logins: Vec<String> = refs.map(|key| key.secret.clone()).collect();
        logins.sort();
        logins.dedup();
        let made = |names: &[String]| -> Result<HashMap<String, KeyRef>, Failure> {
            let make = |_: &str| Ok(KeyPair::generate("rehearsal").private_pem.reveal().clone());
            let privates = toolkit.secret_store().generate_all(names, make)?;
            names.iter().zip(&privates).map(|(name, private)| Ok((name.clone(), key_ref(name, private)?))).collect()
        };
        Ok(Self { hosts: made(&hosts)?, logins: made(&logins)? })
    }

    fn login(&self, old: &KeyRef) -> Option<KeyRef> {
        self.logins.get(&old.secret).cloned()
    }

    fn of(&self, node: &Node) -> Node {
        let mut node = node.clone();
        if let Some(lasting) = self.hosts.get(&host_key_names(&node.name)[1]) {
            node.host_keys = vec![lasting.public.clone()];
        }
        node.key_ref = node.key_ref.and_then(|old| self.login(&old).or(Some(old)));
        node
    }
}

/// Gives each cluster's firewall the rules that it got last: for these members, by the firewall's id, or for those there are.
pub(super) async fn guard(
    toolkit: &Toolkit,
    present: &Present,
    known: &HashMap<String, Vec<String>>,
) -> Result<(), Failure> {
    for row in present.firewalls() {
        let cluster = present.clusters.iter().find(|cluster| Some(&cluster.name) == row.cluster.as_ref());
        let addresses = match (known.get(&row.id), cluster) {
            (Some(known), _) => known.clone(),
            (None, Some(cluster)) => members(toolkit, cluster.clone())?.addresses(),
            (None, None) => continue,
        };
        let rules = SetFirewallRules { id: row.id.clone(), rules: cluster_rules(&addresses) };
        toolkit.provider().await?.client.set_firewall_rules(&rules).await?;
    }
    Ok(())
}
