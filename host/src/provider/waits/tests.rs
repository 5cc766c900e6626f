//! The poller in jumping time, before a provider of a few lines.

use super::*;
use crate::core::Clock;
use crate::provider::time::BoxFuture;
use crate::provider::time::testing::JumpingTime;
use crate::provider::{Calls, Secrets};
use expect_test::expect;
use linodetool_plugin::{Manifest, Page};
use serde_json::value::{RawValue, to_raw_value};

/// Instances that run from a certain second on, and a log of what was asked when.
#[derive(Default)]
struct Cloud {
    time: JumpingTime,
    /// Nothing is found before this second.
    hidden: u64,
    /// Id, second from which it runs, second from which it is gone.
    instances: Vec<(String, u64, u64)>,
    fails: Mutex<Vec<ProviderError>>,
    log: Mutex<Vec<String>>,
    manifest: Manifest,
}

impl Cloud {
    fn second(&self) -> u64 {
        (self.time.now_ms() - 1_000_000) / 1000
    }

    fn instance(&self, id: &str) -> Option<Instance> {
        let now = self.second();
        let (id, runs, gone) = self.instances.iter().find(|(known, ..)| known == id)?;
        let status = if *runs <= now { InstanceStatus::Running } else { InstanceStatus::Booting };
        (now < *gone && now >= self.hidden).then(|| Instance { id: id.clone(), status, ..Instance::default() })
    }
}

impl Calls for Cloud {
    fn call(
        &self,
        operation: &str,
        args: Box<RawValue>,
        _: Secrets,
    ) -> BoxFuture<'_, Result<Box<RawValue>, ProviderError>> {
        self.log.lock().unwrap().push(format!("{} s {operation} {args}", self.second()));
        let answer = if let Some(error) = self.fails.lock().unwrap().pop() {
            Err(error)
        } else if operation == "instances.get" {
            let ById { id } = serde_json::from_str(args.get()).unwrap();
            let gone = || ProviderError::new(ErrorKind::NotFound, "Not found");
            self.instance(&id).ok_or_else(gone).map(|instance| to_raw_value(&instance).unwrap())
        } else {
            let all = self.instances.iter().filter_map(|(id, ..)| self.instance(id)).collect();
            Ok(to_raw_value(&Page::whole(all)).unwrap())
        };
        Box::pin(std::future::ready(answer))
    }

    fn manifest(&self) -> &Manifest {
        &self.manifest
    }
}

fn cloud(instances: &[(&str, u64, u64)]) -> Arc<Cloud> {
    let instances = instances.iter().map(|(id, runs, gone)| ((*id).to_owned(), *runs, *gone)).collect();
    Arc::new(Cloud { instances, ..Cloud::default() })
}

fn waits(cloud: &Arc<Cloud>) -> Waits {
    let time = Arc::new(cloud.time.clone());
    Waits::new(Client::new(cloud.clone()), Handle::current(), time, Events::none(), Pace::default())
}

fn wait(id: &str, tag: Option<&str>, seconds: u64) -> Wait {
    let (tag, wanted) = (tag.map(str::to_owned), vec![InstanceStatus::Running]);
    Wait { id: id.into(), tag, wanted, timeout: Duration::from_secs(seconds), ..Wait::default() }
}

fn log(cloud: &Cloud) -> String {
    cloud.log.lock().unwrap().join("\n")
}

