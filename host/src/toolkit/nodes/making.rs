//! What is needed before nodes are made, where a provider makes them in several calls: the script of their first boot, and
//! what is there already.
//!
//! Owns these two steps, which providers with user data and labels do without. Does not know how a node is made.

use linodetool_plugin::ListInstances;
use serde::Serialize;

use crate::core::Failure;
use crate::runs::{Done, Kind, StepCx, StepError};
use crate::toolkit::first_boot::EnsureScript;
use crate::toolkit::info::Resolved;
use crate::toolkit::{At, Repeatable, Toolkit};

/// What was prepared.
#[derive(Clone, Debug, Default)]
pub(crate) struct Making {
    /// Id of the StackScript of the first boot; none: user data does that.
    pub script: Option<String>,
    /// Ids of all nodes of the account before any of these was made; none: a new one is known by its label.
    pub before: Option<Vec<String>>,
}

impl Toolkit {
    pub(crate) fn prepare_making(&self, at: At<'_>, resolved: &Resolved) -> Result<Making, StepError> {
        let script = match resolved.birth.by_script {
            true => Some(at.step(&EnsureScript { image: &resolved.image.id, toolkit: self })?),
            false => None,
        };
        let before = match resolved.birth.nameless {
            true => Some(at.step(&Before { toolkit: self })?),
            false => None,
        };
        Ok(Making { script, before })
    }
}

/// Ids of all nodes of the account. Written before the intent of any create that comes after it.
#[derive(Serialize)]
struct Before<'a> {
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

impl Repeatable for Before<'_> {
    const OP: &'static str = "nodes.before";
    const KIND: Kind = Kind::Read;
    type Out = Vec<String>;

    async fn perform(&self, _: &StepCx) -> Result<Done<Vec<String>>, Failure> {
        let all = self.toolkit.provider().await?.client.list_instances(&ListInstances::default()).await?.items;
        Ok(all.into_iter().map(|one| one.id).collect::<Vec<_>>().into())
    }
}
