//! Making Linodes.

use crate::instances::linode;
use crate::{driver, one, refused};
use expect_test::expect;
use linodetool_plugin::testing::Reply;
use serde_json::json;

const CREATE: &str = "POST /v4/linode/instances";

#[test]
fn the_least() {
    let args = json!({ "label": "web-1", "region": "us-east", "type": "g6-nanode-1", "image": "linode/debian12" });
    expect![[r#"
        > POST https://api.linode.com/v4/linode/instances
          auth bearer, class create
          {"label":"web-1","region":"us-east","type":"g6-nanode-1","image":"linode/debian12"}
        < 200
        = {"created":"2026-01-31T12:00:00","disk_mb":25600,"id":"7","image":"linode/debian12","ipv4":["203.0.113.9"],"ipv6":"2001:db8::1/128","label":"web-1","memory_mb":1024,"private_ipv4":["192.168.128.4"],"region":"us-east","status":"running","tags":["lt-c-1"],"type":"g6-nanode-1","vcpus":1,"watchdog":true}
    "#]].assert_eq(&one("instances.create", args, CREATE, Reply::json(200, linode(7, "web-1"))));
}

#[test]
fn everything_at_once() {
    let args = json!({ "label": "web-1", "region": "us-east", "type": "g6-nanode-1", "image": "linode/debian12",
        "tags": ["lt-c-1", "lt-s-2"], "authorized_keys": ["ssh-ed25519 AAAA ann"], "root_pass": { "secret": "s1" },
        "user_data": { "secret": "s2" }, "stackscript_id": "10", "stackscript_data": { "db": "x", "password": { "secret": "s3" } },
        "firewall_id": "11", "private_ip": true, "booted": false, "swap_mb": 1024 });
    expect![[r#"
        > POST https://api.linode.com/v4/linode/instances
          auth bearer, class create
          {"label":"web-1","region":"us-east","type":"g6-nanode-1","image":"linode/debian12","tags":["lt-c-1","lt-s-2"],"authorized_keys":["ssh-ed25519 AAAA ann"],"root_pass":{"secret":"s1"},"metadata":{"user_data":{"secret":"s2","as":"base64"}},"stackscript_id":10,"stackscript_data":{"db":"x","password":{"secret":"s3"}},"firewall_id":11,"private_ip":true,"interface_generation":"legacy_config","booted":false,"swap_size":1024}
        < 200
        = {"created":"2026-01-31T12:00:00","disk_mb":25600,"id":"7","image":"linode/debian12","ipv4":["203.0.113.9"],"ipv6":"2001:db8::1/128","label":"web-1","memory_mb":1024,"private_ipv4":["192.168.128.4"],"region":"us-east","status":"running","tags":["lt-c-1"],"type":"g6-nanode-1","vcpus":1,"watchdog":true}
    "#]].assert_eq(&one("instances.create", args, CREATE, Reply::json(200, linode(7, "web-1"))));
}

#[test]
fn ids_of_firewall_and_stackscript_must_be_numbers() {
    let firewall = driver().show("instances.create", json!({ "region": "us-east", "firewall_id": "web" }));
    let script = driver().show("instances.create", json!({ "region": "us-east", "stackscript_id": "" }));
    expect![[r#"
        ! {"kind":"invalid","message":"`web` is not an id of this provider: its ids are whole numbers","field":"firewall_id"}
        ! {"kind":"invalid","message":"`` is not an id of this provider: its ids are whole numbers","field":"stackscript_id"}
    "#]].assert_eq(&(firewall + &script));
}

#[test]
fn an_argument_of_tomorrow_is_refused_and_not_ignored() {
    expect![[r#"
        ! {"kind":"invalid","message":"arguments: unknown field `firewall`, expected one of `label`, `region`, `type`, `image`, `tags`, `authorized_keys`, `root_pass`, `user_data`, `stackscript_id`, `stackscript_data`, `firewall_id`, `private_ip`, `booted`, `swap_mb`, `subnet`, `placement_group`, `before` at line 1 column 11"}
    "#]].assert_eq(&driver().show("instances.create", json!({ "region": "us-east", "firewall": "web" })));
}

#[test]
fn a_label_that_is_taken() {
    let reply = refused(400, json!([{ "field": "label", "reason": "Label must be unique among your linodes" }]));
    expect![[r#"
        > POST https://api.linode.com/v4/linode/instances
          auth bearer, class create
          {"label":"web-1","region":"","type":""}
        < 400
        ! {"kind":"conflict","message":"Label must be unique among your linodes","field":"label","retry":"never","status":400}
    "#]].assert_eq(&one("instances.create", json!({ "label": "web-1" }), CREATE, reply));
}

#[test]
fn several_mistakes_are_all_told() {
    let reply = refused(
        400,
        json!([{ "field": "region", "reason": "region is not valid" }, { "field": "type", "reason": "A valid plan type by that ID was not found" },
            { "reason": "Must provide valid root_pass, authorized_keys, or authorized_users" }]),
    );
    expect![[r#"
        > POST https://api.linode.com/v4/linode/instances
          auth bearer, class create
          {"label":"web-1","region":"","type":""}
        < 400
        ! {"kind":"invalid","message":"region is not valid; type: A valid plan type by that ID was not found; Must provide valid root_pass, authorized_keys, or authorized_users","field":"region","retry":"never","status":400}
    "#]].assert_eq(&one("instances.create", json!({ "label": "web-1" }), CREATE, reply));
}

#[test]
fn a_lost_answer_leaves_it_open_whether_it_was_made() {
    let mut driver = driver();
    driver.on(CREATE, Reply::lost("timeout", "no answer within 60 s"));
    let error = driver.call("instances.create", json!({ "label": "web-1" })).expect_err("it was lost");
    assert!(error.is_ambiguous());
    expect![[r#"{"kind":"timeout","message":"no answer within 60 s"}"#]]
        .assert_eq(&serde_json::to_string(&error).expect("JSON"));
}

#[test]
fn an_answer_that_cannot_be_read_leaves_it_open_too() {
    for reply in
        [Reply::text(200, "<html>"), Reply::json(200, json!([1])), Reply::json(200, json!({})), Reply::empty(200)]
    {
        let mut driver = driver();
        driver.on(CREATE, reply);
        let error = driver.call("instances.create", json!({ "label": "web-1" })).expect_err("it is unreadable");
        assert!(error.is_ambiguous(), "{error:?}");
    }
}

#[test]
fn into_a_subnet_and_a_placement_group() {
    let args =
        json!({ "label": "web-1", "region": "us-east", "type": "g6-nanode-1", "subnet": "4", "placement_group": "3" });
    expect![[r#"
        > POST https://api.linode.com/v4/linode/instances
          auth bearer, class create
          {"label":"web-1","region":"us-east","type":"g6-nanode-1","interface_generation":"legacy_config","interfaces":[{"primary":true,"purpose":"public"},{"purpose":"vpc","subnet_id":4}],"placement_group":{"id":3}}
        < 200
        = {"created":"2026-01-31T12:00:00","disk_mb":25600,"id":"7","image":"linode/debian12","ipv4":["203.0.113.9"],"ipv6":"2001:db8::1/128","label":"web-1","memory_mb":1024,"private_ipv4":["192.168.128.4"],"region":"us-east","status":"running","tags":["lt-c-1"],"type":"g6-nanode-1","vcpus":1,"watchdog":true}
    "#]].assert_eq(&one("instances.create", args, CREATE, Reply::json(200, linode(7, "web-1"))));
}
