//! What the plugin says of itself, and what it is opened with.

use crate::driver;
use expect_test::expect;
use linodetool_linode_v4::LinodeV4;
use linodetool_plugin::{ErrorKind, OPERATIONS, Plugin};
use serde_json::json;

#[test]
fn manifest() {
    let mut manifest = LinodeV4::manifest();
    manifest.version = "V".to_owned();
    expect![[r#"
        {
          "name": "linode-v4",
          "version": "V",
          "description": "Linode (Akamai Cloud) through its API v4",
          "messages": "1.0",
          "features": [],
          "operations": [
            "account.get",
            "profile.get",
            "regions.list",
            "types.list",
            "images.list",
            "images.create",
            "images.delete",
            "kernels.list",
            "instances.list",
            "instances.get",
            "instances.create",
            "instances.update",
            "instances.delete",
            "instances.boot",
            "instances.shutdown",
            "instances.reboot",
            "instances.rebuild",
            "instances.resize",
            "instances.clone",
            "instances.rescue",
            "instances.reset_password",
            "instances.addresses",
            "events.list",
            "stackscripts.list",
            "stackscripts.create",
            "stackscripts.update",
            "stackscripts.delete",
            "firewalls.list",
            "firewalls.get",
            "firewalls.create",
            "firewalls.delete",
            "firewalls.set_rules",
            "firewalls.update",
            "firewalls.add_device",
            "firewalls.remove_device",
            "disks.list",
            "disks.create",
            "disks.delete",
            "disks.resize",
            "disks.clone",
            "configs.list",
            "configs.create",
            "configs.update",
            "configs.delete",
            "volumes.list",
            "volumes.get",
            "volumes.create",
            "volumes.delete",
            "volumes.attach",
            "volumes.detach",
            "volumes.resize",
            "volumes.update",
            "volumes.clone",
            "nodebalancers.list",
            "nodebalancers.get",
            "nodebalancers.create",
            "nodebalancers.delete",
            "nodebalancer_configs.list",
            "nodebalancer_configs.create",
            "nodebalancer_configs.delete",
            "nodebalancer_nodes.list",
            "nodebalancer_nodes.create",
            "nodebalancer_nodes.update",
            "nodebalancer_nodes.delete",
            "domains.list",
            "domains.create",
            "domains.update",
            "domains.clone",
            "domains.import",
            "domains.delete",
            "domain_records.list",
            "domain_records.create",
            "domain_records.update",
            "domain_records.delete",
            "vpcs.list",
            "vpcs.create",
            "vpcs.delete",
            "vpc_subnets.list",
            "vpc_subnets.create",
            "vpc_subnets.delete",
            "ips.list",
            "ips.add",
            "ips.remove",
            "ips.reserve",
            "ips.release",
            "ips.set_rdns",
            "placement_groups.list",
            "placement_groups.create",
            "placement_groups.delete",
            "placement_groups.assign",
            "placement_groups.unassign",
            "raw",
            "raw.operations"
          ],
          "capabilities": [
            "domains",
            "events",
            "firewalls",
            "images",
            "nodebalancers",
            "placement_groups",
            "private_ip",
            "rescue",
            "reserved_ips",
            "stackscripts",
            "tags",
            "user_data",
            "volumes",
            "vpcs"
          ],
          "config": [
            {
              "name": "base_url",
              "doc": "address of the API, with its version",
              "default": "https://api.linode.com/v4"
            }
          ],
          "base_urls": [
            "https://api.linode.com/v4",
            "https://api.linode.com/v4beta"
          ],
          "rate_classes": [
            {
              "name": "create",
              "calls": 20,
              "per_seconds": 15
            },
            {
              "name": "volumes",
              "calls": 100,
              "per_seconds": 60
            },
            {
              "name": "list",
              "calls": 200,
              "per_seconds": 60
            },
            {
              "name": "images",
              "calls": 20,
              "per_seconds": 60
            },
            {
              "name": "stackscripts",
              "calls": 60,
              "per_seconds": 60
            },
            {
              "name": "default",
              "calls": 1600,
              "per_seconds": 60
            }
          ]
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&manifest).expect("JSON"));
}

/// Arguments that every operation refuses tell a method that exists from the default, which takes any and is unsupported.
#[test]
fn it_lists_what_it_has_and_has_what_it_lists() {
    let listed = LinodeV4::manifest().operations;
    for operation in OPERATIONS {
        let outcome = std::panic::catch_unwind(|| driver().call(operation.name, json!({})));
        let missing = matches!(&outcome, Ok(Err(error)) if error.kind == ErrorKind::Unsupported);
        assert_eq!(missing, !listed.iter().any(|name| name == operation.name), "{}", operation.name);
    }
    for name in &listed {
        assert!(OPERATIONS.iter().any(|operation| operation.name == name), "{name} is no operation");
    }
}

#[test]
fn an_operation_nobody_knows() {
    expect![[r#"
        ! {"kind":"unsupported","message":"this provider does not support instances.levitate"}
    "#]]
    .assert_eq(&driver().show("instances.levitate", json!({})));
}

#[test]
fn configuration() {
    let open = |config: &str| match LinodeV4::open(config) {
        Ok(_) => "opened".to_owned(),
        Err(error) => serde_json::to_string(&error).expect("JSON"),
    };
    let shown: Vec<_> = [
        "{}",
        r#"{"base_url":"http://127.0.0.1:4000/v4/"}"#,
        r#"{"base_url":"https://api.linode.com/v4","of_tomorrow":1}"#,
        r#"{"base_url":"api.linode.com"}"#,
        "[",
    ]
    .map(open)
    .into();
    expect![[r#"
        opened
        opened
        opened
        {"kind":"invalid","message":"`api.linode.com` is no address of an API: give one like https://api.linode.com/v4","field":"base_url"}
        {"kind":"invalid","message":"configuration of linode-v4: EOF while parsing a list at line 1 column 1"}"#]].assert_eq(&shown.join("\n"));
}

#[test]
fn requests_go_where_the_configuration_says() {
    let mut driver = linodetool_plugin::testing::Driver::new(
        LinodeV4::open(r#"{"base_url":"http://127.0.0.1:4000/v4/"}"#).expect("a good address"),
    );
    driver.on("GET http://127.0.0.1:4000/v4/account", linodetool_plugin::testing::Reply::json(200, json!({})));
    driver.call("account.get", json!({})).expect("it is answered");
}
