//! Volumes.

use crate::{accepted, each, refused, unasked, whole};
use expect_test::expect;
use linodetool_plugin::testing::Reply;
use serde_json::{Value, json};

pub(crate) fn volume(id: u64, label: &str, linode: Option<u64>) -> Value {
    json!({ "id": id, "label": label, "region": "us-east", "size": 20, "status": "active", "linode_id": linode,
        "linode_label": null, "filesystem_path": format!("/dev/disk/by-id/scsi-0Linode_Volume_{label}"),
        "tags": ["lt-c-1"], "created": "2026-01-31T12:00:00", "hardware_type": "nvme", "encryption": "disabled" })
}

#[test]
fn list_and_get() {
    let two = || whole(json!([volume(9, "data", Some(7)), volume(10, "data-2", None)]));
    let of_linode = json!({ "instance": "7", "tag": "lt-c-1" });
    let shown = each([
        ("volumes.list", json!({ "label": "data" }), "GET /volumes?page=1&page_size=500", two()),
        ("volumes.list", of_linode, "GET /linode/instances/7/volumes?page=1&page_size=500", two()),
        ("volumes.get", json!({ "id": "9" }), "GET /volumes/9", Reply::json(200, volume(9, "data", Some(7)))),
    ]);
    expect![[r#"
        > GET https://api.linode.com/v4/volumes?page=1&page_size=500
          auth bearer, class list, safe to repeat
          x-filter: {"label":"data"}
        < 200
        = {"created":"2026-01-31T12:00:00","id":"9","instance":"7","label":"data","path":"/dev/disk/by-id/scsi-0Linode_Volume_data","region":"us-east","size_gb":20,"status":"active","tags":["lt-c-1"]}
        > GET https://api.linode.com/v4/linode/instances/7/volumes?page=1&page_size=500
          auth bearer, class list, safe to repeat
          x-filter: {"tags":"lt-c-1"}
        < 200
        = {"created":"2026-01-31T12:00:00","id":"9","instance":"7","label":"data","path":"/dev/disk/by-id/scsi-0Linode_Volume_data","region":"us-east","size_gb":20,"status":"active","tags":["lt-c-1"]}
        = {"created":"2026-01-31T12:00:00","id":"10","instance":null,"label":"data-2","path":"/dev/disk/by-id/scsi-0Linode_Volume_data-2","region":"us-east","size_gb":20,"status":"active","tags":["lt-c-1"]}
        > GET https://api.linode.com/v4/volumes/9
          auth bearer, class default, safe to repeat
        < 200
        = {"created":"2026-01-31T12:00:00","id":"9","instance":"7","label":"data","path":"/dev/disk/by-id/scsi-0Linode_Volume_data","region":"us-east","size_gb":20,"status":"active","tags":["lt-c-1"]}
    "#]].assert_eq(&shown);
}

#[test]
fn every_status_has_its_word() {
    let status = |word: &str| {
        let mut driver = crate::driver();
        driver.on("GET /volumes/9", Reply::json(200, json!({ "id": 9, "status": word })));
        let volume = driver.call("volumes.get", json!({ "id": "9" })).expect("it is there");
        format!("{word} -> {}", volume["status"])
    };
    expect![[r#"
        creating -> "creating"
        active -> "active"
        resizing -> "resizing"
        key_rotating -> "other"
        contact_support -> "other""#]]
    .assert_eq(&["creating", "active", "resizing", "key_rotating", "contact_support"].map(status).join("\n"));
}

#[test]
fn create_and_delete() {
    let attached = json!({ "label": "data", "region": "us-east", "size_gb": 20, "instance": "7", "tags": ["lt-c-1"] });
    let alone = json!({ "label": "data", "region": "us-east", "size_gb": 20 });
    let taken = refused(400, json!([{ "field": "label", "reason": "Label must be unique among your volumes" }]));
    let shown = each([
        ("volumes.create", attached, "POST /volumes", Reply::json(200, volume(9, "data", Some(7)))),
        ("volumes.create", alone, "POST /volumes", taken),
        ("volumes.delete", json!({ "id": "9" }), "DELETE /volumes/9", accepted()),
    ]);
    expect![[r#"
        > POST https://api.linode.com/v4/volumes
          auth bearer, class volumes
          {"label":"data","linode_id":7,"region":"us-east","size":20,"tags":["lt-c-1"]}
        < 200
        = {"created":"2026-01-31T12:00:00","id":"9","instance":"7","label":"data","path":"/dev/disk/by-id/scsi-0Linode_Volume_data","region":"us-east","size_gb":20,"status":"active","tags":["lt-c-1"]}
        > POST https://api.linode.com/v4/volumes
          auth bearer, class volumes
          {"label":"data","region":"us-east","size":20}
        < 400
        ! {"kind":"conflict","message":"Label must be unique among your volumes","field":"label","retry":"never","status":400}
        > DELETE https://api.linode.com/v4/volumes/9
          auth bearer, class default, safe to repeat
        < 200
        = {}
    "#]].assert_eq(&shown);
}

#[test]
fn attach_detach_and_resize() {
    let gone = refused(400, json!([{ "field": "linode_id", "reason": "Linode is not active" }]));
    let attach = json!({ "id": "9", "instance": "7" });
    let resize = json!({ "id": "9", "size_gb": 40 });
    let shown = each([
        ("volumes.attach", attach.clone(), "POST /volumes/9/attach", Reply::json(200, volume(9, "data", None))),
        ("volumes.attach", attach, "POST /volumes/9/attach", gone),
        ("volumes.detach", json!({ "id": "9" }), "POST /volumes/9/detach", accepted()),
        ("volumes.resize", resize, "POST /volumes/9/resize", Reply::json(200, volume(9, "data", Some(7)))),
    ]);
    expect![[r#"
        > POST https://api.linode.com/v4/volumes/9/attach
          auth bearer, class default
          {"linode_id":7}
        < 200
        = {}
        > POST https://api.linode.com/v4/volumes/9/attach
          auth bearer, class default
          {"linode_id":7}
        < 400
        ! {"kind":"invalid","message":"Linode is not active","field":"linode_id","retry":"never","status":400}
        > POST https://api.linode.com/v4/volumes/9/detach
          auth bearer, class default
          {}
        < 200
        = {}
        > POST https://api.linode.com/v4/volumes/9/resize
          auth bearer, class default
          {"size":40}
        < 200
        = {}
    "#]]
    .assert_eq(&shown);
}

#[test]
fn ids_must_be_numbers() {
    let shown = unasked([
        ("volumes.get", json!({ "id": "data" })),
        ("volumes.attach", json!({ "id": "9", "instance": "web-1" })),
        ("volumes.list", json!({ "instance": "web-1" })),
    ]);
    expect![[r#"
        ! {"kind":"invalid","message":"`data` is not an id of this provider: its ids are whole numbers","field":"id"}
        ! {"kind":"invalid","message":"`web-1` is not an id of this provider: its ids are whole numbers","field":"instance"}
        ! {"kind":"invalid","message":"`web-1` is not an id of this provider: its ids are whole numbers","field":"instance"}
    "#]].assert_eq(&shown);
}

#[test]
fn update_and_clone() {
    let one = || Reply::json(200, volume(9, "data", None));
    let shown = each([
        ("volumes.update", json!({ "id": "9", "label": "data-2", "tags": [] }), "PUT /volumes/9", one()),
        ("volumes.update", json!({ "id": "9" }), "GET /volumes/9", one()),
        ("volumes.clone", json!({ "id": "9", "label": "copy" }), "POST /volumes/9/clone", one()),
    ]);
    expect![[r#"
        > PUT https://api.linode.com/v4/volumes/9
          auth bearer, class default, safe to repeat
          {"label":"data-2","tags":[]}
        < 200
        = {"created":"2026-01-31T12:00:00","id":"9","instance":null,"label":"data","path":"/dev/disk/by-id/scsi-0Linode_Volume_data","region":"us-east","size_gb":20,"status":"active","tags":["lt-c-1"]}
        > GET https://api.linode.com/v4/volumes/9
          auth bearer, class default, safe to repeat
        < 200
        = {"created":"2026-01-31T12:00:00","id":"9","instance":null,"label":"data","path":"/dev/disk/by-id/scsi-0Linode_Volume_data","region":"us-east","size_gb":20,"status":"active","tags":["lt-c-1"]}
        > POST https://api.linode.com/v4/volumes/9/clone
          auth bearer, class volumes
          {"label":"copy"}
        < 200
        = {"created":"2026-01-31T12:00:00","id":"9","instance":null,"label":"data","path":"/dev/disk/by-id/scsi-0Linode_Volume_data","region":"us-east","size_gb":20,"status":"active","tags":["lt-c-1"]}
    "#]].assert_eq(&shown);
}
