//! What the plugin says of itself, what it is opened with, and what it says of what API v3 does not have.

use crate::{driver, good};
use expect_test::expect;
use linodetool_linode_v3::LinodeV3;
use linodetool_plugin::testing::Driver;
use linodetool_plugin::{ErrorKind, OPERATIONS, Plugin};
use serde_json::json;

#[test]
fn manifest() {
    let mut manifest = LinodeV3::manifest();
    manifest.version = "V".to_owned();
    let operations = std::mem::take(&mut manifest.operations);
    assert_eq!(operations.len(), 54);
    expect![[r#"
        {
          "name": "linode-v3",
          "version": "V",
          "description": "Linode through its legacy API v3, which Linode has retired",
          "messages": "1.0",
          "features": [
            "before_ids"
          ],
          "operations": [],
          "capabilities": [
            "display_group",
            "domains",
            "images",
            "nodebalancers",
            "private_ip",
            "stackscripts",
            "volumes"
          ],
          "config": [
            {
              "name": "base_url",
              "doc": "address of the API",
              "default": "https://api.linode.com"
            }
          ],
          "base_urls": [
            "https://api.linode.com"
          ],
          "rate_classes": []
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&manifest).expect("JSON"));
}

/// Arguments that every operation refuses tell a method that exists from the default, which takes any and is unsupported.
#[test]
fn it_lists_what_it_has_and_has_what_it_lists() {
    let listed = LinodeV3::manifest().operations;
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
fn what_api_v3_does_not_have_is_refused_with_where_it_is() {
    let listed = LinodeV3::manifest().operations;
    let missing = OPERATIONS.iter().filter(|operation| !listed.iter().any(|name| name == operation.name));
    let say = |name: &str| driver().call(name, json!({})).expect_err("API v3 does not have it").message + "\n";
    expect![[r#"
        Linode's API v3 has no users: use the provider linode-v4, which has profile.get
        Linode's API v3 has no rescue system: use the provider linode-v4, which has instances.rescue
        Linode's API v3 has no password resets: use the provider linode-v4, which has instances.reset_password
        Linode's API v3 has no events: use the provider linode-v4, which has events.list
        this provider does not support stackscripts.update
        this provider does not support stackscripts.delete
        Linode's API v3 has no Cloud Firewalls: use the provider linode-v4, which has firewalls.list
        Linode's API v3 has no Cloud Firewalls: use the provider linode-v4, which has firewalls.get
        Linode's API v3 has no Cloud Firewalls: use the provider linode-v4, which has firewalls.create
        Linode's API v3 has no Cloud Firewalls: use the provider linode-v4, which has firewalls.delete
        Linode's API v3 has no Cloud Firewalls: use the provider linode-v4, which has firewalls.set_rules
        Linode's API v3 has no Cloud Firewalls: use the provider linode-v4, which has firewalls.update
        Linode's API v3 has no Cloud Firewalls: use the provider linode-v4, which has firewalls.add_device
        Linode's API v3 has no Cloud Firewalls: use the provider linode-v4, which has firewalls.remove_device
        this provider does not support disks.clone
        this provider does not support volumes.update
        this provider does not support volumes.clone
        this provider does not support nodebalancer_nodes.update
        this provider does not support domains.update
        Linode's API v3 has no copies of domains: use the provider linode-v4, which has domains.clone
        Linode's API v3 has no imports of domains: use the provider linode-v4, which has domains.import
        this provider does not support domain_records.update
        Linode's API v3 has no VPCs: use the provider linode-v4, which has vpcs.list
        Linode's API v3 has no VPCs: use the provider linode-v4, which has vpcs.create
        Linode's API v3 has no VPCs: use the provider linode-v4, which has vpcs.delete
        Linode's API v3 has no VPCs: use the provider linode-v4, which has vpc_subnets.list
        Linode's API v3 has no VPCs: use the provider linode-v4, which has vpc_subnets.create
        Linode's API v3 has no VPCs: use the provider linode-v4, which has vpc_subnets.delete
        this provider does not support ips.list
        this provider does not support ips.add
        Linode's API v3 has no way to take an address from a Linode: use the provider linode-v4, which has ips.remove
        Linode's API v3 has no reserved addresses: use the provider linode-v4, which has ips.reserve
        Linode's API v3 has no reserved addresses: use the provider linode-v4, which has ips.release
        this provider does not support ips.set_rdns
        Linode's API v3 has no placement groups: use the provider linode-v4, which has placement_groups.list
        Linode's API v3 has no placement groups: use the provider linode-v4, which has placement_groups.create
        Linode's API v3 has no placement groups: use the provider linode-v4, which has placement_groups.delete
        Linode's API v3 has no placement groups: use the provider linode-v4, which has placement_groups.assign
        Linode's API v3 has no placement groups: use the provider linode-v4, which has placement_groups.unassign
    "#]]
    .assert_eq(&missing.map(|operation| say(operation.name)).collect::<String>());
}

#[test]
fn configuration() {
    let open = |config: &str| match LinodeV3::open(config) {
        Ok(_) => "opened".to_owned(),
        Err(error) => serde_json::to_string(&error).expect("JSON"),
    };
    let configurations = [
        "{}",
        r#"{"base_url":"http://127.0.0.1:4000/v3/"}"#,
        r#"{"of_tomorrow":1}"#,
        r#"{"base_url":"api.linode.com"}"#,
        "[",
    ];
    expect![[r#"
        opened
        opened
        opened
        {"kind":"invalid","message":"`api.linode.com` is no address of an API: give one like https://api.linode.com","field":"base_url"}
        {"kind":"invalid","message":"configuration of linode-v3: EOF while parsing a list at line 1 column 1"}"#]].assert_eq(&configurations.map(open).join("\n"));
}

#[test]
fn requests_go_where_the_configuration_says() {
    for address in ["http://127.0.0.1:4000/v3", "http://127.0.0.1:4000/v3/"] {
        let config = json!({ "base_url": address }).to_string();
        let mut driver = Driver::new(LinodeV3::open(&config).expect("a good address"));
        driver.on("POST http://127.0.0.1:4000/v3/", good(json!({})));
        driver.call("account.get", json!({})).expect("it is answered");
    }
}
