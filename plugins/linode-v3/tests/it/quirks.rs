//! How API v3 may write the same thing: keys in any case, numbers as text, flags in many ways, nothing as `""`.

use crate::{API, batch, driver};
use expect_test::expect;
use serde_json::{Value, json};

/// The Linode that this row is read as.
fn read(linode: &Value) -> Value {
    let mut driver = driver();
    let whole = |data: Value| json!({ "errorarray": [], "data": data });
    driver.on(API, batch([whole(json!([linode])), whole(json!("")), whole(json!({}))]));
    driver.call("instances.get", json!({ "id": "7" })).expect("it is there")
}

#[test]
fn all_ways_to_write_a_linode_are_the_same() {
    let ways = [
        json!({ "LINODEID": 7, "LABEL": "web-1", "DATACENTERID": 6, "PLANID": 4, "STATUS": 1, "TOTALRAM": 4096, "WATCHDOG": 1 }),
        json!({ "LinodeID": "7", "Label": "web-1", "DatacenterID": "6", "PlanID": "4", "Status": "1", "TotalRAM": "4096", "Watchdog": "1" }),
        json!({ "linodeid": 7.0, "label": "web-1", "datacenterid": 6.0, "planid": 4.0, "status": 1.0, "totalram": 4096.0, "watchdog": true }),
        json!({ "linodeID": " 7 ", "label": "web-1", "datacenterID": " 6", "planID": "4.0", "status": "1.0", "totalRAM": "4096.0",
            "watchdog": "yes", "__validationErrorArray": [], "apiColumnFilterStruct": { "a": [1] } }),
    ];
    let first = read(&ways[0]);
    ways.iter().for_each(|way| assert_eq!(read(way), first, "{way}"));
    expect![[r#"{"created":"","disk_mb":0,"id":"7","image":"","ipv4":[],"ipv6":null,"label":"web-1","memory_mb":4096,"private_ipv4":[],"region":"us-east","status":"running","tags":[],"type":"g6-standard-2","vcpus":2,"watchdog":true}"#]].assert_eq(&first.to_string());
}

#[test]
fn what_is_empty_or_strange_is_nothing() {
    let strange = json!({ "LINODEID": 7, "LABEL": 12.5, "DATACENTERID": "", "PLANID": null, "STATUS": [], "TOTALRAM": -1,
        "TOTALHD": "many", "WATCHDOG": "", "CREATE_DT": 0, "LPM_DISPLAYGROUP": false });
    expect![[r#"{"created":"","disk_mb":0,"id":"7","image":"","ipv4":[],"ipv6":null,"label":"12.5","memory_mb":0,"private_ipv4":[],"region":"","status":"other","tags":[],"type":"","vcpus":0,"watchdog":false}"#]].assert_eq(&read(&strange).to_string());
}

#[test]
fn a_thing_without_id_is_no_answer() {
    for row in
        [json!({ "LABEL": "web-1" }), json!({ "LINODEID": "" }), json!({ "LINODEID": 0 }), json!({ "LINODEID": "x" })]
    {
        let mut driver = driver();
        let whole = |data: Value| json!({ "ERRORARRAY": [], "DATA": data });
        driver.on(API, batch([whole(json!([row])), whole(json!([])), whole(json!([]))]));
        let error = driver.call("instances.get", json!({ "id": "7" })).expect_err("it has no id");
        assert_eq!(error.message, "the provider answered with something that has no linodeid");
    }
}

/// One object where a list is expected, a list where an object is, and what is no object in a list.
#[test]
fn lists_and_objects_stand_for_each_other() {
    let list = |data: Value| {
        let mut driver = driver();
        driver.on(API, crate::good(data));
        let list = driver.call("domains.list", json!({})).expect("a list");
        list["items"].as_array().expect("items").iter().map(|one| one["id"].to_string() + " ").collect::<String>()
            + "\n"
    };
    let shown = [
        json!([{ "DOMAINID": 1 }, { "DOMAINID": 2 }]),
        json!({ "DOMAINID": 1 }),
        json!([{ "DOMAINID": 1 }, null, "", 5]),
        json!({}),
        json!([]),
        json!(""),
        json!(null),
    ];
    expect![[r#"
        "1" "2" 
        "1" 
        "1" 




    "#]]
    .assert_eq(&shown.map(list).concat());
}
