//! Disks and configurations of a Linode, and images made from disks.

use crate::{accepted, driver, each, refused, unasked, whole};
use expect_test::expect;
use linodetool_plugin::testing::Reply;
use serde_json::{Value, json};

pub(crate) fn disk(id: u64, status: &str) -> Value {
    json!({ "id": id, "label": "Debian 12 Disk", "status": status, "size": 25088, "filesystem": "ext4",
        "created": "2026-01-31T12:00:00", "updated": "2026-01-31T12:00:00", "disk_encryption": "disabled" })
}

fn config(id: u64) -> Value {
    json!({ "id": id, "label": "My Debian 12 Disk Profile", "kernel": "linode/grub2", "comments": "", "memory_limit": 0,
        "run_level": "default", "virt_mode": "paravirt", "root_device": "/dev/sda", "initrd": null, "interfaces": [],
        "devices": { "sda": { "disk_id": 5, "volume_id": null }, "sdb": { "disk_id": null, "volume_id": 9 }, "sdc": null,
            "sdd": { "disk_id": null, "volume_id": null } } })
}

#[test]
fn list() {
    let disks = ["ready", "not ready", "deleting", "meditating"].map(|status| disk(5, status));
    let disks = disks.into_iter().enumerate().map(|(n, mut disk)| {
        disk["id"] = json!(n + 1);
        disk
    });
    let path = "GET /linode/instances/7/disks?page=1&page_size=500";
    expect![[r#"
        > GET https://api.linode.com/v4/linode/instances/7/disks?page=1&page_size=500
          auth bearer, class list, safe to repeat
        < 200
        = {"created":"2026-01-31T12:00:00","filesystem":"ext4","id":"1","label":"Debian 12 Disk","size_mb":25088,"status":"ready"}
        = {"created":"2026-01-31T12:00:00","filesystem":"ext4","id":"2","label":"Debian 12 Disk","size_mb":25088,"status":"not_ready"}
        = {"created":"2026-01-31T12:00:00","filesystem":"ext4","id":"3","label":"Debian 12 Disk","size_mb":25088,"status":"deleting"}
        = {"created":"2026-01-31T12:00:00","filesystem":"ext4","id":"4","label":"Debian 12 Disk","size_mb":25088,"status":"other"}
    "#]].assert_eq(&each([("disks.list", json!({ "instance": "7" }), path, whole(disks.collect()))]));
}

#[test]
fn create_resize_and_delete() {
    let with_image = json!({ "instance": "7", "label": "root", "size_mb": 20480, "filesystem": "ext4", "image": "linode/debian12",
        "authorized_keys": ["ssh-ed25519 AAAA ann"], "root_pass": { "secret": "s1" } });
    let swap = json!({ "instance": "7", "label": "swap", "size_mb": 512, "filesystem": "swap" });
    let path = "POST /linode/instances/7/disks";
    let resize = json!({ "instance": "7", "id": "5", "size_mb": 10240 });
    let shown = each([
        ("disks.create", with_image, path, Reply::json(200, disk(5, "not ready"))),
        ("disks.create", swap, path, refused(400, json!([{ "reason": "Linode busy." }]))),
        ("disks.resize", resize, "POST /linode/instances/7/disks/5/resize", accepted()),
        ("disks.delete", json!({ "instance": "7", "id": "5" }), "DELETE /linode/instances/7/disks/5", accepted()),
    ]);
    expect![[r#"
        > POST https://api.linode.com/v4/linode/instances/7/disks
          auth bearer, class default
          {"authorized_keys":["ssh-ed25519 AAAA ann"],"filesystem":"ext4","image":"linode/debian12","label":"root","root_pass":{"secret":"s1"},"size":20480}
        < 200
        = {"created":"2026-01-31T12:00:00","filesystem":"ext4","id":"5","label":"Debian 12 Disk","size_mb":25088,"status":"not_ready"}
        > POST https://api.linode.com/v4/linode/instances/7/disks
          auth bearer, class default
          {"filesystem":"swap","label":"swap","size":512}
        < 400
        ! {"kind":"busy","message":"Linode busy.","retry":"backoff","status":400}
        > POST https://api.linode.com/v4/linode/instances/7/disks/5/resize
          auth bearer, class default, safe to repeat
          {"size":10240}
        < 200
        = {}
        > DELETE https://api.linode.com/v4/linode/instances/7/disks/5
          auth bearer, class default, safe to repeat
        < 200
        = {}
    "#]].assert_eq(&shown);
}

#[test]
fn configs() {
    let devices = json!({ "sda": { "disk": "5" }, "sdb": { "volume": "9" } });
    let create = json!({ "instance": "7", "label": "boot", "devices": devices, "kernel": "linode/grub2",
        "root_device": "/dev/sda", "comments": "by hand" });
    let update = json!({ "instance": "7", "id": "3", "label": "boot-2", "devices": { "sda": { "disk": "6" } } });
    let shown = each([
        (
            "configs.list",
            json!({ "instance": "7" }),
            "GET /linode/instances/7/configs?page=1&page_size=500",
            whole(json!([config(3)])),
        ),
        ("configs.create", create, "POST /linode/instances/7/configs", Reply::json(200, config(3))),
        ("configs.update", update, "PUT /linode/instances/7/configs/3", Reply::json(200, config(3))),
        (
            "configs.update",
            json!({ "instance": "7", "id": "3" }),
            "GET /linode/instances/7/configs/3",
            Reply::json(200, config(3)),
        ),
        ("configs.delete", json!({ "instance": "7", "id": "3" }), "DELETE /linode/instances/7/configs/3", accepted()),
    ]);
    expect![[r#"
        > GET https://api.linode.com/v4/linode/instances/7/configs?page=1&page_size=500
          auth bearer, class list, safe to repeat
        < 200
        = {"comments":"","devices":{"sda":{"disk":"5"},"sdb":{"volume":"9"}},"id":"3","kernel":"linode/grub2","label":"My Debian 12 Disk Profile","root_device":"/dev/sda"}
        > POST https://api.linode.com/v4/linode/instances/7/configs
          auth bearer, class default
          {"comments":"by hand","devices":{"sda":{"disk_id":5},"sdb":{"volume_id":9}},"kernel":"linode/grub2","label":"boot","root_device":"/dev/sda"}
        < 200
        = {"comments":"","devices":{"sda":{"disk":"5"},"sdb":{"volume":"9"}},"id":"3","kernel":"linode/grub2","label":"My Debian 12 Disk Profile","root_device":"/dev/sda"}
        > PUT https://api.linode.com/v4/linode/instances/7/configs/3
          auth bearer, class default, safe to repeat
          {"devices":{"sda":{"disk_id":6},"sdb":null,"sdc":null,"sdd":null,"sde":null,"sdf":null,"sdg":null,"sdh":null},"label":"boot-2"}
        < 200
        = {"comments":"","devices":{"sda":{"disk":"5"},"sdb":{"volume":"9"}},"id":"3","kernel":"linode/grub2","label":"My Debian 12 Disk Profile","root_device":"/dev/sda"}
        > GET https://api.linode.com/v4/linode/instances/7/configs/3
          auth bearer, class default, safe to repeat
        < 200
        = {"comments":"","devices":{"sda":{"disk":"5"},"sdb":{"volume":"9"}},"id":"3","kernel":"linode/grub2","label":"My Debian 12 Disk Profile","root_device":"/dev/sda"}
        > DELETE https://api.linode.com/v4/linode/instances/7/configs/3
          auth bearer, class default, safe to repeat
        < 200
        = {}
    "#]].assert_eq(&shown);
}

#[test]
fn what_cannot_be_meant_is_not_asked() {
    let devices = |device: Value| json!({ "instance": "7", "label": "boot", "devices": { "sda": device } });
    let shown = unasked([
        ("configs.create", devices(json!({}))),
        ("configs.create", devices(json!({ "disk": "5", "volume": "9" }))),
        ("configs.create", devices(json!({ "disk": "root" }))),
        ("disks.list", json!({})),
        ("disks.delete", json!({ "instance": "7" })),
        ("images.create", json!({ "disk": "root" })),
        ("images.delete", json!({ "id": "private/.." })),
        ("images.delete", json!({ "id": "linode/debian12" })),
    ]);
    expect![[r#"
        ! {"kind":"invalid","message":"a slot holds either a disk or a volume: give exactly one","field":"devices.sda"}
        ! {"kind":"invalid","message":"a slot holds either a disk or a volume: give exactly one","field":"devices.sda"}
        ! {"kind":"invalid","message":"`root` is not an id of this provider: its ids are whole numbers","field":"devices.sda"}
        ! {"kind":"invalid","message":"`` is not an id of this provider: its ids are whole numbers","field":"instance"}
        ! {"kind":"invalid","message":"`` is not an id of this provider: its ids are whole numbers","field":"id"}
        ! {"kind":"invalid","message":"`root` is not an id of this provider: its ids are whole numbers","field":"disk"}
        ! {"kind":"invalid","message":"`private/..` is no image of the account: theirs are called private/15","field":"id"}
        ! {"kind":"invalid","message":"`linode/debian12` is no image of the account: theirs are called private/15","field":"id"}
    "#]].assert_eq(&shown);
}

#[test]
fn images() {
    let image = json!({ "id": "private/15", "label": "golden", "description": "", "size": 1500, "is_public": false,
        "vendor": null, "status": "creating", "capabilities": ["cloud-init"], "regions": [] });
    let all =
        json!({ "disk": "5", "label": "golden", "description": "as of today", "cloud_init": true, "tags": ["lt-s-1"] });
    let shown = each([
        ("images.create", all, "POST /images", Reply::json(200, image.clone())),
        ("images.create", json!({ "disk": "5" }), "POST /images", Reply::json(200, image)),
        ("images.delete", json!({ "id": "private/15" }), "DELETE /images/private/15", accepted()),
    ]);
    expect![[r#"
        > POST https://api.linode.com/v4/images
          auth bearer, class default
          {"cloud_init":true,"description":"as of today","disk_id":5,"label":"golden","tags":["lt-s-1"]}
        < 200
        = {"capabilities":["cloud-init"],"deprecated":false,"description":"","id":"private/15","label":"golden","public":false,"size_mb":1500,"status":"creating","vendor":""}
        > POST https://api.linode.com/v4/images
          auth bearer, class default
          {"disk_id":5}
        < 200
        = {"capabilities":["cloud-init"],"deprecated":false,"description":"","id":"private/15","label":"golden","public":false,"size_mb":1500,"status":"creating","vendor":""}
        > DELETE https://api.linode.com/v4/images/private/15
          auth bearer, class default, safe to repeat
        < 200
        = {}
    "#]].assert_eq(&shown);
}

#[test]
fn a_disk_whose_answer_has_no_id_may_have_been_made() {
    let mut driver = driver();
    driver.on("POST /linode/instances/7/disks", accepted());
    let error = driver.call("disks.create", json!({ "instance": "7", "label": "a", "size_mb": 1 })).expect_err("no id");
    assert!(error.is_ambiguous());
}

#[test]
fn clone() {
    let args = json!({ "instance": "7", "id": "5" });
    let reply = Reply::json(200, disk(6, "not ready"));
    expect![[r#"
        > POST https://api.linode.com/v4/linode/instances/7/disks/5/clone
          auth bearer, class default
          {}
        < 200
        = {"created":"2026-01-31T12:00:00","filesystem":"ext4","id":"6","label":"Debian 12 Disk","size_mb":25088,"status":"not_ready"}
    "#]].assert_eq(&each([("disks.clone", args, "POST /linode/instances/7/disks/5/clone", reply)]));
}
