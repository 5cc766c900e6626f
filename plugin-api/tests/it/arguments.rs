//! Arguments cross without their defaults and are read strictly, so that an old plugin refuses what it does not know.

use expect_test::expect;
use linodetool_plugin::operations::arguments;
use linodetool_plugin::testing::Driver;
use linodetool_plugin::*;
use serde::Serialize;
use serde_json::json;

/// Has no operation: every call is refused, for its arguments or as unsupported.
struct Nothing;

impl Provider for Nothing {}

fn written(args: &(impl Serialize + Default)) -> String {
    arguments(args).expect("JSON").to_string()
}

#[test]
fn defaults_are_left_out() {
    let create = CreateInstance {
        label: "web-1".to_owned(),
        region: "us-east".to_owned(),
        root_pass: Some(SecretRef::new("s1")),
        booted: Some(false),
        ..CreateInstance::default()
    };
    let rule = FirewallRule { protocol: "TCP".to_owned(), ports: "22".to_owned(), ..FirewallRule::default() };
    let rules = FirewallRules { inbound: vec![rule], inbound_policy: Verdict::Drop, ..FirewallRules::default() };
    let shown = [
        written(&NoArguments {}),
        written(&ListInstances::default()),
        written(&ById::new("7")),
        written(&create),
        written(&CreateFirewall { label: "web".to_owned(), ..CreateFirewall::default() }),
        written(&SetFirewallRules { id: "7".to_owned(), rules }),
        written(&Raw { method: "GET".to_owned(), path: "/x".to_owned(), ..Raw::default() }),
    ];
    expect![[r#"
        {}
        {}
        {"id":"7"}
        {"booted":false,"label":"web-1","region":"us-east","root_pass":{"secret":"s1"}}
        {"label":"web"}
        {"id":"7","rules":{"inbound":[{"ports":"22","protocol":"TCP"}],"inbound_policy":"drop"}}
        {"method":"GET","path":"/x"}"#]]
    .assert_eq(&shown.join("\n"));
}

/// That nothing was there before is something else than that nobody looked.
#[test]
fn an_empty_account_before_a_create_crosses() {
    let create = CreateInstance { before: Some(Vec::new()), ..CreateInstance::default() };
    expect![[r#"{"before":[]}"#]].assert_eq(&written(&create));
}

/// Every operation: no arguments at all are readable, since all have defaults; an unknown one is not.
#[test]
fn every_operation_refuses_an_argument_it_does_not_know() {
    for operation in OPERATIONS {
        let call = |args| Driver::new(Nothing).call(operation.name, args).expect_err("it has nothing").kind;
        assert_eq!(call(json!({})), ErrorKind::Unsupported, "{}", operation.name);
        assert_eq!(call(json!({ "of_tomorrow": 1 })), ErrorKind::Invalid, "{}", operation.name);
    }
}

#[test]
fn a_misspelt_argument_is_named_with_those_that_there_are() {
    let error = Driver::new(Nothing).call("instances.list", json!({ "regoin": "us-east" })).expect_err("misspelt");
    expect!["arguments: unknown field `regoin`, expected one of `label`, `region`, `tag`, `ids` at line 1 column 9"]
        .assert_eq(&error.to_string());
}

/// An ignored policy would open the firewall.
#[test]
fn rules_of_a_firewall_are_strict_when_they_are_arguments() {
    let call = |rules| {
        let args = json!({ "label": "web", "rules": rules });
        Driver::new(Nothing).call("firewalls.create", args).expect_err("it has nothing").to_string()
    };
    let shown = [
        call(json!({ "inbound_polcy": "drop" })),
        call(json!({ "inbound": [{ "protocol": "TCP", "port": "22" }] })),
        call(json!({ "inbound_policy": "DROP" })),
        call(
            json!({ "inbound": [{ "protocol": "TCP", "ports": "22", "ipv4": ["0.0.0.0/0"] }], "inbound_policy": "drop" }),
        ),
    ];
    expect![[r#"
        arguments: unknown field `inbound_polcy`, expected one of `inbound`, `outbound`, `inbound_policy`, `outbound_policy` at line 1 column 39
        arguments: unknown field `port`, expected one of `label`, `action`, `protocol`, `ports`, `ipv4`, `ipv6` at line 1 column 42
        arguments: unknown variant `DROP`, expected `accept` or `drop` at line 1 column 47
        this provider does not support firewalls.create"#]].assert_eq(&shown.join("\n"));
    let noun: FirewallRules =
        serde_json::from_value(json!({ "of_tomorrow": 1, "inbound_policy": "shrug" })).expect("lenient");
    assert_eq!(noun.inbound_policy, Verdict::Other);
    let written = serde_json::to_value(FirewallRules::default()).expect("JSON");
    assert_eq!(written.as_object().map(serde_json::Map::len), Some(4), "as a noun they are whole");
}

#[test]
fn a_secret_is_a_reference_and_nothing_else() {
    let text = |value| serde_json::from_value::<Text>(value).expect("a text");
    assert_eq!(text(json!("x")), Text::Plain("x".to_owned()));
    assert_eq!(text(json!({ "secret": "s1", "as": "base64" })), Text::Secret(SecretRef::new("s1").base64()));
    assert!(serde_json::from_value::<SecretRef>(json!({ "secret": "s1", "value": "hunter2" })).is_err());
    assert!(serde_json::from_value::<SecretRef>(json!("hunter2")).is_err());
}
