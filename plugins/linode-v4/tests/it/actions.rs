//! Rebuilding, resizing and cloning Linodes.

use crate::instances::linode;
use crate::{accepted, driver, each, refused};
use expect_test::expect;
use linodetool_plugin::testing::Reply;
use serde_json::json;

#[test]
fn rebuild() {
    let all = json!({ "id": "7", "image": "linode/debian12", "authorized_keys": ["ssh-ed25519 AAAA ann"],
        "root_pass": { "secret": "s1" }, "user_data": { "secret": "s2" }, "stackscript_id": "10",
        "stackscript_data": { "db": "x", "password": { "secret": "s3" } }, "booted": false });
    let path = "POST /linode/instances/7/rebuild";
    let shown = each([
        ("instances.rebuild", json!({ "id": "7", "image": "linode/debian12" }), path, Reply::json(200, linode(7, "a"))),
        ("instances.rebuild", all, path, Reply::json(200, linode(7, "a"))),
        ("instances.rebuild", json!({ "id": "7" }), path, refused(400, json!([{ "reason": "Linode busy." }]))),
    ]);
    expect![[r#"
        > POST https://api.linode.com/v4/linode/instances/7/rebuild
          auth bearer, class default
          {"image":"linode/debian12"}
        < 200
        = {"created":"2026-01-31T12:00:00","disk_mb":25600,"id":"7","image":"linode/debian12","ipv4":["203.0.113.9"],"ipv6":"2001:db8::1/128","label":"a","memory_mb":1024,"private_ipv4":["192.168.128.4"],"region":"us-east","status":"running","tags":["lt-c-1"],"type":"g6-nanode-1","vcpus":1,"watchdog":true}
        > POST https://api.linode.com/v4/linode/instances/7/rebuild
          auth bearer, class default
          {"authorized_keys":["ssh-ed25519 AAAA ann"],"booted":false,"image":"linode/debian12","metadata":{"user_data":{"as":"base64","secret":"s2"}},"root_pass":{"secret":"s1"},"stackscript_data":{"db":"x","password":{"secret":"s3"}},"stackscript_id":10}
        < 200
        = {"created":"2026-01-31T12:00:00","disk_mb":25600,"id":"7","image":"linode/debian12","ipv4":["203.0.113.9"],"ipv6":"2001:db8::1/128","label":"a","memory_mb":1024,"private_ipv4":["192.168.128.4"],"region":"us-east","status":"running","tags":["lt-c-1"],"type":"g6-nanode-1","vcpus":1,"watchdog":true}
        > POST https://api.linode.com/v4/linode/instances/7/rebuild
          auth bearer, class default
          {"image":""}
        < 400
        ! {"kind":"busy","message":"Linode busy.","retry":"backoff","status":400}
    "#]].assert_eq(&shown);
}

#[test]
fn resize() {
    let path = "POST /linode/instances/7/resize";
    let all = json!({ "id": "7", "type": "g6-standard-2", "warm": true, "resize_disk": false });
    let shown = each([
        ("instances.resize", json!({ "id": "7", "type": "g6-standard-2" }), path, accepted()),
        ("instances.resize", all, path, accepted()),
    ]);
    expect![[r#"
        > POST https://api.linode.com/v4/linode/instances/7/resize
          auth bearer, class default
          {"migration_type":"cold","type":"g6-standard-2"}
        < 200
        = {}
        > POST https://api.linode.com/v4/linode/instances/7/resize
          auth bearer, class default
          {"allow_auto_disk_resize":false,"migration_type":"warm","type":"g6-standard-2"}
        < 200
        = {}
    "#]]
    .assert_eq(&shown);
}

#[test]
fn a_clone_that_says_where_and_of_which_type_is_one_request() {
    let args = json!({ "id": "7", "label": "copy", "region": "eu-west", "type": "g6-standard-2", "private_ip": true });
    let shown =
        each([("instances.clone", args, "POST /linode/instances/7/clone", Reply::json(200, linode(8, "copy")))]);
    expect![[r#"
        > POST https://api.linode.com/v4/linode/instances/7/clone
          auth bearer, class default
          {"label":"copy","private_ip":true,"region":"eu-west","type":"g6-standard-2"}
        < 200
        = {"created":"2026-01-31T12:00:00","disk_mb":25600,"id":"8","image":"linode/debian12","ipv4":["203.0.113.9"],"ipv6":"2001:db8::1/128","label":"copy","memory_mb":1024,"private_ipv4":["192.168.128.4"],"region":"us-east","status":"running","tags":["lt-c-1"],"type":"g6-nanode-1","vcpus":1,"watchdog":true}
    "#]].assert_eq(&shown);
}

#[test]
fn a_clone_is_otherwise_like_the_old_one() {
    let mut driver = driver();
    driver
        .on("GET /linode/instances/7", Reply::json(200, linode(7, "web-1")))
        .on("POST /linode/instances/7/clone", Reply::json(200, linode(8, "copy")));
    let shown = driver.show("instances.clone", json!({ "id": "7", "label": "copy" }));
    expect![[r#"
        > GET https://api.linode.com/v4/linode/instances/7
          auth bearer, class default, safe to repeat
        < 200
        > POST https://api.linode.com/v4/linode/instances/7/clone
          auth bearer, class default
          {"label":"copy","region":"us-east","type":"g6-nanode-1"}
        < 200
        = {"created":"2026-01-31T12:00:00","disk_mb":25600,"id":"8","image":"linode/debian12","ipv4":["203.0.113.9"],"ipv6":"2001:db8::1/128","label":"copy","memory_mb":1024,"private_ipv4":["192.168.128.4"],"region":"us-east","status":"running","tags":["lt-c-1"],"type":"g6-nanode-1","vcpus":1,"watchdog":true}
    "#]].assert_eq(&shown);
}

#[test]
fn rescue_and_password() {
    let devices = json!({ "id": "7", "devices": { "sda": { "disk": "5" }, "sdb": { "volume": "9" } } });
    let password = json!({ "id": "7", "root_pass": { "secret": "s1" } });
    let shown = each([
        ("instances.rescue", devices, "POST /linode/instances/7/rescue", accepted()),
        ("instances.rescue", json!({ "id": "7" }), "POST /linode/instances/7/rescue", accepted()),
        ("instances.reset_password", password, "POST /linode/instances/7/password", accepted()),
    ]) + &crate::unasked([("instances.reset_password", json!({ "id": "7" }))]);
    expect![[r#"
        > POST https://api.linode.com/v4/linode/instances/7/rescue
          auth bearer, class default
          {"devices":{"sda":{"disk_id":5},"sdb":{"volume_id":9}}}
        < 200
        = {}
        > POST https://api.linode.com/v4/linode/instances/7/rescue
          auth bearer, class default
          {}
        < 200
        = {}
        > POST https://api.linode.com/v4/linode/instances/7/password
          auth bearer, class default, safe to repeat
          {"root_pass":{"secret":"s1"}}
        < 200
        = {}
        ! {"kind":"invalid","message":"say which password root is to have","field":"root_pass"}
    "#]]
    .assert_eq(&shown);
}
