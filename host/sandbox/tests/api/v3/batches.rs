//! How API v3 is asked: GET and POST, keys, batches, envelopes.

use crate::support::{Cloud, sorted, v3_told};
use expect_test::expect;
use linodetool_sandbox::wire::Request;
use serde_json::Value;

fn get(cloud: &Cloud, query: &str) -> Value {
    let request =
        Request { method: "GET".to_owned(), path: "/api/".to_owned(), query: query.to_owned(), ..Request::default() };
    cloud.sandbox.handle(&request).body.unwrap()
}

fn batch(cloud: &Cloud, items: &str) -> Value {
    let form = [("api_key", cloud.token.as_str()), ("api_action", "batch"), ("api_requestArray", items)];
    let form: Vec<_> = form.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    cloud.v3_form(&form).body.unwrap()
}

#[test]
fn an_envelope() {
    let cloud = Cloud::new();
    let response = cloud.v3("AVAIL.nodebalancers");
    let headers: Vec<_> = response.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    expect![[r#"
        200 Content-Type: application/json;charset=UTF-8, X-Powered-By: Tiger Blood
        {"ACTION":"avail.nodebalancers","DATA":[{"CONNECTIONS":10000,"HOURLY":0.015,"MONTHLY":10.0}],"ERRORARRAY":[]}"#]].assert_eq(&format!("{} {}\n{}", response.status, headers.join(", "), sorted(&response.body.unwrap())));
}

#[test]
fn names_count_without_case_and_the_method_does_not() {
    let cloud = Cloud::new();
    let query = format!("API_KEY={}&Api_Action=linode.Create&datacenterid=6&PLANID=1", cloud.token);
    expect![[r#"= {"LinodeID":1001}"#]].assert_eq(&v3_told(&get(&cloud, &query)));
    let query = format!("api_key={}&api_action=test.echo&foo=bar+baz&Qux=1%26", cloud.token);
    expect![[r#"= {"FOO":"bar baz","QUX":"1&"}"#]].assert_eq(&v3_told(&get(&cloud, &query)));
    let other = Request { method: "PUT".to_owned(), path: "/".to_owned(), ..Request::default() };
    expect!["! 1 Bad request"].assert_eq(&v3_told(&cloud.sandbox.handle(&other).body.unwrap()));
}

#[test]
fn keys() {
    let cloud = Cloud::new();
    expect!["! 4 Authentication failed"].assert_eq(&v3_told(&get(&cloud, "api_action=linode.list")));
    expect!["! 4 Authentication failed"].assert_eq(&v3_told(&get(&cloud, "api_action=linode.list&api_key=wrong")));
    let narrow = cloud.sandbox.add_token("linodes:read_write").unwrap();
    expect!["! 4 Authentication failed"]
        .assert_eq(&v3_told(&get(&cloud, &format!("api_action=linode.list&api_key={narrow}"))));
    expect!["! 4 Authentication failed"]
        .assert_eq(&v3_told(&get(&cloud, "api_action=batch&api_requestArray=[]&api_key=wrong")));
    let basic = |credential: &str| {
        use base64::Engine as _;
        let encoded = base64::engine::general_purpose::STANDARD.encode(credential);
        let headers = vec![("authorization".to_owned(), format!("Basic {encoded}"))];
        let (method, path) = ("GET".to_owned(), "/".to_owned());
        let query = "api_action=linode.list".to_owned();
        v3_told(&cloud.sandbox.handle(&Request { method, path, query, headers, ..Request::default() }).body.unwrap())
    };
    expect![[r#"
          []
          ! 4 Authentication failed"#]]
    .assert_eq(&[basic(&format!("anybody:{}", cloud.token)), basic("anybody:wrong")].join("\n"));
    // Without a key.
    let spec = get(&cloud, "api_action=api.spec");
    assert_eq!(spec["DATA"]["METHODS"].as_object().unwrap().len(), 78);
    expect![[r#"{"DESCRIPTION":"","PARAMETERS":{"JobID":{"DESCRIPTION":"","NAME":"JobID","REQUIRED":false,"TYPE":"numeric"},"LinodeID":{"DESCRIPTION":"","NAME":"LinodeID","REQUIRED":true,"TYPE":"numeric"},"pendingOnly":{"DESCRIPTION":"","NAME":"pendingOnly","REQUIRED":false,"TYPE":"boolean"}},"THROWS":""}"#]].assert_eq(&sorted(&spec["DATA"]["METHODS"]["linode.job.list"]).to_string());
    let wanted = |user: &str, password: &str| {
        get(&cloud, &format!("api_action=user.getapikey&username={user}&password={password}"))
    };
    expect!["! 4 Authentication failed"].assert_eq(&v3_told(&wanted("sandbox", "guess")));
    let key = wanted("sandbox", &cloud.token)["DATA"]["API_KEY"].as_str().unwrap().to_owned();
    expect!["[]"].assert_eq(&v3_told(&get(&cloud, &format!("api_action=linode.list&api_key={key}"))));
}

#[test]
fn one_that_fails_stops_none_of_the_others() {
    let cloud = Cloud::new();
    let answers = batch(
        &cloud,
        r#"[{"api_action":"linode.create","DatacenterID":6,"PlanID":1},
            {"api_action":"linode.update","LinodeID":1001,"Label":"web-1"},
            {"api_action":"linode.update","LinodeID":5,"Label":"web-1"},
            {"api_action":"linode.disk.create","LinodeID":"1001","Type":"ext4"},
            {},
            {"api_action":"test.echo","a":{"b":1},"c":true,"d":null}]"#,
    );
    let told: Vec<_> = answers.as_array().unwrap().iter().map(v3_told).collect();
    expect![[r#"
          = {"LinodeID":1001}
          = {"LinodeID":1001}
          ! 5 Object not found
          ! 6 Label is required but was not passed in
          ! 2 No action was requested
          = {"A":"{\"b\":1}","C":"true","D":""}"#]]
    .assert_eq(&told.join("\n"));
}

#[test]
fn batches_that_are_refused_as_a_whole() {
    let cloud = Cloud::new();
    let many = |count: usize| format!("[{}]", vec![r#"{"api_action":"test.echo"}"#; count].join(","));
    assert_eq!(batch(&cloud, &many(25)).as_array().unwrap().len(), 25);
    let told = [many(26), "{}".to_owned(), "not JSON".to_owned()].map(|items| v3_told(&batch(&cloud, &items)));
    expect![[r#"
          ! 10 Too many batched requests
          ! 11 RequestArray isn't valid JSON or WDDX
          ! 11 RequestArray isn't valid JSON or WDDX"#]]
    .assert_eq(&told.join("\n"));
}
