//! A cluster's keys in a file of their own: written for the day on which the inventory is lost, and taken in again.
//!
//! Owns what such a file says. Does not know how it is encrypted, or who knows the passphrase.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::core::{Failure, FailureKind, Secret};
use crate::inventory::{Change, Cluster, KeyRef, Node, NodePatch};
use crate::runs::{Done, Kind, StepCx, StepError};
use crate::secrets::GENERATED;
use crate::secrets::files::{self, FileError};
use crate::secrets::sealed::Seal;
use crate::toolkit::clusters::Members;
use crate::toolkit::keys::{host_key_names, key_ref, locked};
use crate::toolkit::{At, Repeatable, Toolkit};

/// Another form gets another number.
const FORMAT: u32 = 1;

/// What an exported file holds, decrypted.
#[derive(Deserialize, Serialize)]
pub struct KeyFile {
    format: u32,
    cluster: String,
    context: String,
    /// The key that logs in.
    login: KeyRef,
    nodes: Vec<KeysOfNode>,
    /// Private keys by their names in the secret store.
    secrets: BTreeMap<String, String>,
}

#[derive(Deserialize, Serialize)]
struct KeysOfNode {
    name: String,
    /// A machine that was made anew under the same name has other keys.
    id: String,
    host_keys: Vec<String>,
}

impl KeyFile {
    /// # Errors
    /// `Usage` if these are no keys of a cluster, or of a newer version.
    pub fn read(bytes: &[u8]) -> Result<Self, Failure> {
        #[derive(Deserialize)]
        struct Form {
            format: u32,
        }
        let wrong = |why: String| {
            Failure::usage(format!("the file holds no keys of a cluster: {why}"))
                .hint("name a file that `linodetool cluster export-keys` wrote")
        };
        let form: Form = serde_json::from_slice(bytes).map_err(|error| wrong(error.to_string()))?;
        if form.format != FORMAT {
            return Err(wrong(format!("its form is {}, and this version reads {FORMAT}", form.format))
                .hint("use the version of linodetool that wrote it, or a newer one"));
        }
        serde_json::from_slice(bytes).map_err(|error| wrong(error.to_string()))
    }
}

/// How keys are exported.
pub struct Export {
    pub out: PathBuf,
    pub seal: Seal,
    /// Replace a file that is there.
    pub replace: bool,
}

impl Toolkit {
    /// Writes the cluster's keys, encrypted, to a private file.
    ///
    /// # Errors
    /// `Conflict` if nodes are locked, or if the file is there already.
    pub fn export_keys(&self, at: At<'_>, name: &str, export: &Export) -> Result<Members, StepError> {
        let members = self.cluster(at, name)?;
        at.step(&ExportKeys { cluster: name, out: &export.out, export, members: &members, toolkit: self })?;
        Ok(members)
    }

    /// Gives a cluster's locked nodes their keys. Nodes that the file does not know stay locked.
    ///
    /// # Errors
    /// `Conflict` if these are another cluster's keys.
    pub fn give_keys(&self, at: At<'_>, name: &str, file: &KeyFile) -> Result<Members, StepError> {
        self.alone(at, name, || {
            let changed = at.step(&GiveKeys { cluster: name, file, toolkit: self })?;
            self.count(changed);
            let members = self.cluster(at, name)?;
            Ok(Members { changed, ..members })
        })
    }
}

#[derive(Serialize)]
struct ExportKeys<'a> {
    cluster: &'a str,
    out: &'a Path,
    #[serde(skip)]
    export: &'a Export,
    #[serde(skip)]
    members: &'a Members,
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

impl Repeatable for ExportKeys<'_> {
    const OP: &'static str = "keys.export";
    const KIND: Kind = Kind::Write;
    type Out = ();

    async fn perform(&self, _: &StepCx) -> Result<Done<()>, Failure> {
        let (cluster, export) = (&self.members.cluster, self.export);
        let file = self.toolkit.key_file(cluster, &self.members.nodes)?;
        let bytes = serde_json::to_vec(&file).map_err(|error| Failure::internal(error.to_string()))?;
        let sealed = export.seal.seal(&bytes)?;
        let write = if export.replace { files::replace_private } else { files::create_private };
        write(&export.out, &sealed).map_err(|error| {
            let exists = matches!(&error, FileError::Io { source, .. } if source.kind() == ErrorKind::AlreadyExists);
            if exists {
                there_already(&export.out)
            } else {
                Failure::new(FailureKind::Local, error.to_string()).hint(error.hint())
            }
        })?;
        Ok(().into())
    }
}

/// Who exports twice may destroy the only copy of older keys.
pub fn there_already(path: &Path) -> Failure {
    Failure::new(FailureKind::Conflict, format!("{} is there already", path.display()))
        .hint("name another file with --out, or replace it with --force")
}

