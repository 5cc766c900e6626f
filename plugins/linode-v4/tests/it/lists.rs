//! Pages, filters, and what happens to a list that changes while it is read.

use crate::instances::linode;
use crate::{driver, one, page, refused, whole};
use expect_test::expect;
use linodetool_plugin::message::{Body, Headers, In, Out};
use linodetool_plugin::testing::Reply;
use serde_json::value::to_raw_value;
use serde_json::{Value, json};

const FIRST: &str = "GET /linode/instances?page=1&page_size=500";

fn request(page: u64) -> String {
    format!("GET /linode/instances?page={page}&page_size=500")
}

fn items(ids: std::ops::Range<u64>) -> Value {
    ids.map(|id| linode(id, &format!("n{id}"))).collect()
}

/// Ids of the answer, in order.
fn ids(value: &Value) -> Vec<String> {
    let items = value["items"].as_array().cloned().unwrap_or_default();
    items.iter().map(|item| item["id"].as_str().unwrap_or("?").to_owned()).collect()
}

#[test]
fn empty() {
    expect![[r#"
        > GET https://api.linode.com/v4/linode/instances?page=1&page_size=500
          auth bearer, class list, safe to repeat
        < 200
        = {"items":[]}
    "#]]
    .assert_eq(&one("instances.list", json!({}), FIRST, whole(json!([]))));
}

#[test]
fn without_data_or_the_number_of_pages_it_is_no_list() {
    let answers = [json!({ "pages": 1 }), json!({ "data": [] }), json!({ "data": null, "pages": 1 }), json!([])];
    let shown = answers.map(|answer| one("instances.list", json!({}), FIRST, Reply::json(200, answer)));
    expect![[r#"
        ! {"kind":"unavailable","message":"the provider answered 200 in an unknown form: missing field `data` at line 1 column 11","status":200}
        ! {"kind":"unavailable","message":"the provider answered 200 in an unknown form: missing field `pages` at line 1 column 11","status":200}
        ! {"kind":"unavailable","message":"the provider answered 200 in an unknown form: invalid type: null, expected a sequence at line 1 column 12","status":200}
        ! {"kind":"unavailable","message":"the provider answered 200 with JSON that is not an object","status":200}"#]].assert_eq(&shown.map(|shown| shown.lines().last().unwrap_or_default().to_owned()).join("\n"));
}

#[test]
fn a_list_of_absurdly_many_pages_is_none() {
    expect![[r#"
        > GET https://api.linode.com/v4/linode/instances?page=1&page_size=500
          auth bearer, class list, safe to repeat
        < 200
        ! {"kind":"unavailable","message":"the provider says that /linode/instances has 9999 pages"}
    "#]]
    .assert_eq(&one("instances.list", json!({}), FIRST, page(json!([]), 1, 9_999, 5_000_000)));
}

#[test]
fn an_item_that_is_no_object_spoils_the_list() {
    expect![[r#"
        > GET https://api.linode.com/v4/linode/instances?page=1&page_size=500
          auth bearer, class list, safe to repeat
        < 200
        ! {"kind":"unavailable","message":"the provider answered 200 with something that has no id","status":200}
    "#]]
    .assert_eq(&one("instances.list", json!({}), FIRST, whole(json!([[1, "ghost"]]))));
}

#[test]
fn an_item_without_id_spoils_the_list() {
    expect![[r#"
        > GET https://api.linode.com/v4/linode/instances?page=1&page_size=500
          auth bearer, class list, safe to repeat
        < 200
        ! {"kind":"unavailable","message":"the provider answered 200 with something that has no id","status":200}
    "#]]
    .assert_eq(&one("instances.list", json!({}), FIRST, whole(json!([{ "label": "ghost" }]))));
}

#[test]
fn what_can_be_filtered_is_filtered_there_and_all_is_checked_here() {
    let items = json!([linode(7, "web-1"), linode(8, "web-2")]);
    let args = json!({ "label": "web-1", "region": "us-east", "tag": "lt-c-1" });
    expect![[r#"
        > GET https://api.linode.com/v4/linode/instances?page=1&page_size=500
          auth bearer, class list, safe to repeat
          x-filter: {"label":"web-1","region":"us-east","tags":"lt-c-1"}
        < 200
        = {"created":"2026-01-31T12:00:00","disk_mb":25600,"id":"7","image":"linode/debian12","ipv4":["203.0.113.9"],"ipv6":"2001:db8::1/128","label":"web-1","memory_mb":1024,"private_ipv4":["192.168.128.4"],"region":"us-east","status":"running","tags":["lt-c-1"],"type":"g6-nanode-1","vcpus":1,"watchdog":true}
    "#]].assert_eq(&one("instances.list", args, FIRST, whole(items)));
}

#[test]
fn a_filter_is_a_header_and_so_is_ascii() {
    expect![[r#"
        > GET https://api.linode.com/v4/linode/instances?page=1&page_size=500
          auth bearer, class list, safe to repeat
          x-filter: {"tags":"k\u00e4se \ud83e\uddc0"}
        < 200
        = {"items":[]}
    "#]]
    .assert_eq(&one("instances.list", json!({ "tag": "käse 🧀" }), FIRST, whole(json!([]))));
}

#[test]
fn ids_are_asked_once_each_and_others_are_dropped() {
    let args = json!({ "ids": ["8", "7", "8"] });
    let shown = one("instances.list", args, FIRST, whole(json!([linode(7, "a"), linode(8, "b"), linode(9, "c")])));
    expect![[r#"
        > GET https://api.linode.com/v4/linode/instances?page=1&page_size=500
          auth bearer, class list, safe to repeat
          x-filter: {"+or":[{"id":7},{"id":8}]}
        < 200
        = {"created":"2026-01-31T12:00:00","disk_mb":25600,"id":"7","image":"linode/debian12","ipv4":["203.0.113.9"],"ipv6":"2001:db8::1/128","label":"a","memory_mb":1024,"private_ipv4":["192.168.128.4"],"region":"us-east","status":"running","tags":["lt-c-1"],"type":"g6-nanode-1","vcpus":1,"watchdog":true}
        = {"created":"2026-01-31T12:00:00","disk_mb":25600,"id":"8","image":"linode/debian12","ipv4":["203.0.113.9"],"ipv6":"2001:db8::1/128","label":"b","memory_mb":1024,"private_ipv4":["192.168.128.4"],"region":"us-east","status":"running","tags":["lt-c-1"],"type":"g6-nanode-1","vcpus":1,"watchdog":true}
    "#]].assert_eq(&shown);
}

#[test]
fn many_ids_are_several_filters() {
    let mut driver = driver();
    for chunk in [1..201, 201..401, 401..451] {
        driver.on(FIRST, whole(items(chunk)));
    }
    let wanted: Vec<_> = (1..451).map(|id: u64| id.to_string()).collect();
    let value = driver.call("instances.list", json!({ "ids": wanted })).expect("they are there");
    assert_eq!(ids(&value), wanted);
    let longest = driver.requests.iter().map(|request| request.headers["x-filter"].len()).max();
    assert_eq!((driver.requests.len(), longest), (3, Some(2209)), "headers stay well below 8 KB");
}

#[test]
fn an_id_that_is_no_number() {
    expect![[r#"
        ! {"kind":"invalid","message":"`web-1` is not an id of this provider: its ids are whole numbers","field":"ids"}
    "#]]
    .assert_eq(&driver().show("instances.list", json!({ "ids": ["7", "web-1"] })));
}

#[test]
fn pages_after_the_first_come_side_by_side() {
    let mut driver = driver();
    for number in 1..=6 {
        driver.on(&request(number), page(items(number * 10..number * 10 + 2), number, 6, 12));
    }
    let value = driver.call("instances.list", json!({})).expect("they are there");
    assert_eq!(ids(&value), ["10", "11", "20", "21", "30", "31", "40", "41", "50", "51", "60", "61"]);
    assert_eq!(driver.requests.len(), 6);
}

/// As soon as one page is there the next is asked for: no page waits for the slowest of its four.
#[test]
fn at_most_four_pages_are_asked_at_once() {
    let mut driver = driver();
    let args = to_raw_value(&json!({})).expect("JSON");
    let mut asked = requests(driver.send(vec![In::Call { id: 1, op: "instances.list".to_owned(), args }]));
    let mut under_way = vec![asked.len()];
    while let Some(io) = asked.pop() {
        let json = to_raw_value(&json!({ "data": [], "pages": 8, "results": 0 })).ok();
        let (body, headers) = (Body { json, ..Body::default() }, Headers::new());
        let more = requests(driver.send(vec![In::Http { io, call: 1, state: None, status: 200, headers, body }]));
        asked.splice(0..0, more);
        under_way.push(asked.len());
    }
    assert_eq!(under_way, [1, 4, 4, 4, 4, 3, 2, 1, 0]);
}

fn requests(messages: Vec<Out>) -> Vec<u64> {
    messages
        .into_iter()
        .filter_map(|message| if let Out::Http(http) = message { Some(http.io) } else { None })
        .collect()
}

#[test]
fn a_page_that_fails_fails_the_list_and_the_others_are_not_waited_for() {
    let mut driver = driver();
    driver
        .on(FIRST, page(items(1..3), 1, 3, 6))
        .on(&request(2), refused(401, json!([{ "reason": "Invalid Token" }])))
        .on(&request(3), page(items(5..7), 3, 3, 6));
    expect![[r#"
        > GET https://api.linode.com/v4/linode/instances?page=1&page_size=500
          auth bearer, class list, safe to repeat
        < 200
        > GET https://api.linode.com/v4/linode/instances?page=2&page_size=500
          auth bearer, class list, safe to repeat
        < 401
        > GET https://api.linode.com/v4/linode/instances?page=3&page_size=500
          auth bearer, class list, safe to repeat
        < 200
        ! {"kind":"unauthorized","message":"Invalid Token","retry":"never","status":401}
    "#]]
    .assert_eq(&driver.show("instances.list", json!({})));
}

#[test]
fn a_list_that_changed_between_its_pages_is_read_again() {
    let mut driver = driver();
    // Between the two pages number 1 is deleted: 3 moves to page 1 and is on neither page we read.
    driver
        .on(&request(1), page(items(1..3), 1, 2, 4))
        .on(&request(2), page(items(4..5), 2, 2, 3))
        .on(&request(1), page(items(2..4), 1, 2, 3))
        .on(&request(2), page(items(4..5), 2, 2, 3));
    let value = driver.call("instances.list", json!({})).expect("they are there");
    assert_eq!((ids(&value).join(" ").as_str(), driver.requests.len()), ("2 3 4", 4));
}

#[test]
fn a_list_that_lost_its_last_page_is_read_again() {
    let mut driver = driver();
    driver
        .on(&request(1), page(items(1..3), 1, 2, 3))
        .on(&request(2), refused(404, json!([{ "reason": "Not found" }])))
        .on(&request(1), page(items(1..3), 1, 1, 2));
    let value = driver.call("instances.list", json!({})).expect("they are there");
    assert_eq!(ids(&value).join(" "), "1 2");
}

#[test]
fn a_list_that_never_rests_answers_all_that_was_seen() {
    let mut driver = driver();
    for round in 0..3 {
        driver.on(&request(1), page(items(1..3), 1, 2, 4 + round));
        driver.on(&request(2), page(items(3 + round..5 + round), 2, 2, 5 + round));
    }
    let value = driver.call("instances.list", json!({})).expect("they are there");
    assert_eq!((ids(&value).join(" ").as_str(), driver.requests.len()), ("1 2 3 4 5 6", 6));
}

#[test]
fn of_an_item_that_was_read_again_the_newest_copy_counts() {
    let mut driver = driver();
    for round in ["first", "second", "third"] {
        driver.on(&request(1), page(json!([linode(1, round)]), 1, 2, 2));
        driver.on(&request(2), page(json!([linode(2, "b")]), 2, 2, 3));
    }
    let value = driver.call("instances.list", json!({})).expect("they are there");
    assert_eq!(value["items"][0]["label"], "third");
}

#[test]
fn an_item_on_two_pages_is_one_item() {
    let mut driver = driver();
    driver.on(&request(1), page(items(1..3), 1, 2, 3)).on(&request(2), page(items(2..4), 2, 2, 3));
    let value = driver.call("instances.list", json!({})).expect("they are there");
    assert_eq!(ids(&value).join(" "), "1 2 3");
}
