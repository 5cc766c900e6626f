//! Nodes that the account has lost: before one is made again under its name, its record and its host keys go.
//!
//! Whoever had the machine or its disk may have its keys. Does not know how the loss is found.

use serde::{Deserialize, Serialize};

use super::in_doubt_ms;
use crate::core::Failure;
use crate::inventory::{Change, Node};
use crate::runs::{Done, Kind, StepCx};
use crate::toolkit::keys::forget_nodes;
use crate::toolkit::{Repeatable, Toolkit};

/// A node that was.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Gone {
    pub name: String,
    pub id: String,
}

impl Gone {
    /// Of a record whose machine is in no list; none if it may only be too new to be shown.
    pub(crate) fn of(toolkit: &Toolkit, node: &Node) -> Option<Self> {
        let is_old = toolkit.time().now_ms() > node.created_ms + in_doubt_ms(toolkit);
        is_old.then(|| Self { name: node.name.clone(), id: node.id.clone() })
    }
}

/// Removes records and keys together, so that nobody takes the keys of the next machine for those of this one.
#[derive(Serialize)]
pub(crate) struct ForgetGone<'a> {
    pub nodes: &'a [Gone],
    #[serde(skip)]
    pub toolkit: &'a Toolkit,
}

impl Repeatable for ForgetGone<'_> {
    const OP: &'static str = "nodes.forget_gone";
    const KIND: Kind = Kind::Write;
    type Out = ();

    async fn perform(&self, cx: &StepCx) -> Result<Done<()>, Failure> {
        let (inventory, context) = (self.toolkit.inventory(), self.toolkit.context());
        let mut changes = Vec::new();
        for Gone { name, id } in self.nodes {
            // By now it may be another one.
            if inventory.node(context, name)?.is_some_and(|node| node.id == *id) {
                cx.events.note(format!("{name} (Linode {id}) is gone from the account; making it again"));
                forget_nodes(self.toolkit, &[name]).await?;
                changes.push(Change::remove_node(context, name));
            }
        }
        Ok(Done { value: (), changes })
    }
}
