//! Durable commands: what survives, what is not repeated.

use super::{Sshd, with_sshd};
use libtest_mimic::Trial;
use linodetool::core::Events;
use linodetool::nodes::{
    Direct, ExecOptions, Inspected, Limits, NodeError, Nodes, Outcome, Output, Place, RunnerCommand, Target,
};
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

fn command(text: &str) -> RunnerCommand {
    RunnerCommand { command: text.into(), ..RunnerCommand::default() }
}

fn place(step: &str) -> Place {
    Place::new("run1", step, 1)
}

async fn run(nodes: &Nodes, target: &Target, step: &str, command: &RunnerCommand) -> Output {
    match nodes.run(target, &place(step), command).await.unwrap() {
        Outcome::Ended(output) => output,
        skipped => panic!("{skipped:?}"),
    }
}

/// Waits for something that another process does, at most 20 s.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(20), "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub(crate) fn add(trials: &mut Vec<Trial>) {
    with_sshd(trials, "runner::output_and_exit_code_arrive", async |sshd: Sshd| {
        let (nodes, target) = (sshd.nodes(), sshd.target());
        let output = run(&nodes, &target, "1", &command("echo out; echo err >&2; exit 4")).await;
        assert_eq!(
            (output.exit_code, output.stdout_text().as_str(), output.stderr_text().as_str()),
            (Some(4), "out\n", "err\n")
        );
        assert_eq!(nodes.inspect(&target, &place("1")).await.unwrap(), Inspected::Exited(4));
        assert_eq!(nodes.inspect(&target, &place("2")).await.unwrap(), Inspected::Absent);
    });

    with_sshd(trials, "runner::the_same_place_is_started_once", async |sshd: Sshd| {
        let (nodes, target) = (sshd.nodes(), sshd.target());
        let file = sshd.dir().join("count");
        let count = command(&format!("echo x >> {}; cat {}", file.display(), file.display()));
        for _ in 0..3 {
            assert_eq!(run(&nodes, &target, "1", &count).await.stdout_text(), "x\n");
        }
        let (a, b) = tokio::join!(run(&nodes, &target, "2", &count), run(&nodes, &target, "2", &count));
        assert_eq!((a.stdout_text().as_str(), b.stdout_text().as_str()), ("x\nx\n", "x\nx\n"));
    });

    with_sshd(trials, "runner::creates_and_unless_skip", async |sshd: Sshd| {
        let (nodes, target) = (sshd.nodes(), sshd.target());
        let file = sshd.dir().join("made").display().to_string();
        let make = RunnerCommand { creates: Some(file.clone()), ..command(&format!("touch {file}")) };
        run(&nodes, &target, "1", &make).await;
        assert_eq!(nodes.run(&target, &place("2"), &make).await.unwrap(), Outcome::Skipped("creates"));
        // What was started is waited for, even if its own work would make it needless.
        assert_eq!(run(&nodes, &target, "1", &make).await.exit_code, Some(0));
        let unless = RunnerCommand { unless: Some(format!("test -e {file}")), ..command("false") };
        assert_eq!(nodes.run(&target, &place("3"), &unless).await.unwrap(), Outcome::Skipped("unless"));
        let unless = RunnerCommand { unless: Some("exit 1".into()), ..command("echo ran") };
        assert_eq!(run(&nodes, &target, "4", &unless).await.stdout_text(), "ran\n");
    });

    with_sshd(trials, "runner::a_check_that_takes_its_time_is_waited_for", async |sshd: Sshd| {
        let (nodes, target) = (sshd.nodes(), sshd.target());
        let told = Arc::new(Mutex::new(Vec::new()));
        let sink = told.clone();
        let listening = RunnerCommand {
            on_line: Some(Arc::new(move |_, line: &str| sink.lock().unwrap().push(line.to_owned()))),
            ..command("echo ran")
        };
        // Longer than a command may take before it is followed.
        let slow = |end: &str| RunnerCommand { unless: Some(format!("sleep 1.5; {end}")), ..listening.clone() };
        assert_eq!(nodes.run(&target, &place("1"), &slow("true")).await.unwrap(), Outcome::Skipped("unless"));
        assert_eq!(run(&nodes, &target, "2", &slow("false")).await.stdout_text(), "ran\n");
        assert_eq!(*told.lock().unwrap(), ["ran"]);
    });

    with_sshd(trials, "runner::folder_variables_and_input_arrive_and_leave_no_trace", async |sshd: Sshd| {
        let (nodes, target) = (sshd.nodes(), sshd.target());
        let told = RunnerCommand {
            cwd: Some(sshd.dir().display().to_string()),
            env: [("PASS".to_owned(), "it's\na $secret".to_owned())].into(),
            stdin: Some(b"input \x1e\0 bytes".to_vec()),
            ..command("pwd; printf '%s|' \"$PASS\"; cat")
        };
        let output = run(&nodes, &target, "1", &told).await;
        let want = [sshd.dir().display().to_string().as_bytes(), b"\nit's\na $secret|input \x1e\0 bytes"].concat();
        assert_eq!(output.stdout, want);
        let mut left: Vec<_> =
            fs::read_dir(sshd.dir().join("lib/run1")).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["1.1.err", "1.1.exit", "1.1.out", "1.1.pid"]);
    });

    with_sshd(trials, "runner::a_long_command_is_followed", async |sshd: Sshd| {
        let (nodes, target) = (sshd.nodes(), sshd.target());
        let gate = sshd.dir().join("gate");
        let told = Arc::new(Mutex::new(Vec::new()));
        let (sink, open) = (told.clone(), gate.clone());
        let long = RunnerCommand {
            // It ends only after its first line was seen here.
            on_line: Some(Arc::new(move |_, line: &str| {
                sink.lock().unwrap().push(line.to_owned());
                let _ = fs::write(&open, "");
            })),
            ..command(&format!("echo one; while ! [ -e {} ]; do sleep 0.05; done; echo two; exit 5", gate.display()))
        };
        let output = run(&nodes, &target, "1", &long).await;
        assert_eq!((output.exit_code, output.stdout_text().as_str()), (Some(5), "one\ntwo\n"));
        assert_eq!(*told.lock().unwrap(), ["one", "two"]);
    });

    with_sshd(trials, "runner::a_lost_connection_neither_kills_nor_repeats", async |sshd: Sshd| {
        let (nodes, target) = (sshd.nodes(), sshd.target());
        let (begun, gate) = (sshd.dir().join("begun"), sshd.dir().join("gate"));
        let text = format!(
            "echo one; echo x >> {b}; while ! [ -e {g} ]; do sleep 0.05; done; cat {b}",
            b = begun.display(),
            g = gate.display()
        );
        for (step, listens) in [("1", false), ("2", true)] {
            let _ = fs::remove_file(&begun);
            let _ = fs::remove_file(&gate);
            let long = RunnerCommand { on_line: listens.then(|| Arc::new(|_, _: &str| ()) as _), ..command(&text) };
            let (runner, to) = (nodes.clone(), target.clone());
            let waiting = tokio::spawn(async move { run(&runner, &to, step, &long).await });
            until("the command's begin", || begun.exists()).await;
            if listens {
                // Long enough that it is being followed; correct either way.
                tokio::time::sleep(Duration::from_millis(900)).await;
            }
            assert!(sshd.cut_connections() > 0);
            fs::write(&gate, "").unwrap();
            assert_eq!(waiting.await.unwrap().stdout_text(), "one\nx\n");
        }
    });

    with_sshd(trials, "runner::one_whose_machine_does_not_answer_any_more_is_lost_and_found", async |sshd: Sshd| {
        let kept = tempfile::tempdir().unwrap();
        let at = |name: &str| kept.path().join(name).display().to_string();
        // No patience at all, where five minutes are usual.
        let limits = Limits { node_dir: at("lib"), reconnect: Duration::ZERO, ..Limits::default() };
        let nodes = Nodes::new(tokio::runtime::Handle::current(), Arc::new(Direct::default()), limits, Events::none());
        let text = command(&format!(
            "echo x >> {b}; while ! [ -e {g} ]; do sleep 0.05; done; cat {b}",
            b = at("begun"),
            g = at("gate")
        ));
        let (runner, to, long) = (nodes.clone(), sshd.target(), text.clone());
        let waiting = tokio::spawn(async move { runner.run(&to, &place("1"), &long).await });
        until("the command's begin", || kept.path().join("begun").exists()).await;
        let (port, host, client) = (sshd.port, sshd.host.clone(), sshd.client.clone());
        drop(sshd);
        let error = waiting.await.unwrap().unwrap_err();
        assert!(matches!(error, NodeError::Lost { .. }), "{error:?}");
        let again = Sshd::start_with("127.0.0.1", port, host, client);
        fs::write(kept.path().join("gate"), "").unwrap();
        assert_eq!(run(&nodes, &again.target(), "1", &text).await.stdout_text(), "x\n");
    });

    with_sshd(trials, "runner::one_that_was_killed_is_interrupted", async |sshd: Sshd| {
        let (nodes, target) = (sshd.nodes(), sshd.target());
        let long = command("echo begun; sleep 60");
        let (runner, to) = (nodes.clone(), target.clone());
        let waiting = tokio::spawn(async move { runner.run(&to, &place("1"), &long).await });
        let pid = sshd.dir().join("lib/run1/1.1.pid");
        until("its first line", || fs::read(sshd.dir().join("lib/run1/1.1.out")).is_ok_and(|o| o == b"begun\n")).await;
        assert_eq!(nodes.inspect(&target, &place("1")).await.unwrap(), Inspected::Running);
        let number = fs::read_to_string(&pid).unwrap();
        let group = number.split(' ').next().unwrap();
        nodes.exec_ok(&target, &format!("kill -KILL -- -{group}"), ExecOptions::default()).await.unwrap();
        let error = waiting.await.unwrap().unwrap_err();
        assert!(matches!(&error, NodeError::Interrupted { output, .. } if output == "begun"), "{error:?}");
        assert_eq!(nodes.inspect(&target, &place("1")).await.unwrap(), Inspected::Interrupted);
    });

    with_sshd(trials, "runner::one_of_an_earlier_boot_is_interrupted", async |sshd: Sshd| {
        let (nodes, target) = (sshd.nodes(), sshd.target());
        run(&nodes, &target, "1", &command("true")).await;
        let record = sshd.dir().join("lib/run1");
        fs::remove_file(record.join("1.1.exit")).unwrap();
        // Its number belongs to another process now, which is alive.
        fs::write(record.join("1.1.pid"), format!("{}\n", std::process::id())).unwrap();
        assert_eq!(nodes.inspect(&target, &place("1")).await.unwrap(), Inspected::Interrupted);
        let error = nodes.run(&target, &place("1"), &command("true")).await.unwrap_err();
        assert_eq!(error.to_string(), "`true` was cut before its end, by a reboot or a kill");
    });

    with_sshd(trials, "runner::one_that_a_shutdown_ended_is_interrupted", async |sshd: Sshd| {
        let (nodes, target) = (sshd.nodes(), sshd.target());
        // A command may send its own group a signal, and ends as it says.
        let own = run(&nodes, &target, "1", &command("trap '' TERM; kill 0; echo done; exit 4")).await;
        assert_eq!((own.exit_code, own.stdout_text().as_str()), (Some(4), "done\n"));
        let record = sshd.dir().join("lib/run1/1.1.exit");
        let noted = fs::read_to_string(&record).unwrap();
        let (code, boot) = noted.trim().split_once(' ').unwrap();
        assert_eq!((code, boot.len() > 36), ("4", true));
        // The machine has booted since.
        fs::write(&record, format!("{code} {boot}0\n")).unwrap();
        assert_eq!(nodes.inspect(&target, &place("1")).await.unwrap(), Inspected::Interrupted);
        nodes.forget_cut(&target, &place("1")).await.unwrap();
        assert_eq!(nodes.inspect(&target, &place("1")).await.unwrap(), Inspected::Absent);
        assert_eq!(run(&nodes, &target, "1", &command("true")).await.exit_code, Some(0));
        nodes.forget_cut(&target, &place("1")).await.unwrap();
        assert_eq!(nodes.inspect(&target, &place("1")).await.unwrap(), Inspected::Exited(0));
    });

    with_sshd(trials, "runner::records_of_long_ago_are_cleared_away", async |sshd: Sshd| {
        let (nodes, target) = (sshd.nodes(), sshd.target());
        let ran = |run: &str| Place::new(run, "1", 1);
        for run in ["old", "recent"] {
            nodes.run(&target, &ran(run), &command("echo kept")).await.unwrap();
        }
        let folder = sshd.dir().join("lib/old");
        let touch = format!("touch -d '40 days ago' {}", folder.display());
        nodes.exec_ok(&target, &touch, ExecOptions::default()).await.unwrap();
        nodes.run(&target, &ran("recent"), &command("true")).await.unwrap();
        assert!(folder.exists());
        nodes.run(&target, &ran("new"), &command("true")).await.unwrap();
        until("its removal", || !folder.exists()).await;
        assert_eq!(nodes.inspect(&target, &ran("old")).await.unwrap(), Inspected::Absent);
        assert_eq!(nodes.inspect(&target, &ran("recent")).await.unwrap(), Inspected::Exited(0));
    });

    with_sshd(trials, "runner::stop_ends_all_that_it_started", async |sshd: Sshd| {
        let (nodes, target) = (sshd.nodes(), sshd.target());
        let begun = sshd.dir().join("begun");
        let long =
            command(&format!("sleep 61 & echo $! > {b}.tmp; mv {b}.tmp {b}; wait; sleep 61", b = begun.display()));
        let (runner, to) = (nodes.clone(), target.clone());
        let waiting = tokio::spawn(async move { run(&runner, &to, "1", &long).await });
        until("the command's begin", || begun.exists()).await;
        let child = fs::read_to_string(&begun).unwrap().trim().to_owned();
        assert_eq!(nodes.stop(&target, &place("1")).await.unwrap(), Inspected::Exited(143));
        let output = waiting.await.unwrap();
        // What it wrote is all: no shell says "Terminated" for it.
        assert_eq!((output.exit_code, output.stderr_text().as_str()), (Some(143), ""));
        until("the child's end", || !std::path::Path::new(&format!("/proc/{child}")).exists()).await;
        assert_eq!(nodes.stop(&target, &place("1")).await.unwrap(), Inspected::Exited(143));
        assert_eq!(nodes.stop(&target, &place("9")).await.unwrap(), Inspected::Absent);
    });

    with_sshd(trials, "runner::a_timeout_stops_it", async |sshd: Sshd| {
        let (nodes, target) = (sshd.nodes(), sshd.target());
        let long = RunnerCommand { timeout: Some(Duration::from_secs(1)), ..command("sleep 60") };
        let error = nodes.run(&target, &place("1"), &long).await.unwrap_err();
        assert_eq!(error.to_string(), "`sleep 60` did not end within 1 s");
        assert_eq!(nodes.inspect(&target, &place("1")).await.unwrap(), Inspected::Exited(143));
    });

    with_sshd(trials, "runner::output_over_the_cap_is_fetched", async |sshd: Sshd| {
        let (nodes, target) = (sshd.nodes(), sshd.target());
        let big = run(&nodes, &target, "1", &command("head -c 600000 /dev/zero | tr '\\0' x; echo end")).await;
        assert_eq!((big.stdout.len(), big.stdout_omitted), (600_004, 0));
        assert!(big.stdout.ends_with(b"xend\n"));
    });

    with_sshd(trials, "runner::it_says_why_it_cannot_start", async |sshd: Sshd| {
        let (nodes, target) = (sshd.nodes(), sshd.target());
        let nowhere = RunnerCommand { cwd: Some("/nowhere".into()), ..command("true") };
        let error = nodes.run(&target, &place("1"), &nowhere).await.unwrap_err().to_string();
        assert!(error.contains("/lib/run1/1.1 on the node: ") && error.contains("/nowhere"), "{error}");
        let output = run(&nodes, &target, "2", &command("if then")).await;
        assert_eq!(output.exit_code, Some(2));
    });

    with_sshd(trials, "runner::a_long_script_runs", async |sshd: Sshd| {
        let (nodes, target) = (sshd.nodes(), sshd.target());
        let long = command(&format!("x={}; echo ${{#x}}", "y".repeat(100_000)));
        assert_eq!(run(&nodes, &target, "1", &long).await.stdout_text(), "100000\n");
    });
}
