//! Nodes as the inventory has them. Their end is in `resources`.

use serde::Serialize;

use crate::core::Failure;
use crate::inventory::{Node, Selector};
use crate::runs::{Done, Kind, StepCx};
use crate::toolkit::{Repeatable, Toolkit};

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
