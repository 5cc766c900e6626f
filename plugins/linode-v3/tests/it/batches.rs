//! Many things in few requests: 25 actions in each, whole or cut short.

use crate::instances::linode;
use crate::{API, answer, batch, driver, fault, good, short};
use expect_test::expect;
use linodetool_plugin::testing::Reply;
use serde_json::{Value, json};

/// A list of so many Linodes, each with a job: how many requests of which sizes.
fn listed(count: u64) -> String {
    let mut driver = driver();
    let linodes: Vec<_> = (1..=count).map(|id| linode(id, &format!("web-{id}"), "")).collect();
    driver.on(API, batch([answer(linodes), answer(json!([]))]));
    let booting = || answer(json!([{ "JOBID": 1, "ACTION": "linode.boot", "HOST_FINISH_DT": "" }]));
    for first in (1..=count).step_by(25) {
        match 25.min(count - first + 1) {
            1 => driver.on(API, Reply::json(200, booting())),
            many => driver.on(API, batch((0..many).map(|_| booting()).collect::<Vec<_>>())),
        };
    }
    let list = driver.call("instances.list", json!({})).expect("a list");
    let items = list["items"].as_array().expect("items");
    assert!(items.iter().all(|item| item["status"] == "booting"));
    let order = items
        .iter()
        .zip(1..)
        .all(|(item, id): (_, u64)| item["id"].as_str().and_then(|text| text.parse().ok()) == Some(id));
    assert!(order, "answers belong to their Linodes");
    let sizes = driver.requests.iter().map(|request| {
        let array = request.body.form.as_ref().expect("a form").get("api_requestArray").cloned();
        array.map_or(1, |array| serde_json::from_str::<Vec<Value>>(&array).expect("an array").len())
    });
    let (sizes, most) = (sizes.clone().sum::<usize>(), sizes.max().unwrap_or_default());
    format!(
        "{count}: {} listed, {} requests, {sizes} actions, at most {most} in one\n",
        items.len(),
        driver.requests.len()
    )
}

