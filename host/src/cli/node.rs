//! `linodetool node`: single machines.

use super::confirm::Proposal;
use super::error::{CliError, OK};
use super::render::table::{Table, dollars, or_dash};
use super::request::Request;
use super::session::{Need, Session};
use super::ssh::{self, Login};
use crate::core::Failure;
use crate::core::clock::utc;
use crate::inventory::Node;
use crate::toolkit::nodes::{NodeSpec, Power};
use clap::{Args, Subcommand};

/// Create, list, start, stop, log in to and delete nodes
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linodetool node create us-east g6-nanode-1 linode/debian12 --name web-1
  linodetool node create newark '1gb' 'debian 12'
  linodetool node ssh web-1 -- uptime
  linodetool node delete web-1")]
pub(crate) struct NodeArgs {
    #[command(subcommand)]
    pub(crate) command: NodeCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NodeCommand {
    Create(CreateArgs),
    /// List nodes
    #[command(visible_alias = "ls")]
    List {
        /// Which ones: a name, `cluster:NAME`, `role:NAME`, `web-*`; a comma joins, `!` excludes
        selector: Option<String>,
    },
    /// Show all that is known of a node
    Show {
        /// The node's name
        node: String,
    },
    /// Log in to a node, or run a command there, with this computer's ssh
    #[command(after_help = "\
The node's key and its known host key are given to ssh for this login only.

Examples:
  linodetool node ssh web-1
  linodetool node ssh web-1 -- journalctl -u nginx -f
  linodetool node ssh web-1 -- -L 8080:localhost:80")]
    Ssh {
        /// The node's name
        node: String,
        /// A command, or options of ssh, passed on as they are
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
        arguments: Vec<String>,
    },
    /// Power nodes on
    #[command(visible_alias = "boot")]
    Start(SelectArgs),
    /// Shut nodes down; they go on costing until they are deleted
    #[command(visible_alias = "shutdown")]
    Stop(SelectArgs),
    /// Restart nodes
    Reboot(SelectArgs),
    /// Delete nodes and all that is on their disks
    #[command(visible_alias = "rm")]
    Delete(SelectArgs),
}

/// Create a node, and wait until it can be logged in to
///
/// Region, type and image may be written loosely; what could mean several things is refused with the candidates.
#[derive(Args, Debug)]
pub(crate) struct CreateArgs {
    /// Where: `us-east`, `newark`, ...
    pub(crate) region: String,
    /// What: `g6-nanode-1`, `1gb`, ...
    #[arg(value_name = "TYPE")]
    pub(crate) kind: String,
    /// The image on its disk: `linode/debian12`, `'debian 12'`, ...
    pub(crate) image: String,
    /// Its name [default: node-1, node-2, ...]
    #[arg(long, short)]
    pub(crate) name: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct SelectArgs {
    /// Which ones: a name, `cluster:NAME`, `role:NAME`, `web-*`; a comma joins, `!` excludes
    pub(crate) selector: String,
}

impl NodeArgs {
    /// What it needs of the sandbox.
    pub(crate) fn need(&self) -> Need {
        match self.command {
            NodeCommand::Create(_) => Need::Cloud,
            NodeCommand::List { .. } | NodeCommand::Show { .. } => Need::Records,
            _ => Need::Nodes,
        }
    }

    pub(crate) fn run(&self, session: &mut Session<'_>) -> Result<u8, CliError> {
        match &self.command {
            NodeCommand::Create(args) => args.run(session),
            NodeCommand::List { selector } => {
                let nodes = match selector {
                    Some(selector) => session.select(selector)?,
                    None => session.toolkit.inventory().nodes(session.toolkit.context()).map_err(Failure::from)?,
                };
                session.out.result(&nodes, || table(&nodes).show(session.out, "There are no nodes."))?;
                Ok(OK)
            }
            NodeCommand::Show { node } => {
                let node = session.node(node)?;
                session.out.result(&node, || show(&node))?;
                Ok(OK)
            }
            NodeCommand::Ssh { node, arguments } => log_in(session, node, arguments),
            NodeCommand::Start(args) => args.power(session, Power::Boot, "start"),
            NodeCommand::Stop(args) => args.power(session, Power::Shutdown, "stop"),
            NodeCommand::Reboot(args) => args.power(session, Power::Reboot, "reboot"),
            NodeCommand::Delete(args) => args.delete(session),
        }
    }
}

impl CreateArgs {
    fn run(&self, session: &mut Session<'_>) -> Result<u8, CliError> {
        let name = match &self.name {
            Some(name) => name.clone(),
            None => free_name(&session.toolkit.inventory().nodes(session.toolkit.context()).map_err(Failure::from)?),
        };
        let spec = NodeSpec {
            name,
            region: self.region.clone(),
            type_id: self.kind.clone(),
            image: self.image.clone(),
            ..NodeSpec::default()
        };
        let title = format!("node create {}", spec.name);
        Request::CreateNode { spec }.run(session, &title)
    }
}

/// The first of `node-1`, `node-2`, ... that is not taken.
fn free_name(nodes: &[Node]) -> String {
    let taken = |name: &String| nodes.iter().any(|node| node.name == *name);
    // Among one name more than there are nodes, one is free.
    (1..=nodes.len() + 1).map(|n| format!("node-{n}")).find(|name| !taken(name)).unwrap_or_default()
}

impl SelectArgs {
    fn power(&self, session: &mut Session<'_>, power: Power, word: &str) -> Result<u8, CliError> {
        let request = Request::PowerNodes { nodes: names(&session.select(&self.selector)?), power };
        request.run(session, &format!("node {word} {}", self.selector))
    }

