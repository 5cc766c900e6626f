//! Creating, showing, changing and deleting Linodes.

use expect_test::expect;

use crate::support::Cloud;

#[test]
fn a_linode_is_created_and_shown_whole() {
    let cloud = Cloud::new();
    cloud.check(
        r#"POST /v4beta/linode/instances
        {"region":"us-east","type":"g6-nanode-1","image":"linode/debian12","label":"web-1","tags":["b-tag","a-tag","b-tag"],
         "private_ip":true,"authorized_keys":["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBg me"],
         "metadata":{"user_data":"I2Nsb3VkLWNvbmZpZwo="}, "not_known_here": 1}"#,
        &expect![[r#"
            200 {
              "alerts": {
                "cpu": 90,
                "io": 10000,
                "network_in": 10,
                "network_out": 10,
                "transfer_quota": 80
              },
              "backups": {
                "available": false,
                "enabled": false,
                "last_successful": null,
                "schedule": {
                  "day": null,
                  "window": null
                }
              },
              "capabilities": [],
              "created": "2026-01-31T12:00:00",
              "disk_encryption": "enabled",
              "group": "",
              "has_user_data": true,
              "host_uuid": "2ce0e36abfd4162d58de39e4c7445d6f7e05ca17",
              "hypervisor": "kvm",
              "id": 1001,
              "image": "linode/debian12",
              "interface_generation": "legacy_config",
              "ipv4": [
                "198.18.1.2",
                "192.168.129.2"
              ],
              "ipv6": "fd98:1a0d::f03c:95ff:fe00:03e9/128",
              "label": "web-1",
              "lke_cluster_id": null,
              "locks": [],
              "maintenance_policy": "linode/migrate",
              "placement_group": null,
              "region": "us-east",
              "site_type": "core",
              "specs": {
                "accelerated_devices": 0,
                "disk": 25600,
                "gpus": 0,
                "memory": 1024,
                "transfer": 1000,
                "vcpus": 1
              },
              "status": "provisioning",
              "tags": [
                "a-tag",
                "b-tag"
              ],
              "type": "g6-nanode-1",
              "updated": "2026-01-31T12:00:00",
              "watchdog_enabled": true
            }"#]],
    );
    cloud.pass(1.0);
    let spec = cloud.machines.specs.lock().unwrap()[0].clone();
    expect![[r#"
        MachineSpec {
            id: 1001,
            hostname: "web-1",
            public_ip: Some(
                198.18.1.2,
            ),
            private_ip: Some(
                192.168.129.2,
            ),
            authorized_keys: [
                "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBg me",
            ],
            user_data: Some(
                [
                    35,
                    99,
                    108,
                    111,
                    117,
                    100,
                    45,
                    99,
                    111,
                    110,
                    102,
                    105,
                    103,
                    10,
                ],
            ),
            stackscript: None,
            memory_mb: 1024,
            pace: Some(
                1000,
            ),
            life: 1002,
            faults: MachineFaults {
                ssh_refused: None,
                ssh_cut: None,
                disk: None,
            },
        }
    "#]]
    .assert_debug_eq(&spec);
}

#[test]
fn disks_profiles_and_addresses_come_with_an_image() {
    let cloud = Cloud::new();
    cloud.linode("web-1");
    cloud.check(
        "GET /v4/linode/instances/1001/disks",
        &expect![[r#"
        200 {
          "data": [
            {
              "created": "2026-01-31T12:00:00",
              "disk_encryption": "enabled",
              "filesystem": "ext4",
              "id": 1001,
              "label": "Debian 12 Disk",
              "size": 25088,
              "status": "ready",
              "updated": "2026-01-31T12:00:00"
            },
            {
              "created": "2026-01-31T12:00:00",
              "disk_encryption": "enabled",
              "filesystem": "swap",
              "id": 1002,
              "label": "512 MB Swap Image",
              "size": 512,
              "status": "ready",
              "updated": "2026-01-31T12:00:00"
            }
          ],
          "page": 1,
          "pages": 1,
          "results": 2
        }"#]],
    );
    cloud.check(
        "GET /v4/linode/instances/1001/configs",
        &expect![[r#"
        200 {
          "data": [
            {
              "comments": "",
              "created": "2026-01-31T12:00:00",
              "devices": {
                "sda": {
                  "disk_id": 1001,
                  "volume_id": null
                },
                "sdb": {
                  "disk_id": 1002,
                  "volume_id": null
                },
                "sdc": null,
                "sdd": null,
                "sde": null,
                "sdf": null,
                "sdg": null,
                "sdh": null
              },
              "helpers": {
                "devtmpfs_automount": true,
                "distro": true,
                "modules_dep": true,
                "network": true,
                "updatedb_disabled": true
              },
              "id": 1001,
              "initrd": null,
              "interfaces": [],
              "kernel": "linode/grub2",
              "label": "My Debian 12 Disk Profile",
              "memory_limit": 0,
              "root_device": "/dev/sda",
              "run_level": "default",
              "updated": "2026-01-31T12:00:00",
              "virt_mode": "paravirt"
            }
          ],
          "page": 1,
          "pages": 1,
          "results": 1
        }"#]],
    );
    cloud.check(
        "GET /v4/linode/instances/1001/ips",
        &expect![[r#"
        200 {
          "ipv4": {
            "private": [],
            "public": [
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
              }
            ],
            "reserved": [],
            "shared": [],
            "vpc": []
          },
          "ipv6": {
            "global": [],
            "link_local": {
              "address": "fe80::f03c:95ff:fe00:03e9",
              "gateway": "fe80::1",
              "linode_id": 1001,
              "prefix": 64,
              "public": false,
              "rdns": null,
              "region": "us-east",
              "subnet_mask": "ffff:ffff:ffff:ffff::",
              "type": "ipv6"
            },
            "slaac": {
              "address": "fd98:1a0d::f03c:95ff:fe00:03e9",
              "gateway": "fe80::1",
              "linode_id": 1001,
              "prefix": 64,
              "public": true,
              "rdns": null,
              "region": "us-east",
              "subnet_mask": "ffff:ffff:ffff:ffff::",
              "type": "ipv6"
            }
          }
        }"#]],
    );
}

#[test]
fn without_an_image_it_stays_off_and_has_nothing_to_boot() {
    let cloud = Cloud::new();
    let made = cloud.get(
        r#"POST /v4/linode/instances
        {"region":"us-east","type":"g6-nanode-1"}"#,
    );
    assert_eq!((made["label"].as_str(), made["status"].as_str()), (Some("linode1001"), Some("provisioning")));
    cloud.pass(1.0);
    assert_eq!(cloud.status(1001), "offline");
    cloud.refused(
        "POST /v4/linode/instances/1001/boot",
        &expect![[r#"
        400
        -: Linode has no configuration profile to boot."#]],
    );
    assert_eq!(cloud.machines.told(), "");
}

#[test]
fn what_is_wrong_is_told_all_at_once() {
    let cloud = Cloud::new();
    cloud.refused(
        "POST /v4/linode/instances",
        &expect![[r#"
        400
        region: region is required
        type: type is required"#]],
    );
    cloud.refused(
        "POST /v4/linode/instances\n{",
        &expect![[r#"
        400
        -: Invalid JSON"#]],
    );
    cloud.refused(
        r#"POST /v4/linode/instances
        {"region":"us-nowhere","type":"g9-huge","image":"linode/debian99","label":"-x","root_pass":"password",
         "authorized_keys":["nonsense"],"authorized_users":["nobody"],"firewall_id":7,"stackscript_id":8,"tags":["ab"],
         "kernel":"linode/none","booted":"yes","swap_size":-1,"disk_encryption":"maybe","backup_id":1}"#,
        &expect![[r#"
            400
            backup_id: The sandbox does not emulate backup_id.
            region: region is not valid
            type: A valid plan type by that ID was not found
            label: Must be 3-64 characters
            tags[0]: Must be 3-50 characters
            image: image is not valid
            authorized_keys: SSH Key 1 is not a valid public key
            authorized_users[0]: User is not valid
            root_pass: Password does not meet strength requirement
            stackscript_id: stackscript_id is not valid
            firewall_id: firewall_id is not valid
            kernel: kernel is not valid
            swap_size: Must be of type integer
            booted: Must be of type boolean
            disk_encryption: Must be enabled or disabled"#]],
    );
    cloud.refused(
        r#"POST /v4/linode/instances
        {"region":"us-east","type":"g6-nanode-1","image":"linode/debian12"}"#,
        &expect![[r#"
            400
            -: Must provide valid root_pass, authorized_keys, or authorized_users"#]],
    );
}

#[test]
fn user_data_needs_base64_size_region_and_image() {
    let cloud = Cloud::new();
    let wrong = |region: &str, image: &str, data: &str, expected: &expect_test::Expect| {
        cloud.refused(
            &format!(
                r#"POST /v4/linode/instances
                {{"region":"{region}","type":"g6-nanode-1","image":"{image}","root_pass":"Str0ng-enough",
                "metadata":{{"user_data":"{data}"}}}}"#
            ),
            expected,
        );
    };
    wrong(
        "us-east",
        "linode/debian12",
        "#cloud-config",
        &expect![[r#"
        400
        metadata.user_data: Must be base64-encoded"#]],
    );
    wrong(
        "us-east",
        "linode/debian12",
        &"AAAA".repeat(21_846),
        &expect![[r#"
        400
        metadata.user_data: Must be at most 65535 bytes when decoded"#]],
    );
    wrong(
        "xx-lab-1",
        "linode/debian12",
        "AAAA",
        &expect![[r#"
        400
        metadata.user_data: Metadata is not available in the selected region"#]],
    );
    wrong(
        "us-east",
        "linode/slackware15.0",
        "AAAA",
        &expect![[r#"
        400
        metadata.user_data: The selected image does not support cloud-init"#]],
    );
}

#[test]
fn a_type_needs_its_region() {
    let cloud = Cloud::new();
    let call =
        |region: &str| format!("POST /v4/linode/instances\n{{\"region\":\"{region}\",\"type\":\"g1-gpu-rtx6000-1\"}}");
    cloud.refused(
        &call("us-west"),
        &expect![[r#"
        400
        type: This plan is not available in the selected region"#]],
    );
    cloud.get(&call("us-east"));
}

#[test]
fn labels_are_unique_until_freed() {
    let cloud = Cloud::new();
    let (one, two) = (cloud.linode("one"), cloud.linode("two"));
    let create = "POST /v4/linode/instances\n{\"region\":\"us-east\",\"type\":\"g6-nanode-1\",\"label\":\"one\"}";
    cloud.refused(
        create,
        &expect![[r#"
        400
        label: Label must be unique among your linodes"#]],
    );
    cloud.refused(
        &format!("PUT /v4/linode/instances/{two}\n{{\"label\":\"one\"}}"),
        &expect![[r#"
        400
        label: Label must be unique among your linodes"#]],
    );
    cloud.get(&format!("PUT /v4/linode/instances/{one}\n{{\"label\":\"one\",\"tags\":[\"kept\"]}}"));
    cloud.get(&format!("PUT /v4/linode/instances/{two}\n{{\"label\":\"three\"}}"));
    cloud.get(&format!("DELETE /v4/linode/instances/{one}"));
    cloud.get(create);
    cloud.get(&format!("PUT /v4/linode/instances/{}\n{{\"label\":\"two\"}}", 1003));
}

#[test]
fn a_deleted_linode_is_gone_at_once_and_in_the_ledger() {
    let cloud = Cloud::new();
    let id = cloud.linode("web-1");
    cloud.machines.told();
    cloud.check(&format!("DELETE /v4/linode/instances/{id}"), &expect!["200 {}"]);
    cloud.check(
        &format!("GET /v4/linode/instances/{id}"),
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
        &format!("DELETE /v4/linode/instances/{id}"),
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
        "GET /v4/linode/instances/abc",
        &expect![[r#"
        404 {
          "errors": [
            {
              "reason": "Not found"
            }
          ]
        }"#]],
    );
    assert_eq!(cloud.machines.told(), "delete 1001");
    cloud.check(
        "GET /sandbox/ledger",
        &expect![[r#"
        200 {
          "entries": [
            {
              "id": 1001,
              "kind": "linode",
              "label": "web-1",
              "reason": "POST /v4/linode/instances",
              "time": "2026-01-31T12:00:00",
              "what": "created"
            },
            {
              "id": 1001,
              "kind": "linode",
              "label": "web-1",
              "reason": "DELETE /v4/linode/instances/1001",
              "time": "2026-01-31T12:00:01",
              "what": "destroyed"
            }
          ]
        }"#]],
    );
}

#[test]
fn a_label_that_is_made_up_is_free() {
    let cloud = Cloud::new();
    let create = |label: &str| {
        let body = format!("{{\"region\":\"us-east\",\"type\":\"g6-nanode-1\"{label}}}");
        cloud.get(&format!("POST /v4/linode/instances\n{body}"))["label"].as_str().unwrap().to_owned()
    };
    assert_eq!(create(",\"label\":\"linode1002\""), "linode1002");
    assert_eq!(create(""), "linode1002-1");
    assert_eq!(create(""), "linode1003");
}

#[test]
fn what_there_is_none_of_is_an_empty_list() {
    let cloud = Cloud::new();
    let id = cloud.linode("web-1");
    for part in ["volumes", "nodebalancers"] {
        assert_eq!(cloud.get(&format!("GET /v4/linode/instances/{id}/{part}"))["results"], 0);
    }
    assert_eq!(cloud.ask("GET /v4/linode/instances/7/volumes").status, 404);
}

#[test]
fn ten_thousand_linodes_are_held() {
    let cloud = Cloud::new();
    for n in 0..10_000 {
        let body =
            format!("{{\"region\":\"us-east\",\"type\":\"g6-nanode-1\",\"label\":\"n{n:05}\",\"private_ip\":true}}");
        assert_eq!(cloud.ask(&format!("POST /v4/linode/instances\n{body}")).status, 200);
    }
    let page = cloud.get("GET /v4/linode/instances?page=20&page_size=500");
    assert_eq!((page["pages"].as_u64(), page["results"].as_u64()), (Some(20), Some(10_000)));
    let found = cloud.get("GET /v4/linode/instances\nX-Filter: {\"label\":\"n09999\"}");
    assert_eq!(found["data"][0]["id"], 11_000);
}
