//! Nodes as the inventory has them, and their end.

use linodetool_plugin::{ById, ErrorKind};
use serde::Serialize;

use super::is_same;
use crate::core::Failure;
use crate::core::events::Ending;
use crate::inventory::{Change, Node, Selector};
use crate::runs::{Done, Kind, StepCx};
use crate::toolkit::keys::forget_nodes;
use crate::toolkit::stages::staged;
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

/// Destroys the machine, its row and its keys.
#[derive(Serialize)]
pub(crate) struct DeleteNode<'a> {
    name: &'a str,
    id: &'a str,
    #[serde(skip)]
    node: &'a Node,
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

impl<'a> DeleteNode<'a> {
    pub(crate) fn of(node: &'a Node, toolkit: &'a Toolkit) -> Self {
        Self { name: &node.name, id: &node.id, node, toolkit }
    }

    /// Nothing tells a stranger's machine from ours but a look: an id is soon given to another in a new sandbox or account.
    async fn destroy(&self) -> Result<(), Failure> {
        let client = &self.toolkit.provider().await?.client;
        let id = ById::new(self.id);
        match client.get_instance(&id).await {
            Ok(instance) if is_same(self.node, &instance) => {}
            Ok(instance) => {
                let (name, id, label) = (self.name, self.id, &instance.label);
                self.toolkit
                    .events()
                    .note(format!("{name} is gone already; Linode {id} is {label} now and is left alone"));
                return Ok(());
            }
            // What was made a moment ago may not be found yet; to destroy what is not there does no harm.
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        match client.delete_instance(&id).await {
            Err(error) if error.kind != ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }
}

impl Repeatable for DeleteNode<'_> {
    const OP: &'static str = "nodes.delete";
    const KIND: Kind = Kind::Write;
    type Out = ();

    async fn perform(&self, _: &StepCx) -> Result<Done<()>, Failure> {
        staged(self.toolkit, self.name, "delete", async {
            self.destroy().await.map_err(|failure| failure.on(self.name))?;
            forget_nodes(self.toolkit, &[self.name])?;
            Ok(((), Ending::Changed))
        })
        .await?;
        Ok(Done { value: (), changes: vec![Change::remove_node(self.toolkit.context(), self.name)] })
    }
}
