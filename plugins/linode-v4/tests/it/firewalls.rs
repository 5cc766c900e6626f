//! Cloud Firewalls.

use crate::{accepted, driver, each, one, unasked, whole};
use expect_test::expect;
use linodetool_plugin::testing::Reply;
use serde_json::{Value, json};

fn firewall(id: u64, label: &str) -> Value {
    json!({ "id": id, "label": label, "status": "enabled", "tags": ["lt-c-1"], "created": "2026-01-31T12:00:00",
        "rules": { "inbound": [{ "label": "ssh", "action": "ACCEPT", "protocol": "TCP", "ports": "22", "description": null,
                "addresses": { "ipv4": ["198.51.100.0/24"], "ipv6": null } },
                { "action": "DROP", "protocol": "ICMP", "ports": null, "addresses": { "ipv4": ["0.0.0.0/0"], "ipv6": ["::/0"] } }],
            "inbound_policy": "DROP", "outbound": [], "outbound_policy": "ACCEPT", "version": 3, "fingerprint": "7bcc" },
        "entities": [{ "id": 7, "type": "linode", "label": "web-1", "parent_entity": null },
            { "id": 90, "type": "linode_interface", "parent_entity": { "id": 8, "type": "linode" } },
            { "id": 3, "type": "nodebalancer" }] })
}

