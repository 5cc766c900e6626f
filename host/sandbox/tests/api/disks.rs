//! Disks, profiles, and what makes another Linode of one.

use expect_test::expect;

use crate::support::Cloud;

fn running() -> Cloud {
    let cloud = Cloud::new();
    cloud.get(
        r#"POST /v4/linode/instances
        {"region":"us-east","type":"g6-nanode-1","image":"linode/debian12","label":"web-1","root_pass":"Str0ng-enough"}"#,
    );
    cloud.pass(1.0);
    cloud.pass(1.0);
    cloud
}

/// Each disk in a line.
fn disks(cloud: &Cloud) -> String {
    let answer = cloud.get("GET /v4/linode/instances/1001/disks");
    let disk = |one: &serde_json::Value| {
        format!("{} {} {} {} {}\n", one["id"], one["label"], one["filesystem"], one["size"], one["status"])
    };
    answer["data"].as_array().expect("a list").iter().map(disk).collect()
}

#[test]
fn disks_are_made_changed_and_removed() {
    let cloud = running();
    cloud.refused(
        "POST /v4/linode/instances/1001/disks\n{\"size\":1}",
        &expect![[r#"
        400
        size: Must be at most 0: the Linode has no more space"#]],
    );
    cloud.get("POST /v4/linode/instances/1001/shutdown");
    cloud.pass(1.0);
    cloud.get("POST /v4/linode/instances/1001/disks/1001/resize\n{\"size\":10000}");
    cloud.pass(10.0);
    let made =
        cloud.get("POST /v4/linode/instances/1001/disks\n{\"size\":5000,\"label\":\"data\",\"filesystem\":\"raw\"}");
    assert_eq!((made["filesystem"].as_str(), made["size"].as_u64()), (Some("raw"), Some(5000)));
    cloud.pass(10.0);
    cloud.get(&format!("POST /v4/linode/instances/1001/disks/{}/clone", made["id"]));
    cloud.pass(10.0);
    cloud.get(&format!("PUT /v4/linode/instances/1001/disks/{}\n{{\"label\":\"more\"}}", made["id"]));
    expect![[r#"
        1001 "Debian 12 Disk" "ext4" 10000 "ready"
        1002 "512 MB Swap Image" "swap" 512 "ready"
        1003 "more" "raw" 5000 "ready"
        1004 "Copy of data" "raw" 5000 "ready"
    "#]]
    .assert_eq(&disks(&cloud));
    cloud.get(&format!("DELETE /v4/linode/instances/1001/disks/{}", made["id"]));
    cloud.pass(10.0);
    expect![[r#"
        1001 "Debian 12 Disk" "ext4" 10000 "ready"
        1002 "512 MB Swap Image" "swap" 512 "ready"
        1004 "Copy of data" "raw" 5000 "ready"
    "#]]
    .assert_eq(&disks(&cloud));
    cloud.refused(
        "POST /v4/linode/instances/1001/disks\n{\"size\":50000,\"filesystem\":\"ntfs\"}",
        &expect![[r#"
        400
        size: Must be at most 10088: the Linode has no more space
        filesystem: filesystem is not valid"#]],
    );
    cloud.get("POST /v4/linode/instances/1001/boot");
    cloud.pass(1.0);
    expect![[r#"
        linode_create web-1 finished 100
        linode_boot web-1 finished 100
        linode_shutdown web-1 finished 100
        disk_resize web-1 finished 100
        disk_create web-1 finished 100
        disk_create web-1 finished 100
        disk_delete web-1 finished 100
        linode_boot web-1 finished 100"#]]
    .assert_eq(&cloud.events());
}

#[test]
fn profiles_are_made_changed_and_removed() {
    let cloud = running();
    let made = cloud.get(
        r#"POST /v4/linode/instances/1001/configs
        {"label":"rescue","devices":{"sdb":{"disk_id":1001}},"kernel":"linode/latest-64bit","run_level":"single"}"#,
    );
    assert_eq!((made["devices"]["sda"].is_null(), made["devices"]["sdb"]["disk_id"].as_u64()), (true, Some(1001)));
    let path = format!("/v4/linode/instances/1001/configs/{}", made["id"]);
    let changed = cloud.get(&format!("PUT {path}\n{{\"comments\":\"mine\",\"helpers\":{{\"network\":false}}}}"));
    assert_eq!((changed["comments"].as_str(), changed["helpers"]["network"].as_bool()), (Some("mine"), Some(false)));
    assert_eq!((changed["label"].as_str(), changed["run_level"].as_str()), (Some("rescue"), Some("single")));
    cloud.refused(
        "POST /v4/linode/instances/1001/configs\n{\"label\":\"x\",\"devices\":{\"sda\":{\"disk_id\":5},\"sdz\":{}},\"run_level\":\"9\"}",
        &expect![[r#"
            400
            devices.sda.disk_id: disk_id is not valid
            devices.sdz: Unknown device slot
            run_level: Must be one of default, single, binbash"#]],
    );
    cloud.get(&format!("DELETE {path}"));
    cloud.refused(
        &format!("GET {path}"),
        &expect![[r#"
        404
        -: Not found"#]],
    );
}

#[test]
fn a_rebuilt_linode_has_another_system_and_the_same_addresses() {
    let cloud = running();
    let before = cloud.get("GET /v4/linode/instances/1001");
    let answer = cloud.get(
        "POST /v4/linode/instances/1001/rebuild\n{\"image\":\"linode/ubuntu24.04\",\"root_pass\":\"An0ther-one\"}",
    );
    assert_eq!((answer["status"].as_str(), answer["image"].as_str()), (Some("rebuilding"), Some("linode/ubuntu24.04")));
    assert_eq!(answer["ipv4"], before["ipv4"]);
    cloud.refused(
        "POST /v4/linode/instances/1001/reboot",
        &expect![[r#"
        400
        -: Linode busy."#]],
    );
    cloud.pass(1.0);
    cloud.pass(1.0);
    assert_eq!(cloud.status(1001), "running");
    expect![[r#"
        boot 1001 web-1
        delete 1001
        boot 1001 web-1"#]]
    .assert_eq(&cloud.machines.told());
    expect![[r#"
        1003 "Ubuntu 24.04 LTS Disk" "ext4" 25088 "ready"
        1004 "512 MB Swap Image" "swap" 512 "ready"
    "#]]
    .assert_eq(&disks(&cloud));
    expect![[r#"
        linode_create web-1 finished 100
        linode_boot web-1 finished 100
        linode_rebuild web-1 finished 100
        linode_boot web-1 finished 100"#]]
    .assert_eq(&cloud.events());
}

#[test]
fn a_resized_linode_grows_its_disk_and_runs_again() {
    let cloud = running();
    cloud.refused(
        "POST /v4/linode/instances/1001/resize\n{\"type\":\"g6-nanode-1\"}",
        &expect![[r#"
        400
        type: Linode is already running this service plan."#]],
    );
    cloud.get("POST /v4/linode/instances/1001/resize\n{\"type\":\"g6-standard-1\"}");
    cloud.refused(
        "POST /v4/linode/instances/1001/shutdown",
        &expect![[r#"
        400
        -: Linode busy."#]],
    );
    for _ in 0..5 {
        cloud.pass(10.0);
    }
    let linode = cloud.get("GET /v4/linode/instances/1001");
    assert_eq!((linode["type"].as_str(), linode["status"].as_str()), (Some("g6-standard-1"), Some("running")));
    expect![[r#"
        1001 "Debian 12 Disk" "ext4" 50688 "ready"
        1002 "512 MB Swap Image" "swap" 512 "ready"
    "#]]
    .assert_eq(&disks(&cloud));
}

#[test]
fn a_clone_is_a_new_linode_that_is_off() {
    let cloud = running();
    let made = cloud.get(
        "POST /v4/linode/instances/1001/clone\n{\"region\":\"us-east\",\"type\":\"g6-nanode-1\",\"label\":\"web-2\"}",
    );
    cloud.pass(10.0);
    let clone = cloud.get(&format!("GET /v4/linode/instances/{}", made["id"]));
    assert_eq!((clone["status"].as_str(), clone["image"].as_str()), (Some("offline"), Some("linode/debian12")));
    cloud.get(&format!("POST /v4/linode/instances/{}/boot", made["id"]));
    cloud.pass(1.0);
    expect![[r#"
        boot 1001 web-1
        boot 1002 web-2"#]]
    .assert_eq(&cloud.machines.told());
    cloud.refused(
        "POST /v4/linode/instances/1001/clone\n{\"region\":\"us-east\",\"type\":\"g6-nanode-1\",\"label\":\"web-2\"}",
        &expect![[r#"
            400
            label: Label must be unique among your linodes"#]],
    );
}
