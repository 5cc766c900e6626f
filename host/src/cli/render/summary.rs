//! What a run ends with: its JSON document, or a text for people with the ways to go on.

use super::failures::listing;
use super::plain::seconds;
use super::table::{Table, or_dash};
use crate::runs::FailedStep;
use serde::Serialize;
use serde_json::{Map, Value};
use std::time::Duration;

/// The document of `run --json`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RunReport {
    pub(crate) run: String,
    pub(crate) recipe: String,
    pub(crate) status: String,
    pub(crate) outputs: Map<String, Value>,
    pub(crate) nodes: Vec<ReportNode>,
    pub(crate) seconds: f64,
    /// Those that the recipe went on after.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) failed_steps: Vec<FailedStep>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct ReportNode {
    pub(crate) name: String,
    pub(crate) role: Option<String>,
    /// The provider's; text, since not every provider counts.
    pub(crate) id: String,
    pub(crate) public_ip: Option<String>,
    pub(crate) private_ip: Option<String>,
}

/// What the advice at the end depends on.
#[derive(Clone, Debug)]
pub(crate) struct Situation<'a> {
    pub(crate) sandbox: bool,
    /// The sandbox ends with this command, so there is nothing to look at.
    pub(crate) ephemeral: bool,
    /// The recipe as it was typed.
    pub(crate) recipe: &'a str,
    pub(crate) set: &'a [(String, String)],
    /// The cluster that the recipe made, for its removal.
    pub(crate) cluster: Option<&'a str>,
}

/// The result for people: nodes and outputs.
pub(crate) fn result(report: &RunReport) -> String {
    let took = seconds(Duration::from_secs_f64(report.seconds.max(0.0)));
    let mut parts = vec![format!("{} {} in {took} (run {})", report.recipe, report.status, report.run)];
    if !report.nodes.is_empty() {
        let mut table = Table::new(["NODE", "ROLE", "ID", "PUBLIC", "PRIVATE"]);
        for node in &report.nodes {
            table.row([
                node.name.clone(),
                or_dash(node.role.as_ref()),
                node.id.clone(),
                or_dash(node.public_ip.as_ref()),
                or_dash(node.private_ip.as_ref()),
            ]);
        }
        parts.push(table.plain());
    }
    let simple: Vec<_> =
        report.outputs.iter().filter(|(name, value)| *name != PAGES && pairs(value).is_none()).collect();
    let width = simple.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let lines: Vec<_> = simple.iter().map(|(name, value)| format!("{name:<width$}  {}", text(value))).collect();
    if !lines.is_empty() {
        parts.push(lines.join("\n"));
    }
    for (name, value) in report.outputs.iter().filter(|(name, _)| *name != PAGES) {
        if let Some(pairs) = pairs(value) {
            parts.push(format!("{name}:\n{}", pairs_text(&pairs)));
        }
    }
    if !report.failed_steps.is_empty() {
        parts.push(format!("The recipe went on after failures. {}", listing(&report.failed_steps)));
    }
    parts.join("\n\n")
}

/// An output of this name lists web pages to look at: `#{ node, port, title }` each.
const PAGES: &str = "pages";

/// How to look further, how to stop, how to do the same on a real account.
pub(crate) fn advice(report: &RunReport, at: &Situation<'_>) -> String {
    let program = if at.sandbox { "linodetool --sandbox" } else { "linodetool" };
    let mut parts = Vec::new();
    if let (Some(first), false) = (report.nodes.first(), at.ephemeral) {
        let mut lines = vec![format!("  {program} node ssh {}", first.name)];
        for (node, port, title) in pages(report) {
            lines.push(format!("  {program} forward {node} {port}    {title}, at http://127.0.0.1:{port}/"));
        }
        parts.push(format!("Look further:\n{}", lines.join("\n")));
        if at.sandbox {
            parts.push("Stop it, with all its machines:\n  linodetool sandbox stop".to_owned());
        } else if let Some(cluster) = at.cluster {
            parts.push(format!("Delete it, so that it costs no more:\n  linodetool cluster destroy {cluster}"));
        }
    }
    if at.sandbox {
        let set: String =
            at.set.iter().map(|(name, value)| format!(" --set {}", quoted(&format!("{name}={value}")))).collect();
        parts.push(format!(
            "The same on Linode (what it costs is shown and confirmed first):\n  export LINODE_TOKEN=...   # from https://cloud.linode.com/profile/tokens\n  linodetool run {}{set}",
            quoted(at.recipe)
        ));
    }
    parts.join("\n")
}

fn pages(report: &RunReport) -> Vec<(String, u64, String)> {
    let list = report.outputs.get(PAGES).and_then(Value::as_array);
    let page = |page: &Value| {
        let node = page.get("node")?.as_str()?.to_owned();
        let title = page.get("title").and_then(Value::as_str).unwrap_or("a web page").to_owned();
        Some((node, page.get("port")?.as_u64()?, title))
    };
    list.into_iter().flatten().filter_map(page).collect()
}