#[test]
fn get() {
    let reply = Reply::json(200, firewall(11, "web"));
    expect![[r#"
        > GET https://api.linode.com/v4/networking/firewalls/11
          auth bearer, class default, safe to repeat
        < 200
        = {"id":"11","instances":["7","8"],"label":"web","rules":{"inbound":[{"action":"accept","ipv4":["198.51.100.0/24"],"ipv6":[],"label":"ssh","ports":"22","protocol":"TCP"},{"action":"drop","ipv4":["0.0.0.0/0"],"ipv6":["::/0"],"label":"","ports":"","protocol":"ICMP"}],"inbound_policy":"drop","outbound":[],"outbound_policy":"accept"},"status":"enabled","tags":["lt-c-1"]}
    "#]].assert_eq(&one("firewalls.get", json!({ "id": "11" }), "GET /networking/firewalls/11", reply));
}

#[test]
fn list_is_checked_again() {
    let items = json!([firewall(11, "web"), firewall(12, "web-old")]);
    let args = json!({ "label": "web", "tag": "lt-c-1" });
    let request = "GET /networking/firewalls?page=1&page_size=500";
    expect![[r#"
        > GET https://api.linode.com/v4/networking/firewalls?page=1&page_size=500
          auth bearer, class list, safe to repeat
          x-filter: {"label":"web","tags":"lt-c-1"}
        < 200
        = {"id":"11","instances":["7","8"],"label":"web","rules":{"inbound":[{"action":"accept","ipv4":["198.51.100.0/24"],"ipv6":[],"label":"ssh","ports":"22","protocol":"TCP"},{"action":"drop","ipv4":["0.0.0.0/0"],"ipv6":["::/0"],"label":"","ports":"","protocol":"ICMP"}],"inbound_policy":"drop","outbound":[],"outbound_policy":"accept"},"status":"enabled","tags":["lt-c-1"]}
    "#]].assert_eq(&one("firewalls.list", args, request, whole(items)));
}

#[test]
fn create() {
    let args = json!({ "label": "web", "tags": ["lt-c-1"], "rules": {
        "inbound": [{ "label": "ssh", "protocol": "TCP", "ports": "22", "ipv4": ["198.51.100.0/24"] },
            { "action": "drop", "protocol": "ICMP", "ipv6": ["::/0"] }],
        "inbound_policy": "drop" } });
    let reply = Reply::json(200, firewall(11, "web"));
    expect![[r#"
        > POST https://api.linode.com/v4/networking/firewalls
          auth bearer, class default
          {"label":"web","tags":["lt-c-1"],"rules":{"inbound":[{"label":"ssh","action":"ACCEPT","protocol":"TCP","ports":"22","addresses":{"ipv4":["198.51.100.0/24"]}},{"action":"DROP","protocol":"ICMP","addresses":{"ipv6":["::/0"]}}],"inbound_policy":"DROP","outbound":[],"outbound_policy":"ACCEPT"}}
        < 200
        = {"id":"11","instances":["7","8"],"label":"web","rules":{"inbound":[{"action":"accept","ipv4":["198.51.100.0/24"],"ipv6":[],"label":"ssh","ports":"22","protocol":"TCP"},{"action":"drop","ipv4":["0.0.0.0/0"],"ipv6":["::/0"],"label":"","ports":"","protocol":"ICMP"}],"inbound_policy":"drop","outbound":[],"outbound_policy":"accept"},"status":"enabled","tags":["lt-c-1"]}
    "#]].assert_eq(&one("firewalls.create", args, "POST /networking/firewalls", reply));
}

#[test]
fn delete() {
    let reply = Reply::json(200, json!({}));
    expect![[r#"
        > DELETE https://api.linode.com/v4/networking/firewalls/11
          auth bearer, class default, safe to repeat
        < 200
        = {}
    "#]]
    .assert_eq(&one("firewalls.delete", json!({ "id": "11" }), "DELETE /networking/firewalls/11", reply));
}

#[test]
fn set_rules_writes_all_of_them_and_reads_the_firewall() {
    let mut driver = driver();
    driver
        .on("PUT /networking/firewalls/11/rules", Reply::json(200, json!({ "inbound": [] })))
        .on("GET /networking/firewalls/11", Reply::json(200, firewall(11, "web")));
    expect![[r#"
        > PUT https://api.linode.com/v4/networking/firewalls/11/rules
          auth bearer, class default, safe to repeat
          {"inbound":[],"inbound_policy":"DROP","outbound":[],"outbound_policy":"ACCEPT"}
        < 200
        > GET https://api.linode.com/v4/networking/firewalls/11
          auth bearer, class default, safe to repeat
        < 200
        = {"id":"11","instances":["7","8"],"label":"web","rules":{"inbound":[{"action":"accept","ipv4":["198.51.100.0/24"],"ipv6":[],"label":"ssh","ports":"22","protocol":"TCP"},{"action":"drop","ipv4":["0.0.0.0/0"],"ipv6":["::/0"],"label":"","ports":"","protocol":"ICMP"}],"inbound_policy":"drop","outbound":[],"outbound_policy":"accept"},"status":"enabled","tags":["lt-c-1"]}
    "#]]
        .assert_eq(&driver.show("firewalls.set_rules", json!({ "id": "11", "rules": { "inbound_policy": "drop" } })));
}

#[test]
fn a_verdict_of_tomorrow_is_neither_accept_nor_drop() {
    let mut driver = driver();
    let rules = json!({ "inbound": [{ "action": "REJECT" }], "inbound_policy": "DROP", "outbound_policy": "REJECT" });
    driver.on("GET /networking/firewalls/11", Reply::json(200, json!({ "id": 11, "rules": rules })));
    let rules = driver.call("firewalls.get", json!({ "id": "11" })).expect("it is there")["rules"].take();
    let shown = [&rules["inbound"][0]["action"], &rules["inbound_policy"], &rules["outbound_policy"]];
    assert_eq!(shown, ["other", "drop", "other"]);
}

#[test]
fn update() {
    let (path, reply) = ("PUT /networking/firewalls/11", || Reply::json(200, json!({ "id": 11 })));
    let shown = each([
        ("firewalls.update", json!({ "id": "11", "label": "web-2", "tags": [], "enabled": false }), path, reply()),
        ("firewalls.update", json!({ "id": "11", "enabled": true }), path, reply()),
        ("firewalls.update", json!({ "id": "11" }), "GET /networking/firewalls/11", reply()),
    ]);
    expect![[r#"
        > PUT https://api.linode.com/v4/networking/firewalls/11
          auth bearer, class default, safe to repeat
          {"label":"web-2","status":"disabled","tags":[]}
        < 200
        = {"id":"11","instances":[],"label":"","rules":{"inbound":[],"inbound_policy":"accept","outbound":[],"outbound_policy":"accept"},"status":"","tags":[]}
        > PUT https://api.linode.com/v4/networking/firewalls/11
          auth bearer, class default, safe to repeat
          {"status":"enabled"}
        < 200
        = {"id":"11","instances":[],"label":"","rules":{"inbound":[],"inbound_policy":"accept","outbound":[],"outbound_policy":"accept"},"status":"","tags":[]}
        > GET https://api.linode.com/v4/networking/firewalls/11
          auth bearer, class default, safe to repeat
        < 200
        = {"id":"11","instances":[],"label":"","rules":{"inbound":[],"inbound_policy":"accept","outbound":[],"outbound_policy":"accept"},"status":"","tags":[]}
    "#]].assert_eq(&shown);
}

#[test]
fn devices_are_added() {
    let path = "POST /networking/firewalls/11/devices";
    let shown = each([
        ("firewalls.add_device", json!({ "firewall": "11", "instance": "7" }), path, accepted()),
        ("firewalls.add_device", json!({ "firewall": "11", "nodebalancer": "3" }), path, accepted()),
    ]) + &unasked([
        ("firewalls.add_device", json!({ "firewall": "11" })),
        ("firewalls.remove_device", json!({ "firewall": "11", "instance": "7", "nodebalancer": "3" })),
    ]);
    expect![[r#"
        > POST https://api.linode.com/v4/networking/firewalls/11/devices
          auth bearer, class default
          {"id":7,"type":"linode"}
        < 200
        = {}
        > POST https://api.linode.com/v4/networking/firewalls/11/devices
          auth bearer, class default
          {"id":3,"type":"nodebalancer"}
        < 200
        = {}
        ! {"kind":"invalid","message":"give exactly one of `instance` and `nodebalancer`","field":"instance"}
        ! {"kind":"invalid","message":"give exactly one of `instance` and `nodebalancer`","field":"instance"}
    "#]]
    .assert_eq(&shown);
}

/// By the id of the device, which only the list tells; a Linode may be there by one of its interfaces.
#[test]
fn devices_are_removed() {
    let devices = || {
        whole(
            json!([{ "id": 50, "entity": { "id": 7, "type": "nodebalancer" } }, { "id": 51, "entity": { "id": 7, "type": "linode" } },
            { "id": 52, "entity": { "id": 90, "type": "interface", "parent_entity": { "id": 8, "type": "linode" } } }]),
        )
    };
    let removed = |args: Value, deleted: Option<&str>| {
        let mut driver = driver();
        driver.on("GET /networking/firewalls/11/devices?page=1&page_size=500", devices());
        if let Some(deleted) = deleted {
            driver.on(&format!("DELETE /networking/firewalls/11/devices/{deleted}"), accepted());
        }
        let shown = driver.show("firewalls.remove_device", args);
        shown.lines().skip(3).map(|line| format!("{line}\n")).collect::<String>()
    };
    let shown = removed(json!({ "firewall": "11", "instance": "7" }), Some("51"))
        + &removed(json!({ "firewall": "11", "instance": "8" }), Some("52"))
        + &removed(json!({ "firewall": "11", "nodebalancer": "7" }), Some("50"))
        + &removed(json!({ "firewall": "11", "instance": "9" }), None);
    expect![[r#"
        > DELETE https://api.linode.com/v4/networking/firewalls/11/devices/51
          auth bearer, class default, safe to repeat
        < 200
        = {}
        > DELETE https://api.linode.com/v4/networking/firewalls/11/devices/52
          auth bearer, class default, safe to repeat
        < 200
        = {}
        > DELETE https://api.linode.com/v4/networking/firewalls/11/devices/50
          auth bearer, class default, safe to repeat
        < 200
        = {}
        ! {"kind":"not_found","message":"instance 9 is not behind firewall 11"}
    "#]]
    .assert_eq(&shown);
}
