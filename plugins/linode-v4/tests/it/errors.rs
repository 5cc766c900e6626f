//! Every way API v4, or what stands before it, says no.

use crate::{one, refused};
use expect_test::{Expect, expect};
use linodetool_plugin::testing::Reply;
use serde_json::json;

/// The error of a read that is answered so.
fn check(reply: Reply, expected: &Expect) {
    let shown = one("account.get", json!({}), "GET /account", reply);
    expected.assert_eq(shown.lines().last().unwrap_or_default());
}

fn reason(status: u16, reason: &str) -> Reply {
    refused(status, json!([{ "reason": reason }]))
}

#[test]
fn busy() {
    check(
        reason(400, "Linode busy."),
        &expect![[r#"! {"kind":"busy","message":"Linode busy.","retry":"backoff","status":400}"#]],
    );
}

#[test]
fn account_limit() {
    check(
        reason(400, "Account Limit reached. Please open a support ticket."),
        &expect![[
            r#"! {"kind":"limit","message":"Account Limit reached. Please open a support ticket.","retry":"never","status":400}"#
        ]],
    );
}

#[test]
fn label_taken_without_field() {
    check(
        reason(400, "Label must be unique among your Cloud Firewalls"),
        &expect![[
            r#"! {"kind":"conflict","message":"Label must be unique among your Cloud Firewalls","field":"label","retry":"never","status":400}"#
        ]],
    );
}

#[test]
fn filter_refused() {
    check(
        refused(400, json!([{ "field": "X-Filter", "reason": "Cannot filter on foo" }])),
        &expect![[
            r#"! {"kind":"invalid","message":"Cannot filter on foo","field":"X-Filter","retry":"never","status":400}"#
        ]],
    );
}

#[test]
fn bad_token() {
    check(
        reason(401, "Invalid Token"),
        &expect![[r#"! {"kind":"unauthorized","message":"Invalid Token","retry":"never","status":401}"#]],
    );
}

#[test]
fn token_without_the_scope() {
    let reply = reason(401, "Your OAuth token is not authorized to use this endpoint.")
        .header("X-Accepted-OAuth-Scopes", "account:read_only")
        .header("X-OAuth-Scopes", "linodes:read_write");
    check(
        reply,
        &expect![[
            r#"! {"kind":"forbidden","message":"the token needs the scope account:read_only and has linodes:read_write: Your OAuth token is not authorized to use this endpoint.","retry":"never","status":401}"#
        ]],
    );
}

#[test]
fn token_without_the_scope_and_no_headers() {
    check(
        reason(401, "Your OAuth token is not authorized to use this endpoint."),
        &expect![[
            r#"! {"kind":"forbidden","message":"Your OAuth token is not authorized to use this endpoint.","retry":"never","status":401}"#
        ]],
    );
}

#[test]
fn user_without_the_grant() {
    check(
        reason(403, "Unauthorized"),
        &expect![[r#"! {"kind":"forbidden","message":"Unauthorized","retry":"never","status":403}"#]],
    );
}

#[test]
fn not_found() {
    check(
        reason(404, "Not found"),
        &expect![[r#"! {"kind":"not_found","message":"Not found","retry":"never","status":404}"#]],
    );
}

#[test]
fn too_slow() {
    check(
        reason(408, "Please try again"),
        &expect![[r#"! {"kind":"timeout","message":"Please try again","retry":"backoff","status":408}"#]],
    );
}

#[test]
fn conflict() {
    check(
        reason(409, "Firewall is being changed"),
        &expect![[r#"! {"kind":"conflict","message":"Firewall is being changed","retry":"never","status":409}"#]],
    );
}

#[test]
fn too_many_requests() {
    check(
        reason(429, "Too many requests").header("Retry-After", "15"),
        &expect![[
            r#"! {"kind":"rate_limited","message":"Too many requests","retry":{"after_ms":15000},"status":429}"#
        ]],
    );
}

#[test]
fn too_many_requests_for_an_absurd_time() {
    check(
        reason(429, "Too many requests").header("Retry-After", "99999"),
        &expect![[
            r#"! {"kind":"rate_limited","message":"Too many requests","retry":{"after_ms":300000},"status":429}"#
        ]],
    );
}

#[test]
fn too_many_requests_for_a_negative_time() {
    check(
        reason(429, "Too many requests").header("Retry-After", "-1"),
        &expect![[r#"! {"kind":"rate_limited","message":"Too many requests","retry":{"after_ms":0},"status":429}"#]],
    );
}

#[test]
fn too_many_requests_without_a_time() {
    check(
        reason(429, "Too many requests"),
        &expect![[r#"! {"kind":"rate_limited","message":"Too many requests","retry":"backoff","status":429}"#]],
    );
}

#[test]
fn too_many_requests_until_a_date() {
    check(
        Reply::text(429, "slow down").header("Retry-After", "Wed, 21 Oct 2026 07:28:00 GMT"),
        &expect![[
            r#"! {"kind":"rate_limited","message":"the provider answered 429 with something that is not JSON: slow down","retry":"backoff","status":429}"#
        ]],
    );
}

#[test]
fn internal_error() {
    check(
        reason(500, "Internal server error"),
        &expect![[r#"! {"kind":"unavailable","message":"Internal server error","retry":"never","status":500}"#]],
    );
}

#[test]
fn bad_gateway_page() {
    let html = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center></body></html>";
    check(
        Reply::text(502, html),
        &expect![[
            r#"! {"kind":"unavailable","message":"the provider answered 502 with something that is not JSON: 502 Bad Gateway 502 Bad Gateway nginx","retry":"backoff","status":502}"#
        ]],
    );
}

#[test]
fn not_yet_available() {
    check(
        reason(503, "Please try again later."),
        &expect![[r#"! {"kind":"unavailable","message":"Please try again later.","retry":"backoff","status":503}"#]],
    );
}

#[test]
fn not_available_for_a_time() {
    check(
        reason(503, "Please try again later.").header("Retry-After", "30"),
        &expect![[
            r#"! {"kind":"unavailable","message":"Please try again later.","retry":{"after_ms":30000},"status":503}"#
        ]],
    );
}

#[test]
fn planned_maintenance() {
    let reply =
        reason(503, "The API is in maintenance").header("X-Maintenance-Mode", "standard").header("Retry-After", "30");
    check(
        reply,
        &expect![[r#"! {"kind":"unavailable","message":"The API is in maintenance","retry":"never","status":503}"#]],
    );
}

#[test]
fn gateway_timeout() {
    check(
        Reply::empty(504),
        &expect![[
            r#"! {"kind":"timeout","message":"the provider answered 504 without a reason","retry":"backoff","status":504}"#
        ]],
    );
}

#[test]
fn bad_request_page_of_the_front_end() {
    let html = "<html><head><title>400 Bad Request</title></head><body>nginx</body></html>";
    check(
        Reply::text(400, html),
        &expect![[
            r#"! {"kind":"unavailable","message":"the provider answered 400 with something that is not JSON: 400 Bad Request nginx","retry":"backoff","status":400}"#
        ]],
    );
}

#[test]
fn json_that_is_not_about_errors() {
    check(
        Reply::json(404, json!({ "errors": "none of your business" })),
        &expect![[
            r#"! {"kind":"not_found","message":"the provider answered 404 without a reason","retry":"never","status":404}"#
        ]],
    );
    check(
        Reply::json(418, json!([1, 2])),
        &expect![[
            r#"! {"kind":"invalid","message":"the provider answered 418 without a reason","retry":"never","status":418}"#
        ]],
    );
}

#[test]
fn redirects_are_not_answers() {
    check(
        Reply::empty(302).header("location", "https://evil.example/"),
        &expect![[
            r#"! {"kind":"unavailable","message":"the provider answered 302 without a reason","retry":"never","status":302}"#
        ]],
    );
}

#[test]
fn a_page_of_text_is_cut() {
    check(
        Reply::text(502, &"very long ä ".repeat(500)),
        &expect![[
            r#"! {"kind":"unavailable","message":"the provider answered 502 with something that is not JSON: very long ä very long ä very long ä very long ä very long ä very long ä very lon...","retry":"backoff","status":502}"#
        ]],
    );
}

#[test]
fn success_that_is_not_json() {
    check(
        Reply::text(200, "<html>hello</html>"),
        &expect![[
            r#"! {"kind":"unavailable","message":"the provider answered 200 with something that is not JSON","status":200}"#
        ]],
    );
}

#[test]
fn no_network() {
    check(
        Reply::lost("connect", "connection refused"),
        &expect![[r#"! {"kind":"network","message":"connection refused"}"#]],
    );
    check(
        Reply::lost("timeout", "no answer within 30 s"),
        &expect![[r#"! {"kind":"timeout","message":"no answer within 30 s"}"#]],
    );
}

#[test]
fn retry_after_on_success_means_nothing() {
    check(
        Reply::json(200, json!({ "euuid": "E" })).header("Retry-After", "117"),
        &expect![[r#"= {"capabilities":[],"company":"","email":"","id":"E"}"#]],
    );
}
