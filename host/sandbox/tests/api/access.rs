//! Tokens, scopes, limits, and what is not emulated.

use expect_test::expect;
use linodetool_sandbox::limits::LimitMode;
use linodetool_sandbox::world::Timing;

use crate::support::Cloud;

#[test]
fn tokens_are_asked_for() {
    let cloud = Cloud::new();
    cloud.check(
        "GET /v4/linode/instances\nAuthorization:",
        &expect![[r#"
        401 {
          "errors": [
            {
              "reason": "Invalid Token"
            }
          ]
        }"#]],
    );
    cloud.check(
        "GET /v4/linode/instances\nAuthorization: Bearer wrong",
        &expect![[r#"
        401 {
          "errors": [
            {
              "reason": "Invalid Token"
            }
          ]
        }"#]],
    );
    cloud.check(
        "GET /v4/regions\nAuthorization: Bearer wrong",
        &expect![[r#"
        401 {
          "errors": [
            {
              "reason": "Invalid Token"
            }
          ]
        }"#]],
    );
    let token = cloud.sandbox.add_token("linodes:read_only").unwrap();
    let with = |call: &str| cloud.ask(&format!("{call}\nAuthorization: Bearer {token}"));
    let allowed = with("GET /v4/linode/instances");
    let header = |name: &str| allowed.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    assert_eq!(
        (allowed.status, header("X-OAuth-Scopes"), header("X-Accepted-OAuth-Scopes")),
        (200, Some("linodes:read_only"), Some("linodes:read_only"))
    );
    cloud.check(
        &format!("POST /v4/linode/instances\nAuthorization: Bearer {token}"),
        &expect![[r#"
        401 {
          "errors": [
            {
              "reason": "Your OAuth token is not authorized to use this endpoint."
            }
          ]
        }"#]],
    );
    assert_eq!(with("GET /v4/account/events").status, 401);
    assert_eq!(with("GET /v4/profile").status, 200, "any token may ask whose it is");
    assert_eq!(with("GET /sandbox/ledger").status, 401);
    cloud.check("GET /v4/profile/grants", &expect!["204 "]);
}

#[test]
fn a_token_can_be_made_through_the_api() {
    let cloud = Cloud::new();
    let made = cloud.get("POST /v4/profile/tokens\n{\"label\":\"reader\",\"scopes\":\"linodes:read_only\"}");
    let secret = made["token"].as_str().unwrap();
    assert_eq!(cloud.ask(&format!("GET /v4/linode/instances\nAuthorization: Bearer {secret}")).status, 200);
    let listed = cloud.get("GET /v4/profile/tokens");
    assert_eq!(listed["results"], 2);
    assert!(!listed.to_string().contains(secret), "the secret is told once");
}

#[test]
fn the_twenty_first_create_in_fifteen_seconds_is_refused() {
    let cloud = Cloud::with(Timing::fast(), LimitMode::Real);
    let create = "POST /v4/linode/instances\n{\"region\":\"us-east\",\"type\":\"g6-nanode-1\"}";
    let mut answers = Vec::new();
    for _ in 0..22 {
        let response = cloud.ask(create);
        let header = |name: &str| response.headers.iter().find(|(known, _)| known == name).unwrap().1.clone();
        answers.push(format!(
            "{} limit {} remaining {} reset {} retry {}",
            response.status,
            header("X-RateLimit-Limit"),
            header("X-RateLimit-Remaining"),
            header("X-RateLimit-Reset"),
            header("Retry-After")
        ));
        cloud.pass(0.5);
    }
    expect![[r#"
        200 limit 20 remaining 19 reset 1769860815 retry 15
        200 limit 20 remaining 0 reset 1769860815 retry 6
        429 limit 20 remaining 0 reset 1769860815 retry 5
        429 limit 20 remaining 0 reset 1769860815 retry 5"#]]
    .assert_eq(&[answers[0].as_str(), &answers[19], &answers[20], &answers[21]].join("\n"));
    cloud.check(
        create,
        &expect![[r#"
        429 {
          "errors": [
            {
              "reason": "Too many requests"
            }
          ]
        }"#]],
    );
    cloud.pass(4.0);
    assert_eq!(cloud.ask(create).status, 200);
    assert_eq!(cloud.get("GET /v4/linode/instances")["results"], 21);
}

#[test]
fn what_is_not_emulated_is_said() {
    let cloud = Cloud::new();
    cloud.check(
        "GET /v4/lke/clusters",
        &expect![[r#"
        501 {
          "errors": [
            {
              "reason": "The sandbox does not emulate GET /v4/lke/clusters."
            }
          ]
        }"#]],
    );
    cloud.check(
        "DELETE /v4/account",
        &expect![[r#"
        501 {
          "errors": [
            {
              "reason": "The sandbox does not emulate DELETE /v4/account."
            }
          ]
        }"#]],
    );
    cloud.check(
        "GET /v5/regions",
        &expect![[r#"
            404 {
              "errors": [
                {
                  "reason": "Nothing is here: API v4 is under /v4 and /v4beta, API v3 at /."
                }
              ]
            }"#]],
    );
    cloud.check(
        "GET /v4x/regions",
        &expect![[r#"
            404 {
              "errors": [
                {
                  "reason": "Nothing is here: API v4 is under /v4 and /v4beta, API v3 at /."
                }
              ]
            }"#]],
    );
}
