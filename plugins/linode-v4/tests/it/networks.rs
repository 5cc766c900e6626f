//! VPCs and their subnets.

use crate::{accepted, each, refused, whole};
use expect_test::expect;
use linodetool_plugin::testing::Reply;
use serde_json::{Value, json};

fn subnet(id: u64) -> Value {
    json!({ "id": id, "label": "nodes", "ipv4": "10.0.0.0/24", "ipv6": null, "databases": [], "nodebalancers": [],
        "linodes": [{ "id": 7, "interfaces": [{ "id": 90, "active": true }] }, { "id": 8, "interfaces": [] }] })
}

fn vpc(id: u64, label: &str) -> Value {
    json!({ "id": id, "label": label, "region": "us-east", "description": "lt-s-1", "subnets": [subnet(4)],
        "created": "2026-01-31T12:00:00", "ipv6": null })
}

#[test]
fn vpcs() {
    let two = whole(json!([vpc(3, "inner"), vpc(5, "inner-old")]));
    let list = json!({ "label": "inner", "region": "us-east" });
    let create = json!({ "label": "inner", "region": "us-east", "description": "lt-s-1" });
    let occupied = refused(400, json!([{ "reason": "VPC must not contain any Linodes" }]));
    let shown = each([
        ("vpcs.list", list, "GET /vpcs?page=1&page_size=500", two),
        ("vpcs.create", create, "POST /vpcs", Reply::json(200, vpc(3, "inner"))),
        ("vpcs.delete", json!({ "id": "3" }), "DELETE /vpcs/3", accepted()),
        ("vpcs.delete", json!({ "id": "3" }), "DELETE /vpcs/3", occupied),
    ]);
    expect![[r#"
        > GET https://api.linode.com/v4/vpcs?page=1&page_size=500
          auth bearer, class list, safe to repeat
          x-filter: {"label":"inner","region":"us-east"}
        < 200
        = {"description":"lt-s-1","id":"3","label":"inner","region":"us-east","subnets":[{"id":"4","instances":["7","8"],"ipv4":"10.0.0.0/24","label":"nodes"}]}
        > POST https://api.linode.com/v4/vpcs
          auth bearer, class default
          {"description":"lt-s-1","label":"inner","region":"us-east"}
        < 200
        = {"description":"lt-s-1","id":"3","label":"inner","region":"us-east","subnets":[{"id":"4","instances":["7","8"],"ipv4":"10.0.0.0/24","label":"nodes"}]}
        > DELETE https://api.linode.com/v4/vpcs/3
          auth bearer, class default, safe to repeat
        < 200
        = {}
        > DELETE https://api.linode.com/v4/vpcs/3
          auth bearer, class default, safe to repeat
        < 400
        ! {"kind":"invalid","message":"VPC must not contain any Linodes","retry":"never","status":400}
    "#]].assert_eq(&shown);
}

#[test]
fn subnets() {
    let create = json!({ "vpc": "3", "label": "nodes", "ipv4": "10.0.0.0/24" });
    let path = "GET /vpcs/3/subnets?page=1&page_size=500";
    let wrong = refused(400, json!([{ "field": "ipv4", "reason": "Must be an IPv4 range" }]));
    let shown = each([
        ("vpc_subnets.list", json!({ "vpc": "3" }), path, whole(json!([subnet(4)]))),
        ("vpc_subnets.create", create.clone(), "POST /vpcs/3/subnets", Reply::json(200, subnet(4))),
        ("vpc_subnets.create", create, "POST /vpcs/3/subnets", wrong),
        ("vpc_subnets.delete", json!({ "vpc": "3", "id": "4" }), "DELETE /vpcs/3/subnets/4", accepted()),
    ]);
    expect![[r#"
        > GET https://api.linode.com/v4/vpcs/3/subnets?page=1&page_size=500
          auth bearer, class list, safe to repeat
        < 200
        = {"id":"4","instances":["7","8"],"ipv4":"10.0.0.0/24","label":"nodes"}
        > POST https://api.linode.com/v4/vpcs/3/subnets
          auth bearer, class default
          {"ipv4":"10.0.0.0/24","label":"nodes"}
        < 200
        = {"id":"4","instances":["7","8"],"ipv4":"10.0.0.0/24","label":"nodes"}
        > POST https://api.linode.com/v4/vpcs/3/subnets
          auth bearer, class default
          {"ipv4":"10.0.0.0/24","label":"nodes"}
        < 400
        ! {"kind":"invalid","message":"Must be an IPv4 range","field":"ipv4","retry":"never","status":400}
        > DELETE https://api.linode.com/v4/vpcs/3/subnets/4
          auth bearer, class default, safe to repeat
        < 200
        = {}
    "#]]
    .assert_eq(&shown);
}
