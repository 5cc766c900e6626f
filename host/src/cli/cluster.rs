//! `linodetool cluster`: named sets of nodes.

mod gc;
mod keys;

use super::confirm::Proposal;
use super::error::{CliError, OK};
use super::node::{described, table as node_table};
use super::render::table::Table;
use super::request::Request;
use super::session::{Need, Session};
use crate::core::Failure;
use crate::inventory::{Cluster, Node};
use crate::nodes::ExecOptions;
use clap::{Args, Subcommand};
use linodetool_plugin::ListInstances;
use serde_json::json;
use std::time::Duration;

/// List, show, mend and destroy clusters
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linodetool cluster list
  linodetool cluster status hadoop
  linodetool cluster destroy hadoop
  linodetool cluster gc --dry-run")]
pub(crate) struct ClusterArgs {
    #[command(subcommand)]
    pub(crate) command: ClusterCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ClusterCommand {
    /// List clusters
    #[command(visible_alias = "ls")]
    List,
    /// Show a cluster as it is recorded, with its nodes
    Show(ClusterName),
    /// Ask the provider how a cluster's nodes are now
    Status(ClusterName),
    /// Delete a cluster: its nodes, their disks, its firewall and keys
    Destroy(ClusterName),
    Gc(gc::GcArgs),
    ExportKeys(keys::ExportArgs),
    Adopt(keys::AdoptArgs),
}

#[derive(Args, Debug)]
pub(crate) struct ClusterName {
    /// The cluster's name
    pub(crate) cluster: String,
}

/// A node that answers, does so well within this.
const ANSWERS: Duration = Duration::from_secs(5);

impl ClusterArgs {
    /// What it needs of the sandbox.
    pub(crate) fn need(&self) -> Need {
        match self.command {
            ClusterCommand::List | ClusterCommand::Show(_) | ClusterCommand::ExportKeys(_) => Need::Records,
            _ => Need::Nodes,
        }
    }

    pub(crate) fn run(&self, session: &mut Session<'_>) -> Result<u8, CliError> {
        match &self.command {
            ClusterCommand::List => list(session),
            ClusterCommand::Show(name) => name.show(session),
            ClusterCommand::Status(name) => name.status(session),
            ClusterCommand::Destroy(name) => name.destroy(session),
            ClusterCommand::Gc(args) => args.run(session),
            ClusterCommand::ExportKeys(args) => args.run(session),
            ClusterCommand::Adopt(args) => args.run(session),
        }
    }
}

fn list(session: &Session<'_>) -> Result<u8, CliError> {
    let (inventory, context) = (session.toolkit.inventory(), session.toolkit.context());
    let clusters = inventory.clusters(context).map_err(Failure::from)?;
    session.out.result(&clusters, || {
        let mut table = Table::new(["CLUSTER", "REGION", "IMAGE", "NODES", "PROVIDER"]);
        for cluster in &clusters {
            table.row([
                cluster.name.clone(),
                cluster.region.clone(),
                cluster.image.clone(),
                roles(cluster),
                cluster.provider.clone(),
            ]);
        }
        table.show(session.out, "There are no clusters.")
    })?;
    Ok(OK)
}

/// `1 master, 3 worker`
fn roles(cluster: &Cluster) -> String {
    cluster.roles.iter().map(|role| format!("{} {}", role.count, role.role)).collect::<Vec<_>>().join(", ")
}

impl ClusterName {
    fn parts(&self, session: &Session<'_>) -> Result<(Cluster, Vec<Node>), Failure> {
        let (inventory, context) = (session.toolkit.inventory(), session.toolkit.context());
        let cluster = inventory.expect_cluster(context, &self.cluster)?;
        let nodes = inventory.nodes_of(context, &self.cluster)?;
        Ok((cluster, nodes))
    }

    fn show(&self, session: &Session<'_>) -> Result<u8, CliError> {
        let (cluster, nodes) = self.parts(session)?;
        session.out.result(&json!({ "cluster": cluster, "nodes": nodes }), || {
            let firewall = match (cluster.cloud_firewall(), &cluster.firewall_id) {
                (Some(id), _) => format!("id {id}"),
                (None, Some(_)) => "on each node".to_owned(),
                (None, None) => "none".to_owned(),
            };
            format!(
                "name      {}\nprovider  {}\nregion    {}\nimage     {}\nfirewall  {firewall}\nmade by   run {}\n\n{}",
                cluster.name,
                cluster.provider,
                cluster.region,
                cluster.image,
                cluster.created_by_run,
                node_table(&nodes).plain()
            )
        })?;
        Ok(OK)
    }

    /// What the provider says of each node now, and whether it lets us in.
    fn status(&self, session: &mut Session<'_>) -> Result<u8, CliError> {
        let (cluster, nodes) = self.parts(session)?;
        let there = session.wait(async {
            let client = &session.toolkit.provider().await?.client;
            client.list_instances(&ListInstances::default()).await.map_err(Failure::from)
        })?;
        let reachable = self.reachable(session, &nodes)?;
        let states: Vec<_> = nodes
            .iter()
            .map(|node| {
                let instance = there.items.iter().find(|instance| instance.id == node.id);
                let status = instance.map_or(json!("gone"), |instance| json!(instance.status));
                json!({ "name": node.name, "role": node.role, "id": node.id, "status": status, "ssh": reachable.contains(&node.name), "locked": node.locked })
            })
            .collect();
        session.end_progress();
        let healthy = states.iter().all(|state| state["status"] == "running" && state["ssh"] == true);
        let document = json!({ "cluster": cluster.name, "healthy": healthy, "nodes": states });
        session.out.result(&document, || {
            let mut table = Table::new(["NODE", "ROLE", "STATUS", "SSH"]);
            for state in &states {
                let text = |key: &str| state[key].as_str().unwrap_or("-").to_owned();
                let ssh = match (state["locked"] == true, state["ssh"] == true) {
                    (true, _) => "locked",
                    (false, true) => "answers",
                    (false, false) => "does not answer",
                };
                table.row([text("name"), text("role"), text("status"), ssh.to_owned()]);
            }
            table.plain()
        })?;
        Ok(OK)
    }

    fn reachable(&self, session: &Session<'_>, nodes: &[Node]) -> Result<Vec<String>, Failure> {
        let targets: Vec<_> = nodes.iter().filter_map(|node| session.toolkit.target(node).ok()).collect();
        let options = ExecOptions { timeout: Some(ANSWERS), ..ExecOptions::default() };
        let answers = session.wait(async {
            let all = session.toolkit.connections().fan_out(&targets, "true", &options);
            // Connecting has a patience of its own, which may be longer.
            Ok::<_, Failure>(tokio::time::timeout(ANSWERS * 2, all).await.unwrap_or_default())
        })?;
        Ok(answers.into_iter().filter(|(_, answer)| answer.is_ok()).map(|(name, _)| name).collect())
    }

    fn destroy(&self, session: &mut Session<'_>) -> Result<u8, CliError> {
        let (cluster, nodes) = self.parts(session)?;
        let firewall = cluster.cloud_firewall().map(|id| format!("firewall id {id}"));
        let destroys =
            nodes.iter().map(described).chain(firewall).chain([format!("cluster {}", cluster.name)]).collect();
        session.confirm(&Proposal { destroys, ..Proposal::default() })?;
        let nodes = nodes.into_iter().map(|node| node.name).collect();
        let title = format!("cluster destroy {}", cluster.name);
        Request::DestroyCluster { cluster: cluster.name, nodes }.run(session, &title)
    }
}
