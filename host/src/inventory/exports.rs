//! The inventory in other tools' formats: ssh_config, known_hosts, Ansible, JSON.
//!
//! Pure: rows in, text out. What comes from the provider is quoted, so that a strange name changes nothing else.

use super::model::{Cluster, Node, Resource};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// How other tools are to reach the nodes.
pub struct SshOptions<'a> {
    /// The file of a node's private key.
    pub identity: &'a dyn Fn(&Node) -> Option<PathBuf>,
    /// The file that `known_hosts` was written to: with it, only those keys are accepted.
    pub known_hosts: Option<&'a Path>,
    /// `linodetool sandbox dial %h %p`, for nodes that cannot be reached directly.
    pub proxy_command: Option<&'a str>,
}

/// A file for `ssh -F` or `Include`.
pub fn ssh_config(nodes: &[Node], options: &SshOptions<'_>) -> String {
    let mut text = String::new();
    for node in nodes {
        let mut line = |key: &str, value: &str| {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{key} {}", ssh_word(value));
        };
        line("Host", &node.name);
        line("    HostName", address(node));
        line("    HostKeyAlias", &node.name);
        line("    User", login(node));
        if let Some(identity) = (options.identity)(node) {
            line("    IdentityFile", &identity.display().to_string());
            line("    IdentitiesOnly", "yes");
        }
        if let Some(known_hosts) = options.known_hosts {
            line("    UserKnownHostsFile", &known_hosts.display().to_string());
            line("    StrictHostKeyChecking", "yes");
        }
        if let Some(command) = options.proxy_command {
            // The rest of the line as it is, by ssh_config(5).
            let _ = writeln!(text, "    ProxyCommand {}", one_line(command));
        }
        text.push('\n');
    }
    text
}

/// The host keys that we trust, under the nodes' names and addresses.
pub fn known_hosts(nodes: &[Node]) -> String {
    let mut text = String::new();
    for node in nodes {
        let addresses = [Some(&node.name), node.public_ip.as_ref(), node.private_ip.as_ref(), node.ipv6.as_ref()];
        let names: Vec<_> = addresses.into_iter().flatten().map(|name| host_pattern(name)).collect();
        for key in &node.host_keys {
            let _ = writeln!(text, "{} {}", names.join(","), one_line(key));
        }
    }
    text
}

/// An Ansible inventory as YAML: a group a cluster, and one a role of it.
pub fn ansible_yaml(nodes: &[Node], options: &SshOptions<'_>) -> String {
    let mut text = "all:\n  children:\n".to_owned();
    let groups = Groups::of(nodes);
    for (group, members) in &groups.members {
        let _ = writeln!(text, "    {group}:\n      hosts:");
        for node in members {
            let _ = writeln!(text, "        {}:", yaml_text(&node.name));
            for (key, value) in ansible_variables(node, options) {
                let _ = writeln!(text, "          {key}: {}", yaml_text(&value));
            }
        }
    }
    for (cluster, children) in &groups.children {
        let _ = writeln!(text, "    {cluster}:\n      children:");
        for child in children {
            let _ = writeln!(text, "        {child}: {{}}");
        }
    }
    text
}

/// All there is.
pub fn json(clusters: &[Cluster], nodes: &[Node], resources: &[Resource]) -> Value {
    json!({ "clusters": clusters, "nodes": nodes, "resources": resources })
}

fn address(node: &Node) -> &str {
    [&node.public_ip, &node.ipv6, &node.private_ip].into_iter().flatten().next().map_or(&node.name, |address| address)
}

fn login(node: &Node) -> &str {
    if node.user.is_empty() { "root" } else { &node.user }
}

/// Ansible's groups: clusters and their roles, each with a name of its own.
#[derive(Default)]
struct Groups<'a> {
    /// Nodes by group: `hadoop_worker`, `hadoop_nodes` for those without a role, `ungrouped` for those of no cluster.
    members: BTreeMap<String, Vec<&'a Node>>,
    /// Clusters with the groups of their roles.
    children: BTreeMap<String, BTreeSet<String>>,
}

