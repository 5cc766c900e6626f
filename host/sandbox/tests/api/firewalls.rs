//! Firewalls, and that they are in force before what they guard runs.

use expect_test::expect;

use crate::support::Cloud;

const RULES: &str = r#"{"inbound":[{"action":"ACCEPT","protocol":"TCP","ports":"22, 8000-8010","addresses":{"ipv4":["198.18.0.0/15"],"ipv6":["::/0"]},"label":"ssh"}],
    "inbound_policy":"DROP","outbound_policy":"ACCEPT"}"#;

#[test]
fn a_firewall_is_created_and_shown_whole() {
    let cloud = Cloud::new();
    cloud.check(
        &format!("POST /v4/networking/firewalls\n{{\"label\":\"front\",\"tags\":[\"web\"],\"rules\":{RULES}}}"),
        &expect![[r#"
            200 {
              "created": "2026-01-31T12:00:00",
              "entities": [],
              "id": 1001,
              "label": "front",
              "rules": {
                "fingerprint": "cb597835",
                "inbound": [
                  {
                    "action": "ACCEPT",
                    "addresses": {
                      "ipv4": [
                        "198.18.0.0/15"
                      ],
                      "ipv6": [
                        "::/0"
                      ]
                    },
                    "label": "ssh",
                    "ports": "22, 8000-8010",
                    "protocol": "TCP"
                  }
                ],
                "inbound_policy": "DROP",
                "outbound": [],
                "outbound_policy": "ACCEPT",
                "version": 1
              },
              "status": "enabled",
              "tags": [
                "web"
              ],
              "updated": "2026-01-31T12:00:00"
            }"#]],
    );
    cloud.refused(
        &format!(
            "POST /v4/networking/firewalls\n{{\"label\":\"front\",\"rules\":{RULES},\"devices\":{{\"linodes\":[9]}}}}"
        ),
        &expect![[r#"
            400
            label: Label must be unique among your Cloud Firewalls
            devices.linodes[0]: linode is not valid"#]],
    );
    cloud.refused(
        "POST /v4/networking/firewalls",
        &expect![[r#"
        400
        label: label is required
        rules: rules is required"#]],
    );
}

#[test]
fn a_guard_stands_before_its_machine_boots() {
    let cloud = Cloud::new();
    cloud.get(&format!("POST /v4/networking/firewalls\n{{\"label\":\"front\",\"rules\":{RULES}}}"));
    cloud.get(
        r#"POST /v4/linode/instances
        {"region":"us-east","type":"g6-nanode-1","image":"linode/debian12","label":"web-1","root_pass":"Str0ng-enough",
         "firewall_id":1001}"#,
    );
    cloud.pass(1.0);
    expect![[r#"
        set_firewalls [1001] in [+ TCP 22, 8000-8010 ["198.18.0.0/15"]] DROP out [] ACCEPT
        boot 1001 web-1"#]]
    .assert_eq(&cloud.machines.told());
    cloud.get(
        r#"PUT /v4/networking/firewalls/1001/rules
        {"inbound":[],"inbound_policy":"ACCEPT","outbound":[],"outbound_policy":"DROP"}"#,
    );
    cloud.get("PUT /v4/networking/firewalls/1001\n{\"status\":\"disabled\"}");
    cloud.get("PUT /v4/networking/firewalls/1001\n{\"status\":\"enabled\",\"label\":\"back\"}");
    expect![[r#"
        set_firewalls [1001] in [] ACCEPT out [] DROP
        set_firewalls 
        set_firewalls [1001] in [] ACCEPT out [] DROP"#]]
    .assert_eq(&cloud.machines.told());
    cloud.check(
        "GET /v4/networking/firewalls/1001/rules",
        &expect![[r#"
        200 {
          "fingerprint": "2dc4b4ec",
          "inbound": [],
          "inbound_policy": "ACCEPT",
          "outbound": [],
          "outbound_policy": "DROP",
          "version": 2
        }"#]],
    );
    cloud.get("DELETE /v4/linode/instances/1001");
    expect![[r#"
        set_firewalls 
        delete 1001"#]]
    .assert_eq(&cloud.machines.told());
    expect![[r#"
        firewall_create front notification -
        linode_create web-1 finished 100
        firewall_device_add front notification -
        linode_boot web-1 finished 100
        firewall_rules_update front notification -
        firewall_disable front notification -
        firewall_enable back notification -
        firewall_device_remove back notification -
        linode_delete web-1 notification -"#]]
    .assert_eq(&cloud.events());
}

#[test]
fn devices_come_and_go() {
    let cloud = Cloud::new();
    let id = cloud.linode("web-1");
    for label in ["front", "other"] {
        cloud.get(&format!("POST /v4/networking/firewalls\n{{\"label\":\"{label}\",\"rules\":{RULES}}}"));
    }
    let device = format!("\n{{\"id\":{id},\"type\":\"linode\"}}");
    cloud.check(
        &format!("POST /v4/networking/firewalls/1001/devices{device}"),
        &expect![[r#"
        200 {
          "created": "2026-01-31T12:00:01",
          "entity": {
            "id": 1001,
            "label": "web-1",
            "parent_entity": null,
            "type": "linode",
            "url": "/v4/linode/instances/1001"
          },
          "id": 1001,
          "updated": "2026-01-31T12:00:01"
        }"#]],
    );
    cloud.refused(
        &format!("POST /v4/networking/firewalls/1002/devices{device}"),
        &expect![[r#"
        400
        id: Linode 1001 already has a firewall assigned"#]],
    );
    cloud.refused(
        "POST /v4/networking/firewalls/1002/devices\n{\"id\":7,\"type\":\"nodebalancer\"}",
        &expect![[r#"
            400
            type: The sandbox emulates firewalls of type linode only.
            id: id is not valid"#]],
    );
    assert_eq!(cloud.get(&format!("GET /v4/linode/instances/{id}/firewalls"))["data"][0]["label"], "front");
    assert_eq!(cloud.get("GET /v4/networking/firewalls/1001/devices")["results"], 1);
    cloud.get("DELETE /v4/networking/firewalls/1001/devices/1001");
    cloud.check(
        "DELETE /v4/networking/firewalls/1001/devices/1001",
        &expect![[r#"
        404 {
          "errors": [
            {
              "reason": "Not found"
            }
          ]
        }"#]],
    );
    cloud.get(&format!("POST /v4/networking/firewalls/1002/devices{device}"));
    cloud.get("DELETE /v4/networking/firewalls/1002");
    assert_eq!(cloud.get(&format!("GET /v4/linode/instances/{id}/firewalls"))["results"], 0);
    cloud.get(&format!("POST /v4/networking/firewalls/1001/devices{device}"));
}

#[test]
fn what_could_not_be_put_in_force_is_tried_again_at_the_next_boot() {
    let cloud = Cloud::new();
    cloud.machines.refuse("set_firewalls");
    let id = cloud.linode("web-1");
    cloud.get(&format!(
        "POST /v4/networking/firewalls\n{{\"label\":\"front\",\"rules\":{RULES},\"devices\":{{\"linodes\":[{id}]}}}}"
    ));
    cloud.pass(1.0);
    let enforced = || cloud.get("GET /sandbox/status")["firewalls_enforced"].clone();
    assert_eq!(enforced(), false);
    cloud.machines.allow("set_firewalls");
    cloud.machines.told();
    cloud.get(&format!("POST /v4/linode/instances/{id}/reboot"));
    cloud.pass(10.0);
    let told = cloud.machines.told();
    let told: Vec<_> = told.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!((told, enforced()), (vec!["set_firewalls", "power_off", "boot"], true.into()));
    // What is in force is not put there again.
    cloud.get(&format!("POST /v4/linode/instances/{id}/reboot"));
    cloud.pass(10.0);
    assert!(!cloud.machines.told().contains("set_firewalls"));
}

#[test]
fn what_cannot_be_enforced_is_said() {
    let cloud = Cloud::new();
    cloud.machines.refuse("set_firewalls");
    let id = cloud.linode("web-1");
    cloud.get(&format!(
        "POST /v4/networking/firewalls\n{{\"label\":\"front\",\"rules\":{RULES},\"devices\":{{\"linodes\":[{id}]}}}}"
    ));
    cloud.check(
        "GET /sandbox/status",
        &expect![[r#"
            200 {
              "began": "2026-01-31T12:00:00",
              "faults": {
                "in_force": "none",
                "injected": 0,
                "seed": null
              },
              "firewalls_enforced": false,
              "firewalls_not_enforced_because": "no set_firewalls today",
              "jobs": 0,
              "limits": "off",
              "linodes": {
                "offline": 0,
                "running": 1,
                "total": 1
              },
              "machines_run": "nowhere: they are simulated",
              "now": "2026-01-31T12:00:01",
              "now_ms": 1769860801000,
              "pid": PID,
              "simulated": false,
              "time_scale": 0.0,
              "timing": "fast",
              "troubles": []
            }"#]],
    );
}
