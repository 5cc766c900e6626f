//! What commands say, without the secrets that linodetool knows: the user's own, and the keys it made for the node.
//!
//! Owns which secrets are known. How they are found in a text is in `core::redact`.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::core::{Failure, Redactor, Secret};
use crate::inventory::Node;
use crate::toolkit::{Toolkit, keys};

/// Secrets that this process has met.
#[derive(Default)]
pub(super) struct Known {
    users: Redactor,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The user's secrets are in `users`.
    loaded: bool,
    /// By name and id: a node that is made again under its name has other keys.
    keys: HashMap<(String, String), Redactor>,
}

/// Takes secrets out of what one node says.
#[derive(Clone)]
pub(crate) struct Redaction {
    users: Redactor,
    /// Knows the private keys that have to do with the node.
    keys: Redactor,
}

impl Redaction {
    pub(crate) fn text(&self, text: &str) -> String {
        self.keys.text(&self.users.text(text)).into_owned()
    }

    pub(crate) fn failure(&self, failure: Failure) -> Failure {
        let message = self.text(&failure.message);
        let hint = failure.hint.as_deref().map(|hint| self.text(hint));
        let output = failure.output.as_deref().map(|output| self.text(output));
        Failure { message, hint, output, ..failure }
    }
}

impl Toolkit {
    /// A secret of the user's; from now on it is taken out of what nodes say.
    pub(crate) fn used_secret(&self, name: &str) -> Result<Secret<String>, Failure> {
        let secret = self.secret_store().expect(name)?;
        self.known().users.add(secret.reveal());
        Ok(secret)
    }

    /// What takes known secrets out of what this node says.
    pub(crate) fn redaction(&self, node: &Node) -> Result<Redaction, Failure> {
        if self.connections().simulation().is_some() {
            // A simulated machine says what the recipe says.
            return Ok(Redaction { users: Redactor::default(), keys: Redactor::default() });
        }
        let known = self.known();
        let mut state = known.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.loaded {
            for info in self.secret_store().list()? {
                if let Some(secret) = self.secret_store().get(&info.name)? {
                    known.users.add(secret.reveal());
                }
            }
            state.loaded = true;
        }
        let which = (node.name.clone(), node.id.clone());
        let keys = match state.keys.get(&which) {
            Some(keys) => keys.clone(),
            None => {
                let keys = self.keys_of(node)?;
                state.keys.insert(which, keys.clone());
                keys
            }
        };
        Ok(Redaction { users: known.users.clone(), keys })
    }

    fn keys_of(&self, node: &Node) -> Result<Redactor, Failure> {
        let login = node.key_ref.iter().map(|key| key.secret.clone());
        let keys = Redactor::default();
        for name in login.chain(keys::host_key_names(&node.name)) {
            if let Some(key) = self.secret_store().get(&name)? {
                keys.add_lines(key.reveal());
            }
        }
        Ok(keys)
    }
}
