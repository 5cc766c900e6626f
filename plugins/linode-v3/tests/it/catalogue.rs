//! Regions, types, images and kernels, under the names of API v4 where they are the same things.

use crate::{API, answer, batch, catalogue, fresh, good, short, show};
use expect_test::expect;
use serde_json::{Value, json};

fn listed(operation: &str) -> String {
    let shown = show(operation, json!({}), [catalogue()]);
    shown.lines().skip(5).map(|line| format!("{line}\n")).collect()
}

#[test]
fn regions() {
    expect![[r#"
        = {"capabilities":[],"country":"us","id":"us-east","label":"Newark, NJ, USA","status":"ok"}
        = {"capabilities":[],"country":"gb","id":"eu-west","label":"London, England, UK","status":"ok"}
        = {"capabilities":[],"country":"jp","id":"tokyo","label":"Tokyo, JP","status":"ok"}
    "#]]
    .assert_eq(&listed("regions.list"));
}

#[test]
fn types() {
    expect![[r#"
        = {"class":"nanode","disk_mb":20480,"gpus":0,"id":"g6-nanode-1","label":"Linode 1024","memory_mb":1024,"network_mbps":0,"price":{"hourly":0.0075,"monthly":5.0},"transfer_gb":1000,"vcpus":1}
        = {"class":"standard","disk_mb":49152,"gpus":0,"id":"g6-standard-2","label":"Linode 4096","memory_mb":4096,"network_mbps":0,"price":{"hourly":0.03,"monthly":20.0},"transfer_gb":3000,"vcpus":2}
        = {"class":"","disk_mb":1179648,"gpus":0,"id":"9","label":"Linode 49152","memory_mb":49152,"network_mbps":0,"price":{"hourly":0.0,"monthly":0.0},"transfer_gb":20000,"vcpus":16}
    "#]].assert_eq(&listed("types.list"));
}

#[test]
fn kernels() {
    expect![[r#"
        = {"architecture":"x86_64","deprecated":false,"id":"linode/latest-64bit","label":"Latest 64 bit (4.1.5-x86_64-linode61)","version":"4.1.5"}
        = {"architecture":"i386","deprecated":false,"id":"linode/latest-32bit","label":"Latest 32 bit (4.1.5-x86-linode80)","version":"4.1.5"}
        = {"architecture":"","deprecated":false,"id":"linode/grub2","label":"GRUB 2","version":""}
        = {"architecture":"","deprecated":false,"id":"linode/finnix","label":"Recovery - Finnix (kernel)","version":""}
        = {"architecture":"i386","deprecated":false,"id":"linode/3.13.7-x86-linode57","label":"3.13.7-x86-linode57","version":"3.13.7"}
    "#]].assert_eq(&listed("kernels.list"));
}

#[test]
fn images() {
    let own = json!([{ "IMAGEID": 402716, "LABEL": "golden", "DESCRIPTION": "web", "STATUS": "available", "MINSIZE": 600,
        "ISPUBLIC": 0, "TYPE": "manual", "LAST_USED_DT": "" }]);
    let pending = json!([{ "imageID": 402717, "label": "new", "status": "pending", "minSize": "" }]);
    let replies = [catalogue(), batch([answer(own), answer(pending)])];
    expect![[r#"
        > batch of 4
            avail.datacenters
            avail.linodeplans
            avail.distributions
            avail.kernels
        > batch of 2
            image.list
            image.list pending=1
        = {"capabilities":[],"deprecated":false,"description":"","id":"linode/debian12","label":"Debian 12","public":true,"size_mb":900,"status":"available","vendor":"Debian"}
        = {"capabilities":[],"deprecated":false,"description":"","id":"linode/ubuntu14.04lts","label":"Ubuntu 14.04 LTS","public":true,"size_mb":1500,"status":"available","vendor":"Ubuntu"}
        = {"capabilities":[],"deprecated":false,"description":"","id":"linode/debian632bit","label":"Debian 6 32bit","public":true,"size_mb":550,"status":"available","vendor":"Debian"}
        = {"capabilities":[],"deprecated":false,"description":"web","id":"private/402716","label":"golden","public":false,"size_mb":600,"status":"available","vendor":""}
        = {"capabilities":[],"deprecated":false,"description":"","id":"private/402717","label":"new","public":false,"size_mb":0,"status":"pending","vendor":""}
    "#]].assert_eq(&show("images.list", json!({}), replies));
}

/// It is read once, in one request, however many calls want it.
#[test]
fn it_is_read_once() {
    let mut driver = fresh();
    driver.on(API, catalogue()).on(API, good(json!([])));
    let shown = short(&driver.show("volumes.list", json!({})));
    driver.on(API, good(json!([])));
    expect![[r#"
        > batch of 4
            avail.datacenters
            avail.linodeplans
            avail.distributions
            avail.kernels
        > volume.list
        = {"items":[]}
        > volume.list
        = {"items":[]}
    "#]]
    .assert_eq(&(shown + &short(&driver.show("volumes.list", json!({})))));
}

/// Of two plans with the same memory neither is the type of API v4; a datacenter that v4 does not have keeps its own name.
#[test]
fn a_name_that_fits_two_things_is_given_to_neither() {
    let plan = |id: u64, ram: u64| json!({ "PLANID": id, "RAM": ram, "LABEL": format!("Plan {id}"), "DISK": 20 });
    let lists = batch([
        answer(json!([{ "DATACENTERID": 20, "ABBR": "Mars" }, { "DATACENTERID": 21 }])),
        answer(json!([plan(1, 2048), plan(2, 2048), plan(3, 4096)])),
        answer(json!([{ "DISTRIBUTIONID": 1, "LABEL": "Debian 6" }, { "DISTRIBUTIONID": 2, "LABEL": "Debian 6" }])),
        answer(json!([])),
    ]);
    let mut driver = fresh();
    driver.on(API, lists);
    driver.call("regions.list", json!({})).expect("a catalogue");
    let linode =
        |id: u64, plan: u64, datacenter: u64| json!({ "LINODEID": id, "PLANID": plan, "DATACENTERID": datacenter });
    driver.on(API, batch([answer(json!([linode(7, 1, 20), linode(8, 3, 21), linode(9, 77, 99)])), answer(json!([]))]));
    driver.on(API, batch(vec![answer(json!([])); 3]));
    let list = driver.call("instances.list", json!({})).expect("a list");
    let names = |item: &Value| format!("{} {} {}\n", item["id"], item["region"], item["type"]);
    expect![[r#"
        "7" "mars" "1"
        "8" "21" "g6-standard-2"
        "9" "99" "77"
    "#]]
    .assert_eq(&list["items"].as_array().expect("items").iter().map(names).collect::<String>());
}

#[test]
fn labels_as_names() {
    let images = [
        "Debian 8.1",
        "Ubuntu 14.04 LTS",
        "Ubuntu 16.04 LTS",
        "Ubuntu 18.04 LTS",
        "Ubuntu 22.04 LTS",
        "Ubuntu 15.04",
        "Ubuntu 10.04 LTS 32bit",
        "CentOS 7",
        "CentOS Stream 9",
        "Rocky Linux 9",
        "AlmaLinux 9",
        "openSUSE Leap 42.3",
        "openSUSE 13.2",
        "Arch Linux",
        "Arch Linux 2015.02",
        "Gentoo",
        "Kali Linux",
        "Slackware 14.1",
        "Fedora 22",
        "Mandrake (old)",
        "",
    ];
    let kernels = [
        "Latest 64 bit (4.1.5-x86_64-linode61)",
        "Latest 32 bit (4.1.5-x86-linode80)",
        "GRUB 2",
        "Direct Disk",
        "4.1.0-x86_64-linode59",
        "pv-grub-x86_64",
        "Latest Legacy (2.6.18.8-linode22)",
        "Recovery - Finnix (kernel)",
    ];
    let rows = |key: &str, labels: &[&str]| -> Value {
        labels.iter().enumerate().map(|(place, label)| json!({ key: place + 1, "LABEL": label })).collect()
    };
    let lists = || {
        batch([
            answer(json!([])),
            answer(json!([])),
            answer(rows("DISTRIBUTIONID", &images)),
            answer(rows("KERNELID", &kernels)),
        ])
    };
    let mut shown = String::new();
    for operation in ["images.list", "kernels.list"] {
        let mut driver = fresh();
        driver.on(API, lists());
        if operation == "images.list" {
            driver.on(API, batch([answer(json!([])), answer(json!([]))]));
        }
        let list = driver.call(operation, json!({})).expect("a list");
        for item in list["items"].as_array().expect("items") {
            shown += &format!("{} -> {} {}\n", item["label"], item["id"], item["version"]);
        }
    }
    expect![[r#"
        "Debian 8.1" -> "linode/debian8.1" null
        "Ubuntu 14.04 LTS" -> "linode/ubuntu14.04lts" null
        "Ubuntu 16.04 LTS" -> "linode/ubuntu16.04lts" null
        "Ubuntu 18.04 LTS" -> "linode/ubuntu18.04" null
        "Ubuntu 22.04 LTS" -> "linode/ubuntu22.04" null
        "Ubuntu 15.04" -> "linode/ubuntu15.04" null
        "Ubuntu 10.04 LTS 32bit" -> "linode/ubuntu10.04lts32bit" null
        "CentOS 7" -> "linode/centos7" null
        "CentOS Stream 9" -> "linode/centos-stream9" null
        "Rocky Linux 9" -> "linode/rocky9" null
        "AlmaLinux 9" -> "linode/almalinux9" null
        "openSUSE Leap 42.3" -> "linode/opensuse42.3" null
        "openSUSE 13.2" -> "linode/opensuse13.2" null
        "Arch Linux" -> "linode/arch" null
        "Arch Linux 2015.02" -> "linode/arch2015.02" null
        "Gentoo" -> "linode/gentoo" null
        "Kali Linux" -> "linode/kali" null
        "Slackware 14.1" -> "linode/slackware14.1" null
        "Fedora 22" -> "linode/fedora22" null
        "Mandrake (old)" -> "distribution/20" null
        "" -> "distribution/21" null
        "Latest 64 bit (4.1.5-x86_64-linode61)" -> "linode/latest-64bit" "4.1.5"
        "Latest 32 bit (4.1.5-x86-linode80)" -> "linode/latest-32bit" "4.1.5"
        "GRUB 2" -> "linode/grub2" ""
        "Direct Disk" -> "linode/direct-disk" ""
        "4.1.0-x86_64-linode59" -> "linode/4.1.0-x86_64-linode59" "4.1.0"
        "pv-grub-x86_64" -> "linode/pv-grub-x86_64" ""
        "Latest Legacy (2.6.18.8-linode22)" -> "kernel/7" "2.6.18.8"
        "Recovery - Finnix (kernel)" -> "linode/finnix" ""
    "#]]
    .assert_eq(&shown);
}
