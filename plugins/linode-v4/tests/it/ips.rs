//! Addresses of the account, and placement groups.

use crate::{accepted, each, unasked, whole};
use expect_test::expect;
use linodetool_plugin::testing::Reply;
use serde_json::{Value, json};

fn ip(address: &str, kind: &str, linode: Option<u64>, reserved: bool) -> Value {
    json!({ "address": address, "gateway": null, "subnet_mask": "255.255.255.0", "prefix": 24, "type": kind, "public": true,
        "rdns": "203-0-113-9.ip.linodeusercontent.com", "linode_id": linode, "interface_id": null, "region": "us-east",
        "vpc_nat_1_1": null, "reserved": reserved, "assigned_entity": null })
}

fn group(id: u64, label: &str) -> Value {
    json!({ "id": id, "label": label, "region": "us-east", "placement_group_type": "anti_affinity:local",
        "placement_group_policy": "strict", "is_compliant": true, "migrations": null,
        "members": [{ "linode_id": 7, "is_compliant": true }, { "linode_id": 8, "is_compliant": true }] })
}

#[test]
fn list() {
    let all = || {
        whole(json!([
            ip("203.0.113.9", "ipv4", Some(7), false),
            ip("203.0.113.10", "ipv4", None, true),
            ip("2001:db8::1", "ipv6/slaac", Some(7), false)
        ]))
    };
    let path = "GET /networking/ips?page=1&page_size=500";
    let shown = each([
        ("ips.list", json!({ "region": "us-east", "instance": "7" }), path, all()),
        ("ips.list", json!({ "reserved": true }), path, all()),
    ]);
    expect![[r#"
        > GET https://api.linode.com/v4/networking/ips?page=1&page_size=500
          auth bearer, class list, safe to repeat
          x-filter: {"region":"us-east"}
        < 200
        = {"address":"203.0.113.9","family":4,"instance":"7","public":true,"rdns":"203-0-113-9.ip.linodeusercontent.com","region":"us-east","reserved":false}
        = {"address":"2001:db8::1","family":6,"instance":"7","public":true,"rdns":"203-0-113-9.ip.linodeusercontent.com","region":"us-east","reserved":false}
        > GET https://api.linode.com/v4/networking/ips?page=1&page_size=500
          auth bearer, class list, safe to repeat
        < 200
        = {"address":"203.0.113.10","family":4,"instance":null,"public":true,"rdns":"203-0-113-9.ip.linodeusercontent.com","region":"us-east","reserved":true}
    "#]].assert_eq(&shown);
}

/// By the VPC they belong to: the list of the account does not have them.
#[test]
fn list_of_a_vpc() {
    let in_vpc = |address: Value, range: Value, linode: u64| {
        json!({ "address": address, "address_range": range, "vpc_id": 3, "subnet_id": 4, "region": "us-east", "linode_id": linode,
            "config_id": 5, "interface_id": 90, "active": true, "nat_1_1": null, "gateway": "10.0.0.1", "prefix": 24,
            "subnet_mask": "255.255.255.0" })
    };
    let all = whole(json!([
        in_vpc(json!("10.0.0.2"), json!(null), 7),
        in_vpc(json!(null), json!("10.0.0.16/28"), 7),
        in_vpc(json!("10.0.0.3"), json!(null), 8),
        { "ipv6_range": "2001:db8::/64", "ipv6_is_public": false, "subnet_id": 4, "linode_id": 7, "region": "us-east" }
    ]));
    let path = "GET /vpcs/3/ips?page=1&page_size=500";
    let shown = each([("ips.list", json!({ "vpc": "3", "instance": "7" }), path, all)]);
    expect![[r#"
        > GET https://api.linode.com/v4/vpcs/3/ips?page=1&page_size=500
          auth bearer, class list, safe to repeat
        < 200
        = {"address":"10.0.0.2","family":4,"instance":"7","public":false,"rdns":null,"region":"us-east","reserved":false,"subnet":"4"}
        = {"address":"10.0.0.16/28","family":4,"instance":"7","public":false,"rdns":null,"region":"us-east","reserved":false,"subnet":"4"}
        = {"address":"2001:db8::/64","family":6,"instance":"7","public":false,"rdns":null,"region":"us-east","reserved":false,"subnet":"4"}
    "#]].assert_eq(&shown);
}

#[test]
fn addresses_come_and_go() {
    let one = || Reply::json(200, ip("203.0.113.9", "ipv4", Some(7), false));
    let kept = Reply::json(200, ip("203.0.113.9", "ipv4", None, true));
    let (address, of) = (json!({ "address": "203.0.113.9" }), json!({ "instance": "7", "address": "203.0.113.9" }));
    let shown = each([
        ("ips.add", json!({ "instance": "7", "public": true }), "POST /linode/instances/7/ips", one()),
        ("ips.add", json!({ "instance": "7" }), "POST /linode/instances/7/ips", one()),
        ("ips.remove", of, "DELETE /linode/instances/7/ips/203.0.113.9", accepted()),
        ("ips.reserve", json!({ "region": "us-east" }), "POST /networking/reserved/ips", kept),
        ("ips.release", address, "DELETE /networking/reserved/ips/203.0.113.9", accepted()),
        (
            "ips.set_rdns",
            json!({ "address": "2001:db8::1", "rdns": "web.example.com" }),
            "PUT /networking/ips/2001:db8::1",
            one(),
        ),
        ("ips.set_rdns", json!({ "address": "203.0.113.9" }), "PUT /networking/ips/203.0.113.9", one()),
    ]);
    expect![[r#"
        > POST https://api.linode.com/v4/linode/instances/7/ips
          auth bearer, class default
          {"public":true,"type":"ipv4"}
        < 200
        = {"address":"203.0.113.9","family":4,"instance":"7","public":true,"rdns":"203-0-113-9.ip.linodeusercontent.com","region":"us-east","reserved":false}
        > POST https://api.linode.com/v4/linode/instances/7/ips
          auth bearer, class default
          {"public":false,"type":"ipv4"}
        < 200
        = {"address":"203.0.113.9","family":4,"instance":"7","public":true,"rdns":"203-0-113-9.ip.linodeusercontent.com","region":"us-east","reserved":false}
        > DELETE https://api.linode.com/v4/linode/instances/7/ips/203.0.113.9
          auth bearer, class default, safe to repeat
        < 200
        = {}
        > POST https://api.linode.com/v4/networking/reserved/ips
          auth bearer, class default
          {"region":"us-east"}
        < 200
        = {"address":"203.0.113.9","family":4,"instance":null,"public":true,"rdns":"203-0-113-9.ip.linodeusercontent.com","region":"us-east","reserved":true}
        > DELETE https://api.linode.com/v4/networking/reserved/ips/203.0.113.9
          auth bearer, class default, safe to repeat
        < 200
        = {}
        > PUT https://api.linode.com/v4/networking/ips/2001:db8::1
          auth bearer, class default, safe to repeat
          {"rdns":"web.example.com"}
        < 200
        = {"address":"203.0.113.9","family":4,"instance":"7","public":true,"rdns":"203-0-113-9.ip.linodeusercontent.com","region":"us-east","reserved":false}
        > PUT https://api.linode.com/v4/networking/ips/203.0.113.9
          auth bearer, class default, safe to repeat
          {"rdns":null}
        < 200
        = {"address":"203.0.113.9","family":4,"instance":"7","public":true,"rdns":"203-0-113-9.ip.linodeusercontent.com","region":"us-east","reserved":false}
    "#]].assert_eq(&shown);
}

#[test]
fn what_is_no_address_goes_into_no_path() {
    let shown = unasked([
        ("ips.release", json!({})),
        ("ips.release", json!({ "address": "203.0.113.9/../.." })),
        ("ips.remove", json!({ "instance": "7", "address": "web-1" })),
        ("ips.list", json!({ "instance": "web-1" })),
    ]);
    expect![[r#"
        ! {"kind":"invalid","message":"`` is no address: give one like 203.0.113.9","field":"address"}
        ! {"kind":"invalid","message":"`203.0.113.9/../..` is no address: give one like 203.0.113.9","field":"address"}
        ! {"kind":"invalid","message":"`web-1` is no address: give one like 203.0.113.9","field":"address"}
        ! {"kind":"invalid","message":"`web-1` is not an id of this provider: its ids are whole numbers","field":"instance"}
    "#]].assert_eq(&shown);
}

#[test]
fn placement_groups() {
    let two = whole(json!([group(3, "spread"), group(4, "spread-2")]));
    let one = || Reply::json(200, group(3, "spread"));
    let members = json!({ "id": "3", "instances": ["7", "8"] });
    let strict = json!({ "label": "spread", "region": "us-east", "strict": true });
    let shown = each([
        (
            "placement_groups.list",
            json!({ "label": "spread", "region": "us-east" }),
            "GET /placement/groups?page=1&page_size=500",
            two,
        ),
        ("placement_groups.create", strict, "POST /placement/groups", one()),
        ("placement_groups.create", json!({ "label": "spread", "region": "us-east" }), "POST /placement/groups", one()),
        ("placement_groups.assign", members.clone(), "POST /placement/groups/3/assign", one()),
        ("placement_groups.unassign", members, "POST /placement/groups/3/unassign", one()),
        ("placement_groups.delete", json!({ "id": "3" }), "DELETE /placement/groups/3", accepted()),
    ]) + &unasked([("placement_groups.assign", json!({ "id": "3", "instances": ["web-1"] }))]);
    expect![[r#"
        > GET https://api.linode.com/v4/placement/groups?page=1&page_size=500
          auth bearer, class list, safe to repeat
          x-filter: {"label":"spread","region":"us-east"}
        < 200
        = {"compliant":true,"id":"3","instances":["7","8"],"label":"spread","region":"us-east","strict":true}
        > POST https://api.linode.com/v4/placement/groups
          auth bearer, class default
          {"label":"spread","placement_group_policy":"strict","placement_group_type":"anti_affinity:local","region":"us-east"}
        < 200
        = {"compliant":true,"id":"3","instances":["7","8"],"label":"spread","region":"us-east","strict":true}
        > POST https://api.linode.com/v4/placement/groups
          auth bearer, class default
          {"label":"spread","placement_group_policy":"flexible","placement_group_type":"anti_affinity:local","region":"us-east"}
        < 200
        = {"compliant":true,"id":"3","instances":["7","8"],"label":"spread","region":"us-east","strict":true}
        > POST https://api.linode.com/v4/placement/groups/3/assign
          auth bearer, class default
          {"linodes":[7,8]}
        < 200
        = {"compliant":true,"id":"3","instances":["7","8"],"label":"spread","region":"us-east","strict":true}
        > POST https://api.linode.com/v4/placement/groups/3/unassign
          auth bearer, class default
          {"linodes":[7,8]}
        < 200
        = {"compliant":true,"id":"3","instances":["7","8"],"label":"spread","region":"us-east","strict":true}
        > DELETE https://api.linode.com/v4/placement/groups/3
          auth bearer, class default, safe to repeat
        < 200
        = {}
        ! {"kind":"invalid","message":"`web-1` is not an id of this provider: its ids are whole numbers","field":"instances"}
    "#]].assert_eq(&shown);
}
