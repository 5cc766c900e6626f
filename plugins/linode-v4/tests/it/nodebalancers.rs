//! NodeBalancers, their ports and their backends.

use crate::{accepted, each, unasked, whole};
use expect_test::expect;
use linodetool_plugin::testing::Reply;
use serde_json::{Value, json};

fn balancer(id: u64, label: &str) -> Value {
    json!({ "id": id, "label": label, "region": "us-east", "hostname": "nb-203-0-113-5.newark.nodebalancer.linode.com",
        "ipv4": "203.0.113.5", "ipv6": "2001:db8::5", "client_conn_throttle": 0, "tags": ["lt-c-1"],
        "transfer": { "in": 0.5, "out": 1.5, "total": 2.0 }, "type": "common" })
}

fn config(id: u64) -> Value {
    json!({ "id": id, "port": 443, "protocol": "https", "algorithm": "roundrobin", "stickiness": "table",
        "check": "http", "check_interval": 31, "check_timeout": 30, "check_attempts": 3, "check_path": "/healthz",
        "check_body": "", "check_passive": true, "proxy_protocol": "none", "cipher_suite": "recommended", "nodebalancer_id": 5,
        "ssl_commonname": "", "ssl_fingerprint": "", "ssl_cert": null, "ssl_key": null, "nodes_status": { "up": 1, "down": 2 } })
}

fn node(id: u64, status: &str) -> Value {
    json!({ "id": id, "label": "web-1", "address": "192.168.128.4:80", "status": status, "weight": 100, "mode": "accept",
        "config_id": 6, "nodebalancer_id": 5 })
}

