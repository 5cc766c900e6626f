//! The effective settings: read-only for recipes.

use serde::Serialize;
use std::path::PathBuf;

use crate::core::Failure;
use crate::runs::{Done, Kind, StepCx, StepError};
use crate::toolkit::{At, Repeatable, Toolkit};

/// Settings of this process, decided at the top from flags, environment and files.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Scopes everything stored.
    pub context: String,
    /// Name of the provider, `linode-v4`.
    pub provider: String,
    /// Whether the provider is the sandbox's emulator.
    pub sandbox: bool,
    /// The folder that relative paths of this computer mean: that of the run, wherever it goes on.
    pub work: PathBuf,
}

impl Toolkit {
    /// What a path on this computer means, as it was typed.
    pub(crate) fn here(&self, path: &str) -> PathBuf {
        self.settings().work.join(path)
    }

    /// Whether the provider says that it can do this.
    ///
    /// # Errors
    /// If its plugin cannot be loaded.
    pub fn has_capability(&self, at: At<'_>, capability: &str) -> Result<bool, StepError> {
        at.step(&Has { capability, toolkit: self })
    }
}

#[derive(Serialize)]
struct Has<'a> {
    capability: &'a str,
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

impl Repeatable for Has<'_> {
    const OP: &'static str = "configuration.has";
    const KIND: Kind = Kind::Read;
    type Out = bool;

    async fn perform(&self, _: &StepCx) -> Result<Done<bool>, Failure> {
        let capabilities = &self.toolkit.provider().await?.manifest.capabilities;
        Ok(capabilities.iter().any(|name| name == self.capability).into())
    }
}
