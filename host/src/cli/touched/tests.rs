//! What a run that did not end well tells of what it leaves.

use super::*;
use expect_test::{Expect, expect};

fn node(name: &str) -> Node {
    Node { name: name.into(), cluster: Some("k".into()), created_by_run: "0000000000".into(), ..Node::default() }
}

fn touched(nodes: &[&str]) -> Touched {
    let nodes = nodes.iter().map(|name| node(name)).collect();
    let clusters: BTreeSet<_> = ["k".to_owned()].into();
    Touched { nodes, made_clusters: clusters.clone(), clusters, began: true, ..Touched::default() }
}

fn lost(name: &str, id: &str, now: Option<&str>) -> Lost {
    Lost { name: name.into(), id: id.into(), now: now.map(str::to_owned) }
}

/// The error as text, then its document.
fn check(touched: &Touched, failure: Failure, expected: &Expect) {
    let run = RunId::parse("3fa9c01b2d").unwrap();
    let error = touched.error(ScriptError::from(failure), &run, "linodetool --sandbox", false);
    let text = error.text(false).unwrap();
    expected.assert_eq(&format!("{text}\n---\n{:#}\n", error.document().unwrap()));
}

#[test]
fn an_interrupt_tells_what_goes_on_and_how_to_stop_that() {
    let touched = Touched { at_work: ["k-node-2".to_owned()].into(), ..touched(&["k-node-1", "k-node-2"]) };
    check(
        &touched,
        Failure::new(FailureKind::Cancelled, ""),
        &expect![[r#"
        error: interrupted; these nodes exist: k-node-1, k-node-2

        Remove them: linodetool --sandbox cluster destroy k
        What it began on k-node-2 goes on there. Stop that: linodetool --sandbox runs cancel 3fa9c01b2d
        Go on: linodetool --sandbox runs resume 3fa9c01b2d
        ---
        {
          "error": {
            "at_work": [
              "k-node-2"
            ],
            "exit": 130,
            "failed_steps": [],
            "kind": "cancelled",
            "message": "interrupted; these nodes exist: k-node-1, k-node-2",
            "next": [
              {
                "command": "linodetool --sandbox cluster destroy k",
                "what": "Remove them"
              },
              {
                "command": "linodetool --sandbox runs cancel 3fa9c01b2d",
                "what": "What it began on k-node-2 goes on there. Stop that"
              },
              {
                "command": "linodetool --sandbox runs resume 3fa9c01b2d",
                "what": "Go on"
              }
            ],
            "nodes": [
              "k-node-1",
              "k-node-2"
            ],
            "run": "3fa9c01b2d"
          }
        }
    "#]],
    );
}

#[test]
fn machines_that_are_gone_or_were_replaced_are_told() {
    let ssh = || Failure::new(FailureKind::Ssh, "cannot reach 198.18.1.2:22").on("k-node-2");
    let mut deleted = Touched { at_work: ["k-node-2".to_owned()].into(), ..touched(&["k-node-1", "k-node-2"]) };
    deleted.leave_out(vec!["k-node-2".to_owned()]);
    check(
        &deleted,
        ssh(),
        &expect![[r#"
        error: k-node-2: cannot reach 198.18.1.2:22

        Look at its steps: linodetool --sandbox runs show 3fa9c01b2d
        These nodes exist: k-node-1
        k-node-2 is gone: deleted elsewhere, with all that was done there. The record is kept.
        Remove them: linodetool --sandbox cluster destroy k
        Make what is missing anew, and do all that is to be done: linodetool --sandbox runs retry 3fa9c01b2d --again
        ---
        {
          "error": {
            "at_work": [],
            "exit": 8,
            "failed_steps": [],
            "gone": [
              "k-node-2"
            ],
            "kind": "ssh",
            "message": "cannot reach 198.18.1.2:22",
            "next": [
              {
                "command": "linodetool --sandbox runs show 3fa9c01b2d",
                "what": "Look at its steps"
              },
              {
                "command": "linodetool --sandbox cluster destroy k",
                "what": "Remove them"
              },
              {
                "command": "linodetool --sandbox runs retry 3fa9c01b2d --again",
                "what": "Make what is missing anew, and do all that is to be done"
              }
            ],
            "node": "k-node-2",
            "nodes": [
              "k-node-1"
            ],
            "run": "3fa9c01b2d"
          }
        }
    "#]],
    );
    let lost = vec![lost("k-node-2", "1002", Some("1007")), lost("k-node-3", "1003", None)];
    let mut replaced = Touched { lost, ..touched(&["k-node-1", "k-node-2"]) };
    replaced.leave_out(Vec::new());
    check(
        &replaced,
        ssh(),
        &expect![[r#"
        error: k-node-2: cannot reach 198.18.1.2:22

        Look at its steps: linodetool --sandbox runs show 3fa9c01b2d
        These nodes exist: k-node-1, k-node-2
        k-node-3 is gone: deleted elsewhere, with all that was done there. The record is kept.
        k-node-2 is another machine now: this run worked with Linode 1002, which is gone with all that was done there; Linode 1007 has its name. Nothing was done to that one.
        Remove them: linodetool --sandbox cluster destroy k
        Do all that is to be done on what is there now: linodetool --sandbox runs retry 3fa9c01b2d --again
        ---
        {
          "error": {
            "at_work": [],
            "exit": 8,
            "failed_steps": [],
            "gone": [
              "k-node-3"
            ],
            "kind": "ssh",
            "message": "cannot reach 198.18.1.2:22",
            "next": [
              {
                "command": "linodetool --sandbox runs show 3fa9c01b2d",
                "what": "Look at its steps"
              },
              {
                "command": "linodetool --sandbox cluster destroy k",
                "what": "Remove them"
              },
              {
                "command": "linodetool --sandbox runs retry 3fa9c01b2d --again",
                "what": "Do all that is to be done on what is there now"
              }
            ],
            "node": "k-node-2",
            "nodes": [
              "k-node-1",
              "k-node-2"
            ],
            "replaced": [
              {
                "id": "1002",
                "name": "k-node-2",
                "now": "1007"
              }
            ],
            "run": "3fa9c01b2d"
          }
        }
    "#]],
    );
    replaced.alone.push("k-node-2".to_owned());
    check(
        &replaced,
        ssh(),
        &expect![[r#"
        error: k-node-2: cannot reach 198.18.1.2:22

        Look at its steps: linodetool --sandbox runs show 3fa9c01b2d
        These nodes exist: k-node-1, k-node-2
        k-node-3 is gone: deleted elsewhere, with all that was done there. The record is kept.
        k-node-2 is another machine now: this run worked with Linode 1002, which is gone with all that was done there; Linode 1007 has its name. Nothing was done to that one.
        Remove them: linodetool --sandbox cluster destroy k
        Its recipe makes k-node-2 itself and refuses a name that is taken. Give up the present one: linodetool --sandbox node delete k-node-2
        Do all that is to be done on what is there now: linodetool --sandbox runs retry 3fa9c01b2d --again
        ---
        {
          "error": {
            "at_work": [],
            "exit": 8,
            "failed_steps": [],
            "gone": [
              "k-node-3"
            ],
            "kind": "ssh",
            "message": "cannot reach 198.18.1.2:22",
            "next": [
              {
                "command": "linodetool --sandbox runs show 3fa9c01b2d",
                "what": "Look at its steps"
              },
              {
                "command": "linodetool --sandbox cluster destroy k",
                "what": "Remove them"
              },
              {
                "command": "linodetool --sandbox node delete k-node-2",
                "what": "Its recipe makes k-node-2 itself and refuses a name that is taken. Give up the present one"
              },
              {
                "command": "linodetool --sandbox runs retry 3fa9c01b2d --again",
                "what": "Do all that is to be done on what is there now"
              }
            ],
            "node": "k-node-2",
            "nodes": [
              "k-node-1",
              "k-node-2"
            ],
            "replaced": [
              {
                "id": "1002",
                "name": "k-node-2",
                "now": "1007"
              }
            ],
            "run": "3fa9c01b2d"
          }
        }
    "#]],
    );
}

#[test]
fn only_what_the_run_made_is_to_be_removed() {
    let ways = |touched: &Touched| {
        let run = RunId::parse("3fa9c01b2d").unwrap();
        let failure = ScriptError::from(Failure::new(FailureKind::Command, "exit code 3"));
        touched.error(failure, &run, "linodetool", false).text(false).unwrap()
    };
    let mut touched = Touched { made_clusters: BTreeSet::new(), ..touched(&["k-node-1", "k-node-2"]) };
    touched.made_by = vec!["3fa9c01b2d".to_owned()];
    expect![[r#"
        error: exit code 3

        Look at its steps: linodetool runs show 3fa9c01b2d
        These nodes exist: k-node-1, k-node-2
        Once the cause is mended, go on: linodetool runs resume 3fa9c01b2d"#]]
    .assert_eq(&ways(&touched));
    touched.nodes[1].created_by_run = "3fa9c01b2d".to_owned();
    expect![[r#"
        error: exit code 3

        Look at its steps: linodetool runs show 3fa9c01b2d
        These nodes exist: k-node-1, k-node-2
        Remove what it made: linodetool node delete k-node-2
        Once the cause is mended, go on: linodetool runs resume 3fa9c01b2d"#]]
    .assert_eq(&ways(&touched));
    let alone = Node { name: "web-1".into(), created_by_run: "3fa9c01b2d".into(), ..Node::default() };
    touched.nodes.push(alone);
    touched.made_clusters.insert("k".to_owned());
    expect![[r#"
        error: exit code 3

        Look at its steps: linodetool runs show 3fa9c01b2d
        These nodes exist: k-node-1, k-node-2, web-1
        Remove them: linodetool cluster destroy k
        Remove them: linodetool node delete web-1
        Once the cause is mended, go on: linodetool runs resume 3fa9c01b2d"#]]
    .assert_eq(&ways(&touched));
}
