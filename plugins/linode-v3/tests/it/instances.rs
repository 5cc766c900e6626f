//! Reading, changing, destroying and switching Linodes, and their addresses.

use crate::{answer, bad, batch, driver, fault, good, show};
use expect_test::expect;
use linodetool_plugin::testing::Reply;
use serde_json::{Value, json};

/// A Linode as `linode.list` writes it, the irrelevant half left out.
pub(crate) fn linode(id: u64, label: &str, group: &str) -> Value {
    json!({ "LINODEID": id, "LABEL": label, "LPM_DISPLAYGROUP": group, "DATACENTERID": 6, "PLANID": 4, "STATUS": 1,
        "TOTALRAM": 4096, "TOTALHD": 49152, "WATCHDOG": 1, "CREATE_DT": "2015-07-02 23:08:52.0", "BACKUPSENABLED": 0 })
}

pub(crate) fn addresses(id: u64) -> Value {
    json!([
        { "LINODEID": id, "IPADDRESSID": 50 + id, "IPADDRESS": "203.0.113.9", "ISPUBLIC": 1, "RDNS_NAME": "li9.example.com" },
        { "LINODEID": id, "IPADDRESSID": 60 + id, "IPADDRESS": "192.168.130.9", "ISPUBLIC": 0, "RDNS_NAME": "" },
    ])
}

pub(crate) fn job(id: u64, action: &str, finished: &str) -> Value {
    json!({ "JOBID": id, "LINODEID": 7, "ACTION": action, "LABEL": "a job", "ENTERED_DT": "2015-07-03 23:24:12.0",
        "HOST_START_DT": "", "HOST_FINISH_DT": finished, "HOST_SUCCESS": "", "HOST_MESSAGE": "", "DURATION": "" })
}

/// The answers to the three looks at one Linode.
pub(crate) fn looks(linode: impl Into<Value>, jobs: impl Into<Value>) -> Vec<Value> {
    let linode = linode.into();
    vec![answer(json!([linode])), answer(addresses(7)), answer(jobs)]
}

#[test]
fn get_is_one_request() {
    expect![[r#"
        > batch of 3
            linode.list LinodeID=7
            linode.ip.list LinodeID=7
            linode.job.list LinodeID=7 pendingOnly=1
        = {"created":"2015-07-03T03:08:52","disk_mb":49152,"id":"7","image":"","ipv4":["203.0.113.9"],"ipv6":null,"label":"web-1","memory_mb":4096,"private_ipv4":["192.168.130.9"],"region":"us-east","status":"running","tags":["lt-c-1","prod"],"type":"g6-standard-2","vcpus":2,"watchdog":true}
    "#]].assert_eq(&show(
        "instances.get",
        json!({ "id": "7" }),
        [batch(looks(linode(7, "web-1", "@c-1,prod"), json!([])))],
    ));
}

