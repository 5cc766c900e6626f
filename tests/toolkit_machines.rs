//! Clusters end to end: the emulator in this process, its machines made of namespaces, real SSH.
//!
//! Where this computer cannot run machines, the tests are ignored with the reason, or fail if LINODETOOL_REQUIRE_ALL is set.
#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

#[path = "toolkit/artifacts.rs"]
mod artifacts;
#[path = "toolkit/commands.rs"]
mod commands;
#[path = "toolkit/machines.rs"]
mod machines;
#[path = "toolkit/support.rs"]
mod support;
#[path = "support/trials.rs"]
mod trials;
#[path = "support/web.rs"]
mod web;

use linodetool_sandbox::machines::namespaces::{Namespaces, Options};
use std::process::ExitCode;
use std::sync::Arc;
use support::World;

type Test = fn(&World);

const TESTS: &[(&str, Test)] = &[
    ("a_cluster_is_made_grown_healed_and_destroyed", machines::a_cluster_is_made_grown_healed_and_destroyed),
    ("what_an_ensure_may_not_do_is_refused", machines::what_an_ensure_may_not_do_is_refused),
    ("two_ensures_at_once_make_one_cluster", machines::two_ensures_at_once_make_one_cluster),
    ("only_the_lasting_host_key_is_accepted", machines::only_the_lasting_host_key_is_accepted),
    ("secrets_reach_the_node_and_no_journal", machines::secrets_reach_the_node_and_no_journal),
    ("a_reboot_is_over_when_it_is_said_to_be", machines::a_reboot_is_over_when_it_is_said_to_be),
    ("commands_survive_what_began_them", commands::commands_survive_what_began_them),
    ("a_command_that_a_reboot_cut_is_not_repeated", commands::a_command_that_a_reboot_cut_is_not_repeated),
    ("an_archive_from_the_web_reaches_every_node", artifacts::an_archive_from_the_web_reaches_every_node),
    ("the_first_node_fetches_where_nodes_reach_the_web", artifacts::the_first_node_fetches_where_nodes_reach_the_web),
];

fn main() -> ExitCode {
    trials::main(|| {
        let lacking = trials::no_machines(&[]);
        let trial = |&(name, test): &(&str, Test)| {
            trials::trial(name, lacking.as_deref(), move || {
                test(&world());
                Ok(())
            })
        };
        TESTS.iter().map(trial).collect()
    })
}

fn world() -> World {
    let dir = tempfile::Builder::new().prefix("lt-kit-").tempdir().unwrap();
    let machines = Namespaces::open(&dir.path().join("room"), &Options::default()).unwrap();
    World::new(dir, Arc::new(machines))
}