/// A list of `[name, number]`, as counts come.
fn pairs(value: &Value) -> Option<Vec<(&str, &Value)>> {
    let list = value.as_array().filter(|list| !list.is_empty())?;
    let pair = |item: &'_ Value| -> bool {
        item.as_array().is_some_and(|p| p.len() == 2 && p[0].is_string() && p[1].is_number())
    };
    if !list.iter().all(pair) {
        return None;
    }
    list.iter().map(|item| Some((item.get(0)?.as_str()?, item.get(1)?))).collect()
}

fn pairs_text(pairs: &[(&str, &Value)]) -> String {
    let width = pairs.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    // A JSON number does not pad itself.
    let line = |(name, number): &(&str, &Value)| format!("  {name:<width$}  {:>8}", number.to_string());
    let lines: Vec<_> = pairs.iter().map(line).collect();
    lines.join("\n")
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() => "-".to_owned(),
        Value::String(text) => text.trim_end().replace('\n', " "),
        Value::Array(list) if list.is_empty() => "-".to_owned(),
        Value::Array(list) if list.iter().all(|v| !v.is_array() && !v.is_object()) => {
            list.iter().map(text).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// A word as a shell would need it.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use serde_json::json;

    fn report() -> RunReport {
        let node = |name: &str, role: &str, id: u8| ReportNode {
            name: name.into(),
            role: Some(role.into()),
            id: id.to_string(),
            public_ip: Some(format!("198.18.0.{id}")),
            private_ip: Some(format!("192.168.128.{id}")),
        };
        let outputs = json!({
            "live_datanodes": 2, "active_nodemanagers": 2, "words": 1234, "changed": true,
            "top": [["the", 120], ["cluster", 7]], "empty": [], "names": ["a", "b"],
            "pages": [{ "node": "hadoop-master-1", "port": 9870, "title": "HDFS" }],
        });
        RunReport {
            run: "3fa9c01b2d".into(),
            recipe: "recipes/hadoop.rhai".into(),
            status: "succeeded".into(),
            outputs: outputs.as_object().unwrap().clone(),
            nodes: vec![node("hadoop-master-1", "master", 2), node("hadoop-worker-1", "worker", 3)],
            seconds: 41.26,
            failed_steps: Vec::new(),
        }
    }

    #[test]
    fn the_result_shows_nodes_and_outputs() {
        expect![[r#"
            recipes/hadoop.rhai succeeded in 41.3 s (run 3fa9c01b2d)

            NODE             ROLE    ID  PUBLIC      PRIVATE
            hadoop-master-1  master  2   198.18.0.2  192.168.128.2
            hadoop-worker-1  worker  3   198.18.0.3  192.168.128.3

            active_nodemanagers  2
            changed              true
            empty                -
            live_datanodes       2
            names                a, b
            words                1234

            top:
              the           120
              cluster         7"#]]
        .assert_eq(&result(&report()));
    }

    #[test]
    fn the_advice_depends_on_where_it_ran() {
        let set = [("name".to_owned(), "it's".to_owned())];
        let mut at = Situation {
            sandbox: true,
            ephemeral: false,
            recipe: "recipes/hadoop.rhai",
            set: &set,
            cluster: Some("hadoop"),
        };
        expect![[r#"
            Look further:
              linodetool --sandbox node ssh hadoop-master-1
              linodetool --sandbox forward hadoop-master-1 9870    HDFS, at http://127.0.0.1:9870/
            Stop it, with all its machines:
              linodetool sandbox stop
            The same on Linode (what it costs is shown and confirmed first):
              export LINODE_TOKEN=...   # from https://cloud.linode.com/profile/tokens
              linodetool run recipes/hadoop.rhai --set 'name=it'\''s'"#]]
        .assert_eq(&advice(&report(), &at));
        at.ephemeral = true;
        expect![[r#"
            The same on Linode (what it costs is shown and confirmed first):
              export LINODE_TOKEN=...   # from https://cloud.linode.com/profile/tokens
              linodetool run recipes/hadoop.rhai --set 'name=it'\''s'"#]]
        .assert_eq(&advice(&report(), &at));
        (at.sandbox, at.ephemeral) = (false, false);
        expect![[r#"
            Look further:
              linodetool node ssh hadoop-master-1
              linodetool forward hadoop-master-1 9870    HDFS, at http://127.0.0.1:9870/
            Delete it, so that it costs no more:
              linodetool cluster destroy hadoop"#]]
        .assert_eq(&advice(&report(), &at));
    }

    #[test]
    fn the_document_has_the_promised_members() {
        expect![[r#"{"run":"3fa9c01b2d","recipe":"recipes/hadoop.rhai","status":"succeeded","outputs":{"active_nodemanagers":2,"changed":true,"empty":[],"live_datanodes":2,"names":["a","b"],"pages":[{"node":"hadoop-master-1","port":9870,"title":"HDFS"}],"top":[["the",120],["cluster",7]],"words":1234},"nodes":[{"name":"hadoop-master-1","role":"master","id":"2","public_ip":"198.18.0.2","private_ip":"192.168.128.2"},{"name":"hadoop-worker-1","role":"worker","id":"3","public_ip":"198.18.0.3","private_ip":"192.168.128.3"}],"seconds":41.26}"#]].assert_eq(&serde_json::to_string(&report()).unwrap());
    }
}
