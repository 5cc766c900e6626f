//! Steps that go wrong, and that the next call finds a healthy instance.

use crate::{assert_alive, bad, client, error_of, files, impatient, open, opening, raw, say};
use axum::Router;
use axum::http::HeaderMap;
use axum::routing::{get, post};
use expect_test::expect;
use linodetool::core::{Events, Secret};
use linodetool::plugin_host::Opening;
use linodetool::provider::{Answer, BoxFuture, Calls, Credential, NoAnswer, Origin, Secrets, Transport};
use linodetool_plugin::{ById, ErrorKind, ListInstances, NoArguments};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_fails_its_own_call_and_new_calls_get_a_fresh_instance() {
    let bad = bad().await;
    let other = tokio::spawn({
        let bad = bad.clone();
        async move { say(&bad, "sleep").await.map(|answer| answer.get().to_owned()) }
    });
    let said = [error_of(&bad, "panic").await, error_of(&bad, "panic later").await];
    expect![[r#"
        the plugin panicked: the call says no at tests/misbehaving/src/
        the plugin panicked: the call says no, later at tests/misbehaving/src/"#]]
    .assert_eq(&said.join("\n"));
    assert_eq!(other.await.unwrap().unwrap(), "\"ok\"", "the tainted instance is drained, not killed");
    assert_alive(&bad).await;
    assert_eq!(bad.opened(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_cannot_be_read_loses_the_instance() {
    let mut said = Vec::new();
    for path in ["malformed", "truncated", "not UTF-8", "not a list", "nothing", "huge", "fatal"] {
        let bad = bad().await;
        said.push(format!("{path}: {}", error_of(&bad, path).await));
        assert_alive(&bad).await;
        assert_eq!(bad.opened(), 2);
    }
    expect![[r#"
        malformed: the plugin's answer cannot be read: key must be a string at line 1 column 14
        truncated: the plugin's answer cannot be read: EOF while parsing a string at line 1 column 24
        not UTF-8: the plugin's answer cannot be read: invalid unicode code point at line 1 column 8
        not a list: the plugin's answer cannot be read: invalid type: map, expected a sequence at line 1 column 0
        nothing: the plugin gave no answer to a step
        huge: the plugin's answer of 67108864 bytes is too large
        fatal: I give up"#]]
    .assert_eq(&said.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn all_calls_of_a_lost_instance_fail() {
    let bad = bad().await;
    let waiting = tokio::spawn({
        let bad = bad.clone();
        async move { say(&bad, "never").await.unwrap_err() }
    });
    while bad.steps() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(error_of(&bad, "fatal").await, "I give up");
    let error = waiting.await.unwrap();
    assert!(error.kind == ErrorKind::Plugin && error.is_ambiguous(), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_nobody_asked_for_are_ignored() {
    let bad = bad().await;
    let lost = tokio::time::timeout(Duration::from_millis(100), say(&bad, "strangers"));
    assert!(lost.await.is_err(), "the call itself is never answered");
    assert_eq!(say(&bad, "twice").await.unwrap().get(), "1");
    assert_alive(&bad).await;
    assert_eq!(bad.opened(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_never_answered_can_be_dropped() {
    let bad = bad().await;
    for path in ["never", "never, then panic"] {
        assert!(tokio::time::timeout(Duration::from_millis(30), say(&bad, path)).await.is_err());
    }
    assert_alive(&bad).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocking_step_frees_its_callers_and_its_thread_is_left() {
    let bad = impatient().await;
    let waiting = tokio::spawn({
        let bad = bad.clone();
        async move { error_of(&bad, "never").await }
    });
    while bad.steps() == 0 {
        tokio::task::yield_now().await;
    }
    expect!["the plugin's step did not return within 400ms; its instance is given up"]
        .assert_eq(&error_of(&bad, "block").await);
    assert!(waiting.await.unwrap().contains("given up"));
    assert_alive(&bad).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_blocks_again_and_again_is_not_opened_for_ever() {
    let bad = impatient().await;
    for _ in 0..8 {
        assert!(error_of(&bad, "block").await.contains("given up"));
    }
    expect!["plugin misbehaving has blocked 8 times and is not opened again; restart linodetool"]
        .assert_eq(&error_of(&bad, "echo").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_want_too_much_are_ended() {
    let bad = bad().await;
    expect!["the call wakes itself without end"].assert_eq(&error_of(&bad, "spin").await);
    expect!["one call of the plugin asked for more than 64 requests and timers at once"]
        .assert_eq(&error_of(&bad, "greedy").await);
    assert_alive(&bad).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_url_is_not_requested() {
    let bad = bad().await;
    let said = error_of(&bad, "foreign URL").await;
    expect!["plugin misbehaving may not reach https://api.misbehaving.example.evil/v1: it is opened for http://127.0.0.1:9/v1"]
        .assert_eq(&said);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_operations_are_unsupported_and_wrong_answers_named() {
    let bad = bad().await;
    let client = client(&bad);
    let unsupported = client.list_types(&NoArguments {}).await.unwrap_err();
    let unheard = bad.call("moons.list", raw("x", Value::Null), Secrets::none()).await.unwrap_err();
    let unknown_argument = bad.call("instances.get", raw("x", Value::Null), Secrets::none()).await.unwrap_err();
    expect![[r#"
        Unsupported this provider does not support types.list
        Unsupported this provider does not support moons.list
        Invalid arguments: unknown field `method`, expected `id` at line 1 column 9"#]]
    .assert_eq(&[unsupported, unheard, unknown_argument].map(|e| format!("{:?} {e}", e.kind)).join("\n"));
    assert_eq!(client.get_instance(&ById::new("7")).await.unwrap().id, "7");
    assert_eq!(client.list_instances(&ListInstances::default()).await.unwrap_err().message, "no list today");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_calls_at_once() {
    let bad = bad().await;
    let calls: Vec<_> = (0..1000)
        .map(|n| {
            let bad = bad.clone();
            tokio::spawn(async move { bad.call("raw", raw("echo", json!(n)), Secrets::none()).await })
        })
        .collect();
    for (n, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await.unwrap().unwrap().get(), n.to_string());
    }
    assert!(bad.steps() <= 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn cancels_race_completions() {
    let bad = bad().await;
    for n in 0..200 {
        let bad = bad.clone();
        let call = tokio::spawn(async move { bad.call("raw", raw("echo", json!(n)), Secrets::none()).await });
        for _ in 0..n % 7 {
            tokio::task::yield_now().await;
        }
        call.abort();
        let _ = call.await;
    }
    assert_alive(&bad).await;
    assert_eq!(bad.opened(), 1);
}

/// What an echo service would tell a plugin: what it was sent, with the credential and the secret in it.
async fn echo() -> String {
    let echo = |headers: HeaderMap, body: String| async move {
        let authorization = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
        axum::Json(json!({ "authorization": authorization, "body": body }))
    };
    let app = Router::new().route("/v1/get", get(echo)).route("/v1/post", post(echo));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}/v1")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_never_sees_a_token_or_a_secret() {
    let base: reqwest::Url = echo().await.parse().unwrap();
    let token = Secret::new("token-0123456789".to_owned());
    let origin = Origin { base_url: Some(base.clone()), credential: Some(Credential { origin: base, token }) };
    let bad = open(&files::misbehaving(), Opening { origin, ..opening("") }).await.unwrap();
    let secrets: Secrets = [("pw".to_owned(), Secret::new("hunter\"22".to_owned()))].into_iter().collect();
    let get = bad.call("raw", raw("get", Value::Null), Secrets::none()).await.unwrap();
    let post = bad.call("raw", raw("post", json!({ "root_pass": { "secret": "pw" } })), secrets).await.unwrap();
    expect![[r#"
        {"authorization":"Bearer ***","body":""}
        {"authorization":"Bearer ***","body":"{\"root_pass\":\"***\"}"}"#]]
    .assert_eq(&format!("{}\n{}", get.get(), post.get()));
    let foreign = bad.call("raw", raw("post", json!({ "root_pass": { "secret": "pw" } })), Secrets::none()).await;
    expect!["the request names secret `pw`, which did not come with its call; pass it beside the arguments"]
        .assert_eq(&foreign.unwrap_err().message);
}

/// Stands for a bug of ours.
struct Panics;

impl Transport for Panics {
    fn send(&self, _: reqwest::Request) -> BoxFuture<'_, Result<Answer, NoAnswer>> {
        panic!("our own fault");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bug_on_the_way_of_a_request_leaves_no_call_waiting() {
    let opening = Opening { transport: Some(Arc::new(Panics)), ..opening("") };
    let bad = open(&files::misbehaving(), opening).await.unwrap();
    expect!["linodetool failed inside while it did this request; please report it"]
        .assert_eq(&error_of(&bad, "get").await);
    assert_alive(&bad).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_bound_elsewhere_stays_here() {
    let base: reqwest::Url = echo().await.parse().unwrap();
    let credential =
        Credential { origin: "https://api.linode.com".parse().unwrap(), token: Secret::new("token-0123456789".into()) };
    let notes = Arc::new(Mutex::new(Vec::new()));
    let events = Events::new({
        let notes = notes.clone();
        move |event| notes.lock().unwrap().push(format!("{event:?}"))
    });
    let origin = Origin { base_url: Some(base.clone()), credential: Some(credential) };
    let bad = open(&files::misbehaving(), Opening { origin, events, ..opening("") }).await.unwrap();
    let answer = bad.call("raw", raw("get", Value::Null), Secrets::none()).await.unwrap();
    assert_eq!(answer.get(), r#"{"authorization":null,"body":""}"#);
    let said = notes.lock().unwrap().join("\n").replace(base.as_str(), "BASE");
    expect![[r#"Note { text: "the token for https://api.linode.com/ is not given to plugin misbehaving, which speaks to BASE" }"#]]
        .assert_eq(&said);
}
