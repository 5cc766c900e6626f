//! Many calls on one instance: panics, cancelling, futures that never rest, joins.

use linodetool_plugin::executor::Executor;
use linodetool_plugin::message::{Body, Headers, In, Out};
use linodetool_plugin::*;
use serde_json::value::to_raw_value;
use serde_json::{Value, json};
use std::cell::Cell;
use std::future::{Future, pending, poll_fn};
use std::rc::Rc;
use std::task::Poll;

/// One operation for each thing a future can do; what it does is the region of `instances.list`.
#[derive(Default)]
struct Zoo {
    dropped: Rc<Cell<u32>>,
}

/// Counts when it goes, and panics then if asked to.
struct Guard(Rc<Cell<u32>>, bool);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
        assert!(!self.1 || std::thread::panicking(), "no mood to go");
    }
}

fn get(path: &str) -> Request {
    Request::get(format!("https://zoo.example{path}"))
}

impl Provider for Zoo {
    async fn list_instances(&self, cx: &Cx, args: ListInstances) -> Result<Page<Instance>> {
        let panics_when_dropped = args.label.is_some();
        let guard = Guard(self.dropped.clone(), panics_when_dropped);
        match args.region.as_deref().unwrap_or_default() {
            "one" => drop(cx.http(get("/1")).await?),
            "two" => {
                let answers = join_all(["/1", "/2"].map(|path| cx.http(get(path)))).await;
                for answer in answers {
                    answer?;
                }
            }
            "lanes" => {
                let paths = ["/1", "/2", "/3", "/4"];
                try_join_lanes(2, paths.map(|path| async move { ok(&cx.http(get(path)).await?) })).await?;
            }
            "race" => race(cx.http(get("/1")), cx.sleep_ms(1_000)).await,
            "panic" => panic!("no mood"),
            "panic later" => {
                cx.sleep_ms(1).await;
                panic!("no mood any more");
            }
            "self-waking" => {
                poll_fn::<(), _>(|context| {
                    context.waker().wake_by_ref();
                    Poll::Pending
                })
                .await;
            }
            "never" => pending::<()>().await,
            "talk" => {
                cx.progress("half of it");
                cx.log(Level::Warn, "a line");
            }
            _ => {}
        }
        drop(guard);
        Ok(Page::whole(Vec::new()))
    }
}

fn ok(response: &Response) -> Result<()> {
    if response.is_success() { Ok(()) } else { Err(ProviderError::new(ErrorKind::Invalid, "refused")) }
}

