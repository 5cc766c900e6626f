//! What commands say, without the secrets that linodetool knows: the user's own, and the keys it made for the node.
//!
//! Owns which secrets are known. How they are found in a text is in `secrets::redact`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::core::{Failure, Secret};
use crate::inventory::Node;
use crate::secrets::Redactor;
use crate::toolkit::{Toolkit, keys};

/// What stands in a secret's place, as in `secrets::redact`.
const MASK: &str = "***";

/// Parts of keys that are shorter stand in other texts too.
const SHORTEST_LINE: usize = 20;

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
    keys: HashMap<String, Arc<[String]>>,
}

/// Takes secrets out of what one node says.
#[derive(Clone)]
pub(crate) struct Redaction {
    users: Redactor,
    /// Lines of the private keys that have to do with the node: a key is often shown line by line.
    keys: Arc<[String]>,
}

impl Redaction {
    pub(crate) fn text(&self, text: &str) -> String {
        let mut text = self.users.redact(text);
        for line in self.keys.iter() {
            if text.contains(line.as_str()) {
                text = text.replace(line.as_str(), MASK);
            }
        }
        text
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
        self.known().users.add(&secret);
        Ok(secret)
    }

    /// What takes known secrets out of what this node says.
    pub(crate) fn redaction(&self, node: &Node) -> Result<Redaction, Failure> {
        if self.connections().simulation().is_some() {
            return Ok(Redaction { users: Redactor::default(), keys: Arc::default() }); // a simulated machine says what the recipe says
        }
        let known = self.known();
        let mut state = known.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.loaded {
            for info in self.secret_store().list()? {
                if let Some(secret) = self.secret_store().get(&info.name)? {
                    known.users.add(&secret);
                }
            }
            state.loaded = true;
        }
        let keys = match state.keys.get(&node.name) {
            Some(keys) => keys.clone(),
            None => {
                let keys: Arc<[String]> = self.lines_of_keys(node)?.into();
                state.keys.insert(node.name.clone(), keys.clone());
                keys
            }
        };
        Ok(Redaction { users: known.users.clone(), keys })
    }

    fn lines_of_keys(&self, node: &Node) -> Result<Vec<String>, Failure> {
        let login = node.key_ref.iter().map(|key| key.secret.clone());
        let mut lines = Vec::new();
        for name in login.chain(keys::host_key_names(&node.name)) {
            if let Some(key) = self.secret_store().get(&name)? {
                let body = key.reveal().lines().filter(|line| !line.starts_with("-----"));
                lines.extend(body.filter(|line| line.len() >= SHORTEST_LINE).map(str::to_owned));
            }
        }
        Ok(lines)
    }
}