impl<'a> Groups<'a> {
    fn of(nodes: &'a [Node]) -> Self {
        let clusters: BTreeSet<_> = nodes.iter().filter_map(|node| node.cluster.as_deref()).collect();
        let mut names = HashMap::new();
        let mut taken = BTreeSet::from(["all".to_owned(), "ungrouped".to_owned()]);
        // Clusters first: their names are what a playbook is written for.
        for cluster in clusters {
            names.insert((cluster, None), free_name(cluster, &mut taken));
        }
        let mut groups = Self::default();
        for node in nodes {
            let Some(cluster) = node.cluster.as_deref() else {
                groups.members.entry("ungrouped".into()).or_default().push(node);
                continue;
            };
            let role = node.role.as_deref().unwrap_or("nodes");
            let group = names.entry((cluster, Some(role)));
            let group = group.or_insert_with(|| free_name(&format!("{cluster}_{role}"), &mut taken)).clone();
            groups.members.entry(group.clone()).or_default().push(node);
            groups.children.entry(names[&(cluster, None)].clone()).or_default().insert(group);
        }
        groups
    }
}

/// A group's name for this, with a number where another group has it: `web-db` and role `db` of `web` are two.
fn free_name(wanted: &str, taken: &mut BTreeSet<String>) -> String {
    let name = group_name(wanted);
    let numbered = (2..).map(|n| format!("{name}_{n}"));
    let free = std::iter::once(name.clone()).chain(numbered).find(|name| !taken.contains(name)).unwrap_or(name);
    taken.insert(free.clone());
    free
}

/// Ansible wants letters, digits and underscores.
fn group_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

fn ansible_variables(node: &Node, options: &SshOptions<'_>) -> Vec<(&'static str, String)> {
    let mut variables = vec![("ansible_host", address(node).to_owned()), ("ansible_user", login(node).to_owned())];
    if let Some(identity) = (options.identity)(node) {
        variables.push(("ansible_ssh_private_key_file", identity.display().to_string()));
    }
    let mut arguments = Vec::new();
    if let Some(known_hosts) = options.known_hosts {
        let file = shell_word(&known_hosts.display().to_string());
        let alias = shell_word(&node.name);
        arguments.push(format!("-o UserKnownHostsFile={file} -o StrictHostKeyChecking=yes -o HostKeyAlias={alias}"));
    }
    if let Some(command) = options.proxy_command {
        arguments.push(format!("-o ProxyCommand={}", shell_word(&one_line(command))));
    }
    if !arguments.is_empty() {
        variables.push(("ansible_ssh_common_args", arguments.join(" ")));
    }
    variables
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn ssh_word(text: &str) -> String {
    let text = one_line(text).replace('"', "");
    if text.contains([' ', '#']) { format!("\"{text}\"") } else { text }
}

/// A comma, a star or a space would make more hosts of it.
fn host_pattern(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || "._-:".contains(*c)).collect()
}

fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/:".contains(c);
    if text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// JSON's strings are YAML's, and never mistaken for numbers or dates.
