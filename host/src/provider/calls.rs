//! The calling interface: one untyped trait that plugins stand behind, one typed client made from the table of operations.

use crate::provider::time::BoxFuture;
use crate::provider::{Secrets, Waits};
use linodetool_plugin::for_each_operation;
use linodetool_plugin::model::*; // the table below names all of them, and more with each operation
use linodetool_plugin::operations::arguments;
use linodetool_plugin::{ErrorKind, Manifest, ProviderError};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::sync::Arc;

/// Something that answers operations by name. Dropping the future cancels the call.
pub trait Calls: Send + Sync {
    fn call(
        &self,
        operation: &str,
        args: Box<RawValue>,
        secrets: Secrets,
    ) -> BoxFuture<'_, Result<Box<RawValue>, ProviderError>>;

    fn manifest(&self) -> &Manifest;
}

/// An open provider. Clones share it; the last one dropped closes it.
#[derive(Clone)]
pub struct Provider {
    pub client: Client,
    pub waits: Waits,
    pub manifest: Arc<Manifest>,
}

/// Typed calls, one method per operation.
#[derive(Clone)]
pub struct Client {
    calls: Arc<dyn Calls>,
    secrets: Secrets,
}

impl Client {
    pub fn new(calls: Arc<dyn Calls>) -> Self {
        Self { calls, secrets: Secrets::none() }
    }

    /// The same provider; calls made through this client bring these secrets along.
    #[must_use]
    pub fn with_secrets(&self, secrets: Secrets) -> Self {
        Self { calls: self.calls.clone(), secrets }
    }

    pub fn manifest(&self) -> &Manifest {
        self.calls.manifest()
    }

    /// Whether the plugin says that it has this operation.
    pub fn supports(&self, operation: &str) -> bool {
        self.manifest().operations.iter().any(|name| name == operation)
    }

    /// Whether the plugin says that the provider can do this, `firewalls`, `user_data`, ...
    pub fn has(&self, capability: &str) -> bool {
        self.manifest().capabilities.iter().any(|name| name == capability)
    }

    /// An operation by its wire name.
    pub async fn call(&self, operation: &str, args: Box<RawValue>) -> Result<Box<RawValue>, ProviderError> {
        self.calls.call(operation, args, self.secrets.clone()).await
    }

    fn read<T: DeserializeOwned>(&self, operation: &str, answer: &RawValue) -> Result<T, ProviderError> {
        serde_json::from_str(answer.get()).map_err(|why| {
            let plugin = &self.manifest().name;
            let message = format!("plugin {plugin} answered {operation} with what it should not: {why}");
            ProviderError::new(ErrorKind::Plugin, message)
        })
    }
}

macro_rules! host_side {
    ($( $(#[doc = $doc:literal])+ $name:literal $method:ident($args:ty) -> $answer:ty => $effect:ident $(($found:ident))?; )+) => {
        impl Client {
            $( $(#[doc = $doc])+
            pub async fn $method(&self, args: &$args) -> Result<$answer, ProviderError> {
                let answer = self.call($name, arguments(args)?).await?;
                self.read($name, &answer)
            } )+
        }
    };
}

for_each_operation!(host_side);
