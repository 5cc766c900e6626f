//! Commands on machines that outlive the process that began them, and reboots.

use crate::support::{User, World, cluster, within};
use linodetool::core::{Failure, FailureKind, RunId};
use linodetool::inventory::Node;
use linodetool::runs::{Run, StepState};
use linodetool::toolkit::commands::{CommandOutput, RunOptions};
use linodetool::toolkit::nodes::Power;
use linodetool::toolkit::tasks::CommandState;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Waits for what another process does, at most 30 s.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn check(user: &User, node: &Node, command: &str) -> bool {
    user.run(|at| user.app.toolkit.check_on(at, node, command)).unwrap()
}

fn command(
    user: &User,
    run: &Arc<Run>,
    node: &Node,
    text: &str,
    options: &RunOptions,
) -> Result<CommandOutput, Failure> {
    within(run, |at| user.app.toolkit.run_on(at, node, text, options))
}

/// Begins a command in a run that ends when the command has begun: `begun` is a file that it makes.
fn cut(user: &User, node: &Node, text: &str, options: &RunOptions, begun: &str) -> RunId {
    let run = user.begin();
    let id = run.id().clone();
    std::thread::scope(|scope| {
        let work = scope.spawn(|| command(user, &run, node, text, options));
        until("the command's begin", || check(user, node, &format!("test -e {begun}")));
        run.cancel().set();
        assert_eq!(work.join().unwrap().unwrap_err().kind, FailureKind::Cancelled);
    });
    id
}

fn resume(user: &User, id: &RunId, node: &Node, text: &str, options: &RunOptions) -> Result<CommandOutput, Failure> {
    command(user, &user.app.toolkit.runs().reopen(id).unwrap(), node, text, options)
}

fn state(user: &User, id: &RunId) -> StepState {
    user.app.toolkit.runs().show(id).unwrap().steps[0].state
}

pub(crate) fn commands_survive_what_began_them(world: &World) {
    let user = world.user();
    let node = &user.ensure(&cluster(1)).unwrap().nodes[0];
    let plain = RunOptions::default();

    // It goes on, and is found again with all that it wrote.
    let text = "echo one; echo x >> /root/a; while ! [ -e /root/go ]; do sleep 0.05; done; wc -l </root/a";
    let id = cut(&user, node, text, &plain, "/root/a");
    assert!(check(&user, node, "touch /root/go"));
    assert_eq!(resume(&user, &id, node, text, &plain).unwrap().stdout, "one\n1\n");

    // One that ended badly meanwhile has failed; resumed once more, it is tried again.
    let text = "echo x >> /root/b; while ! [ -e /root/bad ]; do sleep 0.05; done; echo $(wc -l </root/b) >&2; exit 3";
    let id = cut(&user, node, text, &plain, "/root/b");
    assert!(check(&user, node, "touch /root/bad"));
    for attempt in ["1", "2"] {
        let failure = resume(&user, &id, node, text, &plain).unwrap_err();
        assert_eq!((failure.kind, failure.exit_code), (FailureKind::Command, Some(3)));
        assert_eq!((failure.output.as_deref(), state(&user, &id)), (Some(attempt), StepState::Failed));
    }

    // One that nobody wants any more is stopped.
    let text = "echo x > /root/c; exec sleep 1000";
    let id = cut(&user, node, text, &plain, "/root/c");
    for state in [CommandState::Ended, CommandState::Ended] {
        let stopped = user.run(|at| user.app.toolkit.stop_commands(at, &id)).unwrap();
        assert_eq!((stopped.len(), stopped[0].node.as_str(), stopped[0].state), (1, "c-node-1", state));
    }
    assert!(check(&user, node, "! pgrep -f 'sleep 100[0]'"));
    assert_eq!(resume(&user, &id, node, text, &plain).unwrap_err().exit_code, Some(143));
}

pub(crate) fn a_command_that_a_reboot_cut_is_not_repeated(world: &World) {
    let user = world.user();
    let node = &user.ensure(&cluster(1)).unwrap().nodes[0];
    let plain = RunOptions::default();
    let reboot = || user.run(|at| user.app.toolkit.power_node(at, "c-node-1", Power::Reboot)).unwrap();

    // With its process alive: told at once, and again by each resume.
    let text = "echo x >> /root/a; exec sleep 1000";
    let run = user.begin();
    let id = run.id().clone();
    let failure = std::thread::scope(|scope| {
        let work = scope.spawn(|| command(&user, &run, node, text, &plain));
        until("the command's begin", || check(&user, node, "test -e /root/a"));
        reboot();
        work.join().unwrap().unwrap_err()
    });
    assert_eq!(failure.kind, FailureKind::Interrupted, "{failure}");
    drop(run);
    for _ in 0..2 {
        let failure = resume(&user, &id, node, text, &plain).unwrap_err();
        assert_eq!((failure.kind, state(&user, &id)), (FailureKind::Interrupted, StepState::Intent), "{failure}");
    }
    assert!(check(&user, node, "test $(wc -l </root/a) = 1"));

    // What says when it need not run is repeated: by a resume, and by a process that lives on.
    let creates = |path: &str| RunOptions { creates: Some(path.into()), ..RunOptions::default() };
    let twice =
        |n: &str| format!("echo x >> /root/{n}; test $(wc -l </root/{n}) -gt 1 || sleep 1000; touch /root/{n}.made");
    let id = cut(&user, node, &twice("b"), &creates("/root/b.made"), "/root/b");
    let run = user.begin();
    std::thread::scope(|scope| {
        let (text, options) = (twice("c"), creates("/root/c.made"));
        let (user, run) = (&user, &run);
        let work = scope.spawn(move || command(user, run, node, &text, &options));
        until("the command's begin", || check(user, node, "test -e /root/c"));
        reboot();
        assert!(work.join().unwrap().unwrap().changed);
    });
    assert!(resume(&user, &id, node, &twice("b"), &creates("/root/b.made")).unwrap().changed);
    assert!(check(&user, node, "test $(wc -l </root/b) = 2 && test $(wc -l </root/c) = 2"));
}
