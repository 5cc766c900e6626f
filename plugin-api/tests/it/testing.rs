//! The driver itself: time, order, and what it says of a script that does not fit.

use expect_test::expect;
use linodetool_plugin::testing::{Driver, Reply};
use linodetool_plugin::*;
use serde_json::json;

/// Waits until its account exists.
struct Patient;

impl Provider for Patient {
    async fn get_account(&self, cx: &Cx, _: NoArguments) -> Result<Account> {
        loop {
            let request = Request::post("https://p.example/api").auth(Auth::Form("api_key".to_owned())).class("slow");
            let form = [("action".to_owned(), "account".to_owned())].into();
            let response = cx.http(request.form(form).header("X-Try", "yes")).await?;
            if response.is_success() {
                return response.json();
            }
            cx.progress(format!("still {}", response.status));
            cx.sleep_ms(2_000).await;
        }
    }
}

#[test]
fn a_whole_exchange_is_shown() {
    let mut driver = Driver::new(Patient);
    driver.on("POST /api", Reply::text(503, "wait")).on("POST /api", Reply::json(200, json!({ "id": "7" })));
    driver.on("GET /never", Reply::empty(200));
    expect![[r#"
        > POST https://p.example/api
          auth {"form":"api_key"}, class slow
          x-try: yes
          {"form":{"action":"account"}}
        < 503
        ~ still 503
        @ 2000 ms
        > POST https://p.example/api
          auth {"form":"api_key"}, class slow
          x-try: yes
          {"form":{"action":"account"}}
        < 200
        = {"capabilities":[],"company":"","email":"","id":"7"}
        ? never asked: GET /never
    "#]]
    .assert_eq(&driver.show("account.get", json!({})));
    assert_eq!(driver.now_ms, 2_000);
}

#[test]
fn an_answer_in_no_known_form_may_have_had_its_effect() {
    let mut driver = Driver::new(Patient);
    driver.on("POST /api", Reply::text(200, "<html>"));
    let error = driver.call("account.get", json!({})).expect_err("not JSON");
    assert!(error.is_ambiguous());
    expect!["the provider answered 200 with something that is not JSON"].assert_eq(&error.to_string());
}

#[test]
#[should_panic = "no scripted answer for POST https://p.example/api; left in the script: [\"GET /api\"]"]
fn what_is_not_in_the_script_is_a_mistake() {
    let _ = Driver::new(Patient).on("GET /api", Reply::empty(200)).call("account.get", json!({}));
}
