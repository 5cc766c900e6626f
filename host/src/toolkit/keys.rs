//! Keys that we make: one pair per cluster to log in with, two host keys per node. All are durable in the secret store
//! before anything is made that uses them.
//!
//! A node has two host keys because user data, which carries the first, can be read on the node: the first login replaces it
//! by the second.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use crate::core::{Failure, FailureKind, Secret};
use crate::inventory::{KeyRef, Node};
use crate::nodes::{KeyPair, Target};
use crate::runs::{Done, Effect, Kind, StepCx, performs_again};
use crate::toolkit::Toolkit;

/// Public halves of what was made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Keys {
    pub login: KeyRef,
    pub hosts: BTreeMap<String, HostKeys>,
}

/// A node's host keys; the private halves are in the store.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct HostKeys {
    /// From user data, good until the first login.
    pub first: KeyRef,
    /// The one that stays.
    pub lasting: KeyRef,
}

/// Makes what is missing of a group's keys.
#[derive(Serialize)]
pub(crate) struct EnsureKeys<'a> {
    /// Name of the login key: `cluster/hadoop` or `node/web-1`.
    pub login: String,
    /// A secret of the user's that holds the private key to log in with, in place of one of ours.
    pub given: Option<&'a str>,
    pub nodes: Vec<String>,
    #[serde(skip)]
    pub toolkit: &'a Toolkit,
}

impl Effect for EnsureKeys<'_> {
    const OP: &'static str = "keys.ensure";
    const KIND: Kind = Kind::Write;
    type Out = Keys;

    async fn perform(&self, _: &StepCx) -> Result<Done<Keys>, Failure> {
        let store = self.toolkit.secret_store();
        let mut keys = Keys::default();
        let mut made = BTreeMap::new();
        keys.login = match self.given {
            Some(name) => {
                let missing = || Failure::not_found(format!("there is no secret `{name}`")).hint("store the private key: linodetool secret set NAME < KEY");
                let private = store.get(name)?.ok_or_else(missing)?;
                KeyRef { secret: name.to_owned(), public: public_of(name, &private)? }
            }
            None => ensure(self.toolkit, &format!("{}.login", self.login), "linodetool", &mut made)?,
        };
        for node in &self.nodes {
            let first = ensure(self.toolkit, &format!("node/{node}.host-first"), node, &mut made)?;
            let lasting = ensure(self.toolkit, &format!("node/{node}.host"), node, &mut made)?;
            keys.hosts.insert(node.clone(), HostKeys { first, lasting });
        }
        store.put_generated(made)?;
        Ok(keys.into())
    }

    async fn reconcile(&self, _: &StepCx) -> Result<Option<Done<Keys>>, Failure> {
        performs_again().await
    }
}

fn ensure(
    toolkit: &Toolkit,
    name: &str,
    comment: &str,
    made: &mut BTreeMap<String, Secret<String>>,
) -> Result<KeyRef, Failure> {
    if let Some(private) = toolkit.secret_store().generated(name)? {
        return Ok(KeyRef { secret: name.to_owned(), public: public_of(name, &private)? });
    }
    let pair = KeyPair::generate(comment);
    made.insert(name.to_owned(), pair.private_pem);
    Ok(KeyRef { secret: name.to_owned(), public: pair.public_line })
}

fn public_of(name: &str, private: &Secret<String>) -> Result<String, Failure> {
    KeyPair::public_of(private).map_err(|e| {
        Failure::new(FailureKind::Ssh, format!("secret `{name}` is not a private SSH key: {e}"))
            .hint("an OpenSSH private key without a passphrase is needed")
    })
}

/// Forgets the keys of nodes that are gone.
pub(crate) fn forget_nodes(toolkit: &Toolkit, nodes: &[&str]) -> Result<(), Failure> {
    let names = nodes.iter().flat_map(|node| [format!("node/{node}.host-first"), format!("node/{node}.host")]);
    Ok(toolkit.secret_store().remove_generated(&names.collect::<Vec<_>>())?)
}

/// How a node is reached.
pub(crate) fn target(toolkit: &Toolkit, node: &Node) -> Result<Target, Failure> {
    let refuse = |message: String| Failure::new(FailureKind::Ssh, message).on(&node.name);
    let address = node.public_ip.as_deref().or(node.private_ip.as_deref());
    let address: IpAddr = address.and_then(|a| a.parse().ok()).ok_or_else(|| refuse("has no address yet".into()))?;
    let key_ref = node.key_ref.as_ref().ok_or_else(|| refuse("no key is known to log in with".into()))?;
    let store = toolkit.secret_store();
    let key = match store.generated(&key_ref.secret)? {
        Some(key) => key,
        None => store
            .get(&key_ref.secret)?
            .ok_or_else(|| refuse(format!("its key `{}` is not in the secret store", key_ref.secret)))?,
    };
    Ok(Target {
        name: node.name.clone(),
        address: SocketAddr::new(address, 22),
        user: node.user.clone(),
        key,
        host_keys: node.host_keys.clone(),
    })
}