#[test]
fn states_of_many_linodes() {
    expect![[r#"
        0: 0 listed, 1 requests, 2 actions, at most 2 in one
        1: 1 listed, 2 requests, 3 actions, at most 2 in one
        25: 25 listed, 2 requests, 27 actions, at most 25 in one
        26: 26 listed, 3 requests, 28 actions, at most 25 in one
        1000: 1000 listed, 41 requests, 1002 actions, at most 25 in one
    "#]]
    .assert_eq(&[0, 1, 25, 26, 1_000].map(listed).concat());
}

/// Two Linodes whose jobs are answered like this.
fn cut(replies: impl IntoIterator<Item = Reply>) -> String {
    let mut driver = driver();
    driver.on(API, batch([answer(json!([linode(7, "web-1", ""), linode(8, "web-2", "")])), answer(json!([]))]));
    for reply in replies {
        driver.on(API, reply);
    }
    let shown = short(&driver.show("instances.list", json!({})));
    shown.lines().skip(3).map(|line| line.split(",\"disk_mb").next().unwrap_or_default().to_owned() + "\n").collect()
}

#[test]
fn what_a_batch_did_not_come_to_is_asked_again() {
    let stopped = || fault(12, "Batch approaching timeout. Stopping here.");
    expect![[r#"
        > batch of 2
            linode.job.list LinodeID=7 pendingOnly=1
            linode.job.list LinodeID=8 pendingOnly=1
        # debug linode.job.list: again in 1000 ms: Batch approaching timeout. Stopping here.
        @ 1000 ms
        > linode.job.list LinodeID=8 pendingOnly=1
        # debug linode.job.list: again in 2000 ms: Batch approaching timeout. Stopping here.
        @ 2000 ms
        > linode.job.list LinodeID=8 pendingOnly=1
        = {"created":"2015-07-03T03:08:52"
        = {"created":"2015-07-03T03:08:52"
    "#]]
    .assert_eq(&cut([batch([answer(json!([])), stopped()]), Reply::json(200, stopped()), good(json!([]))]));
}

#[test]
fn answers_that_are_missing_are_asked_for_again() {
    expect![[r#"
        > batch of 2
            linode.job.list LinodeID=7 pendingOnly=1
            linode.job.list LinodeID=8 pendingOnly=1
        # debug linode.job.list: again in 1000 ms: the provider's answer to linode.job.list is missing from its batch
        @ 1000 ms
        > linode.job.list LinodeID=8 pendingOnly=1
        = {"created":"2015-07-03T03:08:52"
        = {"created":"2015-07-03T03:08:52"
    "#]]
    .assert_eq(&cut([batch([answer(json!([]))]), good(json!([]))]));
}

#[test]
fn it_gives_up_in_the_end() {
    let stopped = || fault(14, "API rate limit exceeded");
    let replies = std::iter::repeat_with(|| batch([stopped(), stopped()])).take(6);
    expect![[r#"
        > batch of 2
            linode.job.list LinodeID=7 pendingOnly=1
            linode.job.list LinodeID=8 pendingOnly=1
        # debug linode.job.list: again in 1000 ms: API rate limit exceeded
        @ 1000 ms
        > batch of 2
            linode.job.list LinodeID=7 pendingOnly=1
            linode.job.list LinodeID=8 pendingOnly=1
        # debug linode.job.list: again in 2000 ms: API rate limit exceeded
        @ 2000 ms
        > batch of 2
            linode.job.list LinodeID=7 pendingOnly=1
            linode.job.list LinodeID=8 pendingOnly=1
        # debug linode.job.list: again in 4000 ms: API rate limit exceeded
        @ 4000 ms
        > batch of 2
            linode.job.list LinodeID=7 pendingOnly=1
            linode.job.list LinodeID=8 pendingOnly=1
        # debug linode.job.list: again in 8000 ms: API rate limit exceeded
        @ 8000 ms
        > batch of 2
            linode.job.list LinodeID=7 pendingOnly=1
            linode.job.list LinodeID=8 pendingOnly=1
        # debug linode.job.list: again in 16000 ms: API rate limit exceeded
        @ 16000 ms
        > batch of 2
            linode.job.list LinodeID=7 pendingOnly=1
            linode.job.list LinodeID=8 pendingOnly=1
        ! {"kind":"rate_limited","message":"API rate limit exceeded","retry":"backoff","code":"14"}
    "#]]
    .assert_eq(&cut(replies));
}

#[test]
fn a_batch_that_is_refused_as_a_whole() {
    let shown = cut([Reply::json(200, fault(10, "Too many batched requests"))])
        + &cut([Reply::json(200, fault(14, "API rate limit exceeded")), batch([answer(json!([])), answer(json!([]))])]);
    expect![[r#"
        > batch of 2
            linode.job.list LinodeID=7 pendingOnly=1
            linode.job.list LinodeID=8 pendingOnly=1
        ! {"kind":"plugin","message":"Too many batched requests","retry":"never","code":"10"}
        > batch of 2
            linode.job.list LinodeID=7 pendingOnly=1
            linode.job.list LinodeID=8 pendingOnly=1
        # debug linode.job.list: again in 1000 ms: API rate limit exceeded
        @ 1000 ms
        > batch of 2
            linode.job.list LinodeID=7 pendingOnly=1
            linode.job.list LinodeID=8 pendingOnly=1
        = {"created":"2015-07-03T03:08:52"
        = {"created":"2015-07-03T03:08:52"
    "#]]
    .assert_eq(&shown);
}

#[test]
fn answers_that_are_none() {
    let shown = cut([batch([answer(json!([])), json!("?")])])
        + &cut([batch(vec![answer(json!([])); 3])])
        + &cut([good(json!([]))])
        + &cut([Reply::text(200, "<html>")])
        + &cut([batch([json!({ "DATA": [] }), answer(json!([]))])]);
    expect![[r#"
        > batch of 2
            linode.job.list LinodeID=7 pendingOnly=1
            linode.job.list LinodeID=8 pendingOnly=1
        ! {"kind":"unavailable","message":"the provider answered with something that is no answer of API v3","status":200}
        > batch of 2
            linode.job.list LinodeID=7 pendingOnly=1
            linode.job.list LinodeID=8 pendingOnly=1
        ! {"kind":"unavailable","message":"the provider answered a batch of 2 with 3 answers","status":200}
        > batch of 2
            linode.job.list LinodeID=7 pendingOnly=1
            linode.job.list LinodeID=8 pendingOnly=1
        ! {"kind":"unavailable","message":"the provider answered a batch with a single answer","status":200}
        > batch of 2
            linode.job.list LinodeID=7 pendingOnly=1
            linode.job.list LinodeID=8 pendingOnly=1
        ! {"kind":"unavailable","message":"the provider answered 200 with something that is not JSON","status":200}
        > batch of 2
            linode.job.list LinodeID=7 pendingOnly=1
            linode.job.list LinodeID=8 pendingOnly=1
        ! {"kind":"unavailable","message":"the provider answered without saying whether it went well","status":200}
    "#]].assert_eq(&shown);
}

/// A missing answer to what changes something is not asked for again: it may have happened.
#[test]
fn a_missing_answer_to_a_change_is_left_open() {
    let mut driver = driver();
    let there = [
        answer(json!([linode(7, "web-1", "")])),
        answer(json!([])),
        answer(json!([{ "DISKID": 61 }, { "DISKID": 62 }])),
    ];
    driver
        .on(API, batch(there))
        .on(API, good(json!({})))
        .on(API, good(json!([])))
        .on(API, batch([answer(json!({ "DiskID": 61 }))]));
    let args = json!({ "id": "7", "image": "linode/debian12", "root_pass": { "secret": "s1" } });
    let error = driver.call("instances.rebuild", args).expect_err("an answer is missing");
    assert!(error.is_ambiguous());
    expect!["the provider's answer to linode.disk.delete is missing from its batch"].assert_eq(&error.message);
}