#[test]
fn the_balancer_itself() {
    let two = whole(json!([balancer(5, "front"), balancer(6, "front-old")]));
    let list = json!({ "label": "front", "region": "us-east", "tag": "lt-c-1" });
    let create = json!({ "label": "front", "region": "us-east", "connection_throttle": 20, "firewall_id": "11", "tags": ["lt-c-1"] });
    let shown = each([
        ("nodebalancers.list", list, "GET /nodebalancers?page=1&page_size=500", two),
        ("nodebalancers.get", json!({ "id": "5" }), "GET /nodebalancers/5", Reply::json(200, balancer(5, "front"))),
        ("nodebalancers.create", create, "POST /nodebalancers", Reply::json(200, balancer(5, "front"))),
        ("nodebalancers.delete", json!({ "id": "5" }), "DELETE /nodebalancers/5", accepted()),
    ]);
    expect![[r#"
        > GET https://api.linode.com/v4/nodebalancers?page=1&page_size=500
          auth bearer, class list, safe to repeat
          x-filter: {"label":"front","region":"us-east","tags":"lt-c-1"}
        < 200
        = {"connection_throttle":0,"hostname":"nb-203-0-113-5.newark.nodebalancer.linode.com","id":"5","ipv4":"203.0.113.5","ipv6":"2001:db8::5","label":"front","region":"us-east","tags":["lt-c-1"]}
        > GET https://api.linode.com/v4/nodebalancers/5
          auth bearer, class default, safe to repeat
        < 200
        = {"connection_throttle":0,"hostname":"nb-203-0-113-5.newark.nodebalancer.linode.com","id":"5","ipv4":"203.0.113.5","ipv6":"2001:db8::5","label":"front","region":"us-east","tags":["lt-c-1"]}
        > POST https://api.linode.com/v4/nodebalancers
          auth bearer, class default
          {"client_conn_throttle":20,"firewall_id":11,"label":"front","region":"us-east","tags":["lt-c-1"]}
        < 200
        = {"connection_throttle":0,"hostname":"nb-203-0-113-5.newark.nodebalancer.linode.com","id":"5","ipv4":"203.0.113.5","ipv6":"2001:db8::5","label":"front","region":"us-east","tags":["lt-c-1"]}
        > DELETE https://api.linode.com/v4/nodebalancers/5
          auth bearer, class default, safe to repeat
        < 200
        = {}
    "#]].assert_eq(&shown);
}

#[test]
fn its_ports() {
    let of = json!({ "nodebalancer": "5" });
    let path = "POST /nodebalancers/5/configs";
    let all = json!({ "nodebalancer": "5", "port": 443, "protocol": "https", "algorithm": "roundrobin", "stickiness": "table",
        "check": { "kind": "http_body", "path": "/healthz", "body": "ok", "interval_s": 31, "timeout_s": 30, "attempts": 3 },
        "ssl_cert": "-----BEGIN CERTIFICATE-----", "ssl_key": { "secret": "s1" } });
    let shown = each([
        (
            "nodebalancer_configs.list",
            of,
            "GET /nodebalancers/5/configs?page=1&page_size=500",
            whole(json!([config(6)])),
        ),
        ("nodebalancer_configs.create", json!({ "nodebalancer": "5", "port": 80 }), path, Reply::json(200, config(6))),
        ("nodebalancer_configs.create", all, path, Reply::json(200, config(6))),
        (
            "nodebalancer_configs.delete",
            json!({ "nodebalancer": "5", "config": "6" }),
            "DELETE /nodebalancers/5/configs/6",
            accepted(),
        ),
    ]);
    expect![[r#"
        > GET https://api.linode.com/v4/nodebalancers/5/configs?page=1&page_size=500
          auth bearer, class list, safe to repeat
        < 200
        = {"algorithm":"roundrobin","check":{"attempts":3,"interval_s":31,"kind":"http","path":"/healthz","timeout_s":30},"id":"6","nodes_down":2,"nodes_up":1,"port":443,"protocol":"https","stickiness":"table"}
        > POST https://api.linode.com/v4/nodebalancers/5/configs
          auth bearer, class default
          {"port":80}
        < 200
        = {"algorithm":"roundrobin","check":{"attempts":3,"interval_s":31,"kind":"http","path":"/healthz","timeout_s":30},"id":"6","nodes_down":2,"nodes_up":1,"port":443,"protocol":"https","stickiness":"table"}
        > POST https://api.linode.com/v4/nodebalancers/5/configs
          auth bearer, class default
          {"algorithm":"roundrobin","check":"http_body","check_attempts":3,"check_body":"ok","check_interval":31,"check_path":"/healthz","check_timeout":30,"port":443,"protocol":"https","ssl_cert":"-----BEGIN CERTIFICATE-----","ssl_key":{"secret":"s1"},"stickiness":"table"}
        < 200
        = {"algorithm":"roundrobin","check":{"attempts":3,"interval_s":31,"kind":"http","path":"/healthz","timeout_s":30},"id":"6","nodes_down":2,"nodes_up":1,"port":443,"protocol":"https","stickiness":"table"}
        > DELETE https://api.linode.com/v4/nodebalancers/5/configs/6
          auth bearer, class default, safe to repeat
        < 200
        = {}
    "#]].assert_eq(&shown);
}

#[test]
fn its_backends() {
    let of = json!({ "nodebalancer": "5", "config": "6" });
    let all = json!({ "nodebalancer": "5", "config": "6", "label": "web-1", "address": "192.168.128.4:80", "weight": 100, "mode": "drain" });
    let one = json!({ "nodebalancer": "5", "config": "6", "id": "8" });
    let two = whole(json!([node(8, "UP"), node(9, "Unknown")]));
    let shown = each([
        ("nodebalancer_nodes.list", of, "GET /nodebalancers/5/configs/6/nodes?page=1&page_size=500", two),
        (
            "nodebalancer_nodes.create",
            all,
            "POST /nodebalancers/5/configs/6/nodes",
            Reply::json(200, node(8, "Unknown")),
        ),
        ("nodebalancer_nodes.delete", one, "DELETE /nodebalancers/5/configs/6/nodes/8", accepted()),
    ]);
    expect![[r#"
        > GET https://api.linode.com/v4/nodebalancers/5/configs/6/nodes?page=1&page_size=500
          auth bearer, class list, safe to repeat
        < 200
        = {"address":"192.168.128.4:80","id":"8","label":"web-1","mode":"accept","status":"up","weight":100}
        = {"address":"192.168.128.4:80","id":"9","label":"web-1","mode":"accept","status":"unknown","weight":100}
        > POST https://api.linode.com/v4/nodebalancers/5/configs/6/nodes
          auth bearer, class default
          {"address":"192.168.128.4:80","label":"web-1","mode":"drain","weight":100}
        < 200
        = {"address":"192.168.128.4:80","id":"8","label":"web-1","mode":"accept","status":"unknown","weight":100}
        > DELETE https://api.linode.com/v4/nodebalancers/5/configs/6/nodes/8
          auth bearer, class default, safe to repeat
        < 200
        = {}
    "#]]
    .assert_eq(&shown);
}

#[test]
fn ids_must_be_numbers() {
    let shown = unasked([
        ("nodebalancers.create", json!({ "label": "front", "region": "us-east", "firewall_id": "web" })),
        ("nodebalancer_configs.list", json!({ "nodebalancer": "front" })),
        ("nodebalancer_nodes.list", json!({ "nodebalancer": "5", "config": "80" , "id": "x" })),
        ("nodebalancer_nodes.delete", json!({ "nodebalancer": "5", "config": "6" })),
    ]);
    expect![[r#"
        ! {"kind":"invalid","message":"`web` is not an id of this provider: its ids are whole numbers","field":"firewall_id"}
        ! {"kind":"invalid","message":"`front` is not an id of this provider: its ids are whole numbers","field":"nodebalancer"}
        ! {"kind":"invalid","message":"arguments: unknown field `id`, expected `nodebalancer` or `config` at line 1 column 19"}
        ! {"kind":"invalid","message":"`` is not an id of this provider: its ids are whole numbers","field":"id"}
    "#]].assert_eq(&shown);
}

#[test]
fn a_backend_drains() {
    let drain = json!({ "nodebalancer": "5", "config": "6", "id": "8", "mode": "drain" });
    let all = json!({ "nodebalancer": "5", "config": "6", "id": "8", "label": "b", "address": "192.168.128.5:80", "weight": 1 });
    let path = "PUT /nodebalancers/5/configs/6/nodes/8";
    let shown = each([
        ("nodebalancer_nodes.update", drain, path, Reply::json(200, node(8, "UP"))),
        ("nodebalancer_nodes.update", all, path, Reply::json(200, node(8, "UP"))),
    ]);
    expect![[r#"
        > PUT https://api.linode.com/v4/nodebalancers/5/configs/6/nodes/8
          auth bearer, class default, safe to repeat
          {"mode":"drain"}
        < 200
        = {"address":"192.168.128.4:80","id":"8","label":"web-1","mode":"accept","status":"up","weight":100}
        > PUT https://api.linode.com/v4/nodebalancers/5/configs/6/nodes/8
          auth bearer, class default, safe to repeat
          {"address":"192.168.128.5:80","label":"b","weight":1}
        < 200
        = {"address":"192.168.128.4:80","id":"8","label":"web-1","mode":"accept","status":"up","weight":100}
    "#]]
    .assert_eq(&shown);
}
