//! Commands that live with their channel, and many at once.

use super::{Sshd, with_sshd};
use libtest_mimic::Trial;
use linodetool::nodes::{ExecOptions, NodeError, Stream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(crate) fn add(trials: &mut Vec<Trial>) {
    with_sshd(trials, "exec::streams_and_exit_code_are_kept_apart", async |sshd: Sshd| {
        let output =
            sshd.nodes().exec(&sshd.target(), "echo out; echo err >&2; exit 3", ExecOptions::default()).await.unwrap();
        assert_eq!(
            (output.exit_code, output.stdout_text().as_str(), output.stderr_text().as_str()),
            (Some(3), "out\n", "err\n")
        );
    });

    with_sshd(trials, "exec::a_failed_command_is_an_error_where_asked", async |sshd: Sshd| {
        let error =
            sshd.nodes().exec_ok(&sshd.target(), "echo no >&2; exit 9", ExecOptions::default()).await.unwrap_err();
        assert_eq!(error.to_string(), "`echo no >&2; exit 9` ended with exit code 9");
    });

    with_sshd(trials, "exec::a_signal_is_told", async |sshd: Sshd| {
        let output = sshd.nodes().exec(&sshd.target(), "kill -TERM $$", ExecOptions::default()).await.unwrap();
        assert_eq!((output.exit_code, output.signal.as_deref()), (None, Some("TERM")));
    });

    with_sshd(trials, "exec::standard_input_and_variables_arrive", async |sshd: Sshd| {
        let options = ExecOptions {
            stdin: Some(b"from stdin".to_vec()),
            env: [("GREETING".to_owned(), "it's\nme".to_owned())].into(),
            ..ExecOptions::default()
        };
        let output = sshd.nodes().exec(&sshd.target(), "cat; printf '|%s' \"$GREETING\"", options).await.unwrap();
        assert_eq!(output.stdout_text(), "from stdin|it's\nme");
    });

    // The trap: a client that does not take messages while it sends stops its whole connection.
    with_sshd(trials, "exec::many_megabytes_both_ways_do_not_block", async |sshd: Sshd| {
        let (nodes, target) = (sshd.nodes(), sshd.target());
        let stdin = vec![b'x'; 16 << 20];
        let slow = nodes.exec(&target, "cat", ExecOptions { stdin: Some(stdin), ..ExecOptions::default() });
        let beside = nodes.exec(&target, "echo beside", ExecOptions::default());
        let (big, small) = tokio::join!(slow, beside);
        let big = big.unwrap();
        assert_eq!(big.stdout_omitted, 15 << 20);
        assert_eq!(small.unwrap().stdout_text(), "beside\n");
    });

    with_sshd(trials, "exec::more_commands_than_the_server_has_sessions", async |sshd: Sshd| {
        let (nodes, target) = (sshd.nodes(), sshd.target());
        let tasks: Vec<_> = (0..30)
            .map(|i| {
                let (nodes, target) = (nodes.clone(), target.clone());
                tokio::spawn(async move { nodes.exec(&target, &format!("echo {i}"), ExecOptions::default()).await })
            })
            .collect();
        for (i, task) in tasks.into_iter().enumerate() {
            assert_eq!(task.await.unwrap().unwrap().stdout_text(), format!("{i}\n"));
        }
    });

    with_sshd(trials, "exec::lines_are_told_as_they_come", async |sshd: Sshd| {
        let told = Arc::new(Mutex::new(Vec::new()));
        let sink = told.clone();
        let options = ExecOptions {
            on_line: Some(Arc::new(move |stream, line: &str| sink.lock().unwrap().push((stream, line.to_owned())))),
            ..ExecOptions::default()
        };
        sshd.nodes().exec(&sshd.target(), "echo one; printf two", options).await.unwrap();
        let told = told.lock().unwrap().clone();
        assert_eq!(told, [(Stream::Out, "one".to_owned()), (Stream::Out, "two".to_owned())]);
    });

    with_sshd(trials, "exec::a_command_that_takes_too_long_fails", async |sshd: Sshd| {
        let options = ExecOptions { timeout: Some(Duration::from_secs(2)), ..ExecOptions::default() };
        let error = sshd.nodes().exec(&sshd.target(), "echo begun; exec sleep 30", options).await.unwrap_err();
        assert!(matches!(&error, NodeError::Timeout { output, .. } if output == "begun"), "{error:?}");
        assert_eq!(error.to_string(), "`echo begun; exec sleep 30` did not end within 2 s");
    });

    with_sshd(trials, "exec::fan_out_answers_in_order_and_apart", async |sshd: Sshd| {
        let mut targets: Vec<_> =
            (1..=4).map(|i| sshd.target_at("127.0.0.1".parse().unwrap(), &format!("n{i}"))).collect();
        targets[2].host_keys.clear();
        let answers = sshd.nodes().fan_out(&targets, "echo hi", &ExecOptions::default()).await;
        let short: Vec<_> =
            answers.iter().map(|(n, a)| (n.as_str(), a.as_ref().map(|o| o.stdout_text()).ok())).collect();
        let hi = || Some("hi\n".to_owned());
        assert_eq!(short, [("n1", hi()), ("n2", hi()), ("n3", None), ("n4", hi())]);
    });

    with_sshd(trials, "exec::long_commands_work_up_to_what_linux_takes", async |sshd: Sshd| {
        let (nodes, target) = (sshd.nodes(), sshd.target());
        let command = |length: usize| format!("x={}; echo ${{#x}}", "y".repeat(length));
        let output = nodes.exec_ok(&target, &command(110_000), ExecOptions::default()).await.unwrap();
        assert_eq!(output.stdout_text(), "110000\n");
        let error = nodes.exec(&target, &command(120_000), ExecOptions::default()).await.unwrap_err();
        let want = "a command of 120014 bytes is too long: write it to a file and run that";
        assert_eq!(error.to_string(), want);
    });
}
