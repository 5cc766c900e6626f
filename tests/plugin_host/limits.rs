//! Rate limits across real processes.

use linodetool::core::Events;
use linodetool::provider::{Governor, GovernorSettings, RealTime};
use linodetool_plugin::RateClass;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Thirty starts at ten a second and a quarter (the margin) need two and a half seconds at least, whoever makes them.
#[test]
fn processes_of_one_user_keep_one_limit() {
    let folder = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let children: Vec<_> = (0..3)
        .map(|_| {
            Command::new(crate::exe())
                .args(["--exact", "limits::child_starts_ten", "--ignored"])
                .env("LIMITS_FOLDER", folder.path())
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert!(began.elapsed() >= Duration::from_millis(2450), "{:?}", began.elapsed());
    assert_eq!(folder.path().read_dir().unwrap().count(), 1, "one file for all");
}

#[tokio::test]
#[ignore = "run by processes_of_one_user_keep_one_limit"]
async fn child_starts_ten() {
    let folder = std::env::var_os("LIMITS_FOLDER").unwrap().into();
    let settings = GovernorSettings {
        folder: Some(folder),
        events: Events::new(|event| assert!(!format!("{event:?}").contains("cannot be"), "{event:?}")),
        time: Arc::new(RealTime),
        on_holdup: None,
    };
    let classes = [RateClass { name: "create".into(), calls: 10, per_seconds: 1 }];
    let governor = Governor::new(settings, "token", &classes);
    for _ in 0..10 {
        governor.admit("create").await;
    }
}
