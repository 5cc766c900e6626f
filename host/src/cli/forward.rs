//! `linodetool forward`: a port of a node on this computer.

use super::error::{CliError, OK};
use super::session::Session;
use crate::core::{Failure, FailureKind};
use crate::inventory::Node;
use crate::nodes::{Forward, Target};
use clap::Args;
use serde_json::json;

/// Reach a port of a node from this computer, through SSH
///
/// Listens on 127.0.0.1 until Ctrl-C. The node's firewall may stay closed.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linodetool --sandbox forward hadoop-master-1 9870     then open http://127.0.0.1:9870/
  linodetool forward db-1 5432 --local-port 15432")]
pub(crate) struct ForwardArgs {
    /// The node's name
    pub(crate) node: String,
    /// The port on the node
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: u16,
    /// The port on this computer; 0: any free one [default: the same]
    #[arg(long, value_name = "PORT")]
    pub(crate) local_port: Option<u16>,
    /// The address on the node [default: its private address, then localhost]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) host: Option<String>,
}

impl ForwardArgs {
    pub(crate) fn run(&self, session: &mut Session<'_>) -> Result<u8, CliError> {
        let node = session.node(&self.node)?;
        let target = session.toolkit.target(&node)?;
        let host = match &self.host {
            Some(host) => host.clone(),
            None => self.answering_host(session, &node, &target)?,
        };
        let local_port = self.local_port.unwrap_or(self.port);
        let opened = session.wait(session.toolkit.connections().forward(&target, local_port, &host, self.port));
        let forward: Forward = opened.map_err(|failure| match failure.kind {
            // The port here is taken, or needs rights that the user has not.
            FailureKind::Local => failure.hint("choose another with --local-port, or any free one with --local-port 0"),
            _ => failure,
        })?;
        session.end_progress();
        let local = forward.local();
        let document = json!({ "node": node.name, "local": local.to_string(), "host": host, "port": self.port });
        session.out.result(&document, || local.to_string())?;
        session.out.note(&format!(
            "{local} leads to {host}:{} of {}; Ctrl-C ends it. A web page: http://{local}/",
            self.port, node.name
        ));
        session.toolkit.handle().block_on(session.interrupt.cancel().cancelled());
        // Ending it is what Ctrl-C is for here.
        Ok(OK)
    }

    /// Daemons listen on the private address or on localhost; the first that takes a connection is meant.
    fn answering_host(&self, session: &Session<'_>, node: &Node, target: &Target) -> Result<String, Failure> {
        let candidates: Vec<_> =
            node.private_ip.iter().map(String::as_str).chain(["127.0.0.1"]).chain(node.public_ip.as_deref()).collect();
        for host in &candidates {
            if session.wait(session.toolkit.connections().port_open(target, host, self.port))? {
                return Ok((*host).to_owned());
            }
        }
        // It may be started later.
        session.out.note(&format!(
            "warning: nothing listens on port {} of {} yet (tried {})",
            self.port,
            node.name,
            candidates.join(", ")
        ));
        Ok(candidates[0].to_owned())
    }
}
