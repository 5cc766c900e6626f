//! Nodes as the inventory has them. Their end is in `resources`.

use linodetool_plugin::model::{Instance, Price};
use serde::Serialize;

use crate::core::Failure;
use crate::inventory::{Node, Selector};
use crate::runs::{Done, Kind, StepCx};
use crate::toolkit::{Repeatable, Toolkit};

impl Toolkit {
    /// The record of what the provider shows: of no cluster, and without keys.
    pub(in crate::toolkit) fn node_of(&self, cx: &StepCx, instance: Instance, price: Option<Price>) -> Node {
        Node {
            name: instance.label,
            context: self.context().into(),
            provider: self.settings().provider.clone(),
            id: instance.id,
            region: instance.region,
            type_id: instance.type_id,
            image: instance.image,
            status: instance.status,
            public_ip: instance.ipv4.into_iter().next(),
            private_ip: instance.private_ipv4.into_iter().next(),
            ipv6: instance.ipv6.map(|a| a.split('/').next().unwrap_or_default().to_owned()),
            memory_mb: instance.memory_mb,
            vcpus: instance.vcpus,
            user: "root".into(),
            tags: instance.tags,
            created_by_run: cx.run.to_string(),
            created_ms: cx.now_ms(),
            price_hourly: price.map(|price| price.hourly),
            price_monthly: price.map(|price| price.monthly),
            ..Node::default()
        }
    }
}

#[derive(Serialize)]
pub(super) struct GetNode<'a> {
    pub(super) name: &'a str,
    #[serde(skip)]
    pub(super) toolkit: &'a Toolkit,
}

impl Repeatable for GetNode<'_> {
    const OP: &'static str = "nodes.get";
    const KIND: Kind = Kind::Read;
    type Out = Node;

    async fn perform(&self, _: &StepCx) -> Result<Done<Node>, Failure> {
        Ok(self.toolkit.inventory().expect_node(self.toolkit.context(), self.name)?.into())
    }
}

#[derive(Serialize)]
pub(super) struct SelectNodes<'a> {
    pub(super) selector: &'a str,
    #[serde(skip)]
    pub(super) toolkit: &'a Toolkit,
}

impl Repeatable for SelectNodes<'_> {
    const OP: &'static str = "nodes.select";
    const KIND: Kind = Kind::Read;
    type Out = Vec<Node>;

    async fn perform(&self, _: &StepCx) -> Result<Done<Vec<Node>>, Failure> {
        Ok(self.toolkit.inventory().select(self.toolkit.context(), &Selector::parse(self.selector)?)?.into())
    }
}

#[derive(Serialize)]
pub(super) struct ListNodes<'a> {
    #[serde(skip)]
    pub(super) toolkit: &'a Toolkit,
}

impl Repeatable for ListNodes<'_> {
    const OP: &'static str = "nodes.list";
    const KIND: Kind = Kind::Read;
    type Out = Vec<Node>;

    async fn perform(&self, _: &StepCx) -> Result<Done<Vec<Node>>, Failure> {
        Ok(self.toolkit.inventory().nodes(self.toolkit.context())?.into())
    }
}
