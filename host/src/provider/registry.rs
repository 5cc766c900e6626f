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
