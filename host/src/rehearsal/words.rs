//! What the steps of a run are called by people. Knows their arguments, not what they do.

use crate::runs::StepRecord;
use crate::toolkit::commands::RUN;
use crate::toolkit::states::title_of;
use serde_json::Value;

/// What a recipe waits for by itself.
pub(super) const RECIPE: &str = "waiting in the recipe";

/// What a step on a node is called; none of one that is not worth a word.
pub(super) fn title(op: &str, args: &Value) -> Option<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let named = |word: &str, value: &Value| Some(format!("{word} {}", text(value)));
    match op {
        RUN => Some(command(args)),
        "node.upload" => named("upload", &args["upload"]["path"]),
        "node.download" => named("download", &args["download"]["path"]),
        "artifacts.install" => named("software in", &args["dest"]),
        "nodes.power" => Some(text(&args["power"])),
        _ => title_of(op, args),
    }
}

/// The name of a command, or its first line.
fn command(args: &Value) -> String {
    let first = || args["command"].as_str().unwrap_or_default().trim().lines().next().unwrap_or_default();
    let name = args["options"]["name"].as_str();
    name.map_or_else(|| first().chars().take(60).collect(), str::to_owned)
}

/// Names for people: the first few, and how many more.
pub(super) fn some_of(names: &[String]) -> String {
    const SHOWN: usize = 4;
    match names.len() {
        0..=SHOWN => names.join(", "),
        all => format!("{} and {} more", names[..SHOWN - 1].join(", "), all - SHOWN + 1),
    }
}

/// What a step is counted as when time is told: class and words.
pub(super) fn waited_for(step: &StepRecord, sandbox: bool) -> String {
    let is_as_it_was = || step.outcome.as_ref().is_some_and(|outcome| outcome["changed"] == false);
    match step.op.as_str() {
        "nodes.ensure" if sandbox => "creating machines".to_owned(),
        // The account answers at once, or lets it wait.
        "nodes.ensure" => "the account's limit on creates".to_owned(),
        "nodes.ready" if is_as_it_was() => "reaching nodes".to_owned(),
        "nodes.ready" | "nodes.wait" if sandbox => "booting machines".to_owned(),
        "nodes.ready" | "nodes.wait" => "creating and booting Linodes".to_owned(),
        "nodes.power" => "restarting nodes".to_owned(),
        "node.package" => "packages".to_owned(),
        "artifacts.install" | "artifacts.prepare" | "node.upload" | "node.download" => "copies of files".to_owned(),
        "node.wait_port" => "waiting for services to answer".to_owned(),
        RUN => format!("command: {}", command(&step.args)),
        "wait" => RECIPE.to_owned(),
        "node.check" => "questions to nodes".to_owned(),
        "node.service" => "starting services".to_owned(),
        op if op.starts_with("node.") => "configuring nodes".to_owned(),
        _ => "calls of the provider's API".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::{StepKind, StepState};
    use expect_test::expect;
    use serde_json::json;

    fn step(op: &str, args: Value, outcome: Value) -> StepRecord {
        StepRecord {
            path: "0".into(),
            lane: String::new(),
            seq: 0,
            kind: StepKind::Write,
            op: op.into(),
            digest: String::new(),
            args,
            place: String::new(),
            state: StepState::Done,
            attempt: 1,
            started_ms: 0,
            ended_ms: Some(1),
            outcome: Some(outcome),
            failure: None,
            order: 0,
        }
    }

    #[test]
    fn time_is_told_in_words_of_people() {
        let steps = [
            step("nodes.ready", json!({}), json!({ "changed": true })),
            step("nodes.ready", json!({}), json!({ "changed": false })),
            step("wait", json!({ "ms": 1000 }), Value::Null),
            step("node.run", json!({ "command": "make\nmake install" }), json!({ "changed": true })),
            step("node.file", json!({ "state": { "path": "/etc/motd" } }), json!({ "changed": true })),
            step("clusters.look", json!({}), Value::Null),
        ];
        expect![[r#"
            creating and booting Linodes
            reaching nodes
            waiting in the recipe
            command: make
            configuring nodes
            calls of the provider's API"#]]
        .assert_eq(&steps.each_ref().map(|step| waited_for(step, false)).join("\n"));
    }
}
