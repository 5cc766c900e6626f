//! Regions, types, images, kernels.

use crate::{one, whole};
use expect_test::expect;
use serde_json::json;

#[test]
fn regions() {
    let items = json!([{ "id": "us-east", "label": "Newark, NJ", "country": "US", "capabilities": ["Linodes", "Metadata"],
        "status": "ok", "site_type": "core", "resolvers": { "ipv4": "1.1.1.1" } }]);
    expect![[r#"
        > GET https://api.linode.com/v4/regions?page=1&page_size=500
          auth bearer, class list, safe to repeat
        < 200
        = {"capabilities":["Linodes","Metadata"],"country":"us","id":"us-east","label":"Newark, NJ","status":"ok"}
    "#]]
    .assert_eq(&one("regions.list", json!({}), "GET /regions?page=1&page_size=500", whole(items)));
}

#[test]
fn types_with_prices_by_region() {
    let items = json!([{ "id": "g6-nanode-1", "label": "Nanode 1GB", "class": "nanode", "memory": 1024, "disk": 25600,
        "vcpus": 1, "gpus": 0, "transfer": 1000, "network_out": 1000, "price": { "hourly": 0.0075, "monthly": 5 },
        "region_prices": [{ "id": "br-gru", "hourly": 0.0105, "monthly": "7.0" }], "successor": null }]);
    expect![[r#"
        > GET https://api.linode.com/v4/linode/types?page=1&page_size=500
          auth bearer, class list, safe to repeat
        < 200
        = {"class":"nanode","disk_mb":25600,"gpus":0,"id":"g6-nanode-1","label":"Nanode 1GB","memory_mb":1024,"network_mbps":1000,"price":{"hourly":0.0075,"monthly":5.0},"region_prices":{"br-gru":{"hourly":0.0105,"monthly":7.0}},"transfer_gb":1000,"vcpus":1}
    "#]].assert_eq(&one("types.list", json!({}), "GET /linode/types?page=1&page_size=500", whole(items)));
}

#[test]
fn numbers_may_be_text_or_have_fractions() {
    let items = json!([{ "id": 7, "memory": "2048", "disk": 51200.0, "vcpus": "2.0", "gpus": null, "transfer": [],
        "network_out": -1, "price": null, "region_prices": null }]);
    expect![[r#"
        > GET https://api.linode.com/v4/linode/types?page=1&page_size=500
          auth bearer, class list, safe to repeat
        < 200
        = {"class":"","disk_mb":51200,"gpus":0,"id":"7","label":"","memory_mb":2048,"network_mbps":0,"price":{"hourly":0.0,"monthly":0.0},"transfer_gb":0,"vcpus":2}
    "#]].assert_eq(&one("types.list", json!({}), "GET /linode/types?page=1&page_size=500", whole(items)));
}

#[test]
fn images_count_against_their_own_limit() {
    let items = json!([
        { "id": "linode/debian12", "label": "Debian 12", "vendor": "Debian", "description": null, "size": 1500,
            "is_public": true, "deprecated": false, "capabilities": ["cloud-init"], "status": "available" },
        { "id": "private/15", "label": "mine", "vendor": null, "description": "golden", "size": 2500,
            "is_public": false, "deprecated": false, "capabilities": [], "status": "creating" },
    ]);
    expect![[r#"
        > GET https://api.linode.com/v4/images?page=1&page_size=500
          auth bearer, class images, safe to repeat
        < 200
        = {"capabilities":["cloud-init"],"deprecated":false,"description":"","id":"linode/debian12","label":"Debian 12","public":true,"size_mb":1500,"status":"available","vendor":"Debian"}
        = {"capabilities":[],"deprecated":false,"description":"golden","id":"private/15","label":"mine","public":false,"size_mb":2500,"status":"creating","vendor":""}
    "#]].assert_eq(&one("images.list", json!({}), "GET /images?page=1&page_size=500", whole(items)));
}

#[test]
fn kernels() {
    let items = json!([{ "id": "linode/grub2", "label": "GRUB 2", "version": "2.06", "architecture": "x86_64",
        "kvm": true, "pvops": false, "deprecated": false }]);
    expect![[r#"
        > GET https://api.linode.com/v4/linode/kernels?page=1&page_size=500
          auth bearer, class list, safe to repeat
        < 200
        = {"architecture":"x86_64","deprecated":false,"id":"linode/grub2","label":"GRUB 2","version":"2.06"}
    "#]]
    .assert_eq(&one("kernels.list", json!({}), "GET /linode/kernels?page=1&page_size=500", whole(items)));
}