#[test]
fn one_that_is_not_there() {
    let not_found = || fault(5, "Object not found");
    let shown = show("instances.get", json!({ "id": "7" }), [batch([not_found(), not_found(), not_found()])])
        + &show(
            "instances.get",
            json!({ "id": "7" }),
            [batch([answer(json!([])), answer(json!([])), answer(json!([]))])],
        );
    expect![[r#"
        > batch of 3
            linode.list LinodeID=7
            linode.ip.list LinodeID=7
            linode.job.list LinodeID=7 pendingOnly=1
        ! {"kind":"not_found","message":"Object not found","retry":"never","code":"5"}
        > batch of 3
            linode.list LinodeID=7
            linode.ip.list LinodeID=7
            linode.job.list LinodeID=7 pendingOnly=1
        ! {"kind":"not_found","message":"Object not found","retry":"never","code":"5"}
    "#]]
    .assert_eq(&shown);
}

#[test]
fn an_id_that_is_no_number_is_not_sent() {
    let show = |id: &str| driver().show("instances.get", json!({ "id": id }));
    expect![[r#"
        ! {"kind":"invalid","message":"`` is not an id of this provider: its ids are whole numbers","field":"id"}
        ! {"kind":"invalid","message":"`web-1` is not an id of this provider: its ids are whole numbers","field":"id"}
        ! {"kind":"invalid","message":"`7,8` is not an id of this provider: its ids are whole numbers","field":"id"}
        ! {"kind":"invalid","message":"`+7` is not an id of this provider: its ids are whole numbers","field":"id"}
        ! {"kind":"invalid","message":"`0` is not an id of this provider: its ids are whole numbers","field":"id"}
        ! {"kind":"invalid","message":"`99999999999999999999999` is not an id of this provider: its ids are whole numbers","field":"id"}
    "#]].assert_eq(&["", "web-1", "7,8", "+7", "0", "99999999999999999999999"].map(show).concat());
}

#[test]
fn states_follow_status_and_jobs() {
    let pending = |actions: &[&str]| -> Value {
        actions.iter().enumerate().map(|(place, action)| job(90 - place as u64, action, "")).collect()
    };
    let status = |status: Value, jobs: Value| {
        let mut linode = linode(7, "web-1", "");
        linode["STATUS"] = status;
        let mut driver = driver();
        driver.on(crate::API, batch(looks(linode, jobs)));
        driver.call("instances.get", json!({ "id": "7" })).expect("it is there")["status"].take()
    };
    let mut shown = String::new();
    for code in [-2, -1, 0, 1, 2, 3, 4, 5] {
        shown += &format!("{code} -> {}\n", status(json!(code), json!([])));
    }
    // Listed newest first, as jobs are; the oldest comes first.
    for (code, jobs) in [
        (0, &["linode.boot", "fs.create", "fs.create"][..]),
        (0, &["linode.boot"]),
        (2, &["linode.boot"]),
        (2, &["fs.resize"]),
        (1, &["fs.duplicate"]),
        (1, &["linode.reboot"]),
        (1, &["linode.boot", "linode.shutdown"]),
        (1, &["linode.shutdown"]),
        (2, &["linode.migrate"]),
        (1, &["linode.resize"]),
        (2, &["linode.clone"]),
        (2, &["linode.levitate"]),
        (1, &["linode.levitate"]),
    ] {
        shown += &format!("{code} {jobs:?} -> {}\n", status(json!(code), pending(jobs)));
    }
    shown += &format!("text: {}\n", status(json!("1"), json!([])));
    shown += &format!("nothing: {}\n", status(json!(""), json!("")));
    shown +=
        &format!("a job that is done: {}\n", status(json!(1), json!([job(1, "linode.boot", "2015-07-03 23:51:51.0")])));
    expect![[r#"
        -2 -> "offline"
        -1 -> "provisioning"
        0 -> "offline"
        1 -> "running"
        2 -> "offline"
        3 -> "shutting_down"
        4 -> "offline"
        5 -> "other"
        0 ["linode.boot", "fs.create", "fs.create"] -> "provisioning"
        0 ["linode.boot"] -> "booting"
        2 ["linode.boot"] -> "booting"
        2 ["fs.resize"] -> "other"
        1 ["fs.duplicate"] -> "running"
        1 ["linode.reboot"] -> "rebooting"
        1 ["linode.boot", "linode.shutdown"] -> "rebooting"
        1 ["linode.shutdown"] -> "shutting_down"
        2 ["linode.migrate"] -> "migrating"
        1 ["linode.resize"] -> "resizing"
        2 ["linode.clone"] -> "cloning"
        2 ["linode.levitate"] -> "other"
        1 ["linode.levitate"] -> "running"
        text: "running"
        nothing: "other"
        a job that is done: "running"
    "#]]
    .assert_eq(&shown);
}

#[test]
fn a_list_is_filtered_here_since_api_v3_has_no_filters() {
    let there = json!([linode(7, "web-1", "prod"), linode(8, "web-2", ""), linode(9, "db-1", "prod,db")]);
    let list = |args: Value, matches: usize| {
        let mut driver = driver();
        driver.on(crate::API, batch([answer(there.clone()), answer(addresses(7))]));
        match matches {
            0 => {}
            1 => drop(driver.on(crate::API, good(json!([])))),
            many => drop(driver.on(crate::API, batch(vec![answer(json!([])); many]))),
        }
        let list = driver.call("instances.list", args.clone()).expect("a list");
        let labels: Vec<_> = list["items"].as_array().expect("items").iter().map(|one| one["label"].clone()).collect();
        format!("{args} -> {} in {} requests\n", Value::from(labels), driver.requests.len())
    };
    let shown = list(json!({}), 3)
        + &list(json!({ "label": "web-2" }), 1)
        + &list(json!({ "tag": "prod" }), 2)
        + &list(json!({ "ids": ["9", "7", "9"] }), 2)
        + &list(json!({ "region": "us-east", "tag": "db" }), 1)
        + &list(json!({ "region": "eu-west" }), 0)
        + &list(json!({ "label": "WEB-2" }), 0);
    expect![[r#"
        {} -> ["web-1","web-2","db-1"] in 2 requests
        {"label":"web-2"} -> ["web-2"] in 2 requests
        {"tag":"prod"} -> ["web-1","db-1"] in 2 requests
        {"ids":["9","7","9"]} -> ["web-1","db-1"] in 2 requests
        {"region":"us-east","tag":"db"} -> ["db-1"] in 2 requests
        {"region":"eu-west"} -> [] in 1 requests
        {"label":"WEB-2"} -> [] in 1 requests
    "#]]
    .assert_eq(&shown);
}

#[test]
fn one_that_goes_while_it_is_listed_is_left_out() {
    let replies = [
        batch([answer(json!([linode(7, "web-1", ""), linode(8, "web-2", "")])), answer(json!([]))]),
        batch([fault(5, "Object not found"), answer(json!([]))]),
    ];
    expect![[r#"
        > batch of 2
            linode.list
            linode.ip.list
        > batch of 2
            linode.job.list LinodeID=7 pendingOnly=1
            linode.job.list LinodeID=8 pendingOnly=1
        = {"created":"2015-07-03T03:08:52","disk_mb":49152,"id":"8","image":"","ipv4":[],"ipv6":null,"label":"web-2","memory_mb":4096,"private_ipv4":[],"region":"us-east","status":"running","tags":[],"type":"g6-standard-2","vcpus":2,"watchdog":true}
    "#]].assert_eq(&show("instances.list", json!({}), replies));
}

#[test]
fn update() {
    let args = json!({ "id": "7", "label": "web-2", "tags": ["lt-c-1", "prod"], "watchdog": false });
    let replies = [good(json!({ "LinodeID": 7 })), batch(looks(linode(7, "web-2", "@c-1,prod"), json!([])))];
    let nothing = show("instances.update", json!({ "id": "7" }), [batch(looks(linode(7, "web-2", ""), json!([])))]);
    let no_tags = [good(json!({ "LinodeID": 7 })), batch(looks(linode(7, "web-2", ""), json!([])))];
    expect![[r#"
        > linode.update Label=web-2 LinodeID=7 lpm_displayGroup=@c-1,prod watchdog=0
        > batch of 3
            linode.list LinodeID=7
            linode.ip.list LinodeID=7
            linode.job.list LinodeID=7 pendingOnly=1
        = {"created":"2015-07-03T03:08:52","disk_mb":49152,"id":"7","image":"","ipv4":["203.0.113.9"],"ipv6":null,"label":"web-2","memory_mb":4096,"private_ipv4":["192.168.130.9"],"region":"us-east","status":"running","tags":["lt-c-1","prod"],"type":"g6-standard-2","vcpus":2,"watchdog":true}
        > batch of 3
            linode.list LinodeID=7
            linode.ip.list LinodeID=7
            linode.job.list LinodeID=7 pendingOnly=1
        = {"created":"2015-07-03T03:08:52","disk_mb":49152,"id":"7","image":"","ipv4":["203.0.113.9"],"ipv6":null,"label":"web-2","memory_mb":4096,"private_ipv4":["192.168.130.9"],"region":"us-east","status":"running","tags":[],"type":"g6-standard-2","vcpus":2,"watchdog":true}
        > linode.update LinodeID=7 lpm_displayGroup=
        > batch of 3
            linode.list LinodeID=7
            linode.ip.list LinodeID=7
            linode.job.list LinodeID=7 pendingOnly=1
        = {"created":"2015-07-03T03:08:52","disk_mb":49152,"id":"7","image":"","ipv4":["203.0.113.9"],"ipv6":null,"label":"web-2","memory_mb":4096,"private_ipv4":["192.168.130.9"],"region":"us-east","status":"running","tags":[],"type":"g6-standard-2","vcpus":2,"watchdog":true}
    "#]].assert_eq(
        &(show("instances.update", args, replies)
            + &nothing
            + &show("instances.update", json!({ "id": "7", "tags": [] }), no_tags)),
    );
}

#[test]
fn delete_takes_the_disks_along() {
    let shown = show("instances.delete", json!({ "id": "7" }), [good(json!({ "LinodeID": 7 }))])
        + &show("instances.delete", json!({ "id": "7" }), [bad(5, "Object not found")]);
    expect![[r#"
        > linode.delete LinodeID=7 skipChecks=1
        = {}
        > linode.delete LinodeID=7 skipChecks=1
        ! {"kind":"not_found","message":"Object not found","retry":"never","code":"5"}
    "#]]
    .assert_eq(&shown);
}

#[test]
fn shutdown_may_be_repeated_but_neither_boot_nor_reboot() {
    let power = |verb: &str| show(&format!("instances.{verb}"), json!({ "id": "7" }), [good(json!({ "JobID": 1295 }))]);
    expect![[r#"
        >! linode.boot LinodeID=7
        = {}
        > linode.shutdown LinodeID=7
        = {}
        >! linode.reboot LinodeID=7
        = {}
    "#]]
    .assert_eq(&["boot", "shutdown", "reboot"].map(power).concat());
}

#[test]
fn resize_says_ok_with_an_error_of_code_0() {
    let ok = || Reply::json(200, fault(0, "ok"));
    let shown = show("instances.resize", json!({ "id": "7", "type": "g6-nanode-1" }), [ok()])
        + &show("instances.resize", json!({ "id": "7", "type": "9", "resize_disk": false }), [ok()])
        + &show("instances.resize", json!({ "id": "7", "type": "9", "warm": true }), [])
        + &show("instances.resize", json!({ "id": "7", "type": "9", "resize_disk": true }), []);
    expect![[r#"
        >! linode.resize LinodeID=7 PlanID=1
        = {}
        >! linode.resize LinodeID=7 PlanID=9
        = {}
        ! {"kind":"unsupported","message":"Linode's API v3 has no resize that keeps a Linode running: leave it out, or use the provider linode-v4","field":"warm"}
        ! {"kind":"unsupported","message":"Linode's API v3 has no resize that takes the disks along (disks.resize does it afterwards): leave it out, or use the provider linode-v4","field":"resize_disk"}
    "#]].assert_eq(&shown);
}

#[test]
fn addresses_of_a_linode() {
    let mut driver = driver();
    driver.on(crate::API, good(addresses(7)));
    expect![[r#"
        > POST https://api.linode.com/
          auth {"form":"api_key"}, safe to repeat
          {"form":{"LinodeID":"7","api_action":"linode.ip.list"}}
        < 200
        = {"address":"203.0.113.9","family":4,"gateway":null,"prefix":24,"public":true,"rdns":"li9.example.com"}
        = {"address":"192.168.130.9","family":4,"gateway":null,"prefix":17,"public":false,"rdns":null}
    "#]]
    .assert_eq(&driver.show("instances.addresses", json!({ "id": "7" })));
}
