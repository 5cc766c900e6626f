//! Lists, catalogues, filters, tags and addresses.

use expect_test::expect;

use crate::support::Cloud;

#[test]
fn catalogues_need_no_token() {
    let cloud = Cloud::new();
    cloud.check(
        "GET /v4/regions/us-east\nAuthorization:",
        &expect![[r#"
        200 {
          "capabilities": [
            "Linodes",
            "Block Storage Encryption",
            "LA Disk Encryption",
            "Disk Encryption",
            "Backups",
            "NodeBalancers",
            "Block Storage",
            "Object Storage",
            "GPU Linodes",
            "Kubernetes",
            "Cloud Firewall",
            "Vlans",
            "Block Storage Migrations",
            "Managed Databases",
            "Metadata",
            "Placement Group",
            "StackScripts",
            "Maintenance Policy",
            "Linode Interfaces"
          ],
          "country": "us",
          "id": "us-east",
          "label": "Newark, NJ",
          "monitors": {
            "alerts": [],
            "metrics": []
          },
          "placement_group_limits": {
            "maximum_linodes_per_flexible_pg": 5,
            "maximum_linodes_per_pg": 5,
            "maximum_pgs_per_customer": null
          },
          "resolvers": {
            "ipv4": "192.0.2.53,192.0.2.54",
            "ipv6": "2001:db8::53,2001:db8::54"
          },
          "site_type": "core",
          "status": "ok"
        }"#]],
    );
    cloud.check(
        "GET /v4/linode/types/g6-nanode-1\nAuthorization:",
        &expect![[r#"
        200 {
          "accelerated_devices": 0,
          "addons": {
            "backups": {
              "price": {
                "hourly": 0.003,
                "monthly": 2.0
              },
              "region_prices": [
                {
                  "hourly": 0.0036,
                  "id": "id-cgk",
                  "monthly": 2.4
                },
                {
                  "hourly": 0.004,
                  "id": "br-gru",
                  "monthly": 2.8
                }
              ]
            }
          },
          "class": "nanode",
          "disk": 25600,
          "gpus": 0,
          "id": "g6-nanode-1",
          "label": "Nanode 1GB",
          "memory": 1024,
          "network_out": 1000,
          "price": {
            "hourly": 0.0075,
            "monthly": 5.0
          },
          "region_prices": [
            {
              "hourly": 0.009,
              "id": "id-cgk",
              "monthly": 6.0
            },
            {
              "hourly": 0.0105,
              "id": "br-gru",
              "monthly": 7.0
            }
          ],
          "successor": null,
          "transfer": 1000,
          "vcpus": 1
        }"#]],
    );
    cloud.check(
        "GET /v4/images/linode%2Fubuntu16.04lts\nAuthorization:",
        &expect![[r#"
        200 {
          "capabilities": [],
          "created": "2016-04-22T00:00:00",
          "created_by": "linode",
          "deprecated": true,
          "description": "",
          "eol": "2021-04-01T04:00:00",
          "expiry": null,
          "id": "linode/ubuntu16.04lts",
          "is_public": true,
          "is_shared": false,
          "label": "Ubuntu 16.04 LTS",
          "regions": [],
          "size": 2700,
          "status": "available",
          "tags": [],
          "total_size": 2700,
          "type": "manual",
          "updated": "2016-04-22T00:00:00",
          "vendor": "Ubuntu"
        }"#]],
    );
    cloud.check(
        "GET /v4/linode/kernels/linode/grub2\nAuthorization:",
        &expect![[r#"
        200 {
          "architecture": "x86_64",
          "built": null,
          "deprecated": false,
          "id": "linode/grub2",
          "kvm": true,
          "label": "GRUB 2",
          "pvops": true,
          "version": "2.06"
        }"#]],
    );
    cloud.check(
        "GET /v4/images/linode/none\nAuthorization:",
        &expect![[r#"
        404 {
          "errors": [
            {
              "reason": "Not found"
            }
          ]
        }"#]],
    );
    cloud.check(
        "GET /v4/regions?page_size=25&page=3\nAuthorization:",
        &expect![[r#"
        404 {
          "errors": [
            {
              "reason": "Not found"
            }
          ]
        }"#]],
    );
    cloud.check(
        "GET /v4/account/availability/xx-lab-1",
        &expect![[r#"
        200 {
          "available": [
            "Linodes",
            "Backups",
            "Cloud Firewall",
            "Maintenance Policy"
          ],
          "region": "xx-lab-1",
          "unavailable": []
        }"#]],
    );
    assert_eq!(cloud.get("GET /v4/account/availability")["results"], 48);
    let sizes = ["regions", "linode/types", "images", "linode/kernels", "regions/availability"]
        .map(|list| cloud.get(&format!("GET /v4/{list}\nAuthorization:"))["results"].as_u64().unwrap());
    assert_eq!(sizes, [48, 37, 27, 10, 864]);
}

#[test]
fn filters_apply_where_the_api_has_them() {
    let cloud = Cloud::new();
    for label in ["web-1", "web-2", "db-1"] {
        cloud.linode(label);
    }
    let labels = |filter: &str| {
        let page = cloud.get(&format!("GET /v4/linode/instances\nX-Filter: {filter}"));
        let all: Vec<_> =
            page["data"].as_array().unwrap().iter().map(|one| one["label"].as_str().unwrap().to_owned()).collect();
        all.join(" ")
    };
    assert_eq!(labels(r#"{"label":{"+contains":"web"},"+order_by":"id","+order":"desc"}"#), "web-2 web-1");
    assert_eq!(labels(r#"{"ipv4":"198.18.1.4"}"#), "db-1");
    cloud.refused(
        "GET /v4/linode/instances\nX-Filter: {\"status\":\"running\"}",
        &expect![[r#"
        400
        X-Filter: Cannot filter on status"#]],
    );
    let booted = cloud.get(
        r#"GET /v4/account/events
        X-Filter: {"action":"linode_boot","entity.id":1002,"entity.type":"linode","+order_by":"created","+order":"desc"}"#,
    );
    assert_eq!((booted["results"].as_u64(), booted["data"][0]["entity"]["label"].as_str()), (Some(1), Some("web-2")));
    assert_eq!(cloud.get("GET /v4/regions\nX-Filter: {\"country\":\"jp\"}")["results"], 3);
    assert_eq!(cloud.get("GET /v4/images\nX-Filter: {\"deprecated\":true,\"vendor\":\"Ubuntu\"}")["results"], 2);
}

#[test]
fn tags_gather_what_carries_them() {
    let cloud = Cloud::new();
    let (one, two) = (cloud.linode("one"), cloud.linode("two"));
    cloud.get(&format!("PUT /v4/linode/instances/{one}\n{{\"tags\":[\"red\",\"blue\"]}}"));
    cloud.get(&format!("PUT /v4/linode/instances/{two}\n{{\"tags\":[\"red\"]}}"));
    cloud.check(
        "GET /v4/tags",
        &expect![[r#"
        200 {
          "data": [
            {
              "label": "blue"
            },
            {
              "label": "red"
            }
          ],
          "page": 1,
          "pages": 1,
          "results": 2
        }"#]],
    );
    let red = cloud.get("GET /v4/tags/red\nX-Filter: {\"data.label\":\"two\"}");
    assert_eq!((red["results"].as_u64(), red["data"][0]["type"].as_str()), (Some(1), Some("linode")));
}

#[test]
fn addresses_are_listed() {
    let cloud = Cloud::new();
    cloud.get("POST /v4/linode/instances\n{\"region\":\"us-east\",\"type\":\"g6-nanode-1\",\"private_ip\":true}");
    cloud.check(
        "GET /v4/networking/ips",
        &expect![[r#"
        200 {
          "data": [
            {
              "address": "198.18.1.2",
              "gateway": "198.18.1.1",
              "interface_id": null,
              "linode_id": 1001,
              "prefix": 24,
              "public": true,
              "rdns": "198-18-1-2.ip.sandbox.invalid",
              "region": "us-east",
              "reserved": false,
              "subnet_mask": "255.255.255.0",
              "type": "ipv4",
              "vpc_nat_1_1": null
            },
            {
              "address": "192.168.129.2",
              "gateway": null,
              "interface_id": null,
              "linode_id": 1001,
              "prefix": 17,
              "public": false,
              "rdns": null,
              "region": "us-east",
              "reserved": false,
              "subnet_mask": "255.255.128.0",
              "type": "ipv4",
              "vpc_nat_1_1": null
            }
          ],
          "page": 1,
          "pages": 1,
          "results": 2
        }"#]],
    );
    cloud.check(
        "GET /v4/networking/ips/10.0.0.1",
        &expect![[r#"
        404 {
          "errors": [
            {
              "reason": "Not found"
            }
          ]
        }"#]],
    );
}