fn yaml_text(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn nodes() -> Vec<Node> {
        let node = |name: &str, role: Option<&str>, ip: &str| Node {
            name: name.into(),
            cluster: role.map(|_| "big-data".into()),
            role: role.map(Into::into),
            public_ip: Some(ip.into()),
            host_keys: vec![format!("ssh-ed25519 AAAA{name}")],
            ..Node::default()
        };
        vec![
            node("hadoop-master-1", Some("master"), "192.0.2.1"),
            node("hadoop-worker-1", Some("worker"), "192.0.2.2"),
            Node { user: "admin".into(), ipv6: Some("2001:db8::3".into()), ..node("web-1", None, "192.0.2.3") },
        ]
    }

    fn identity(node: &Node) -> Option<PathBuf> {
        node.cluster.as_ref().map(|cluster| PathBuf::from(format!("/keys of/{cluster}")))
    }

    const OPTIONS: SshOptions<'_> = SshOptions { identity: &identity, known_hosts: None, proxy_command: None };

    #[test]
    fn for_ssh() {
        let known = SshOptions {
            known_hosts: Some(Path::new("/state/known_hosts")),
            proxy_command: Some("linodetool sandbox dial %h %p"),
            ..OPTIONS
        };
        expect![[r#"
            Host hadoop-worker-1
                HostName 192.0.2.2
                HostKeyAlias hadoop-worker-1
                User root
                IdentityFile "/keys of/big-data"
                IdentitiesOnly yes
                UserKnownHostsFile /state/known_hosts
                StrictHostKeyChecking yes
                ProxyCommand linodetool sandbox dial %h %p

            Host web-1
                HostName 192.0.2.3
                HostKeyAlias web-1
                User admin
                UserKnownHostsFile /state/known_hosts
                StrictHostKeyChecking yes
                ProxyCommand linodetool sandbox dial %h %p

        "#]]
        .assert_eq(&ssh_config(&nodes()[1..], &known));
        expect![[r#"
            hadoop-worker-1,192.0.2.2 ssh-ed25519 AAAAhadoop-worker-1
            web-1,192.0.2.3,2001:db8::3 ssh-ed25519 AAAAweb-1
        "#]]
        .assert_eq(&known_hosts(&nodes()[1..]));
    }

    #[test]
    fn for_ansible() {
        let known = SshOptions {
            known_hosts: Some(Path::new("/state/known_hosts")),
            proxy_command: Some("linodetool sandbox dial %h %p"),
            ..OPTIONS
        };
        expect![[r#"
            all:
              children:
                big_data_master:
                  hosts:
                    "hadoop-master-1":
                      ansible_host: "192.0.2.1"
                      ansible_user: "root"
                      ansible_ssh_private_key_file: "/keys of/big-data"
                      ansible_ssh_common_args: "-o UserKnownHostsFile=/state/known_hosts -o StrictHostKeyChecking=yes -o HostKeyAlias=hadoop-master-1 -o ProxyCommand='linodetool sandbox dial %h %p'"
                big_data_worker:
                  hosts:
                    "hadoop-worker-1":
                      ansible_host: "192.0.2.2"
                      ansible_user: "root"
                      ansible_ssh_private_key_file: "/keys of/big-data"
                      ansible_ssh_common_args: "-o UserKnownHostsFile=/state/known_hosts -o StrictHostKeyChecking=yes -o HostKeyAlias=hadoop-worker-1 -o ProxyCommand='linodetool sandbox dial %h %p'"
                ungrouped:
                  hosts:
                    "web-1":
                      ansible_host: "192.0.2.3"
                      ansible_user: "admin"
                      ansible_ssh_common_args: "-o UserKnownHostsFile=/state/known_hosts -o StrictHostKeyChecking=yes -o HostKeyAlias=web-1 -o ProxyCommand='linodetool sandbox dial %h %p'"
                big_data:
                  children:
                    big_data_master: {}
                    big_data_worker: {}
        "#]].assert_eq(&ansible_yaml(&nodes(), &known));
    }

    #[test]
    fn groups_of_ansible_have_names_of_their_own() {
        let node = |name: &str, cluster: &str, role: &str| Node {
            name: name.into(),
            cluster: Some(cluster.into()),
            role: Some(role.into()),
            ..Node::default()
        };
        let nodes = [node("1", "web", "db"), node("2", "web-db", "x"), node("3", "a-b", "c"), node("4", "a", "b-c")];
        let groups = Groups::of(&nodes);
        let names = |nodes: &Vec<&Node>| nodes.iter().map(|node| node.name.clone()).collect::<String>();
        let members: Vec<_> = groups.members.iter().map(|(group, nodes)| format!("{group}={}", names(nodes))).collect();
        expect!["a_b_c=3 a_b_c_2=4 web_db_2=1 web_db_x=2"].assert_eq(&members.join(" "));
        expect![[r#"{"a": {"a_b_c_2"}, "a_b": {"a_b_c"}, "web": {"web_db_2"}, "web_db": {"web_db_x"}}"#]]
            .assert_eq(&format!("{:?}", groups.children));
    }

    #[test]
    fn strange_names_change_nothing_else() {
        let node =
            Node { name: "a b\n  ProxyCommand evil,*".into(), host_keys: vec!["k\nx".into()], ..Node::default() };
        let node = std::slice::from_ref(&node);
        let all = [ssh_config(node, &OPTIONS), known_hosts(node), ansible_yaml(node, &OPTIONS)];
        expect![[r#"
            Host "a b   ProxyCommand evil,*"
                HostName "a b   ProxyCommand evil,*"
                HostKeyAlias "a b   ProxyCommand evil,*"
                User root

            abProxyCommandevil k x
            all:
              children:
                ungrouped:
                  hosts:
                    "a b\n  ProxyCommand evil,*":
                      ansible_host: "a b\n  ProxyCommand evil,*"
                      ansible_user: "root"
        "#]]
        .assert_eq(&all.concat());
    }

    #[test]
    fn as_json() {
        let node = Node { name: "web-1".into(), id: "7".into(), type_id: "g6-nanode-1".into(), ..Node::default() };
        expect![[r#"{"clusters":[],"nodes":[{"changed_by_run":"","context":"","created_by_run":"","created_ms":0,"host_keys":[],"id":"7","image":"","memory_mb":0,"name":"web-1","provider":"","region":"","status":"provisioning","tags":[],"type":"g6-nanode-1","user":"","vcpus":0}],"resources":[]}"#]].assert_eq(&json(&[], &[node], &[]).to_string());
    }
}
