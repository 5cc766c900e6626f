//! Faults: what a client sees, what took effect, and what is on record.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use expect_test::{Expect, expect};
use linodetool_sandbox::faults::{Faults, Spec};
use linodetool_sandbox::machines::Machines;
use linodetool_sandbox::wire::{Mishap, Response};
use linodetool_sandbox::{ServeOptions, spawn};

use crate::support::{Cloud, Pretended, v3_told};

/// A cloud in which these faults are in force from the start.
fn cloud(spec: &str) -> Cloud {
    let cloud = Cloud::new();
    set(&cloud, spec, 1);
    cloud
}

fn set(cloud: &Cloud, spec: &str, seed: u64) {
    cloud.get(&format!("POST /sandbox/faults\n{{\"spec\":\"{spec}\",\"seed\":{seed}}}"));
}

fn create(label: &str) -> String {
    format!(
        r#"POST /v4/linode/instances
        {{"region":"us-east","type":"g6-nanode-1","image":"linode/debian12","label":"{label}","root_pass":"Str0ng-enough"}}"#
    )
}

fn linodes(cloud: &Cloud) -> usize {
    cloud.sandbox.ledger().iter().filter(|entry| entry.kind == "linode").count()
}

/// What arrives at a client.
fn seen(response: &Response) -> String {
    let header = |(name, value): &(String, String)| match name.as_str() {
        "X-Sandbox-Fault" | "Retry-After" | "X-Maintenance-Mode" => Some(format!(" [{name}: {value}]")),
        _ => None,
    };
    let headers: String = response.headers.iter().filter_map(header).collect();
    let (status, delay) = (response.status, response.delay);
    match (&response.mishap, response.content()) {
        (Some(Mishap::Closed), _) => format!("nothing{headers}"),
        (mishap, content) => {
            let text = content.map(|(kind, text)| format!("{kind} {}", text.chars().take(66).collect::<String>()));
            let broken = if *mishap == Some(Mishap::Broken) { ", breaks" } else { "" };
            let late = if delay.is_zero() { String::new() } else { format!(", after {delay:?}") };
            format!("{status}{broken}{late}{headers} {}", text.unwrap_or_default().replace("\r\n", ""))
        }
    }
}

