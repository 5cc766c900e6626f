//! Reading, changing, destroying and switching Linodes, and their addresses.

use crate::{one, refused};
use expect_test::expect;
use linodetool_plugin::testing::Reply;
use serde_json::{Value, json};

/// A Linode as API v4 writes it, the irrelevant half left out.
pub(crate) fn linode(id: u64, label: &str) -> Value {
    json!({ "id": id, "label": label, "region": "us-east", "type": "g6-nanode-1", "image": "linode/debian12",
        "status": "running", "ipv4": ["203.0.113.9", "192.168.128.4"], "ipv6": "2001:db8::1/128", "tags": ["lt-c-1"],
        "specs": { "memory": 1024, "disk": 25600, "vcpus": 1, "transfer": 1000 }, "created": "2026-01-31T12:00:00",
        "watchdog_enabled": true, "hypervisor": "kvm", "of_tomorrow": { "deep": [1] } })
}

fn with(field: &str, value: Value) -> Value {
    let mut linode = linode(7, "web-1");
    linode[field] = value;
    linode
}

/// One field of the answer, for a Linode with one field changed.
fn field_of(changed: &str, to: Value, shown: &str) -> Value {
    let mut driver = crate::driver();
    driver.on("GET /linode/instances/7", Reply::json(200, with(changed, to)));
    driver.call("instances.get", json!({ "id": "7" })).expect("it is there")[shown].take()
}

#[test]
fn get() {
    expect![[r#"
        > GET https://api.linode.com/v4/linode/instances/7
          auth bearer, class default, safe to repeat
        < 200
        = {"created":"2026-01-31T12:00:00","disk_mb":25600,"id":"7","image":"linode/debian12","ipv4":["203.0.113.9"],"ipv6":"2001:db8::1/128","label":"web-1","memory_mb":1024,"private_ipv4":["192.168.128.4"],"region":"us-east","status":"running","tags":["lt-c-1"],"type":"g6-nanode-1","vcpus":1,"watchdog":true}
    "#]].assert_eq(&one(
        "instances.get",
        json!({ "id": "7" }),
        "GET /linode/instances/7",
        Reply::json(200, linode(7, "web-1")),
    ));
}

