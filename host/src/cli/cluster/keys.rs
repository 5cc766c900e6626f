//! `linodetool cluster export-keys` and `cluster adopt`: for the day on which the inventory is lost.

use super::super::error::{CliError, OK};
use super::super::node::table as node_table;
use super::super::passphrase;
use super::super::session::Session;
use crate::core::{Failure, FailureKind, Secret};
use crate::secrets::sealed::{Opener, Seal, wants_passphrase};
use crate::toolkit::clusters::Members;
use crate::toolkit::exported_keys::{Export, KeyFile, there_already};
use clap::Args;
use serde_json::json;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Write a cluster's keys to an encrypted file, for `cluster adopt` on another computer or another day
///
/// The file holds the key that logs in and the host keys, encrypted with age to a passphrase or to a recipient. Keep it
/// where the state directory is not.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linodetool cluster export-keys hadoop --out hadoop.keys
  linodetool cluster export-keys hadoop --out hadoop.keys --recipient age1...
  pass show hadoop | linodetool cluster export-keys hadoop --out hadoop.keys --passphrase-file -")]
pub(crate) struct ExportArgs {
    /// The cluster's name
    pub(crate) cluster: String,
    /// Write to this file, which only you can read
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Encrypt to this age recipient in place of a passphrase
    #[arg(long, value_name = "AGE1...", conflicts_with = "passphrase_file")]
    pub(crate) recipient: Option<String>,
    /// Read the passphrase from this file, or from stdin with `-`, in place of asking for it
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Replace a file that is there
    #[arg(long)]
    pub(crate) force: bool,
}

/// Put a cluster on record again, from its tags and labels alone
///
/// Its nodes are locked until their keys are given: those of this computer's secret store, if it still has them, or those
/// that `cluster export-keys` wrote. No key is ever trusted because a machine shows it.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linodetool cluster adopt hadoop
  linodetool cluster adopt hadoop --keys hadoop.keys")]
pub(crate) struct AdoptArgs {
    /// The cluster's name
    pub(crate) cluster: String,
    /// Give its nodes the keys in this file
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: Option<PathBuf>,
    /// Read the passphrase of the keys from this file, or from stdin with `-`, in place of asking for it
    #[arg(long, value_name = "FILE", requires = "keys")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Open the keys with this age identity file in place of a passphrase
    #[arg(long, value_name = "FILE", requires = "keys", conflicts_with = "passphrase_file")]
    pub(crate) identity: Option<PathBuf>,
}

/// Keys of ten thousand nodes are far below; an identity file is a few lines.
const MAX: u64 = 64 << 20;

impl ExportArgs {
    pub(crate) fn run(&self, session: &mut Session<'_>) -> Result<u8, CliError> {
        session.toolkit.inventory().expect_cluster(session.toolkit.context(), &self.cluster)?;
        // Told before a passphrase is asked for; whether it is so is decided when the file is made.
        if self.out.exists() && !self.force {
            return Err(there_already(&self.out).into());
        }
        session.end_progress();
        let seal = match (&self.recipient, &self.passphrase_file) {
            (Some(recipient), _) => Seal::recipient(recipient)?,
            (None, Some(file)) => Seal::Passphrase(passphrase::of_file(file)?),
            (None, None) => Seal::Passphrase(passphrase::ask_new(session.out, session.interrupt.cancel())?),
        };
        let export = Export { out: self.out.clone(), seal, replace: self.force };
        let title = format!("cluster export-keys {}", self.cluster);
        let members = session.in_run(&title, |at| session.toolkit.export_keys(at, &self.cluster, &export))?;
        let names: Vec<_> = members.nodes.iter().map(|node| node.name.as_str()).collect();
        let document = json!({ "cluster": self.cluster, "file": self.out, "nodes": names });
        session.out.result(&document, || {
            format!("The keys of cluster {} are in {}: {}", self.cluster, self.out.display(), names.join(", "))
        })?;
        Ok(OK)
    }
}

impl AdoptArgs {
    pub(crate) fn run(&self, session: &mut Session<'_>) -> Result<u8, CliError> {
        // What is wrong with the keys is told before anything is done.
        let keys = self.keys.as_ref().map(|file| self.open(session, file)).transpose()?;
        let title = format!("cluster adopt {}", self.cluster);
        let (members, adopted) = session.in_run(&title, |at| {
            let (mut members, adopted) = session.toolkit.adopt_cluster(at, &self.cluster)?;
            if let Some(keys) = &keys {
                members = session.toolkit.give_keys(at, &self.cluster, keys)?;
            }
            Ok((members, adopted))
        })?;
        session.end_progress();
        let document = json!({ "cluster": members.cluster, "nodes": members.nodes, "adopted": adopted.nodes });
        session.out.result(&document, || node_table(&members.nodes).plain())?;
        for name in &adopted.without_role {
            session.out.note(&format!("The label {name} says no role: the node has none."));
        }
        session.out.note(&advice(session, &members, adopted.nodes.len()));
        Ok(OK)
    }

    fn open(&self, session: &mut Session<'_>, file: &Path) -> Result<KeyFile, Failure> {
        let sealed = read(file)?;
        let opener = match (&self.identity, &self.passphrase_file) {
            (Some(identity), _) => {
                let text = String::from_utf8(read(identity)?)
                    .map_err(|_| Failure::usage(format!("{} is no age identity file", identity.display())))?;
                Opener::Identities(Secret::new(text))
            }
            (None, Some(passphrase)) => Opener::Passphrase(passphrase::of_file(passphrase)?),
            (None, None) if wants_passphrase(&sealed)? => {
                session.end_progress();
                Opener::Passphrase(passphrase::ask(session.out, session.interrupt.cancel(), "Passphrase: ")?)
            }
            (None, None) => {
                return Err(Failure::usage(format!("{} is encrypted to a key", file.display()))
                    .hint("name the file of that key with --identity"));
            }
        };
        KeyFile::read(&opener.open(&sealed)?)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(MAX).read_to_end(&mut bytes));
    read.map_err(|error| Failure::new(FailureKind::Local, format!("cannot read {}: {error}", path.display())))?;
    Ok(bytes)
}

fn advice(session: &Session<'_>, members: &Members, adopted: usize) -> String {
    let program = session.toolkit.program();
    let (name, locked) = (&members.cluster.name, members.nodes.iter().filter(|node| node.locked).count());
    match (locked, adopted) {
        (0, 0) if !members.changed => format!("Cluster {name} was on record already."),
        (0, _) => format!("Cluster {name} is on record, with its keys. See how it is: {program} cluster status {name}"),
        _ => format!(
            "{locked} of {} nodes are locked. Give their keys: {program} cluster adopt {name} --keys FILE",
            members.nodes.len()
        ),
    }
}
