//! The governor in jumping time: what starts when, alone, shared, and corrected.

use super::*;
use crate::core::Clock;
use crate::provider::time::testing::JumpingTime;
use expect_test::expect;
use std::sync::Mutex as StdMutex;

fn class(calls: u32, per_seconds: u32) -> RateClass {
    RateClass { name: "create".into(), calls, per_seconds }
}

fn governor(time: &JumpingTime, folder: Option<PathBuf>, events: Events) -> Governor {
    let settings = GovernorSettings { folder, events, time: Arc::new(time.clone()), on_holdup: None };
    Governor::new(settings, "token", &[class(3, 15)])
}

/// Seconds since the beginning at which `count` requests started.
async fn starts(time: &JumpingTime, governors: &[Governor], count: usize) -> Vec<u64> {
    let began = time.now_ms();
    let mut tasks = Vec::new();
    for n in 0..count {
        let (governor, time) = (governors[n % governors.len()].clone(), time.clone());
        tasks.push(tokio::spawn(async move {
            governor.admit("create").await;
            time.now_ms() - began
        }));
    }
    let mut starts = Vec::new();
    for task in tasks {
        starts.push(task.await.unwrap());
    }
    starts.sort_unstable();
    starts
}

#[test]
fn no_window_holds_more_than_the_limit() {
    let time = JumpingTime::default();
    let governor = governor(&time, None, Events::none());
    let starts = time.run(starts(&time, &[governor], 8));
    expect!["[0, 0, 0, 15250, 15250, 15250, 30500, 30500]"].assert_eq(&format!("{starts:?}"));
}

#[test]
fn processes_share_a_limit_through_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let time = JumpingTime::default();
    let one = || governor(&time, Some(folder.path().join("limits")), Events::none());
    let starts = time.run(starts(&time, &[one(), one()], 8));
    expect!["[0, 0, 0, 15250, 15250, 15250, 30500, 30500]"].assert_eq(&format!("{starts:?}"));
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let file = std::fs::read_dir(folder.path().join("limits")).unwrap().next().unwrap().unwrap().path();
    assert_eq!((mode(file.parent().unwrap()), mode(&file)), (0o700, 0o600));
    assert_eq!(file.file_name().unwrap(), "3c469e9d6c5875d3-create-15.ring");
}

#[test]
fn a_later_process_goes_on_where_the_last_one_was() {
    let folder = tempfile::tempdir().unwrap();
    let time = JumpingTime::default();
    let run = |count| {
        let governor = governor(&time, Some(folder.path().to_owned()), Events::none());
        time.run(starts(&time, &[governor], count))
    };
    assert_eq!(run(2), [0, 0]);
    assert_eq!(run(2), [0, 15250]);
}

#[test]
fn a_429_holds_the_class_back_and_a_lower_limit_is_believed() {
    let time = JumpingTime::default();
    let governor = governor(&time, None, Events::none());
    let headers: Headers = [("retry-after".into(), "40".into()), ("x-ratelimit-limit".into(), "2".into())].into();
    let starts = time.run(async {
        governor.learn("create", 429, &headers).await;
        starts(&time, std::slice::from_ref(&governor), 4).await
    });
    expect!["[40000, 40000, 55250, 55250]"].assert_eq(&format!("{starts:?}"));
}

#[test]
fn a_clock_that_is_set_back_does_not_hold_for_longer() {
    let folder = tempfile::tempdir().unwrap();
    let later = JumpingTime::default();
    let headers: Headers = [("retry-after".into(), "40".into())].into();
    later.run(async {
        crate::core::Time::sleep(&later, Duration::from_secs(3_600)).await;
        governor(&later, Some(folder.path().to_owned()), Events::none()).learn("create", 429, &headers).await;
    });
    let time = JumpingTime::default();
    let governor = governor(&time, Some(folder.path().to_owned()), Events::none());
    assert_eq!(time.run(starts(&time, std::slice::from_ref(&governor), 1)), [0]);
    let starts = time.run(async {
        governor.learn("create", 429, &headers).await;
        starts(&time, &[governor], 1).await
    });
    assert_eq!(starts, [40_000]);
}

#[test]
fn a_retry_after_on_a_good_answer_is_not_listened_to() {
    let time = JumpingTime::default();
    let governor = governor(&time, None, Events::none());
    let headers: Headers = [("retry-after".into(), "117".into()), ("x-ratelimit-limit".into(), "800".into())].into();
    let starts = time.run(async {
        governor.learn("create", 200, &headers).await;
        starts(&time, std::slice::from_ref(&governor), 3).await
    });
    assert_eq!(starts, [0, 0, 0]);
}

#[test]
fn who_gives_up_leaves_the_line() {
    let time = JumpingTime::default();
    let governor = governor(&time, None, Events::none());
    let starts = time.run(async {
        let first = starts(&time, std::slice::from_ref(&governor), 3).await;
        let gave_up = tokio::spawn({
            let governor = governor.clone();
            async move { governor.admit("create").await }
        });
        tokio::task::yield_now().await;
        gave_up.abort();
        let _ = gave_up.await;
        [first, starts(&time, std::slice::from_ref(&governor), 3).await].concat()
    });
    assert_eq!(starts[..3], [0, 0, 0]);
    assert_eq!(starts[3..], [starts[3]; 3], "nobody holds the place of the one that left");
}

#[test]
fn a_person_is_told_once_in_a_while_how_long_it_takes() {
    let time = JumpingTime::default();
    let said = Arc::new(StdMutex::new(Vec::new()));
    let events = Events::new({
        let said = said.clone();
        move |event| said.lock().unwrap().push(format!("{event:?}"))
    });
    let governor = governor(&time, None, events);
    time.run(starts(&time, &[governor], 8));
    expect![[r#"
        Note { text: "the provider allows 3 `create` requests in 15 s: 5 wait, the last about 30 s" }
        Note { text: "the provider allows 3 `create` requests in 15 s: 2 wait, the last about 15 s" }"#]]
    .assert_eq(&said.lock().unwrap().join("\n"));
}

#[test]
fn classes_without_a_limit_are_free_and_broken_files_are_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let time = JumpingTime::default();
    std::fs::write(folder.path().join("3c469e9d6c5875d3-create-15.ring"), b"what is this").unwrap();
    let governor = governor(&time, Some(folder.path().to_owned()), Events::none());
    let starts = time.run(async {
        for _ in 0..100 {
            governor.admit("unheard of").await;
        }
        starts(&time, std::slice::from_ref(&governor), 4).await
    });
    assert_eq!(starts, [0, 0, 0, 15250]);
}