    fn delete(&self, session: &mut Session<'_>) -> Result<u8, CliError> {
        let nodes = session.select(&self.selector)?;
        let proposal = Proposal { destroys: nodes.iter().map(described).collect(), ..Proposal::default() };
        session.confirm(&proposal)?;
        Request::DeleteNodes { nodes: names(&nodes) }.run(session, &format!("node delete {}", self.selector))
    }
}

fn names(nodes: &[Node]) -> Vec<String> {
    nodes.iter().map(|node| node.name.clone()).collect()
}

/// A node in a few words, for a question.
pub(crate) fn described(node: &Node) -> String {
    format!("node {} ({}, {}, id {})", node.name, node.region, node.type_id, node.id)
}

fn log_in(session: &mut Session<'_>, name: &str, arguments: &[String]) -> Result<u8, CliError> {
    let node = session.node(name)?;
    let target = session.toolkit.target(&node)?;
    let login = Login {
        node: target.name,
        host: target.address.ip(),
        port: target.address.port(),
        user: target.user,
        key: target.key,
        host_keys: target.host_keys,
        proxy: session.proxy_command(),
    };
    session.end_progress();
    let prepared = ssh::Session::prepare(&login, &session.paths.state)?;
    Ok(prepared.run(session.env.program("ssh"), arguments)?)
}

/// Nodes, a line each.
pub(crate) fn table(nodes: &[Node]) -> Table {
    let mut table = Table::new(["NODE", "STATUS", "CLUSTER", "ROLE", "REGION", "TYPE", "PUBLIC", "PRIVATE"]);
    for node in nodes {
        table.row([
            node.name.clone(),
            status(node),
            or_dash(node.cluster.as_ref()),
            or_dash(node.role.as_ref()),
            node.region.clone(),
            node.type_id.clone(),
            or_dash(node.public_ip.as_ref()),
            or_dash(node.private_ip.as_ref()),
        ]);
    }
    table
}

/// As it was when we last heard of it, and whether its keys are missing.
pub(crate) fn status(node: &Node) -> String {
    let status = serde_json::to_value(node.status).ok().and_then(|v| v.as_str().map(str::to_owned));
    let status = status.unwrap_or_else(|| "-".to_owned());
    if node.locked { format!("{status}, locked") } else { status }
}

/// All that is known of a node, a line each.
pub(crate) fn show(node: &Node) -> String {
    let cost = node.price_hourly.zip(node.price_monthly);
    let lines = [
        ("name", Some(node.name.clone())),
        ("id", Some(node.id.clone())),
        ("status", Some(status(node))),
        ("cluster", node.cluster.clone()),
        ("role", node.role.clone()),
        ("region", Some(node.region.clone())),
        ("type", Some(node.type_id.clone())),
        ("image", Some(node.image.clone())),
        ("public", node.public_ip.clone()),
        ("private", node.private_ip.clone()),
        ("ipv6", node.ipv6.clone()),
        ("memory", Some(format!("{} MB", node.memory_mb))),
        ("cpus", Some(node.vcpus.to_string())),
        ("user", Some(node.user.clone())),
        ("cost", cost.map(|(hour, month)| format!("{} an hour, {} a month", dollars(hour), dollars(month)))),
        ("tags", Some(node.tags.join(", ")).filter(|tags| !tags.is_empty())),
        ("made by", Some(format!("run {} at {}", node.created_by_run, utc(node.created_ms)))),
    ];
    let lines: Vec<_> = lines.into_iter().filter_map(|(name, value)| Some(format!("{name:<8} {}", value?))).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn node(name: &str) -> Node {
        Node {
            name: name.into(),
            id: "1001".into(),
            region: "us-east".into(),
            type_id: "g6-nanode-1".into(),
            image: "linode/debian12".into(),
            public_ip: Some("198.51.100.7".into()),
            price_hourly: Some(0.0075),
            price_monthly: Some(5.0),
            ..Node::default()
        }
    }

    #[test]
    fn the_first_free_name_is_taken() {
        assert_eq!(free_name(&[]), "node-1");
        assert_eq!(free_name(&[node("node-1"), node("node-3")]), "node-2");
        assert_eq!(free_name(&[node("node-1"), node("node-2")]), "node-3");
    }

    #[test]
    fn a_node_is_shown_without_what_it_has_not() {
        expect![[r#"
            name     web-1
            id       1001
            status   provisioning
            region   us-east
            type     g6-nanode-1
            image    linode/debian12
            public   198.51.100.7
            memory   0 MB
            cpus     0
            user     
            cost     $0.0075 an hour, $5.00 a month
            made by  run  at 1970-01-01T00:00:00Z"#]]
        .assert_eq(&show(&node("web-1")));
        expect![[r#"
            NODE   STATUS        CLUSTER  ROLE  REGION   TYPE         PUBLIC        PRIVATE
            web-1  provisioning  -        -     us-east  g6-nanode-1  198.51.100.7  -"#]]
        .assert_eq(&table(&[node("web-1")]).plain());
        expect!["node web-1 (us-east, g6-nanode-1, id 1001)"].assert_eq(&described(&node("web-1")));
    }
}
