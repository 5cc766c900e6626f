//! Providers by name, opened when first asked for.
//!
//! Does not know plugins: whoever can open a provider by name stands behind [`Opener`].

use crate::core::Failure;
use crate::provider::Provider;
use crate::provider::time::BoxFuture;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::{Mutex, OnceCell};

/// Opens a provider by its name.
pub trait Opener: Send + Sync {
    fn open<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Provider, Failure>>;
}

/// Open providers. Clones share them.
#[derive(Clone)]
pub struct Registry {
    opener: Arc<dyn Opener>,
    open: Arc<Mutex<HashMap<String, Arc<OnceCell<Provider>>>>>,
}

impl Registry {
    pub fn new(opener: Arc<dyn Opener>) -> Self {
        Self { opener, open: Arc::default() }
    }

    /// The provider; asked for by many at once it is opened once, and a failure is tried again by the next.
    pub async fn get(&self, name: &str) -> Result<Provider, Failure> {
        let cell = self.open.lock().await.entry(name.to_owned()).or_default().clone();
        cell.get_or_try_init(|| self.opener.open(name)).await.cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Events;
    use crate::provider::{Calls, Client, Pace, RealTime, Secrets, Waits};
    use linodetool_plugin::{Manifest, ProviderError};
    use serde_json::value::RawValue;
    use std::sync::atomic::{AtomicU32, Ordering};

    struct Silent(Manifest);

    impl Calls for Silent {
        fn call(
            &self,
            operation: &str,
            _: Box<RawValue>,
            _: Secrets,
        ) -> BoxFuture<'_, Result<Box<RawValue>, ProviderError>> {
            Box::pin(std::future::ready(Err(ProviderError::unsupported(operation))))
        }

        fn manifest(&self) -> &Manifest {
            &self.0
        }
    }

    #[derive(Default)]
    struct Counting(AtomicU32);

    impl Opener for Counting {
        fn open<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Provider, Failure>> {
            Box::pin(async move {
                tokio::task::yield_now().await;
                if self.0.fetch_add(1, Ordering::SeqCst) == 0 {
                    return Err(Failure::not_found("not yet"));
                }
                let manifest = Manifest { name: name.to_owned(), ..Manifest::default() };
                let client = Client::new(Arc::new(Silent(manifest.clone())));
                let runtime = tokio::runtime::Handle::current();
                let waits = Waits::new(client.clone(), runtime, Arc::new(RealTime), Events::none(), Pace::default());
                Ok(Provider { client, waits, manifest: Arc::new(manifest) })
            })
        }
    }

    #[tokio::test]
    async fn a_provider_is_opened_once_and_a_failure_is_tried_again() {
        let opener = Arc::new(Counting::default());
        let registry = Registry::new(opener.clone());
        assert_eq!(registry.get("acme").await.err().unwrap().message, "not yet");
        let (one, other) = tokio::join!(registry.get("acme"), registry.get("acme"));
        assert_eq!((one.unwrap().manifest.name.as_str(), other.unwrap().manifest.name.as_str()), ("acme", "acme"));
        assert_eq!(opener.0.load(Ordering::SeqCst), 2);
    }
}