#[test]
fn an_id_that_is_no_number_goes_into_no_path() {
    let show = |id: &str| crate::driver().show("instances.get", json!({ "id": id }));
    expect![[r#"
        ! {"kind":"invalid","message":"`` is not an id of this provider: its ids are whole numbers","field":"id"}
        ! {"kind":"invalid","message":"`web-1` is not an id of this provider: its ids are whole numbers","field":"id"}
        ! {"kind":"invalid","message":"`7/../8` is not an id of this provider: its ids are whole numbers","field":"id"}
        ! {"kind":"invalid","message":"`+7` is not an id of this provider: its ids are whole numbers","field":"id"}
        ! {"kind":"invalid","message":"`99999999999999999999999` is not an id of this provider: its ids are whole numbers","field":"id"}
    "#]].assert_eq(&["", "web-1", "7/../8", "+7", "99999999999999999999999"].map(show).concat());
}

#[test]
fn private_addresses_are_told_from_public_ones() {
    let split = |addresses: Value| {
        let public = field_of("ipv4", addresses.clone(), "ipv4");
        format!("{public} {}\n", field_of("ipv4", addresses, "private_ipv4"))
    };
    let shown = split(json!(["192.168.127.255", "192.168.128.0", "192.168.255.255", "192.169.128.1"]))
        + &split(json!(["192.168.128.9/17"]))
        + &split(json!([]))
        + &split(json!(null));
    expect![[r#"
        ["192.168.127.255","192.169.128.1"] ["192.168.128.0","192.168.255.255"]
        [] ["192.168.128.9/17"]
        [] []
        [] []
    "#]]
    .assert_eq(&shown);
}

#[test]
fn every_status_has_its_word() {
    let words = [
        "running",
        "offline",
        "booting",
        "busy",
        "rebooting",
        "shutting_down",
        "provisioning",
        "deleting",
        "migrating",
        "rebuilding",
        "resizing",
        "cloning",
        "restoring",
        "stopped",
        "billing_suspension",
        "meditating",
        "",
    ];
    let shown = words.map(|word| format!("{word} -> {}\n", field_of("status", json!(word), "status"))).concat();
    expect![[r#"
        running -> "running"
        offline -> "offline"
        booting -> "booting"
        busy -> "other"
        rebooting -> "rebooting"
        shutting_down -> "shutting_down"
        provisioning -> "provisioning"
        deleting -> "deleting"
        migrating -> "migrating"
        rebuilding -> "rebuilding"
        resizing -> "resizing"
        cloning -> "cloning"
        restoring -> "restoring"
        stopped -> "offline"
        billing_suspension -> "suspended"
        meditating -> "other"
         -> "other"
    "#]]
    .assert_eq(&shown);
}

#[test]
fn what_is_missing_or_null_is_empty() {
    expect![[r#"
        > GET https://api.linode.com/v4/linode/instances/7
          auth bearer, class default, safe to repeat
        < 200
        = {"created":"","disk_mb":0,"id":"7","image":"","ipv4":[],"ipv6":null,"label":"bare","memory_mb":0,"private_ipv4":[],"region":"","status":"other","tags":[],"type":"","vcpus":0,"watchdog":false}
    "#]].assert_eq(&one(
        "instances.get",
        json!({ "id": "7" }),
        "GET /linode/instances/7",
        Reply::json(200, json!({ "id": 7, "label": "bare", "image": null, "ipv6": null, "specs": null, "tags": null })),
    ));
}

#[test]
fn a_linode_without_id_is_no_answer() {
    let reply = Reply::json(200, json!({ "label": "web-1" }));
    expect![[r#"
        > GET https://api.linode.com/v4/linode/instances/7
          auth bearer, class default, safe to repeat
        < 200
        ! {"kind":"unavailable","message":"the provider answered 200 with something that has no id","status":200}
    "#]]
    .assert_eq(&one("instances.get", json!({ "id": "7" }), "GET /linode/instances/7", reply));
}

#[test]
fn update() {
    let args = json!({ "id": "7", "label": "web-2", "tags": [], "watchdog": false });
    let shown = one("instances.update", args, "PUT /linode/instances/7", Reply::json(200, linode(7, "web-2")));
    expect![[r#"
        > PUT https://api.linode.com/v4/linode/instances/7
          auth bearer, class default, safe to repeat
          {"label":"web-2","tags":[],"watchdog_enabled":false}
        < 200
        = {"created":"2026-01-31T12:00:00","disk_mb":25600,"id":"7","image":"linode/debian12","ipv4":["203.0.113.9"],"ipv6":"2001:db8::1/128","label":"web-2","memory_mb":1024,"private_ipv4":["192.168.128.4"],"region":"us-east","status":"running","tags":["lt-c-1"],"type":"g6-nanode-1","vcpus":1,"watchdog":true}
    "#]].assert_eq(&shown);
}

#[test]
fn an_update_of_nothing_is_a_read() {
    let reply = Reply::json(200, linode(7, "web-1"));
    let shown = one("instances.update", json!({ "id": "7" }), "GET /linode/instances/7", reply);
    expect![[r#"
        > GET https://api.linode.com/v4/linode/instances/7
          auth bearer, class default, safe to repeat
        < 200
        = {"created":"2026-01-31T12:00:00","disk_mb":25600,"id":"7","image":"linode/debian12","ipv4":["203.0.113.9"],"ipv6":"2001:db8::1/128","label":"web-1","memory_mb":1024,"private_ipv4":["192.168.128.4"],"region":"us-east","status":"running","tags":["lt-c-1"],"type":"g6-nanode-1","vcpus":1,"watchdog":true}
    "#]].assert_eq(&shown);
}

#[test]
fn delete() {
    let reply = Reply::json(200, json!({}));
    expect![[r#"
        > DELETE https://api.linode.com/v4/linode/instances/7
          auth bearer, class default, safe to repeat
        < 200
        = {}
    "#]]
    .assert_eq(&one("instances.delete", json!({ "id": "7" }), "DELETE /linode/instances/7", reply));
}

#[test]
fn delete_of_what_is_gone() {
    let reply = refused(404, json!([{ "reason": "Not found" }]));
    expect![[r#"
        > DELETE https://api.linode.com/v4/linode/instances/7
          auth bearer, class default, safe to repeat
        < 404
        ! {"kind":"not_found","message":"Not found","retry":"never","status":404}
    "#]]
    .assert_eq(&one("instances.delete", json!({ "id": "7" }), "DELETE /linode/instances/7", reply));
}

/// The answer of the first try was lost, and it had its effect.
#[test]
fn a_boot_of_what_is_booted_already_went_well() {
    let says = |operation: &str, reason: &str| {
        let path = format!("POST /linode/instances/7/{}", operation.trim_start_matches("instances."));
        let shown = one(operation, json!({ "id": "7" }), &path, refused(400, json!([{ "reason": reason }])));
        shown.lines().last().unwrap_or_default().to_owned()
    };
    let shown = [
        says("instances.boot", "Linode 7 already booted."),
        says("instances.boot", "Linode 7 has no disks"),
        says("instances.reboot", "Linode 7 already booted."),
    ];
    expect![[r#"
        = {}
        ! {"kind":"invalid","message":"Linode 7 has no disks","retry":"never","status":400}
        ! {"kind":"invalid","message":"Linode 7 already booted.","retry":"never","status":400}"#]]
    .assert_eq(&shown.join("\n"));
}

#[test]
fn boot_and_shutdown_may_be_repeated_but_reboot_not() {
    let power = |action: &str| {
        let path = format!("POST /linode/instances/7/{action}");
        one(&format!("instances.{action}"), json!({ "id": "7" }), &path, Reply::json(200, json!({})))
    };
    expect![[r#"
        > POST https://api.linode.com/v4/linode/instances/7/boot
          auth bearer, class default, safe to repeat
          {}
        < 200
        = {}
        > POST https://api.linode.com/v4/linode/instances/7/shutdown
          auth bearer, class default, safe to repeat
          {}
        < 200
        = {}
        > POST https://api.linode.com/v4/linode/instances/7/reboot
          auth bearer, class default
          {}
        < 200
        = {}
    "#]]
    .assert_eq(&["boot", "shutdown", "reboot"].map(power).concat());
}

#[test]
fn addresses() {
    let v4 = |address: &str, public: bool| {
        json!({ "address": address, "gateway": if public { json!("203.0.113.1") } else { json!(null) },
            "prefix": if public { 24 } else { 17 }, "type": "ipv4", "public": public, "rdns": null, "linode_id": 7 })
    };
    let body = json!({
        "ipv4": { "public": [v4("203.0.113.9", true)], "private": [v4("192.168.128.4", false)], "shared": [],
            "reserved": [v4("203.0.113.9", true), v4("203.0.113.10", true)],
            "vpc": [{ "address": "10.0.0.2", "subnet_id": 5 }] },
        "ipv6": { "slaac": { "address": "2001:db8::1", "gateway": "fe80::1", "prefix": 64, "rdns": "web-1.example.com" },
            "link_local": { "address": "fe80::2", "prefix": 64 }, "global": [] } });
    let reply = Reply::json(200, body);
    expect![[r#"
        > GET https://api.linode.com/v4/linode/instances/7/ips
          auth bearer, class default, safe to repeat
        < 200
        = {"address":"203.0.113.9","family":4,"gateway":"203.0.113.1","prefix":24,"public":true,"rdns":null}
        = {"address":"203.0.113.10","family":4,"gateway":"203.0.113.1","prefix":24,"public":true,"rdns":null}
        = {"address":"192.168.128.4","family":4,"gateway":null,"prefix":17,"public":false,"rdns":null}
        = {"address":"2001:db8::1","family":6,"gateway":"fe80::1","prefix":64,"public":true,"rdns":"web-1.example.com"}
    "#]]
    .assert_eq(&one("instances.addresses", json!({ "id": "7" }), "GET /linode/instances/7/ips", reply));
}

#[test]
fn addresses_of_a_linode_without_ipv6() {
    let reply = Reply::json(200, json!({ "ipv4": { "public": [], "private": [] }, "ipv6": null }));
    expect![[r#"
        > GET https://api.linode.com/v4/linode/instances/7/ips
          auth bearer, class default, safe to repeat
        < 200
        = {"items":[]}
    "#]]
    .assert_eq(&one("instances.addresses", json!({ "id": "7" }), "GET /linode/instances/7/ips", reply));
}
