//! NodeBalancers, their configurations and what these spread requests over. Nothing is spread: they are kept, and that is all.
//!
//! Owns: the records and their addresses. Does not know what makes a request valid.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::{Entity, World};
use crate::catalogue::Region;
use crate::clock::Time;
use crate::ledger::What;

/// One NodeBalancer.
#[derive(Clone, Debug)]
pub struct NodeBalancer {
    pub id: u64,
    pub label: String,
    pub tags: Vec<String>,
    pub region: &'static Region,
    /// Connections a second of one client.
    pub throttle: u64,
    pub ipv4: Ipv4Addr,
    pub configs: BTreeMap<u64, BalancerConfig>,
}

/// One port of it.
#[derive(Clone, Debug)]
pub struct BalancerConfig {
    pub id: u64,
    pub port: u64,
    pub protocol: String,
    pub algorithm: String,
    pub stickiness: String,
    pub check: String,
    pub check_interval: u64,
    pub check_timeout: u64,
    pub check_attempts: u64,
    pub check_path: String,
    pub check_body: String,
    pub check_passive: bool,
    pub cipher_suite: String,
    /// It has a certificate, which is not kept.
    pub has_certificate: bool,
    pub nodes: BTreeMap<u64, BalancerNode>,
}

/// One that requests are spread over.
#[derive(Clone, Debug, Default)]
pub struct BalancerNode {
    pub id: u64,
    pub label: String,
    /// `192.168.x.y:port`
    pub address: String,
    pub weight: u64,
    pub mode: String,
}

impl Default for BalancerConfig {
    fn default() -> Self {
        let text = str::to_owned;
        Self {
            id: 0,
            port: 80,
            protocol: text("http"),
            algorithm: text("roundrobin"),
            stickiness: text("table"),
            check: text("connection"),
            check_interval: 5,
            check_timeout: 3,
            check_attempts: 2,
            check_path: String::new(),
            check_body: String::new(),
            check_passive: true,
            cipher_suite: text("recommended"),
            has_certificate: false,
            nodes: BTreeMap::new(),
        }
    }
}

impl World {
    pub fn nodebalancer_labelled(&self, label: &str) -> Option<u64> {
        self.nodebalancers.values().find(|one| one.label == label).map(|one| one.id)
    }

    /// `nodebalancer<ID>` without a label; none if there are no addresses left.
    pub fn add_nodebalancer(&mut self, label: &str, region: &'static Region, throttle: u64, now: Time) -> Option<u64> {
        let ipv4 = self.addresses.public(label)?;
        let id = self.new_id("nodebalancer");
        let label = if label.is_empty() { format!("nodebalancer{id}") } else { label.to_owned() };
        self.note(now, What::Created, "nodebalancer", id, &label, &[]);
        self.events.notify("nodebalancer_create", entity(id, &label), now);
        let (tags, configs) = (Vec::new(), BTreeMap::new());
        self.nodebalancers.insert(id, NodeBalancer { id, label, tags, region, throttle, ipv4, configs });
        Some(id)
    }

    /// False if there is none.
    pub fn remove_nodebalancer(&mut self, id: u64, now: Time) -> bool {
        let Some(gone) = self.nodebalancers.remove(&id) else { return false };
        self.addresses.free(gone.ipv4);
        self.note(now, What::Destroyed, "nodebalancer", id, &gone.label, &[]);
        self.events.notify("nodebalancer_delete", entity(id, &gone.label), now);
        true
    }

    /// None if there is no such NodeBalancer.
    pub fn add_balancer_config(&mut self, nodebalancer: u64, config: BalancerConfig) -> Option<u64> {
        let id = self.new_id("nodebalancer_config");
        self.nodebalancers.get_mut(&nodebalancer)?.configs.insert(id, BalancerConfig { id, ..config });
        Some(id)
    }

    /// The NodeBalancer and the configuration with this id.
    pub fn balancer_config(&self, id: u64) -> Option<(&NodeBalancer, &BalancerConfig)> {
        self.nodebalancers.values().find_map(|one| Some((one, one.configs.get(&id)?)))
    }

    pub fn balancer_config_mut(&mut self, id: u64) -> Option<&mut BalancerConfig> {
        self.nodebalancers.values_mut().find_map(|one| one.configs.get_mut(&id))
    }

    /// None if there is no such configuration.
    pub fn add_balancer_node(&mut self, config: u64, node: BalancerNode) -> Option<u64> {
        let id = self.new_id("nodebalancer_node");
        self.balancer_config_mut(config)?.nodes.insert(id, BalancerNode { id, ..node });
        Some(id)
    }
}

fn entity(id: u64, label: &str) -> Entity {
    Entity::new("nodebalancer", id, label, format!("/v4/nodebalancers/{id}"))
}
