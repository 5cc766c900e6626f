//! `linodetool inventory`: what other programs want to know of the nodes.

use super::error::{CliError, OK};
use super::session::Session;
use crate::core::{Failure, FailureKind};
use crate::inventory::Node;
use crate::inventory::exports::{self, SshOptions};
use crate::secrets::files::{private_dir, read_private, replace_private};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Give the inventory to other programs
#[derive(Args, Debug)]
#[command(after_help = "\
For ssh-config and ansible, keys and known host keys are written to export/ in the state directory, readable
by you alone.

Examples:
  linodetool inventory export --format ssh-config > ~/.ssh/linodetool.conf
  linodetool inventory export --format ansible cluster:hadoop")]
pub(crate) struct InventoryArgs {
    #[command(subcommand)]
    pub(crate) command: InventoryCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum InventoryCommand {
    /// Write the nodes in a format of another program
    Export {
        /// Which nodes [default: all]
        selector: Option<String>,
        /// Which format
        #[arg(long, value_enum)]
        format: Format,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Host entries for ~/.ssh/config
    SshConfig,
    /// An inventory for ansible
    Ansible,
    /// All that is recorded
    Json,
}

impl InventoryArgs {
    pub(crate) fn run(&self, session: &Session<'_>) -> Result<u8, CliError> {
        let InventoryCommand::Export { selector, format } = &self.command;
        let (inventory, context) = (session.toolkit.inventory(), session.toolkit.context());
        let nodes = match selector {
            Some(selector) => session.select(selector)?,
            None => inventory.nodes(context).map_err(Failure::from)?,
        };
        if *format == Format::Json {
            let clusters = inventory.clusters(context).map_err(Failure::from)?;
            let resources = inventory.resources(context, None).map_err(Failure::from)?;
            session.out.document(&exports::json(&clusters, &nodes, &resources))?;
            return Ok(OK);
        }
        let files = Files::write(&session.paths.state.join("export"), &nodes, session)?;
        let proxy = session.proxy_command();
        let options = SshOptions {
            identity: &|node| files.keys.get(&node.name).cloned(),
            known_hosts: Some(&files.known_hosts),
            proxy_command: proxy.as_deref(),
        };
        let text = match format {
            Format::SshConfig => exports::ssh_config(&nodes, &options),
            Format::Ansible => exports::ansible_yaml(&nodes, &options),
            Format::Json => String::new(),
        };
        session.out.result(&json!({ "text": text }), || text.clone())?;
        Ok(OK)
    }
}

/// What other programs read besides the export itself: keys, readable by the user alone, and known host keys.
struct Files {
    keys: BTreeMap<String, PathBuf>,
    known_hosts: PathBuf,
}

impl Files {
    fn write(folder: &Path, nodes: &[Node], session: &Session<'_>) -> Result<Self, Failure> {
        let cannot =
            |e: crate::secrets::files::FileError| Failure::new(FailureKind::State, e.to_string()).hint(e.hint());
        private_dir(folder).map_err(cannot)?;
        // What is there already is not written again: it may be all that a disk can still do.
        let keep = |file: &Path, text: &str| match read_private(file) {
            Ok(Some(present)) if present == text.as_bytes() => Ok(()),
            _ => replace_private(file, text.as_bytes()).map_err(cannot),
        };
        let mut keys = BTreeMap::new();
        for node in nodes {
            // A node that cannot be logged in to is listed without a key.
            let Ok(target) = session.toolkit.target(node) else { continue };
            let file = folder.join(format!("{}.key", node.name));
            let mut key = target.key.reveal().trim_end().to_owned();
            key.push('\n');
            keep(&file, &key)?;
            keys.insert(node.name.clone(), file);
        }
        let known_hosts = folder.join("known_hosts");
        keep(&known_hosts, &exports::known_hosts(nodes))?;
        Ok(Self { keys, known_hosts })
    }
}