impl Toolkit {
    fn key_file(&self, cluster: &Cluster, nodes: &[Node]) -> Result<KeyFile, Failure> {
        if let Some(node) = nodes.iter().find(|node| node.locked) {
            return Err(locked(node));
        }
        let login = cluster.key_ref.clone().ok_or_else(|| {
            Failure::new(FailureKind::State, format!("cluster {} has no key to log in with", cluster.name))
                .hint("ensure it once more: run its recipe")
        })?;
        let store = self.secret_store();
        let mut secrets = BTreeMap::new();
        secrets.insert(login.secret.clone(), store.expect(&login.secret)?.reveal().clone());
        for name in nodes.iter().flat_map(|node| host_key_names(&node.name)) {
            if let Some(key) = store.get(&name)? {
                secrets.insert(name, key.reveal().clone());
            }
        }
        let keys = |node: &Node| KeysOfNode {
            name: node.name.clone(),
            id: node.id.clone(),
            host_keys: node.host_keys.clone(),
        };
        Ok(KeyFile {
            format: FORMAT,
            cluster: cluster.name.clone(),
            context: cluster.context.clone(),
            login,
            nodes: nodes.iter().map(keys).collect(),
            secrets,
        })
    }
}

/// Once more gives the same keys.
#[derive(Serialize)]
struct GiveKeys<'a> {
    cluster: &'a str,
    #[serde(skip)]
    file: &'a KeyFile,
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

impl Repeatable for GiveKeys<'_> {
    const OP: &'static str = "keys.give";
    const KIND: Kind = Kind::Write;
    type Out = bool;

    async fn perform(&self, _: &StepCx) -> Result<Done<bool>, Failure> {
        let (toolkit, file) = (self.toolkit, self.file);
        let cluster = toolkit.inventory().expect_cluster(toolkit.context(), self.cluster)?;
        let nodes = toolkit.inventory().nodes_of(toolkit.context(), self.cluster)?;
        self.check(&cluster)?;
        let given: Vec<_> = nodes.iter().filter(|node| node.locked).filter_map(|node| self.of(node)).collect();
        if given.is_empty() && nodes.iter().any(|node| node.locked) {
            return Err(self.others("its nodes have other ids: they were made anew since the keys were exported"));
        }
        if given.is_empty() {
            return Ok(false.into());
        }
        // The keys are durable before anything says that they are there.
        self.keep(&file.login.secret)?;
        for node in &given {
            for name in host_key_names(&node.name) {
                self.keep(&name)?;
            }
        }
        let patch = |keys: &KeysOfNode| NodePatch {
            host_keys: Some(keys.host_keys.clone()),
            key_ref: Some(file.login.clone()),
            locked: Some(false),
            ..NodePatch::default()
        };
        let nodes = given.iter().map(|keys| Change::patch_node(toolkit.context(), &keys.name, patch(keys)));
        let cluster = Cluster { key_ref: Some(file.login.clone()), ..cluster };
        Ok(Done { value: true, changes: nodes.chain([Change::put_cluster(cluster)]).collect() })
    }
}

impl GiveKeys<'_> {
    fn others(&self, why: &str) -> Failure {
        let (file, cluster) = (self.file, self.cluster);
        Failure::new(FailureKind::Conflict, format!("these are not the keys of cluster {cluster}: {why}")).hint(
            format!("they were exported of cluster {} in the context {}; nothing was done", file.cluster, file.context),
        )
    }

    fn check(&self, cluster: &Cluster) -> Result<(), Failure> {
        if self.file.cluster != self.cluster || self.file.context != self.toolkit.context() {
            return Err(self.others("they are of another one"));
        }
        let login = &self.file.login;
        if cluster.key_ref.as_ref().is_some_and(|known| known.public != login.public) {
            return Err(self.others("it is logged in to with another key"));
        }
        // What would not open a door is told now, not at the door.
        let private = self.secret(&login.secret).map(|value| key_ref(&login.secret, &value)).transpose()?;
        match private {
            Some(key) if key.public == login.public => Ok(()),
            _ => Err(self.others("the key that logs in is missing or does not fit")),
        }
    }

    /// The file's keys of this very machine.
    fn of(&self, node: &Node) -> Option<&KeysOfNode> {
        let keys = self.file.nodes.iter().find(|keys| keys.name == node.name && keys.id == node.id)?;
        Some(keys).filter(|keys| !keys.host_keys.is_empty())
    }

    fn secret(&self, name: &str) -> Option<Secret<String>> {
        self.file.secrets.get(name).cloned().map(Secret::new)
    }

    fn keep(&self, name: &str) -> Result<(), Failure> {
        let Some(value) = self.secret(name) else { return Ok(()) };
        let store = self.toolkit.secret_store();
        if name.starts_with(GENERATED) {
            return Ok(store.replace_generated(name, &value)?);
        }
        match store.get(name)? {
            None => Ok(store.set(name, &value)?),
            Some(known) if known == value => Ok(()),
            Some(_) => Err(Failure::new(FailureKind::Conflict, format!("there is another secret `{name}` here"))
                .hint(format!("keep it under another name, then `linodetool secret rm {name}` and try again"))),
        }
    }
}
