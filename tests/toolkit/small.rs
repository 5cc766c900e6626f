//! What is asked of this computer, what is refused before anything is asked, and what is not used twice.

use crate::lost::{WORKS, cut_at_ssh_of, process, world};
use crate::support::{begin, cluster, within};
use crate::undo::{HERE, interrupted};
use linodetool::core::FailureKind;
use linodetool::inventory::Node;
use linodetool::toolkit::api::{Listing, RawSpec};
use linodetool::toolkit::http::PageOptions;
use std::sync::atomic::Ordering;

#[test]
fn a_path_is_below_the_folder_of_the_run_wherever_it_goes_on() {
    let world = world();
    let process = process(&world, WORKS);
    std::fs::write(world.dir.path().join("words.txt"), "one two two").unwrap();
    let run = begin(&process.app);
    let text = within(&run, |at| process.app.toolkit.open_text(at, Some("words.txt"))).unwrap();
    assert_eq!((text.counts.words, text.counts.distinct), (3, 2));
    let steps = process.app.toolkit.runs().show(run.id()).unwrap().steps;
    assert_eq!(steps[0].args["path"], "words.txt");
}

#[test]
fn a_page_is_a_path_and_no_other_host() {
    let world = world();
    let process = process(&world, WORKS);
    let node = Node { name: "web-1".into(), ..Node::default() };
    let ask = |path| {
        let options = PageOptions::default();
        within(&begin(&process.app), |at| process.app.toolkit.http_get(at, &node, 80, path, &options)).unwrap_err()
    };
    let failure = ask("@example.com/");
    assert_eq!(failure.kind, FailureKind::Usage);
    assert_eq!(failure.message, "the path of a page begins with /, and `@example.com/` does not");
}

#[test]
fn whether_a_secret_is_there_is_in_the_journal_and_its_value_is_not() {
    let world = world();
    let process = process(&world, WORKS);
    let toolkit = &process.app.toolkit;
    let run = begin(&process.app);
    let failure = within(&run, |at| toolkit.find_secret(at, "db")).unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotFound);
    toolkit.secret_store().set("db", &linodetool::core::Secret::new("hunter2".to_owned())).unwrap();
    within(&begin(&process.app), |at| toolkit.find_secret(at, "db")).unwrap();
    // The run that did not find it goes the same way again.
    let id = run.id().clone();
    drop(run);
    let steps = toolkit.runs().show(&id).unwrap().steps;
    assert_eq!((steps[0].op.as_str(), steps[0].args.to_string().contains("hunter2")), ("secrets.find", false));
}

#[test]
fn a_node_that_is_made_again_has_other_host_keys() {
    let world = world();
    let process = process(&world, WORKS);
    interrupted(&process);
    let toolkit = &process.app.toolkit;
    let keys_of = |name: &str| toolkit.inventory().node(HERE, name).unwrap().unwrap().host_keys;
    let before = ["c-node-1", "c-node-2"].map(keys_of);
    let path = format!("/linode/instances/{}", toolkit.inventory().node(HERE, "c-node-2").unwrap().unwrap().id);
    let delete = RawSpec { method: "DELETE".into(), path, ..RawSpec::default() };
    within(&begin(&process.app), |at| toolkit.raw(at, &delete)).unwrap();
    let again =
        || cut_at_ssh_of(&process, &begin(&process.app), 2, |at| toolkit.ensure_cluster(at, &cluster(2)).map(drop));
    // What was made a moment ago may only not be shown yet.
    process.later.store(3_600_000, Ordering::SeqCst);
    again();
    let after = ["c-node-1", "c-node-2"].map(keys_of);
    assert_eq!(before[0], after[0]);
    assert!(before[1].iter().all(|key| !after[1].contains(key)), "{before:?} {after:?}");
    // They are those of the machine that is there now, however often it is looked at.
    again();
    assert_eq!(["c-node-1", "c-node-2"].map(keys_of), after);
}

#[test]
fn what_an_operation_answers_keeps_its_secrets_out_of_the_journal() {
    let world = world();
    let process = process(&world, WORKS);
    let toolkit = &process.app.toolkit;
    toolkit.secret_store().set("web", &linodetool::core::Secret::new("correct horse battery".to_owned())).unwrap();
    let json = |value: serde_json::Value| value.as_object().unwrap().clone();
    let run = begin(&process.app);
    let given = json(serde_json::json!({
        "type": "g6-nanode-1", "region": "us-east", "image": "linode/debian12", "label": "web",
        "root_pass": {"secret": "web"},
    }));
    let made =
        within(&run, |at| toolkit.call_operation(at, "post-linode-instance", given, Listing::default())).unwrap();
    assert_eq!((made["label"].as_str(), made["status"].as_str()), (Some("web"), Some("provisioning")));
    let all = Listing { all_pages: true, filter: Some(serde_json::json!({"label": "web"})) };
    let found = within(&begin(&process.app), |at| {
        toolkit.call_operation(at, "get-linode-instances", json(serde_json::json!({})), all)
    });
    assert_eq!(found.unwrap()[0]["id"], made["id"]);
    let wrong = json(serde_json::json!({"linodeId": "seven"}));
    let wrong =
        within(&begin(&process.app), |at| toolkit.call_operation(at, "get-linode-instance", wrong, Listing::default()));
    assert_eq!(wrong.unwrap_err().kind, FailureKind::Usage);
    let id = run.id().clone();
    drop(run);
    let steps = toolkit.runs().show(&id).unwrap().steps;
    assert_eq!([&*steps[0].op, &*steps[1].op], ["api.operation", "api.change"]);
    assert!(steps[1].args.to_string().contains(r#"{"secret":"web"}"#), "{}", steps[1].args);
}

#[test]
fn what_the_sandbox_does_not_emulate_is_told_and_pages_are_asked_for() {
    let world = world();
    let process = process(&world, WORKS);
    let toolkit = &process.app.toolkit;
    let json = |value: serde_json::Value| value.as_object().unwrap().clone();
    let call = |name: &str, given: serde_json::Value| {
        let run = begin(&process.app);
        within(&run, |at| toolkit.call_operation(at, name, json(given), Listing::default()))
    };
    let unknown = call("post-vpc", serde_json::json!({"label": "inner", "region": "us-east"})).unwrap_err();
    assert_eq!(unknown.kind, FailureKind::Unsupported, "{unknown}");
    let pages = call("get-regions", serde_json::json!({"page": 2, "page_size": 25})).unwrap();
    assert_eq!(pages["page"], 2);
    let wrong = call("get-regions", serde_json::json!({"page": "two"})).unwrap_err();
    assert_eq!(wrong.kind, FailureKind::Usage, "{wrong}");
}
