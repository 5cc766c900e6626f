//! The provider's own operations.

use crate::{driver, one, refused};
use expect_test::expect;
use linodetool_plugin::testing::Reply;
use serde_json::json;

#[test]
fn get_with_query_and_filter() {
    let args = json!({ "method": "get", "path": "/volumes", "query": { "page": "2", "q": "a b&c" }, "filter": { "label": "data" } });
    let reply = Reply::json(200, json!({ "data": [], "pages": 1 }));
    expect![[r#"
        > GET https://api.linode.com/v4/volumes?page=2&q=a%20b%26c
          auth bearer, class list, safe to repeat
          x-filter: {"label":"data"}
        < 200
        = {"data":[],"pages":1}
    "#]]
    .assert_eq(&one("raw", args, "GET /volumes?page=2&q=a%20b%26c", reply));
}

#[test]
fn post_is_not_repeated_and_keeps_its_body() {
    let args = json!({ "method": "POST", "path": "/volumes", "body": { "label": "data", "size": 20, "password": { "secret": "s1" } } });
    expect![[r#"
        > POST https://api.linode.com/v4/volumes
          auth bearer, class volumes
          {"label":"data","password":{"secret":"s1"},"size":20}
        < 200
        = {"id":5}
    "#]]
    .assert_eq(&one("raw", args, "POST /volumes", Reply::json(200, json!({ "id": 5 }))));
}

#[test]
fn an_answer_without_body_is_null() {
    let args = json!({ "method": "GET", "path": "/profile/grants" });
    expect![[r#"
        > GET https://api.linode.com/v4/profile/grants
          auth bearer, class list, safe to repeat
        < 204
        = null
    "#]]
    .assert_eq(&one("raw", args, "GET /profile/grants", Reply::empty(204)));
}

#[test]
fn classes_follow_the_path() {
    let mut classes = String::new();
    for (method, path) in [
        ("POST", "/linode/instances"),
        ("POST", "/linode/instances/7/boot"),
        ("GET", "/linode/instances"),
        ("GET", "/linode/instances/7"),
        ("GET", "/images"),
        ("GET", "/linode/stackscripts"),
        ("PUT", "/images/private%2F5"),
    ] {
        let mut driver = driver();
        driver.on(&format!("{method} {path}"), Reply::json(200, json!({})));
        driver.call("raw", json!({ "method": method, "path": path })).expect("it is answered");
        classes += &format!("{method} {path} {}\n", driver.requests[0].class);
    }
    expect![[r#"
        POST /linode/instances create
        POST /linode/instances/7/boot default
        GET /linode/instances list
        GET /linode/instances/7 default
        GET /images images
        GET /linode/stackscripts stackscripts
        PUT /images/private%2F5 default
    "#]]
    .assert_eq(&classes);
}

#[test]
fn only_paths_below_the_address_and_known_methods() {
    let show = |(method, path): (&str, &str)| driver().show("raw", json!({ "method": method, "path": path }));
    let tries = [
        ("PATCH", "/volumes"),
        ("GET", "volumes"),
        ("GET", "@evil.example/"),
        ("GET", "/../v5/x"),
        ("GET", "/a/%2E%2e/b"),
        ("GET", "/a?b=c"),
        ("GET", "/a b"),
        ("GET", "/v4/account"),
    ];
    expect![[r#"
        ! {"kind":"invalid","message":"`PATCH` is none of GET, POST, PUT, DELETE","field":"method"}
        ! {"kind":"invalid","message":"`volumes` must begin with a slash, like /linode/instances","field":"path"}
        ! {"kind":"invalid","message":"`@evil.example/` must begin with a slash, like /linode/instances","field":"path"}
        ! {"kind":"invalid","message":"`/../v5/x` leaves the place it starts from","field":"path"}
        ! {"kind":"invalid","message":"`/a/%2E%2e/b` leaves the place it starts from","field":"path"}
        ! {"kind":"invalid","message":"`/a?b=c` must be a path alone: put what follows `?` into `query`","field":"path"}
        ! {"kind":"invalid","message":"`/a b` holds a letter that a path cannot: write it as %XX","field":"path"}
        ! {"kind":"invalid","message":"`/v4/account` is already below the version: leave it out","field":"path"}
    "#]]
    .assert_eq(&tries.map(show).concat());
}

#[test]
fn errors_are_like_all_others() {
    let reply = refused(400, json!([{ "field": "size", "reason": "Must be 10-16384" }]));
    expect![[r#"
        > POST https://api.linode.com/v4/volumes
          auth bearer, class volumes
        < 400
        ! {"kind":"invalid","message":"Must be 10-16384","field":"size","retry":"never","status":400}
    "#]]
    .assert_eq(&one("raw", json!({ "method": "POST", "path": "/volumes" }), "POST /volumes", reply));
}

#[test]
fn all_pages_of_a_list() {
    let mut driver = crate::driver();
    let page = |items: serde_json::Value| crate::page(items, 1, 3, 5);
    driver
        .on("GET /tags?a=b&page=1&page_size=500", page(json!([{ "label": "a" }, { "label": "b" }])))
        .on("GET /tags?a=b&page=2&page_size=500", page(json!([{ "label": "c" }, { "label": "d" }])))
        .on("GET /tags?a=b&page=3&page_size=500", page(json!([7])));
    let args = json!({ "method": "GET", "path": "/tags", "query": { "a": "b" }, "filter": { "label": "x" }, "all_pages": true });
    expect![[r#"
        > GET https://api.linode.com/v4/tags?a=b&page=1&page_size=500
          auth bearer, class list, safe to repeat
          x-filter: {"label":"x"}
        < 200
        > GET https://api.linode.com/v4/tags?a=b&page=2&page_size=500
          auth bearer, class list, safe to repeat
          x-filter: {"label":"x"}
        < 200
        > GET https://api.linode.com/v4/tags?a=b&page=3&page_size=500
          auth bearer, class list, safe to repeat
          x-filter: {"label":"x"}
        < 200
        = [{"label":"a"},{"label":"b"},{"label":"c"},{"label":"d"},7]
    "#]]
    .assert_eq(&driver.show("raw", args));
}

#[test]
fn what_has_no_pages_says_so() {
    let all = |method: &str, query: serde_json::Value| json!({ "method": method, "path": "/account", "query": query, "all_pages": true });
    let shown = one(
        "raw",
        all("GET", json!({})),
        "GET /account?page=1&page_size=500",
        Reply::json(200, json!({ "email": "a" })),
    ) + &crate::unasked([("raw", all("POST", json!({}))), ("raw", all("GET", json!({ "page": "2" })))]);
    expect![[r#"
        > GET https://api.linode.com/v4/account?page=1&page_size=500
          auth bearer, class list, safe to repeat
        < 200
        ! {"kind":"invalid","message":"/account does not answer in pages","field":"all_pages"}
        ! {"kind":"invalid","message":"only GET answers in pages, not POST","field":"all_pages"}
        ! {"kind":"invalid","message":"`page` goes without saying when all pages are wanted","field":"query"}
    "#]]
    .assert_eq(&shown);
}

/// Only where the address is Linode's own: another is taken as it was given.
#[test]
fn beta_operations_are_below_v4beta() {
    let args = || json!({ "method": "get", "path": "/linode/instances/7/interfaces" });
    let mut elsewhere = linodetool_plugin::testing::Driver::new(
        linodetool_linode_v4::LinodeV4::at("http://127.0.0.1:4000/v4").expect("a good address"),
    );
    elsewhere.on("GET /interfaces", Reply::json(200, json!({})));
    let shown = one("raw", args(), "GET /interfaces", Reply::json(200, json!({}))) + &elsewhere.show("raw", args());
    expect![[r#"
        > GET https://api.linode.com/v4beta/linode/instances/7/interfaces
          auth bearer, class list, safe to repeat
        < 200
        = {}
        > GET http://127.0.0.1:4000/v4/linode/instances/7/interfaces
          auth bearer, class list, safe to repeat
        < 200
        = {}
    "#]]
    .assert_eq(&shown);
}
