//! Statuses, events and what machines do by themselves.

use expect_test::expect;
use linodetool_sandbox::limits::LimitMode;
use linodetool_sandbox::machines::{HowEnded, MachineExit};
use linodetool_sandbox::world::Timing;

use crate::support::Cloud;

#[test]
fn a_fast_linode_runs_as_soon_as_its_machine_does() {
    let cloud = Cloud::new();
    cloud.get(
        r#"POST /v4/linode/instances
        {"region":"us-east","type":"g6-nanode-1","image":"linode/debian12","label":"web-1","root_pass":"Str0ng-enough"}"#,
    );
    assert_eq!(cloud.status(1001), "booting");
    // The machine is up at once, though its boot's event is not finished yet.
    assert_eq!(cloud.status(1001), "running");
    cloud.refused(
        "POST /v4/linode/instances/1001/reboot",
        &expect![[r#"
        400
        -: Linode busy."#]],
    );
    cloud.pass(0.02);
    cloud.get("POST /v4/linode/instances/1001/reboot");
    cloud.pass(1.0);
    cloud.refused(
        "POST /v4/linode/instances/1001/boot",
        &expect![[r#"
        400
        -: Linode 1001 already booted."#]],
    );
    cloud.get("POST /v4/linode/instances/1001/shutdown");
    cloud.pass(1.0);
    assert_eq!(cloud.status(1001), "offline");
    cloud.refused(
        "POST /v4/linode/instances/1001/boot\n{\"config_id\":5}",
        &expect![[r#"
        400
        config_id: config_id is not valid"#]],
    );
    cloud.get("POST /v4/linode/instances/1001/boot\n{\"config_id\":1001}");
    cloud.pass(1.0);
    expect![[r#"
        linode_create web-1 finished 100
        linode_boot web-1 finished 100
        linode_reboot web-1 finished 100
        linode_shutdown web-1 finished 100
        linode_boot web-1 finished 100"#]]
    .assert_eq(&cloud.events());
    expect![[r#"
        boot 1001 web-1
        power_off 1001
        boot 1001 web-1
        power_off 1001
        boot 1001 web-1"#]]
    .assert_eq(&cloud.machines.told());
}

#[test]
fn with_real_timing_a_create_takes_its_time() {
    let cloud = Cloud::with(Timing::real(), LimitMode::Off);
    cloud.get(
        r#"POST /v4/linode/instances
        {"region":"us-east","type":"g6-nanode-1","image":"linode/debian12","label":"web-1","root_pass":"Str0ng-enough"}"#,
    );
    let mut seen = Vec::new();
    for _ in 0..95 {
        let event = cloud.get("GET /v4/account/events")["data"][0].clone();
        let disk = cloud.get("GET /v4/linode/instances/1001/disks")["data"][0]["status"].clone();
        let line = format!("{} {} {} disk {disk}", cloud.status(1001), event["action"], event["status"]);
        if seen.last().is_none_or(|(_, last)| *last != line) {
            seen.push((cloud.get("GET /sandbox/status")["now"].as_str().unwrap()[14..].to_owned(), line));
        }
        cloud.pass(1.0);
    }
    let told: Vec<String> = seen.into_iter().map(|(time, line)| format!("{time} {line}")).collect();
    expect![[r#"
        00:00 provisioning "linode_create" "scheduled" disk "not ready"
        00:03 provisioning "linode_create" "started" disk "not ready"
        01:05 booting "linode_boot" "started" disk "ready"
        01:24 running "linode_boot" "started" disk "ready"
        01:29 running "linode_boot" "finished" disk "ready""#]]
    .assert_eq(&told.join("\n"));
    cloud.check(
        "GET /v4/account/events/1",
        &expect![[r#"
        200 {
          "action": "linode_create",
          "created": "2026-01-31T12:00:00",
          "duration": 65.0,
          "entity": {
            "id": 1001,
            "label": "web-1",
            "type": "linode",
            "url": "/v4/linode/instances/1001"
          },
          "id": 1,
          "message": "",
          "percent_complete": 100,
          "rate": null,
          "read": false,
          "secondary_entity": {
            "id": "linode/debian12",
            "label": "Debian 12",
            "type": "image",
            "url": "/v4/images/linode/debian12"
          },
          "seen": false,
          "status": "finished",
          "time_remaining": 0,
          "username": "sandbox"
        }"#]],
    );
}

#[test]
fn a_machine_that_cannot_boot_leaves_a_failed_event() {
    let cloud = Cloud::new();
    cloud.machines.refuse("boot");
    let id = cloud.linode("web-1");
    assert_eq!(cloud.status(id), "offline");
    expect![[r#"
        linode_create web-1 finished 100
        linode_boot web-1 failed 100 no boot today"#]]
    .assert_eq(&cloud.events());
}

#[test]
fn a_machine_that_cannot_be_ended_runs_on() {
    let cloud = Cloud::new();
    let id = cloud.linode("web-1");
    cloud.machines.refuse("power_off");
    for what in ["reboot", "shutdown"] {
        cloud.get(&format!("POST /v4/linode/instances/{id}/{what}"));
        cloud.pass(1.0);
        assert_eq!(cloud.status(id), "running", "{what}");
    }
    cloud.machines.allow("power_off");
    cloud.machines.refuse("boot");
    cloud.get(&format!("POST /v4/linode/instances/{id}/reboot"));
    cloud.pass(1.0);
    assert_eq!(cloud.status(id), "offline");
    expect![[r#"
        linode_create web-1 finished 100
        linode_boot web-1 finished 100
        linode_reboot web-1 failed 100 no power_off today
        linode_shutdown web-1 failed 100 no power_off today
        linode_reboot web-1 failed 100 no boot today"#]]
    .assert_eq(&cloud.events());
}

#[test]
fn a_fault_in_the_machines_is_a_failed_event() {
    let cloud = Cloud::new();
    cloud.machines.refuse("anything");
    let id = cloud.linode("web-1");
    assert_eq!(cloud.status(id), "offline");
    expect![[r#"
        linode_create web-1 finished 100
        linode_boot web-1 failed 100 the sandbox's machines failed inside: the panic was reported where it happened"#]]
    .assert_eq(&cloud.events());
    cloud.get("DELETE /v4/linode/instances/1001");
    assert_eq!(cloud.machines.told().lines().last(), Some("delete 1001"));
}

#[test]
fn what_happens_inside_shows_outside() {
    let cloud = Cloud::new();
    let id = cloud.linode("web-1");
    cloud.machines.told();
    let exit = |how| {
        cloud.sandbox.machine_exited(MachineExit { id, life: cloud.machines.life(0), how });
        cloud.pass(1.0);
        format!("{} after {}", cloud.status(id), cloud.machines.told())
    };
    assert_eq!(exit(HowEnded::Rebooted), "running after boot 1001 web-1");
    for _ in 0..3 {
        assert_eq!(exit(HowEnded::Died), "running after boot 1001 web-1");
    }
    assert_eq!(exit(HowEnded::Died), "offline after ", "the watchdog gives up");
    cloud.pass(900.0);
    cloud.get(&format!("POST /v4/linode/instances/{id}/boot"));
    cloud.pass(1.0);
    cloud.machines.told();
    assert_eq!(exit(HowEnded::Died), "running after boot 1001 web-1", "and takes heart again");
    assert_eq!(exit(HowEnded::PoweredOff), "offline after ");
    cloud.get(&format!("PUT /v4/linode/instances/{id}\n{{\"watchdog_enabled\":false}}"));
    cloud.get(&format!("POST /v4/linode/instances/{id}/boot"));
    cloud.pass(1.0);
    cloud.machines.told();
    assert_eq!(exit(HowEnded::Died), "offline after ");
    expect![[r#"
        linode_create web-1 finished 100
        linode_boot web-1 finished 100
        lassie_reboot web-1 finished 100
        lassie_reboot web-1 finished 100
        lassie_reboot web-1 finished 100
        linode_boot web-1 finished 100
        lassie_reboot web-1 finished 100
        linode_boot web-1 finished 100"#]]
    .assert_eq(&cloud.events());
}

#[test]
fn a_linode_may_be_deleted_while_it_boots() {
    let cloud = Cloud::with(Timing::real(), LimitMode::Off);
    cloud.get(
        r#"POST /v4/linode/instances
        {"region":"us-east","type":"g6-nanode-1","image":"linode/debian12","label":"web-1","root_pass":"Str0ng-enough"}"#,
    );
    cloud.pass(70.0);
    assert_eq!(cloud.status(1001), "booting");
    cloud.get("DELETE /v4/linode/instances/1001");
    cloud.pass(100.0);
    assert_eq!(cloud.machines.told(), "boot 1001 web-1\ndelete 1001");
    expect![[r#"
        linode_create web-1 finished 100
        linode_boot web-1 failed 100 The Linode was deleted.
        linode_delete web-1 notification -"#]]
    .assert_eq(&cloud.events());
}

#[test]
fn events_can_be_marked_as_seen() {
    let cloud = Cloud::new();
    cloud.linode("web-1");
    cloud.get("POST /v4/account/events/1/seen");
    let unseen = cloud.get("GET /v4/account/events\nX-Filter: {\"seen\":false}");
    assert_eq!((unseen["results"].as_u64(), unseen["data"][0]["id"].as_u64()), (Some(1), Some(2)));
    cloud.check(
        "POST /v4/account/events/9/seen",
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

/// A machine may end before the word of its boot has come back; it must not be shown as running for ever.
#[test]
fn an_end_that_is_told_before_the_boot_is_not_lost() {
    let cloud = Cloud::with(Timing::real(), LimitMode::Off);
    cloud.get(
        r#"POST /v4/linode/instances
        {"region":"us-east","type":"g6-nanode-1","image":"linode/debian12","label":"web-1","root_pass":"Str0ng-enough"}"#,
    );
    cloud.pass(70.0);
    assert_eq!(cloud.status(1001), "booting");
    cloud.sandbox.machine_exited(MachineExit { id: 1001, life: cloud.machines.life(0), how: HowEnded::PoweredOff });
    assert_eq!(cloud.status(1001), "booting");
    cloud.pass(30.0);
    assert_eq!(cloud.status(1001), "offline");
    expect![[r#"
        linode_create web-1 finished 100
        linode_boot web-1 finished 100"#]]
    .assert_eq(&cloud.events());
}

/// The former life of a machine may end by itself while it is being restarted; the new one has not ended with it.
#[test]
fn an_end_during_a_restart_is_the_former_lifes() {
    let cloud = Cloud::with(Timing::real(), LimitMode::Off);
    let body = r#"{"region":"us-east","type":"g6-nanode-1","image":"linode/debian12","root_pass":"Str0ng-enough"}"#;
    cloud.get(&format!("POST /v4/linode/instances\n{body}"));
    cloud.pass(100.0);
    cloud.get("POST /v4/linode/instances/1001/reboot");
    let died = |before| {
        cloud.sandbox.machine_exited(MachineExit { id: 1001, life: cloud.machines.life(before), how: HowEnded::Died });
    };
    died(1);
    cloud.pass(100.0);
    assert_eq!(cloud.status(1001), "running");
    // Nor does it when the word of that comes late.
    died(1);
    assert_eq!(cloud.status(1001), "running");
    assert_eq!(cloud.machines.told(), "boot 1001 linode1001\npower_off 1001\nboot 1001 linode1001");
}

/// A life that ended says nothing of the one that began meanwhile, whatever goes on with the Linode.
#[test]
fn a_late_word_of_a_former_life_ends_nothing() {
    let cloud = Cloud::new();
    let id = cloud.linode("web-1");
    let exit = |before| {
        cloud.sandbox.machine_exited(MachineExit { id, life: cloud.machines.life(before), how: HowEnded::PoweredOff });
        cloud.pass(1.0);
        cloud.status(id)
    };
    cloud.get(&format!("POST /v4/linode/instances/{id}/shutdown"));
    cloud.pass(10.0);
    cloud.get(&format!("POST /v4/linode/instances/{id}/boot"));
    cloud.pass(10.0);
    assert_eq!((exit(1), exit(0)), ("running".into(), "offline".into()));
}
