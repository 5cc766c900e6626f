//! The secrets that travel beside one call. A plugin sees their ids, the host puts their values into requests.

use crate::core::Secret;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Values by id. Clones share them; `Debug` shows the ids alone.
#[derive(Clone, Default)]
pub struct Secrets(Arc<BTreeMap<String, Secret<String>>>);

impl Secrets {
    /// For calls without any.
    pub fn none() -> Self {
        Self::default()
    }

    /// The value of this id.
    pub fn get(&self, id: &str) -> Option<&Secret<String>> {
        self.0.get(id)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All values, for redaction.
    pub(crate) fn values(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(|secret| secret.reveal().as_str())
    }
}

impl FromIterator<(String, Secret<String>)> for Secrets {
    fn from_iter<I: IntoIterator<Item = (String, Secret<String>)>>(secrets: I) -> Self {
        Self(Arc::new(secrets.into_iter().collect()))
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
