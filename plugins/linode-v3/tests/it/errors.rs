//! Codes of API v3, and answers that are not its own, as errors.

use crate::{API, bad, driver, fault};
use expect_test::expect;
use linodetool_plugin::ProviderError;
use linodetool_plugin::testing::Reply;
use serde_json::json;

fn error(reply: Reply) -> ProviderError {
    let mut driver = driver();
    driver.on(API, reply);
    driver.call("instances.boot", json!({ "id": "7" })).expect_err("it is refused")
}

fn shown(error: &ProviderError) -> String {
    format!("{} ambiguous={}\n", serde_json::to_string(error).expect("JSON"), error.is_ambiguous())
}

#[test]
fn every_code_has_its_kind() {
    let codes = [
        (1, "Bad request"),
        (2, "No action was requested"),
        (3, "The requested class does not exist"),
        (4, "Authentication failed"),
        (5, "Object not found"),
        (6, "Size is required but was not passed in"),
        (7, "Property is invalid"),
        (8, "A data validation error has occurred"),
        (8, "This account already has a Linode with that label. Labels must be unique."),
        (8, "No open slots for this plan!"),
        (8, "The Linode is busy"),
        (9, "Method Not Implemented"),
        (10, "Too many batched requests"),
        (11, "RequestArray isn't valid JSON or WDDX"),
        (13, "Permission denied"),
        (15, "Account Limit reached. Please open a support ticket."),
        (30, "Charging the credit card failed"),
        (31, "Credit card is expired"),
        (40, "Limit of Linodes added per hour reached"),
        (41, "Linode must have no disks before delete"),
        (42, "StackScript limit has been reached"),
        (77, ""),
    ];
    expect![[r#"
        {"kind":"invalid","message":"Bad request","retry":"never","code":"1"} ambiguous=false
        {"kind":"unsupported","message":"No action was requested","retry":"never","code":"2"} ambiguous=false
        {"kind":"unsupported","message":"The requested class does not exist","retry":"never","code":"3"} ambiguous=false
        {"kind":"unauthorized","message":"Authentication failed: API v3 wants an API key of its own; a personal access token of API v4 is none","retry":"never","code":"4"} ambiguous=false
        {"kind":"not_found","message":"Object not found","retry":"never","code":"5"} ambiguous=false
        {"kind":"invalid","message":"Size is required but was not passed in","retry":"never","code":"6"} ambiguous=false
        {"kind":"invalid","message":"Property is invalid","retry":"never","code":"7"} ambiguous=false
        {"kind":"invalid","message":"A data validation error has occurred","retry":"never","code":"8"} ambiguous=false
        {"kind":"conflict","message":"This account already has a Linode with that label. Labels must be unique.","field":"label","retry":"never","code":"8"} ambiguous=false
        {"kind":"limit","message":"No open slots for this plan!","retry":"never","code":"8"} ambiguous=false
        {"kind":"busy","message":"The Linode is busy","retry":"backoff","code":"8"} ambiguous=false
        {"kind":"unsupported","message":"Method Not Implemented","retry":"never","code":"9"} ambiguous=false
        {"kind":"plugin","message":"Too many batched requests","retry":"never","code":"10"} ambiguous=true
        {"kind":"plugin","message":"RequestArray isn't valid JSON or WDDX","retry":"never","code":"11"} ambiguous=true
        {"kind":"forbidden","message":"Permission denied","retry":"never","code":"13"} ambiguous=false
        {"kind":"limit","message":"Account Limit reached. Please open a support ticket.","retry":"never","code":"15"} ambiguous=false
        {"kind":"limit","message":"Charging the credit card failed","retry":"never","code":"30"} ambiguous=false
        {"kind":"limit","message":"Credit card is expired","retry":"never","code":"31"} ambiguous=false
        {"kind":"limit","message":"Limit of Linodes added per hour reached; try again in an hour","retry":"never","code":"40"} ambiguous=false
        {"kind":"conflict","message":"Linode must have no disks before delete","retry":"never","code":"41"} ambiguous=false
        {"kind":"limit","message":"StackScript limit has been reached","retry":"never","code":"42"} ambiguous=false
        {"kind":"invalid","message":"the provider refused with code 77","retry":"never","code":"77"} ambiguous=false
    "#]].assert_eq(&codes.map(|(code, message)| shown(&error(bad(code, message)))).concat());
}

#[test]
fn several_faults_are_all_told() {
    let faults = json!({ "errorarray": [{ "errorcode": 0, "errormessage": "ok" }, { "ERRORCODE": "6", "ERRORMESSAGE": "Label is required" },
        { "ERRORCODE": 7, "ERRORMESSAGE": "Size is invalid" }], "data": {} });
    expect![[r#"
        {"kind":"invalid","message":"Label is required; Size is invalid","retry":"never","code":"6"} ambiguous=false
    "#]]
    .assert_eq(&shown(&error(Reply::json(200, faults))));
}

/// Nothing of these says that a thing is gone, a 404 least of all: the API is retired.
#[test]
fn answers_of_what_stands_before_the_api() {
    let replies = [
        Reply::text(400, "<html>"),
        Reply::text(401, ""),
        Reply::text(403, ""),
        Reply::text(404, "<html>"),
        Reply::text(408, ""),
        Reply::text(410, ""),
        Reply::text(429, "").header("retry-after", "7"),
        Reply::text(500, ""),
        Reply::text(502, ""),
        Reply::text(503, "").header("retry-after", "99999"),
        Reply::text(503, "").header("x-maintenance-mode", "true"),
        Reply::json(503, fault(5, "Object not found")),
        Reply::empty(204),
        Reply::text(301, ""),
    ];
    expect![[r#"
        {"kind":"unavailable","message":"the provider answered 400, which API v3 itself never does: something else is at its address, or before it","retry":"backoff","status":400} ambiguous=true
        {"kind":"unauthorized","message":"the provider answered 401, which API v3 itself never does: something else is at its address, or before it","retry":"never","status":401} ambiguous=false
        {"kind":"forbidden","message":"the provider answered 403, which API v3 itself never does: something else is at its address, or before it","retry":"never","status":403} ambiguous=false
        {"kind":"unavailable","message":"the provider answered 404: there is no API v3 at this address any more","retry":"never","status":404} ambiguous=true
        {"kind":"timeout","message":"the provider answered 408, which API v3 itself never does: something else is at its address, or before it","retry":"backoff","status":408} ambiguous=true
        {"kind":"unavailable","message":"the provider answered 410: there is no API v3 at this address any more","retry":"never","status":410} ambiguous=true
        {"kind":"rate_limited","message":"the provider answered 429, which API v3 itself never does: something else is at its address, or before it","retry":{"after_ms":7000},"status":429} ambiguous=false
        {"kind":"unavailable","message":"the provider answered 500, which API v3 itself never does: something else is at its address, or before it","retry":"never","status":500} ambiguous=true
        {"kind":"unavailable","message":"the provider answered 502, which API v3 itself never does: something else is at its address, or before it","retry":"backoff","status":502} ambiguous=true
        {"kind":"unavailable","message":"the provider answered 503, which API v3 itself never does: something else is at its address, or before it","retry":{"after_ms":300000},"status":503} ambiguous=true
        {"kind":"unavailable","message":"the provider answered 503, which API v3 itself never does: something else is at its address, or before it","retry":"never","status":503} ambiguous=false
        {"kind":"unavailable","message":"the provider answered 503, which API v3 itself never does: something else is at its address, or before it","retry":"backoff","status":503} ambiguous=true
        {"kind":"unavailable","message":"the provider answered 204, which API v3 itself never does: something else is at its address, or before it","retry":"never","status":204} ambiguous=true
        {"kind":"unavailable","message":"the provider answered 301, which API v3 itself never does: something else is at its address, or before it","retry":"never","status":301} ambiguous=true
    "#]].assert_eq(&replies.map(|reply| shown(&error(reply))).concat());
}

#[test]
fn answers_that_cannot_be_read() {
    let replies = [
        Reply::text(200, "<html>"),
        Reply::empty(200),
        Reply::json(200, json!([])),
        Reply::json(200, json!("ok")),
        Reply::json(200, json!({ "errors": [{ "reason": "Invalid Token" }] })),
        Reply::lost("connect", "connection refused"),
    ];
    expect![[r#"
        {"kind":"unavailable","message":"the provider answered 200 with something that is not JSON","status":200} ambiguous=true
        {"kind":"unavailable","message":"the provider answered 200 with something that is not JSON","status":200} ambiguous=true
        {"kind":"unavailable","message":"the provider answered one action with a list of answers","status":200} ambiguous=true
        {"kind":"unavailable","message":"the provider answered with something that is no answer of API v3","status":200} ambiguous=true
        {"kind":"unavailable","message":"the provider answered without saying whether it went well","status":200} ambiguous=true
        {"kind":"network","message":"connection refused"} ambiguous=true
    "#]].assert_eq(&replies.map(|reply| shown(&error(reply))).concat());
}
