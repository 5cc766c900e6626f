//! Cloud Firewalls.

use crate::{driver, one, whole};
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