#[test]
fn every_fault_of_requests_is_as_the_real_one() {
    let mut lines = Vec::new();
    for fault in [
        "lost-request",
        "lost-reply",
        "reset",
        "slow",
        "408",
        "429",
        "500",
        "502",
        "503",
        "maintenance",
        "nginx-400",
        "html",
        "truncated",
        "account-limit",
        "capacity",
    ] {
        let cloud = cloud(&format!("{fault}:100%"));
        let response = cloud.ask(&create("web-1"));
        let effect = if linodes(&cloud) == 1 { "made" } else { "not made" };
        let headers = seen(&response);
        lines.push(format!("{fault}: {effect}; {headers}"));
    }
    let cloud = cloud("none");
    let id = cloud.linode("web-1");
    set(&cloud, "busy:100%", 1);
    lines.push(format!("busy: {}", seen(&cloud.ask(&format!("POST /v4/linode/instances/{id}/reboot")))));
    lines.push(format!("busy: {}", cloud.ask(&format!("GET /v4/linode/instances/{id}")).status));
    check(
        &lines,
        &expect![[r#"
        lost-request: not made; nothing [X-Sandbox-Fault: 1: lost-request]
        lost-reply: made; nothing [X-Sandbox-Fault: 1: lost-reply]
        reset: made; 200, breaks [Retry-After: 15] [X-Sandbox-Fault: 1: reset] application/json {"alerts":{"cpu":90,"io":10000,"network_in":10,"network_out":10,"t
        slow: made; 200, after 2s [Retry-After: 15] [X-Sandbox-Fault: 1: slow] application/json {"alerts":{"cpu":90,"io":10000,"network_in":10,"network_out":10,"t
        408: not made; 408 [X-Sandbox-Fault: 1: 408] application/json {"errors":[{"reason":"Please try again"}]}
        429: not made; 429 [Retry-After: 1] [X-Sandbox-Fault: 1: 429] application/json {"errors":[{"reason":"Too many requests"}]}
        500: made; 500 [X-Sandbox-Fault: 1: 500] application/json {"errors":[{"reason":"Internal server error"}]}
        502: not made; 502 [X-Sandbox-Fault: 1: 502] text/html <html><head><title>502 Bad Gateway</title></head><body><cent
        503: not made; 503 [Retry-After: 1] [X-Sandbox-Fault: 1: 503] application/json {"errors":[{"reason":"Service unavailable. Please try again later.
        maintenance: not made; 503 [X-Maintenance-Mode: all] [X-Sandbox-Fault: 1: maintenance] application/json {"errors":[{"reason":"The API is in maintenance."}]}
        nginx-400: not made; 400 [X-Sandbox-Fault: 1: nginx-400] text/html <html><head><title>400 Bad Request</title></head><body><cent
        html: made; 200 [X-Sandbox-Fault: 1: html] text/html <html><head><title>Something else than the API</title></head><
        truncated: made; 200 [Retry-After: 15] [X-Sandbox-Fault: 1: truncated] application/json {"alerts":{"cpu":90,"io":10000,"network_in":10,"network_out":10,"t
        account-limit: not made; 400 [X-Sandbox-Fault: 1: account-limit] application/json {"errors":[{"reason":"Account Limit reached. Please open a support
        capacity: not made; 400 [X-Sandbox-Fault: 1: capacity] application/json {"errors":[{"reason":"No open slots for this plan!"}]}
        busy: 400 [X-Sandbox-Fault: 1: busy] application/json {"errors":[{"reason":"Linode busy."}]}
        busy: 200"#]],
    );
}

fn check(lines: &[String], expected: &Expect) {
    let lines: Vec<_> = lines.iter().map(|line| line.trim_end()).collect();
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn the_limit_of_the_account_and_of_a_place() {
    let cloud = cloud("account-limit=2,capacity=eu-*");
    cloud.linode("web-1");
    let elsewhere = create("web-2").replace("us-east", "eu-west");
    assert_eq!(cloud.ask(&elsewhere).body.unwrap()["errors"][0]["reason"], "No open slots for this plan!");
    cloud.linode("web-2");
    let reason = "Account Limit reached. Please open a support ticket.";
    assert_eq!(cloud.ask(&create("web-3")).body.unwrap()["errors"][0]["reason"], reason);
    // Ended while the sandbox runs.
    set(&cloud, "none", 0);
    cloud.linode("web-3");
    cloud.check(
        "GET /sandbox/faults?after=1",
        &expect![[r#"
        200 {
          "faults": [
            {
              "number": 2,
              "place": "POST /linode/instances web-3",
              "time": "2026-01-31T12:00:02",
              "what": "account-limit"
            }
          ]
        }"#]],
    );
}

#[test]
fn a_new_linode_hides_for_a_while() {
    let cloud = cloud("invisible=web-1:3s");
    let id = cloud.get(&create("web-1"))["id"].as_u64().unwrap();
    let looks = || {
        let listed =
            ["linode/instances", "networking/ips"].map(|of| cloud.get(&format!("GET /v4/{of}"))["results"].clone());
        (listed.map(|count| count.as_u64().unwrap()), cloud.ask(&format!("GET /v4/linode/instances/{id}")).status)
    };
    assert_eq!(looks(), ([0, 0], 404));
    for call in [
        "GET /ips",
        "GET /disks",
        "GET /configs",
        "GET /firewalls",
        "PUT ",
        "POST /boot",
        "POST /reboot",
        "POST /shutdown",
    ] {
        let (method, rest) = call.split_once(' ').unwrap();
        let status = cloud.ask(&format!("{method} /v4/linode/instances/{id}{rest}")).status;
        assert_eq!(status, 404, "{call}");
    }
    assert_eq!(cloud.ask(&create("web-1")).status, 400, "its label is taken all the same");
    cloud.pass(3.0);
    assert_eq!(looks(), ([1, 1], 200));
    cloud.sandbox.faults().replace(Spec::parse("invisible=web-2:3s").ok(), Some(1));
    let id = cloud.get(&create("web-2"))["id"].as_u64().unwrap();
    let delete = || cloud.ask(&format!("DELETE /v4/linode/instances/{id}")).status;
    assert_eq!(delete(), 404, "nor is it destroyed");
    cloud.pass(3.0);
    assert_eq!((delete(), delete()), (200, 404));
}

#[test]
fn events_are_late_missing_twice_or_wrong() {
    let events = |spec: &str, seconds: f64| {
        let cloud = cloud(spec);
        cloud.get(&create("web-1"));
        cloud.pass(seconds);
        format!("{spec} after {seconds} s\n{}", cloud.events())
    };
    let told = [
        events("event-late:100%:5s", 4.0),
        events("event-late:100%:5s", 6.0),
        events("event-missing=web-1:1x", 6.0),
        events("event-double=web-1:1x", 6.0),
        events("event-failed:100%", 6.0),
    ];
    expect![[r#"
        event-late:100%:5s after 4 s

        event-late:100%:5s after 6 s
        linode_create web-1 finished 100
        linode_boot web-1 finished 100
        event-missing=web-1:1x after 6 s
        linode_boot web-1 finished 100
        event-double=web-1:1x after 6 s
        linode_create web-1 finished 100
        linode_create web-1 finished 100
        linode_boot web-1 finished 100
        event-failed:100% after 6 s
        linode_create web-1 failed 100
        linode_boot web-1 failed 100"#]]
    .assert_eq(&told.join("\n"));
}

#[test]
fn boots_fail_hang_and_machines_restart_by_themselves() {
    let cloud = cloud("boot-fail=web-1,boot-hang=web-2:30s,reboot=web-3:10s");
    let ids = ["web-1", "web-2", "web-3"].map(|label| cloud.linode(label));
    let states = || ids.map(|id| cloud.status(id)).join(" ");
    assert_eq!(states(), "offline booting running");
    cloud.get(&format!("POST /v4/linode/instances/{}/boot", ids[0]));
    cloud.pass(8.0);
    cloud.machines.told();
    cloud.pass(1.5);
    assert_eq!(states(), "running booting running");
    assert_eq!(cloud.machines.told(), "power_off 1003\nboot 1003 web-3");
    cloud.pass(30.0);
    assert_eq!(states(), "running running running");
    expect![[r#"
        linode_create web-1 finished 100
        linode_boot web-1 failed 100 The host could not boot this Linode.
        linode_create web-2 finished 100
        linode_boot web-2 finished 100
        linode_create web-3 finished 100
        linode_boot web-3 finished 100
        linode_boot web-1 finished 100
        host_reboot web-3 finished 100"#]]
    .assert_eq(&cloud.events());
}

#[test]
fn what_is_no_fault_is_refused() {
    let cloud = cloud("none");
    cloud.refused(
        "POST /sandbox/faults\n{\"spec\":\"lost-replay\"}",
        &expect![[r#"
        400
        spec: there is no fault `lost-replay`: did you mean `lost-reply`?"#]],
    );
    assert_eq!(cloud.ask("POST /sandbox/faults\n{}").status, 400);
    assert_eq!(cloud.ask("POST /sandbox/faults\nAuthorization:\n{\"spec\":\"none\"}").status, 401);
}

#[test]
fn connections_break_where_they_should() {
    let answer = |spec: &str| {
        let faults = Faults::parse(spec, 1).unwrap();
        let machines = Pretended::new() as Arc<dyn Machines>;
        let handle = spawn(ServeOptions { faults, ..ServeOptions::default() }, machines).unwrap();
        let address = handle.url.trim_start_matches("http://").trim_end_matches("/v4");
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET /v4/regions HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut bytes = Vec::new();
        let reset = stream.read_to_end(&mut bytes).is_err();
        handle.stop().unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let length = text.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()?.parse().ok());
        let arrived = text.split_once("\r\n\r\n").map(|(_, body)| body.len());
        let whole = length.unwrap_or(0_usize);
        (reset, text.len(), arrived.is_some_and(|arrived| arrived > 0 && arrived < whole))
    };
    for spec in ["lost-request:100%", "lost-reply:100%"] {
        let (_, bytes, _) = answer(spec);
        assert_eq!(bytes, 0, "{spec}");
    }
    let (reset, _, in_the_middle) = answer("reset:100%");
    assert!(in_the_middle || reset);
}

#[test]
fn api_v3_has_the_same_faults_in_its_own_words() {
    let cloud = Cloud::new();
    let told = |spec: &str, action: &str| {
        cloud.sandbox.faults().replace(Spec::parse(spec).ok(), Some(0));
        let response = cloud.v3(action);
        let told = response.body.as_ref().map(v3_told).unwrap_or_default();
        format!("{} {:?} {told}", response.status, response.mishap.is_some())
    };
    let create = "linode.create DatacenterID=6 PlanID=1";
    let told = [
        told("429:1x", create),
        told("account-limit=0", create),
        told("capacity=us-east", create),
        told("capacity=us-west", create),
        told("lost-reply=create", create),
        told("502=/linode.list", "linode.list LinodeID=1001"),
        told("503=read", "linode.job.list LinodeID=1001"),
        told("busy:1x", "linode.update LinodeID=1001 Label=web-1"),
        told("reset=web-1", "linode.update LinodeID=1001 Label=web-2"),
    ];
    expect![[r#"
        200 false ! 14 API rate limit exceeded
        200 false ! 15 Account Limit reached. Please open a support ticket.
        200 false ! 8 No open slots for this plan!
        200 false = {"LinodeID":1001}
        204 true 
        502 true 
        503 true 
        200 false = {"LinodeID":1001}
        200 true = {"LinodeID":1001}"#]]
    .assert_eq(&told.join("\n"));
    let log: Vec<_> = cloud.sandbox.faults().log(0).iter().map(ToString::to_string).collect();
    expect![[r#"
        1: 429 (POST /linode.create)
        2: account-limit (POST /linode.create)
        3: capacity (POST /linode.create)
        4: lost-reply (POST /linode.create)
        5: 502 (POST /linode.list linode1001)
        6: 503 (POST /linode.job.list linode1001)
        7: reset (POST /linode.update web-1)"#]]
    .assert_eq(&log.join("\n"));
    assert_eq!(cloud.v3_data("linode.list").as_array().unwrap().len(), 2);
}
