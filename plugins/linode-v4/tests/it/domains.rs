//! Domains and their records.

use crate::{accepted, each, unasked, whole};
use expect_test::expect;
use linodetool_plugin::testing::Reply;
use serde_json::{Value, json};

fn domain(id: u64, name: &str) -> Value {
    json!({ "id": id, "domain": name, "type": "master", "status": "active", "soa_email": "ops@example.com", "ttl_sec": 300,
        "tags": ["lt-c-1"], "group": "", "master_ips": [], "axfr_ips": [], "retry_sec": 0, "description": null })
}

fn record(id: u64, kind: &str, name: &str) -> Value {
    json!({ "id": id, "type": kind, "name": name, "target": "203.0.113.9", "ttl_sec": 0, "priority": 0, "weight": 0,
        "port": 0, "service": null, "protocol": null, "tag": null })
}

fn srv(id: u64) -> Value {
    json!({ "id": id, "type": "SRV", "name": "", "target": "sip.example.com", "ttl_sec": 300, "priority": 10, "weight": 5,
        "port": 5060, "service": "_sip", "protocol": "_tcp", "tag": null })
}

#[test]
fn domains() {
    let two = whole(json!([domain(2, "example.com"), domain(3, "example.org")]));
    let list = json!({ "domain": "example.com", "tag": "lt-c-1" });
    let slave = json!({ "domain": "example.com", "kind": "slave", "master_ips": ["203.0.113.1"], "ttl_s": 300, "tags": ["lt-c-1"] });
    let master = json!({ "domain": "example.com", "soa_email": "ops@example.com" });
    let shown = each([
        ("domains.list", list, "GET /domains?page=1&page_size=500", two),
        ("domains.create", master, "POST /domains", Reply::json(200, domain(2, "example.com"))),
        ("domains.create", slave, "POST /domains", Reply::json(200, domain(2, "example.com"))),
        ("domains.delete", json!({ "id": "2" }), "DELETE /domains/2", accepted()),
    ]);
    expect![[r#"
        > GET https://api.linode.com/v4/domains?page=1&page_size=500
          auth bearer, class list, safe to repeat
          x-filter: {"domain":"example.com","tags":"lt-c-1"}
        < 200
        = {"domain":"example.com","id":"2","kind":"master","soa_email":"ops@example.com","status":"active","tags":["lt-c-1"],"ttl_s":300}
        > POST https://api.linode.com/v4/domains
          auth bearer, class default
          {"domain":"example.com","soa_email":"ops@example.com","type":"master"}
        < 200
        = {"domain":"example.com","id":"2","kind":"master","soa_email":"ops@example.com","status":"active","tags":["lt-c-1"],"ttl_s":300}
        > POST https://api.linode.com/v4/domains
          auth bearer, class default
          {"domain":"example.com","master_ips":["203.0.113.1"],"tags":["lt-c-1"],"ttl_sec":300,"type":"slave"}
        < 200
        = {"domain":"example.com","id":"2","kind":"master","soa_email":"ops@example.com","status":"active","tags":["lt-c-1"],"ttl_s":300}
        > DELETE https://api.linode.com/v4/domains/2
          auth bearer, class default, safe to repeat
        < 200
        = {}
    "#]].assert_eq(&shown);
}

#[test]
fn records() {
    let all = whole(json!([record(8, "A", "web"), record(9, "MX", ""), srv(10)]));
    let a = json!({ "domain": "2", "type": "A", "name": "web", "target": "203.0.113.9" });
    let service = json!({ "domain": "2", "type": "SRV", "name": "_sip._tcp", "target": "sip.example.com", "ttl_s": 300,
        "priority": 10, "weight": 5, "port": 5060 });
    let path = "POST /domains/2/records";
    let shown = each([
        ("domain_records.list", json!({ "domain": "2" }), "GET /domains/2/records?page=1&page_size=500", all),
        ("domain_records.create", a, path, Reply::json(200, record(8, "A", "web"))),
        ("domain_records.create", service, path, Reply::json(200, srv(10))),
        ("domain_records.delete", json!({ "domain": "2", "id": "8" }), "DELETE /domains/2/records/8", accepted()),
    ]);
    expect![[r#"
        > GET https://api.linode.com/v4/domains/2/records?page=1&page_size=500
          auth bearer, class list, safe to repeat
        < 200
        = {"id":"8","name":"web","port":0,"priority":0,"target":"203.0.113.9","ttl_s":0,"type":"A","weight":0}
        = {"id":"9","name":"","port":0,"priority":0,"target":"203.0.113.9","ttl_s":0,"type":"MX","weight":0}
        = {"id":"10","name":"_sip._tcp","port":5060,"priority":10,"target":"sip.example.com","ttl_s":300,"type":"SRV","weight":5}
        > POST https://api.linode.com/v4/domains/2/records
          auth bearer, class default
          {"name":"web","target":"203.0.113.9","type":"A"}
        < 200
        = {"id":"8","name":"web","port":0,"priority":0,"target":"203.0.113.9","ttl_s":0,"type":"A","weight":0}
        > POST https://api.linode.com/v4/domains/2/records
          auth bearer, class default
          {"port":5060,"priority":10,"protocol":"tcp","service":"sip","target":"sip.example.com","ttl_sec":300,"type":"SRV","weight":5}
        < 200
        = {"id":"10","name":"_sip._tcp","port":5060,"priority":10,"target":"sip.example.com","ttl_s":300,"type":"SRV","weight":5}
        > DELETE https://api.linode.com/v4/domains/2/records/8
          auth bearer, class default, safe to repeat
        < 200
        = {}
    "#]].assert_eq(&shown);
}

#[test]
fn an_srv_record_is_named_after_its_service() {
    let srv =
        |name: &str| ("domain_records.create", json!({ "domain": "2", "type": "SRV", "name": name, "target": "a" }));
    expect![[r#"
        ! {"kind":"invalid","message":"`` is no name of an SRV record: give one like _sip._tcp","field":"name"}
        ! {"kind":"invalid","message":"`sip` is no name of an SRV record: give one like _sip._tcp","field":"name"}
        ! {"kind":"invalid","message":"`_sip` is no name of an SRV record: give one like _sip._tcp","field":"name"}
        ! {"kind":"invalid","message":"`_._` is no name of an SRV record: give one like _sip._tcp","field":"name"}
    "#]]
    .assert_eq(&unasked([srv(""), srv("sip"), srv("_sip"), srv("_._")]));
}

#[test]
fn update_clone_and_import() {
    let one = || Reply::json(200, domain(2, "example.com"));
    let update =
        json!({ "id": "2", "soa_email": "a@example.com", "master_ips": ["203.0.113.1"], "ttl_s": 300, "tags": [] });
    let import = json!({ "domain": "example.com", "nameserver": "ns1.example.net" });
    let shown = each([
        ("domains.update", update, "PUT /domains/2", one()),
        ("domains.update", json!({ "id": "2" }), "GET /domains/2", one()),
        ("domains.clone", json!({ "id": "2", "domain": "example.org" }), "POST /domains/2/clone", one()),
        ("domains.import", import, "POST /domains/import", one()),
    ]);
    expect![[r#"
        > PUT https://api.linode.com/v4/domains/2
          auth bearer, class default, safe to repeat
          {"master_ips":["203.0.113.1"],"soa_email":"a@example.com","tags":[],"ttl_sec":300}
        < 200
        = {"domain":"example.com","id":"2","kind":"master","soa_email":"ops@example.com","status":"active","tags":["lt-c-1"],"ttl_s":300}
        > GET https://api.linode.com/v4/domains/2
          auth bearer, class default, safe to repeat
        < 200
        = {"domain":"example.com","id":"2","kind":"master","soa_email":"ops@example.com","status":"active","tags":["lt-c-1"],"ttl_s":300}
        > POST https://api.linode.com/v4/domains/2/clone
          auth bearer, class default
          {"domain":"example.org"}
        < 200
        = {"domain":"example.com","id":"2","kind":"master","soa_email":"ops@example.com","status":"active","tags":["lt-c-1"],"ttl_s":300}
        > POST https://api.linode.com/v4/domains/import
          auth bearer, class default
          {"domain":"example.com","remote_nameserver":"ns1.example.net"}
        < 200
        = {"domain":"example.com","id":"2","kind":"master","soa_email":"ops@example.com","status":"active","tags":["lt-c-1"],"ttl_s":300}
    "#]].assert_eq(&shown);
}

/// As name servers write them: flags, tag, value.
#[test]
fn caa_records_carry_their_tag() {
    let caa = json!({ "id": 11, "type": "CAA", "name": "", "target": "ca.example", "tag": "issue" });
    let create = |target: &str| json!({ "domain": "2", "type": "CAA", "target": target });
    let update = |target: &str| json!({ "domain": "2", "id": "11", "target": target, "ttl_s": 300 });
    let (post, put) = ("POST /domains/2/records", "PUT /domains/2/records/11");
    let shown = each([
        ("domain_records.create", create("0 issue \"ca.example\""), post, Reply::json(200, caa.clone())),
        ("domain_records.update", update("0 iodef \"mailto:a@b.example\""), put, Reply::json(200, caa)),
        ("domain_records.update", update("203.0.113.9"), put, Reply::json(200, record(11, "A", "web"))),
    ]) + &unasked([
        ("domain_records.create", create("ca.example")),
        ("domain_records.create", create("128 issue \"ca.example\"")),
        ("domain_records.create", create("0 issue \"\"")),
    ]);
    expect![[r#"
        > POST https://api.linode.com/v4/domains/2/records
          auth bearer, class default
          {"tag":"issue","target":"ca.example","type":"CAA"}
        < 200
        = {"id":"11","name":"","port":0,"priority":0,"target":"0 issue \"ca.example\"","ttl_s":0,"type":"CAA","weight":0}
        > PUT https://api.linode.com/v4/domains/2/records/11
          auth bearer, class default, safe to repeat
          {"tag":"iodef","target":"mailto:a@b.example","ttl_sec":300}
        < 200
        = {"id":"11","name":"","port":0,"priority":0,"target":"0 issue \"ca.example\"","ttl_s":0,"type":"CAA","weight":0}
        > PUT https://api.linode.com/v4/domains/2/records/11
          auth bearer, class default, safe to repeat
          {"target":"203.0.113.9","ttl_sec":300}
        < 200
        = {"id":"11","name":"web","port":0,"priority":0,"target":"203.0.113.9","ttl_s":0,"type":"A","weight":0}
        ! {"kind":"invalid","message":"`ca.example` is no CAA record: give one like 0 issue \"ca.example\"","field":"target"}
        ! {"kind":"invalid","message":"`128 issue \"ca.example\"` is no CAA record: give one like 0 issue \"ca.example\"","field":"target"}
        ! {"kind":"invalid","message":"`0 issue \"\"` is no CAA record: give one like 0 issue \"ca.example\"","field":"target"}
    "#]].assert_eq(&shown);
}
