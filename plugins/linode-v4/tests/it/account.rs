//! Account, profile, events.

use crate::{one, whole};
use expect_test::expect;
use linodetool_plugin::testing::Reply;
use serde_json::json;

#[test]
fn account() {
    let body = json!({ "euuid": "8151FBB7-C6D6", "email": "a@example.com", "company": "Initech", "balance": -3.5,
        "capabilities": ["Linodes", "Cloud Firewall"] });
    expect![[r#"
        > GET https://api.linode.com/v4/account
          auth bearer, class default, safe to repeat
        < 200
        = {"capabilities":["Linodes","Cloud Firewall"],"company":"Initech","email":"a@example.com","id":"8151FBB7-C6D6"}
    "#]]
    .assert_eq(&one("account.get", json!({}), "GET /v4/account", Reply::json(200, body)));
}

#[test]
fn account_without_company() {
    let body = json!({ "euuid": "8151FBB7-C6D6", "email": null, "company": null });
    expect![[r#"
        > GET https://api.linode.com/v4/account
          auth bearer, class default, safe to repeat
        < 200
        = {"capabilities":[],"company":"","email":"","id":"8151FBB7-C6D6"}
    "#]]
    .assert_eq(&one("account.get", json!({}), "GET /v4/account", Reply::json(200, body)));
}

#[test]
fn profile_has_its_scopes_from_a_header() {
    let reply = Reply::json(200, json!({ "username": "ann", "email": "a@example.com", "restricted": true }))
        .header("X-OAuth-Scopes", "linodes:read_write events:read_only,account:read_only");
    expect![[r#"
        > GET https://api.linode.com/v4/profile
          auth bearer, class default, safe to repeat
        < 200
        = {"email":"a@example.com","restricted":true,"scopes":["linodes:read_write","events:read_only","account:read_only"],"username":"ann"}
    "#]].assert_eq(&one("profile.get", json!({}), "GET /v4/profile", reply));
}

#[test]
fn profile_of_a_provider_that_names_no_scopes() {
    let reply = Reply::json(200, json!({ "username": "ann" }));
    expect![[r#"
        > GET https://api.linode.com/v4/profile
          auth bearer, class default, safe to repeat
        < 200
        = {"email":"","restricted":false,"scopes":[],"username":"ann"}
    "#]]
    .assert_eq(&one("profile.get", json!({}), "GET /v4/profile", reply));
}

#[test]
fn events_are_filtered_by_the_provider_and_again_here() {
    let event = |id: u64, created: &str, entity: u64| {
        json!({ "id": id, "action": "linode_boot", "status": "started", "percent_complete": 50, "created": created,
            "entity": { "id": entity, "type": "linode", "label": "web-1" }, "username": "ann", "message": "" })
    };
    let items = json!([
        event(3, "2026-01-31T12:00:00", 7),
        event(5, "2026-01-31T12:00:00", 7),
        event(4, "2026-01-31T12:00:01", 7),
        event(6, "2026-01-31T12:00:02", 8),
        event(2, "2026-01-31T11:00:00", 7),
    ]);
    let args =
        json!({ "entity_type": "linode", "entity_id": "7", "action": "linode_boot", "since": "2026-01-31T12:00:00" });
    expect![[r#"
        > GET https://api.linode.com/v4/account/events?page=1&page_size=500
          auth bearer, class list, safe to repeat
          x-filter: {"+order":"desc","+order_by":"created","action":"linode_boot","created":{"+gte":"2026-01-31T12:00:00"},"entity.id":7,"entity.type":"linode"}
        < 200
        = {"action":"linode_boot","created":"2026-01-31T12:00:01","entity_id":"7","entity_label":"web-1","entity_type":"linode","id":"4","message":"","percent":50,"status":"started","username":"ann"}
        = {"action":"linode_boot","created":"2026-01-31T12:00:00","entity_id":"7","entity_label":"web-1","entity_type":"linode","id":"5","message":"","percent":50,"status":"started","username":"ann"}
        = {"action":"linode_boot","created":"2026-01-31T12:00:00","entity_id":"7","entity_label":"web-1","entity_type":"linode","id":"3","message":"","percent":50,"status":"started","username":"ann"}
    "#]].assert_eq(&one("events.list", args, "GET /v4/account/events?page=1&page_size=500", whole(items)));
}

#[test]
fn an_event_without_entity_and_with_a_status_of_tomorrow() {
    let items = json!([{ "id": 1, "action": "password_reset", "status": "pondering", "percent_complete": null,
        "created": "2026-01-31T12:00:00", "entity": null, "username": null }]);
    expect![[r#"
        > GET https://api.linode.com/v4/account/events?page=1&page_size=500
          auth bearer, class list, safe to repeat
          x-filter: {"+order":"desc","+order_by":"created"}
        < 200
        = {"action":"password_reset","created":"2026-01-31T12:00:00","entity_id":"","entity_label":"","entity_type":"","id":"1","message":"","percent":null,"status":"other","username":""}
    "#]].assert_eq(&one("events.list", json!({}), "GET /v4/account/events?page=1&page_size=500", whole(items)));
}

#[test]
fn a_few_events_are_one_small_page() {
    let items: Vec<_> = (0..25).map(|n| json!({ "id": 100 - n, "action": "a", "status": "finished" })).collect();
    let reply = crate::page(json!(items), 1, 40, 1000);
    expect![[r#"
        > GET https://api.linode.com/v4/account/events?page=1&page_size=25
          auth bearer, class list, safe to repeat
          x-filter: {"+order":"desc","+order_by":"created"}
        < 200
        = {"action":"a","created":"","entity_id":"","entity_label":"","entity_type":"","id":"100","message":"","percent":null,"status":"finished","username":""}
        = {"action":"a","created":"","entity_id":"","entity_label":"","entity_type":"","id":"99","message":"","percent":null,"status":"finished","username":""}
    "#]].assert_eq(&one(
        "events.list",
        json!({ "limit": 2 }),
        "GET /v4/account/events?page=1&page_size=25",
        reply,
    ));
}

#[test]
fn no_events_are_no_request() {
    expect![[r#"
        = {"items":[]}
    "#]]
    .assert_eq(&crate::driver().show("events.list", json!({ "limit": 0 })));
}