#[test]
fn one_list_serves_all_and_slows_down_while_nothing_changes() {
    let cloud = cloud(&[("1", 5, 999), ("2", 20, 999), ("3", 21, 999)]);
    cloud.time.run(async {
        let waits = waits(&cloud);
        let lanes: Vec<_> = ["1", "2", "3"]
            .map(|id| {
                let waits = waits.clone();
                tokio::spawn(async move { waits.until(wait(id, Some("lt-c-1"), 600)).await.unwrap().status })
            })
            .into_iter()
            .collect();
        for lane in lanes {
            assert_eq!(lane.await.unwrap(), InstanceStatus::Running);
        }
    });
    expect![[r#"
        2 s instances.list {"tag":"lt-c-1"}
        4 s instances.list {"tag":"lt-c-1"}
        6 s instances.list {"tag":"lt-c-1"}
        8 s instances.list {"tag":"lt-c-1"}
        11 s instances.list {"tag":"lt-c-1"}
        14 s instances.list {"tag":"lt-c-1"}
        18 s instances.list {"tag":"lt-c-1"}
        23 s instances.list {"tag":"lt-c-1"}"#]]
    .assert_eq(&log(&cloud));
}

#[test]
fn ids_go_into_lists_of_a_hundred() {
    let ids: Vec<String> = (0..250).map(|n| format!("{n}")).collect();
    let cloud = cloud(&ids.iter().map(|id| (id.as_str(), 1, 999)).collect::<Vec<_>>());
    cloud.time.run(async {
        let waits = waits(&cloud);
        let lanes: Vec<_> = ids
            .iter()
            .map(|id| {
                let (waits, id) = (waits.clone(), id.clone());
                tokio::spawn(async move { waits.until(wait(&id, None, 600)).await.unwrap() })
            })
            .collect();
        for lane in lanes {
            lane.await.unwrap();
        }
    });
    let lengths: Vec<_> = cloud.log.lock().unwrap().iter().map(|line| line.matches(',').count() + 1).collect();
    assert_eq!(lengths, [100, 100, 50]);
}

#[test]
fn an_instance_that_is_gone_is_not_waited_for() {
    let cloud = cloud(&[("1", 100, 5)]);
    let error = cloud.time.run(async { waits(&cloud).until(wait("1", None, 600)).await.unwrap_err() });
    expect!["NotFound instance 1 is gone: somebody destroyed it while it was waited for"]
        .assert_eq(&format!("{:?} {error}", error.kind));
    expect![[r#"
        2 s instances.list {"ids":["1"]}
        4 s instances.list {"ids":["1"]}
        6 s instances.list {"ids":["1"]}
        8 s instances.list {"ids":["1"]}
        8 s instances.get {"id":"1"}"#]]
    .assert_eq(&log(&cloud));
}

#[test]
fn a_deadline_says_what_was_seen_last() {
    let cloud = cloud(&[("1", 100, 999)]);
    let error = cloud.time.run(async { waits(&cloud).until(wait("1", None, 5)).await.unwrap_err() });
    expect!["Timeout instance 1 is still booting after 5 s, not running"]
        .assert_eq(&format!("{:?} {error}", error.kind));
}

#[test]
fn what_passes_is_waited_out_and_what_stays_is_told() {
    let cloud = cloud(&[("1", 1, 999)]);
    let passing = ProviderError::new(ErrorKind::Unavailable, "down");
    let staying = ProviderError::new(ErrorKind::Unauthorized, "Invalid Token");
    *cloud.fails.lock().unwrap() = vec![staying, passing.clone(), passing];
    let waits_then_fails = async {
        let waits = waits(&cloud);
        let error = waits.until(wait("1", None, 600)).await.unwrap_err();
        (error, waits.until(wait("1", None, 600)).await.unwrap())
    };
    let (error, later) = cloud.time.run(waits_then_fails);
    assert_eq!((error.message.as_str(), later.id.as_str()), ("Invalid Token", "1"));
    expect![[r#"
        2 s instances.list {"ids":["1"]}
        7 s instances.list {"ids":["1"]}
        12 s instances.list {"ids":["1"]}
        14 s instances.list {"ids":["1"]}"#]]
    .assert_eq(&log(&cloud));
}

#[test]
fn nobody_waiting_asks_nothing() {
    let cloud = cloud(&[("1", 100, 999)]);
    cloud.time.run(async {
        let waits = waits(&cloud);
        let lane = tokio::spawn({
            let waits = waits.clone();
            async move { waits.until(wait("1", None, 600)).await }
        });
        cloud.time.sleep(Duration::from_secs(5)).await;
        lane.abort();
        let _ = lane.await;
        cloud.time.sleep(Duration::from_secs(60)).await;
        // News to nobody is no reason to look either.
        waits.0.room().news = true;
        waits.0.nudge.notify_one();
        cloud.time.sleep(Duration::from_secs(60)).await;
    });
    expect![[r#"
        2 s instances.list {"ids":["1"]}
        4 s instances.list {"ids":["1"]}"#]]
    .assert_eq(&log(&cloud));
}

#[test]
fn waiters_of_many_tags_share_lists() {
    let waiter = |id: &str, tag: Option<&str>| Waiter {
        entered_ms: 0,
        wait: wait(id, tag, 1),
        seen: None,
        missed: 0,
        answer: oneshot::channel().0,
    };
    let mut waiters = BTreeMap::new();
    for n in 0..12 {
        waiters.insert(n, waiter(&format!("a{n}"), Some("big")));
    }
    waiters.insert(20, waiter("b", Some("small")));
    waiters.insert(21, waiter("c", None));
    let lists = |tagged: usize| {
        let lists = lists(&waiters, &HashMap::from([("big".to_owned(), tagged)]));
        lists.iter().map(|list| serde_json::to_string(list).unwrap()).collect::<Vec<_>>().join("\n")
    };
    expect![[r#"
        {"tag":"big"}
        {"ids":["b","c"]}"#]]
    .assert_eq(&lists(12));
    // Most of those with the tag are waited for no more.
    expect![[r#"{"ids":["a0","a1","a10","a11","a2","a3","a4","a5","a6","a7","a8","a9","b","c"]}"#]]
        .assert_eq(&lists(1_000));
}

#[test]
fn what_is_new_may_hide_for_a_while() {
    let hidden = |seconds: u64, patience: u64| {
        let cloud = Arc::new(Cloud { instances: vec![("1".into(), 5, 999)], hidden: seconds, ..Cloud::default() });
        cloud.time.run(async {
            let hidden = Duration::from_secs(patience);
            match waits(&cloud).until(Wait { hidden, ..wait("1", None, 600) }).await {
                Ok(instance) => format!("{:?} at {} s", instance.status, cloud.second()),
                Err(error) => format!("{error} ({} s)", cloud.second()),
            }
        })
    };
    assert_eq!(hidden(20, 60), "Running at 20 s");
    assert_eq!(hidden(999, 60), "instance 1 is gone: somebody destroyed it while it was waited for (60 s)");
    assert_eq!(hidden(20, 0), "instance 1 is gone: somebody destroyed it while it was waited for (4 s)");
}
