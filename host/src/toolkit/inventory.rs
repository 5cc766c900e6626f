//! inventory: what is stored, as recipes ask for it. The nodes' own questions are in `nodes`, the clusters' in `clusters`.

use crate::core::Failure;
use crate::inventory::Resource;
use crate::runs::{Done, Kind, StepCx, StepError};
use crate::toolkit::{At, Repeatable, Toolkit};
use serde::Serialize;

impl Toolkit {
    /// Firewalls, StackScripts and the like that we keep at the provider.
    pub fn resources(&self, at: At<'_>) -> Result<Vec<Resource>, StepError> {
        at.step(&ListResources { toolkit: self })
    }
}

#[derive(Serialize)]
struct ListResources<'a> {
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

impl Repeatable for ListResources<'_> {
    const OP: &'static str = "inventory.resources";
    const KIND: Kind = Kind::Read;
    type Out = Vec<Resource>;

    async fn perform(&self, _: &StepCx) -> Result<Done<Vec<Resource>>, Failure> {
        Ok(self.toolkit.inventory().resources(self.toolkit.context(), None)?.into())
    }
}
