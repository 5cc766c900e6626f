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
use crate::runs::{Done, Kind, StepCx};
use crate::toolkit::{Repeatable, Toolkit};

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

impl Repeatable for EnsureKeys<'_> {
    const OP: &'static str = "keys.ensure";
    const KIND: Kind = Kind::Write;
    type Out = Keys;

    async fn perform(&self, _: &StepCx) -> Result<Done<Keys>, Failure> {
        // Making and writing thousands of keys takes seconds, which a cancel shall not wait for.
        let (login, given) = (self.login.clone(), self.given.map(str::to_owned));
        let (nodes, toolkit) = (self.nodes.clone(), self.toolkit.clone());
        let work = move || keys(&toolkit, &login, given.as_deref(), &nodes);
        Ok(self.toolkit.blocking(work).await??.into())
    }
}

/// All of them durable when this returns; the same ones when asked again.
fn keys(toolkit: &Toolkit, login: &str, given: Option<&str>, nodes: &[String]) -> Result<Keys, Failure> {
    let store = toolkit.secret_store();
    let login = match given {
        Some(name) => key_ref(name, &store.expect(name)?)?,
        None => {
            let name = format!("generated/{login}.login");
            key_ref(&name, &store.generate(&name, || Ok(new_key("linodetool")))?)?
        }
    };
    let names: Vec<String> = nodes.iter().flat_map(|node| host_key_names(node)).collect();
    let node_of =
        |name: &str| name.trim_start_matches("generated/node/").rsplit_once('.').map(|(node, _)| node.to_owned());
    let privates = store.generate_all(&names, |name| Ok(new_key(&node_of(name).unwrap_or_default())))?;
    let refs = names.iter().zip(&privates).map(|(name, private)| key_ref(name, private));
    let refs = refs.collect::<Result<Vec<_>, _>>()?;
    let pair = |pair: &[KeyRef]| HostKeys { first: pair[0].clone(), lasting: pair[1].clone() };
    let hosts = nodes.iter().cloned().zip(refs.chunks_exact(2).map(pair)).collect();
    Ok(Keys { login, hosts })
}

fn new_key(comment: &str) -> String {
    KeyPair::generate(comment).private_pem.reveal().clone()
}

/// Where the private halves of a node's host keys are in the store: the first, the lasting one.
pub(crate) fn host_key_names(node: &str) -> [String; 2] {
    [format!("generated/node/{node}.host-first"), format!("generated/node/{node}.host")]
}

pub(crate) fn key_ref(name: &str, private: &Secret<String>) -> Result<KeyRef, Failure> {
    let public = KeyPair::public_of(private).map_err(|e| {
        Failure::new(FailureKind::Ssh, format!("secret `{name}` is not a private SSH key: {e}"))
            .hint("an OpenSSH private key without a passphrase is needed")
    })?;
    Ok(KeyRef { secret: name.to_owned(), public })
}

/// Forgets the keys of nodes that are gone.
pub(crate) async fn forget_nodes(toolkit: &Toolkit, nodes: &[&str]) -> Result<(), Failure> {
    let of = |node: &&str| host_key_names(node).into_iter().chain([format!("generated/node/{node}.login")]);
    forget_all(toolkit, nodes.iter().flat_map(of).collect()).await
}

/// Forgets one key that we made; fine if there is none.
pub(crate) async fn forget(toolkit: &Toolkit, name: &str) -> Result<(), Failure> {
    forget_all(toolkit, vec![format!("generated/{name}")]).await
}

/// The store's lock may be another process's for a while, and no thread of the runtime may wait for that.
async fn forget_all(toolkit: &Toolkit, names: Vec<String>) -> Result<(), Failure> {
    if names.is_empty() {
        return Ok(());
    }
    let owner = toolkit.clone();
    let work = move || {
        names.iter().try_for_each(|name| {
            owner.secret_store().remove(name)?;
            Ok(())
        })
    };
    toolkit.blocking(work).await?
}

/// What a node without keys is good for.
pub(crate) fn locked(node: &Node) -> Failure {
    let cluster = node.cluster.as_deref().unwrap_or("NAME");
    Failure::new(FailureKind::Conflict, "is locked: its keys are not known here, and nothing is trusted without them")
        .hint(format!(
            "give them with `linodetool cluster adopt {cluster} --keys FILE`, a file that `linodetool cluster export-keys` \
             wrote, or delete it with `linodetool node delete {}`",
            node.name
        ))
        .on(&node.name)
}

/// How a node is reached.
pub(crate) fn target(toolkit: &Toolkit, node: &Node) -> Result<Target, Failure> {
    let refuse = |message: String| Failure::new(FailureKind::Ssh, message).on(&node.name);
    if node.locked {
        return Err(locked(node));
    }
    if let Some(lost) = toolkit.known_lost().get().and_then(|lost| lost.get(&node.id)) {
        return Err(lost.failure());
    }
    let address = node.public_ip.as_deref().or(node.private_ip.as_deref());
    let address: IpAddr = address.and_then(|a| a.parse().ok()).ok_or_else(|| refuse("has no address yet".into()))?;
    if toolkit.connections().simulation().is_some() {
        // Who asks an emulator needs no key, and reading one for each step takes longer than the step.
        let (name, key, host_keys) = (node.name.clone(), Secret::new(String::new()), Vec::new());
        return Ok(Target { name, address: SocketAddr::new(address, 22), user: node.user.clone(), key, host_keys });
    }
    let key_ref = node.key_ref.as_ref().ok_or_else(|| refuse("no key is known to log in with".into()))?;
    let key = toolkit
        .secret_store()
        .get(&key_ref.secret)?
        .ok_or_else(|| refuse(format!("its key `{}` is not in the secret store", key_ref.secret)))?;
    Ok(Target {
        name: node.name.clone(),
        address: SocketAddr::new(address, 22),
        user: node.user.clone(),
        key,
        host_keys: node.host_keys.clone(),
    })
}
