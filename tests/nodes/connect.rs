//! Logging in: pinned host keys, machines that come up late, lost connections.

use super::{Sshd, sshd, with_sshd};
use expect_test::expect;
use libtest_mimic::Trial;
use linodetool::core::{Failure, FailureKind, Secret};
use linodetool::nodes::{ExecOptions, KeyPair, Target};
use std::time::Duration;

pub(crate) fn add(trials: &mut Vec<Trial>) {
    with_sshd(trials, "connect::another_host_key_is_refused", async |sshd: Sshd| {
        let mut target = sshd.target();
        target.host_keys = vec![KeyPair::generate("other").public_line];
        let error = sshd.nodes().connect(&target, Duration::from_secs(5)).await.unwrap_err();
        let failure = Failure::from(error);
        assert_eq!(failure.kind, FailureKind::Ssh);
        assert!(failure.message.contains("expected SHA256:"), "{failure}");
        let shown = linodetool::nodes::fingerprint(&sshd.host.public_line).unwrap();
        assert!(failure.message.ends_with(&format!("found {shown}")), "{failure}");
        assert!(failure.hint.unwrap().contains("do not go on"));
    });

    with_sshd(trials, "connect::no_host_key_means_no_trust", async |sshd: Sshd| {
        let mut target = sshd.target();
        target.host_keys.clear();
        target.address = "127.0.0.1:22".parse().unwrap();
        let error = sshd.nodes().connect(&target, Duration::ZERO).await.unwrap_err();
        expect!["no host key of 127.0.0.1:22 is known, so nobody can tell whether it is the right machine"]
            .assert_eq(&error.to_string());
    });

    with_sshd(trials, "connect::another_key_is_refused_by_the_server", async |sshd: Sshd| {
        let mut target = sshd.target();
        target.key = Secret::new(KeyPair::generate("other").private_pem.reveal().clone());
        let error = sshd.nodes().connect(&target, Duration::ZERO).await.unwrap_err();
        let want = format!("127.0.0.1:{} refused the key for user `{}`", sshd.port, sshd.user);
        assert_eq!(error.to_string(), want);
    });

    with_sshd(trials, "connect::nobody_listens", async |sshd: Sshd| {
        let mut target = sshd.target();
        target.address.set_port(sshd::free_port());
        let error = sshd.nodes().connect(&target, Duration::from_millis(120)).await.unwrap_err();
        assert!(error.to_string().contains("Connection refused"), "{error}");
    });

    with_sshd(trials, "connect::waits_for_a_machine_that_comes_up", async |first: Sshd| {
        let port = sshd::free_port();
        let (host, client) = (first.host.clone(), first.client.clone());
        let nodes = first.nodes();
        let mut target = first.target();
        target.address.set_port(port);
        let starter = tokio::task::spawn_blocking(move || {
            std::thread::sleep(Duration::from_millis(300));
            Sshd::start_with("127.0.0.1", port, host, client)
        });
        nodes.connect(&target, Duration::from_secs(20)).await.unwrap();
        drop(starter.await.unwrap());
    });

    with_sshd(trials, "connect::a_lost_connection_is_replaced", async |sshd: Sshd| {
        let (nodes, target) = (sshd.nodes(), sshd.target());
        nodes.exec_ok(&target, "true", ExecOptions::default()).await.unwrap();
        assert!(sshd.cut_connections() > 0);
        // The first may still see the old connection end under it; the next has a new one.
        let _ = nodes.exec(&target, "true", ExecOptions::default()).await;
        nodes.exec_ok(&target, "true", ExecOptions::default()).await.unwrap();
    });

    with_sshd(trials, "connect::a_wait_can_be_given_up", async |sshd: Sshd| {
        let cancel = linodetool::core::Cancel::default();
        let (nodes, mut target) = (sshd.nodes(), sshd.target());
        target.address.set_port(sshd::free_port());
        let setter = cancel.clone();
        tokio::spawn(async move { setter.set() });
        assert!(cancel.guard(nodes.connect(&target, Duration::from_secs(600))).await.is_none());
    });

    with_sshd(trials, "connect::a_host_key_is_replaced", async |sshd: Sshd| {
        let (nodes, target) = (sshd.nodes(), sshd.target());
        let pair = KeyPair::generate("second");
        let new = Target { host_keys: vec![pair.public_line.clone()], ..target.clone() };
        nodes.replace_host_key(&target, &new, &pair, &sshd.dir().display().to_string()).await.unwrap();
        nodes.exec_ok(&new, "true", ExecOptions::default()).await.unwrap();
        let error = nodes.connect(&target, Duration::ZERO).await.unwrap_err().to_string();
        assert!(error.contains("is not the expected one"), "{error}");
    });
}