/// Whichever comes first; the other is dropped.
async fn race(first: impl Future, second: impl Future) {
    let (mut first, mut second) = (Box::pin(first), Box::pin(second));
    poll_fn(|context| {
        let done = first.as_mut().poll(context).is_ready() || second.as_mut().poll(context).is_ready();
        if done { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

fn zoo() -> (Executor<Zoo>, Rc<Cell<u32>>) {
    let zoo = Zoo::default();
    let dropped = zoo.dropped.clone();
    (Executor::new(zoo), dropped)
}

fn call(id: u64, what: &str) -> In {
    call_with(id, &json!({ "region": what }))
}

fn call_with(id: u64, args: &Value) -> In {
    In::Call { id, op: "instances.list".to_owned(), args: to_raw_value(args).expect("JSON") }
}

fn answer(io: u64, call: u64, status: u16) -> In {
    In::Http { io, call, state: None, status, headers: Headers::new(), body: Body::default() }
}

/// Messages in short: kind, io or call, and what matters.
fn short(messages: &[Out]) -> String {
    let one = |message: &Out| match message {
        Out::Http(http) => format!("http {} {}", http.io, &http.url["https://zoo.example".len()..]),
        Out::Timer { io, after_ms, .. } => format!("timer {io} {after_ms}"),
        Out::Forget { io, .. } => format!("forget {io}"),
        Out::Progress { call, message } => format!("progress {call} {message}"),
        Out::Log { level, message } => format!("log {level} {message}"),
        Out::Done { id, .. } => format!("done {id}"),
        Out::Failed { id, error } => {
            let message = error.message.split(" at ").next().unwrap_or_default();
            format!("failed {id} {:?}: {message}", error.kind)
        }
        Out::Fatal { message } => format!("fatal {message}"),
        Out::Unknown => "unknown".to_owned(),
    };
    messages.iter().map(one).collect::<Vec<_>>().join("; ")
}

#[test]
fn a_call_waits_and_ends() {
    let (mut zoo, dropped) = zoo();
    assert_eq!(short(&zoo.step(vec![call(7, "one")])), "http 1 /1");
    assert_eq!(short(&zoo.step(vec![])), "");
    assert_eq!(short(&zoo.step(vec![answer(1, 7, 200)])), "done 7");
    assert_eq!(dropped.get(), 1);
    assert_eq!(short(&zoo.step(vec![answer(1, 7, 200)])), "", "a second answer is nobody's");
}

#[test]
fn joined_requests_start_together_and_end_in_any_order() {
    let (mut zoo, _) = zoo();
    assert_eq!(short(&zoo.step(vec![call(1, "two")])), "http 1 /1; http 2 /2");
    assert_eq!(short(&zoo.step(vec![answer(2, 1, 200)])), "");
    assert_eq!(short(&zoo.step(vec![answer(1, 1, 200)])), "done 1");
}

#[test]
fn lanes_start_the_next_as_soon_as_one_is_done() {
    let (mut zoo, _) = zoo();
    assert_eq!(short(&zoo.step(vec![call(1, "lanes")])), "http 1 /1; http 2 /2");
    assert_eq!(short(&zoo.step(vec![answer(2, 1, 200)])), "http 3 /3");
    assert_eq!(short(&zoo.step(vec![answer(3, 1, 200)])), "http 4 /4");
    assert_eq!(short(&zoo.step(vec![answer(4, 1, 200)])), "");
    assert_eq!(short(&zoo.step(vec![answer(1, 1, 200)])), "done 1");
}

#[test]
fn the_first_error_of_a_lane_ends_them_all() {
    let (mut zoo, _) = zoo();
    zoo.step(vec![call(1, "lanes")]);
    assert_eq!(short(&zoo.step(vec![answer(2, 1, 400)])), "forget 1; failed 1 Invalid: refused");
}

#[test]
fn the_loser_of_a_race_is_forgotten() {
    let (mut zoo, _) = zoo();
    assert_eq!(short(&zoo.step(vec![call(1, "race")])), "http 1 /1; timer 2 1000");
    let timer = In::Timer { io: 2, call: 1, state: None };
    assert_eq!(short(&zoo.step(vec![timer])), "forget 1; done 1");
    assert_eq!(short(&zoo.step(vec![answer(1, 1, 200)])), "", "a late answer is nobody's");
}

#[test]
fn a_request_without_answer_is_an_error_of_its_kind() {
    let (mut zoo, _) = zoo();
    zoo.step(vec![call(1, "one"), call(2, "one"), call(3, "one")]);
    let failed = |io, call, kind: &str| In::HttpFailed {
        io,
        call,
        state: None,
        kind: kind.to_owned(),
        message: "gone".to_owned(),
    };
    let out = zoo.step(vec![failed(1, 1, "timeout"), failed(2, 2, "of_tomorrow"), failed(3, 3, "refused")]);
    assert_eq!(short(&out), "failed 1 Timeout: gone; failed 2 Network: gone; failed 3 Invalid: gone");
}

#[test]
fn a_panic_ends_its_own_call_alone() {
    let (mut zoo, dropped) = zoo();
    let out = zoo.step(vec![call(1, "one"), call(2, "panic"), call(3, "panic later"), call(4, "talk")]);
    let expected = "http 1 /1; failed 2 Plugin: the plugin panicked: no mood; timer 2 1; progress 4 half of it; log warn a line; done 4";
    assert_eq!(short(&out), expected);
    let out = zoo.step(vec![In::Timer { io: 2, call: 3, state: None }, answer(1, 1, 200)]);
    assert_eq!(short(&out), "failed 3 Plugin: the plugin panicked: no mood any more; done 1");
    assert_eq!(dropped.get(), 4);
}

#[test]
fn a_panic_while_a_call_is_dropped_fails_it_and_nothing_else() {
    let (mut zoo, _) = zoo();
    zoo.step(vec![call_with(1, &json!({ "region": "one", "label": "panic" })), call(2, "one")]);
    let out = zoo.step(vec![In::Cancel { id: 1 }, answer(2, 2, 200)]);
    assert_eq!(short(&out), "forget 1; failed 1 Plugin: the plugin panicked: no mood to go; done 2");
}

#[test]
fn a_cancelled_call_lets_go_of_everything() {
    let (mut zoo, dropped) = zoo();
    zoo.step(vec![call(1, "two"), call(2, "never")]);
    let out = zoo.step(vec![In::Cancel { id: 1 }, In::Cancel { id: 2 }, In::Cancel { id: 3 }]);
    let expected =
        "forget 1; forget 2; failed 1 Cancelled: cancelled by the host; failed 2 Cancelled: cancelled by the host";
    assert_eq!(short(&out), expected);
    assert_eq!(dropped.get(), 2);
    assert_eq!(short(&zoo.step(vec![answer(1, 1, 200), In::Cancel { id: 1 }])), "");
}

#[test]
fn a_call_may_be_cancelled_in_the_step_that_starts_it() {
    let (mut zoo, dropped) = zoo();
    let out = zoo.step(vec![call(1, "one"), In::Cancel { id: 1 }]);
    assert_eq!(short(&out), "failed 1 Cancelled: cancelled by the host");
    assert_eq!(dropped.get(), 0, "it never began");
}

#[test]
fn a_future_that_wakes_itself_for_ever_is_ended() {
    let (mut zoo, _) = zoo();
    let out = zoo.step(vec![call(1, "self-waking"), call(2, "talk")]);
    let expected = "progress 2 half of it; log warn a line; done 2; failed 1 Plugin: the call wakes itself without end";
    assert_eq!(short(&out), expected);
}

#[test]
fn a_call_started_twice_goes_on_once() {
    let (mut zoo, _) = zoo();
    let out = zoo.step(vec![call(1, "one"), call(1, "one")]);
    assert_eq!(short(&out), "log error the host started call 1 twice: the second is ignored; http 1 /1");
    assert_eq!(short(&zoo.step(vec![answer(1, 1, 200)])), "done 1");
}

#[test]
fn messages_of_tomorrow_and_operations_nobody_has() {
    let (mut zoo, _) = zoo();
    let unknown =
        In::Call { id: 1, op: "instances.levitate".to_owned(), args: to_raw_value(&json!({})).expect("JSON") };
    let out = zoo.step(vec![In::Unknown, unknown]);
    assert_eq!(short(&out), "failed 1 Unsupported: this provider does not support instances.levitate");
}

#[test]
fn a_thousand_calls_at_once() {
    let (mut zoo, dropped) = zoo();
    let out = zoo.step((1..=1000).map(|id| call(id, "one")).collect());
    assert_eq!(out.len(), 1000);
    let out = zoo.step((1..=1000).rev().map(|io| answer(io, io, 200)).collect());
    assert!(out.iter().all(|message| matches!(message, Out::Done { .. })));
    assert_eq!((out.len(), dropped.get()), (1000, 1000));
}
