//! The binary and the sandbox it starts: a node's life, and what is left behind.
//!
//! Each test has a home of its own and stops its sandbox, whatever happens. Where this computer cannot run machines, the
//! tests are ignored with the reason, or fail if LINODETOOL_REQUIRE_ALL is set.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

#[path = "cli_sandbox/life.rs"]
mod life;
#[path = "cli_sandbox/nodes.rs"]
mod nodes;
#[path = "cli_sandbox/records.rs"]
mod records;
#[path = "support/mod.rs"]
mod support;

use libtest_mimic::Failed;
use serde_json::Value;
use std::process::ExitCode;
use support::Home;

const TESTS: &[support::Test] = &[
    ("a_node_is_made_used_and_deleted", nodes::a_node_is_made_used_and_deleted),
    ("an_ephemeral_sandbox_ends_with_a_failed_command", nodes::an_ephemeral_sandbox_ends_with_a_failed_command),
    ("an_interrupt_says_what_exists", nodes::an_interrupt_says_what_exists),
    ("failed_steps_are_listed", nodes::failed_steps_are_listed),
    ("parameters_are_checked_before_there_is_a_run", nodes::parameters_are_checked_before_there_is_a_run),
    ("what_is_wrong_starts_no_sandbox", nodes::what_is_wrong_starts_no_sandbox),
    ("hints_stay_in_the_sandbox", nodes::hints_stay_in_the_sandbox),
    ("hadoop_is_checked_before_a_machine_is_made", nodes::hadoop_is_checked_before_a_machine_is_made),
    ("a_state_of_a_newer_version_is_left_alone", records::a_state_of_a_newer_version_is_left_alone),
    ("a_taken_port_is_named_with_its_remedy", life::a_taken_port_is_named_with_its_remedy),
    ("a_lost_token_is_told_with_the_way_out", life::a_lost_token_is_told_with_the_way_out),
    ("what_dies_leaves_nothing", life::what_dies_leaves_nothing),
    ("a_sandbox_that_cannot_start_says_why", life::a_sandbox_that_cannot_start_says_why),
    ("a_new_sandbox_knows_nothing_of_the_last_one", life::a_new_sandbox_knows_nothing_of_the_last_one),
    ("a_limit_is_kept_with_its_run", records::a_limit_is_kept_with_its_run),
    ("a_run_is_undone", records::a_run_is_undone),
    ("a_lost_inventory_is_made_anew", records::a_lost_inventory_is_made_anew),
    ("a_damaged_database_is_copied_and_left_alone", records::a_damaged_database_is_copied_and_left_alone),
    ("a_secret_reaches_the_node_and_no_record", nodes::a_secret_reaches_the_node_and_no_record),
    ("a_node_without_java_is_told_with_the_remedy", nodes::a_node_without_java_is_told_with_the_remedy),
];

fn main() -> ExitCode {
    support::main(TESTS, || support::no_machines(&[]))
}

fn is(found: impl Into<Value>, wanted: impl Into<Value>) -> Result<(), Failed> {
    support::is("it", found, wanted)
}

fn create(home: &Home, name: &str) -> Result<Value, Failed> {
    home.json(&["--sandbox", "node", "create", "us-east", "g6-nanode-1", "linode/debian12", "--name", name])
}

const SLOW: &str = r#"
let p = params(#{ count: param(1, "nodes", #{ min: 1 }) });
let c = clusters::ensure(#{ name: "slow", region: "us-east", image: "linode/debian12",
    roles: [#{ role: "node", count: p.count, type: "g6-nanode-1" }] });
print("sleeping");
lanes(c.nodes, |n| n.run("sleep 600"));
"#;
