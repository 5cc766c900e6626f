//! Actions of API v3 by name.

use crate::{API, bad, driver, good, show};
use expect_test::expect;
use serde_json::{Value, json};

#[test]
fn an_action_with_its_parameters() {
    let args = json!({ "method": "POST", "path": "/linode.webconsoletoken", "body": { "LinodeID": 7 } });
    let query = json!({ "method": "get", "path": "domain.list", "query": { "DomainID": "5" } });
    let every = json!({ "method": "POST", "path": "/test.echo", "body": { "a": "b", "c": true, "d": null, "e": 1.5, "f": [1],
        "g": { "secret": "s1" }, "h": { "x": { "secret": "s2" } }, "i": "" } });
    let shown = show("raw", args, [good(json!({ "TOKEN": "t" }))])
        + &show("raw", query, [good(json!([{ "DOMAINID": 5 }]))])
        + &show("raw", every, [good(json!({ "A": "b" }))])
        + &show("raw", json!({ "method": "GET", "path": "/account.info" }), [bad(13, "Permission denied")]);
    expect![[r#"
        >! linode.webconsoletoken LinodeID=7
        = {"TOKEN":"t"}
        > domain.list DomainID=5
        = [{"DOMAINID":5}]
        > test.echo a=b c=1 e=1.5 f=[1] g={"secret":"s1"} h={"x":{"secret":"s2"}} i=
        = {"A":"b"}
        > account.info
        ! {"kind":"forbidden","message":"Permission denied","retry":"never","code":"13"}
    "#]]
    .assert_eq(&shown);
}

#[test]
fn only_actions_and_their_parameters() {
    let refused = |args: Value| driver().show("raw", args);
    let post = |path: &str, body: Value| refused(json!({ "method": "POST", "path": path, "body": body }));
    let shown = [
        refused(json!({ "method": "PATCH", "path": "/linode.list" })),
        refused(json!({ "method": "GET", "path": "/linode.list", "filter": { "label": "x" } })),
        refused(json!({ "method": "GET", "path": "/linode.list", "query": { "API_Key": "k" } })),
        refused(json!({ "method": "GET", "path": "/linode.delete" })),
        post("/linode/instances", json!({})),
        post("/batch", json!({})),
        post("/linode..list", json!({})),
        post("/linode.list?x=y", json!({})),
        post("/user.getAPIkey", json!({ "username": "ann" })),
        post("/linode.list", json!([1])),
        post("/linode.list", json!({ "api_action": "linode.delete" })),
    ];
    expect![[r#"
        ! {"kind":"invalid","message":"`PATCH` is none of GET, POST, PUT, DELETE","field":"method"}
        ! {"kind":"unsupported","message":"Linode's API v3 has no filters: leave it out, or use the provider linode-v4","field":"filter"}
        ! {"kind":"invalid","message":"`API_Key` is no parameter of an action: key and action are set already","field":"query"}
        ! {"kind":"invalid","message":"linode.delete changes something: it is called with POST","field":"method"}
        ! {"kind":"invalid","message":"`/linode/instances` is no action of API v3: give one like /linode.list","field":"path"}
        ! {"kind":"invalid","message":"`/batch` is no action of API v3: give one like /linode.list","field":"path"}
        ! {"kind":"invalid","message":"`/linode..list` is no action of API v3: give one like /linode.list","field":"path"}
        ! {"kind":"invalid","message":"`/linode.list?x=y` is no action of API v3: give one like /linode.list","field":"path"}
        ! {"kind":"forbidden","message":"user.getapikey answers with a key, which would be kept with the run: log in with a key instead","field":"path"}
        ! {"kind":"invalid","message":"the parameters of an action are one object: invalid type: sequence, expected a map at line 1 column 0","field":"body"}
        ! {"kind":"invalid","message":"`api_action` is no parameter of an action: key and action are set already","field":"query"}
    "#]].assert_eq(&shown.concat());
}

#[test]
fn what_only_reads_may_be_repeated() {
    let mut shown = String::new();
    for path in [
        "linode.list",
        "Linode.List",
        "avail.kernels",
        "test.echo",
        "linode.update",
        "linode.delete",
        "linode.reboot",
        "linode.mutate",
        "linode.resize",
    ] {
        let mut driver = driver();
        driver.on(API, good(json!({})));
        driver.call("raw", json!({ "method": "POST", "path": path })).expect("it is answered");
        shown += &format!("{path} {}\n", driver.requests[0].safe_to_repeat);
    }
    expect![[r#"
        linode.list true
        Linode.List true
        avail.kernels true
        test.echo true
        linode.update true
        linode.delete true
        linode.reboot false
        linode.mutate false
        linode.resize false
    "#]]
    .assert_eq(&shown);
}
