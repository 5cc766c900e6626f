//! A Linode through API v3, from its first call to its last, and how it looks through v4.

use crate::support::Cloud;
use expect_test::expect;
use linodetool_sandbox::limits::LimitMode;
use linodetool_sandbox::world::Timing;

/// The calls that make a Linode, as clients send them: one after the other without waiting.
pub(crate) const MAKE: &str = "
    linode.create DatacenterID=6 PlanID=1
    linode.update LinodeID=1001 Label=web-1 lpm_displayGroup=prod
    linode.ip.addprivate LinodeID=1001
    linode.disk.createfromdistribution LinodeID=1001 DistributionID=211 Label=Debian~12 Size=25088 rootPass=Str0ng-enough
    linode.disk.create LinodeID=1001 Type=swap Label=swap Size=512
    linode.config.create LinodeID=1001 KernelID=138 Label=first DiskList=1001,1002,,,,,,,
    linode.boot LinodeID=1001 ConfigID=1001";

#[test]
fn from_the_first_call_to_the_last() {
    let cloud = Cloud::new();
    cloud.v3_talk(
        &format!("{MAKE}\nlinode.list LinodeID=1001\nlinode.job.list LinodeID=1001 pendingOnly=1"),
        &expect![[r#"
            > linode.create DatacenterID=6 PlanID=1
              = {"LinodeID":1001}
            > linode.update LinodeID=1001 Label=web-1 lpm_displayGroup=prod
              = {"LinodeID":1001}
            > linode.ip.addprivate LinodeID=1001
              = {"IPADDRESS":"192.168.129.2","IPADDRESSID":262402}
            > linode.disk.createfromdistribution LinodeID=1001 DistributionID=211 Label=Debian~12 Size=25088 rootPass=Str0ng-enough
              = {"DiskID":1001,"JobID":1001}
            > linode.disk.create LinodeID=1001 Type=swap Label=swap Size=512
              = {"DiskID":1002,"JobID":1002}
            > linode.config.create LinodeID=1001 KernelID=138 Label=first DiskList=1001,1002,,,,,,,
              = {"ConfigID":1001}
            > linode.boot LinodeID=1001 ConfigID=1001
              = {"JobID":1003}
            > linode.list LinodeID=1001
              - {"ALERT_BWIN_ENABLED":1,"ALERT_BWIN_THRESHOLD":10,"ALERT_BWOUT_ENABLED":1,"ALERT_BWOUT_THRESHOLD":10,"ALERT_BWQUOTA_ENABLED":1,"ALERT_BWQUOTA_THRESHOLD":80,"ALERT_CPU_ENABLED":1,"ALERT_CPU_THRESHOLD":90,"ALERT_DISKIO_ENABLED":1,"ALERT_DISKIO_THRESHOLD":10000,"BACKUPSENABLED":0,"BACKUPWEEKLYDAY":0,"BACKUPWINDOW":0,"CREATE_DT":"2026-01-31 07:00:00.0","DATACENTERID":6,"DISTRIBUTIONVENDOR":"Debian","ISKVM":1,"ISXEN":0,"LABEL":"web-1","LINODEID":1001,"LPM_DISPLAYGROUP":"prod","PLANID":1,"STATUS":1,"TOTALHD":25600,"TOTALRAM":1024,"TOTALXFER":1000,"WATCHDOG":1}
            > linode.job.list LinodeID=1001 pendingOnly=1
              - {"ACTION":"linode.boot","DURATION":"","ENTERED_DT":"2026-01-31 07:00:00.0","HOST_FINISH_DT":"","HOST_MESSAGE":"","HOST_START_DT":"2026-01-31 07:00:00.0","HOST_SUCCESS":"","JOBID":1003,"LABEL":"Linode initial boot","LINODEID":1001}
        "#]],
    );
    cloud.pass(1.0);
    cloud.v3_talk(
        "linode.list
         linode.job.list LinodeID=1001
         linode.disk.list LinodeID=1001
         linode.config.list LinodeID=1001
         linode.ip.list
         linode.shutdown LinodeID=1001
         linode.delete LinodeID=1001
         linode.disk.delete LinodeID=1001 DiskID=1001
         linode.disk.delete LinodeID=1001 DiskID=1002
         linode.delete LinodeID=1001
         linode.list LinodeID=1001",
        &expect![[r#"
            > linode.list
              - {"ALERT_BWIN_ENABLED":1,"ALERT_BWIN_THRESHOLD":10,"ALERT_BWOUT_ENABLED":1,"ALERT_BWOUT_THRESHOLD":10,"ALERT_BWQUOTA_ENABLED":1,"ALERT_BWQUOTA_THRESHOLD":80,"ALERT_CPU_ENABLED":1,"ALERT_CPU_THRESHOLD":90,"ALERT_DISKIO_ENABLED":1,"ALERT_DISKIO_THRESHOLD":10000,"BACKUPSENABLED":0,"BACKUPWEEKLYDAY":0,"BACKUPWINDOW":0,"CREATE_DT":"2026-01-31 07:00:00.0","DATACENTERID":6,"DISTRIBUTIONVENDOR":"Debian","ISKVM":1,"ISXEN":0,"LABEL":"web-1","LINODEID":1001,"LPM_DISPLAYGROUP":"prod","PLANID":1,"STATUS":1,"TOTALHD":25600,"TOTALRAM":1024,"TOTALXFER":1000,"WATCHDOG":1}
            > linode.job.list LinodeID=1001
              - {"ACTION":"linode.boot","DURATION":0,"ENTERED_DT":"2026-01-31 07:00:00.0","HOST_FINISH_DT":"2026-01-31 07:00:00.0","HOST_MESSAGE":"","HOST_START_DT":"2026-01-31 07:00:00.0","HOST_SUCCESS":1,"JOBID":1003,"LABEL":"Linode initial boot","LINODEID":1001}
              - {"ACTION":"fs.create","DURATION":0,"ENTERED_DT":"2026-01-31 07:00:00.0","HOST_FINISH_DT":"2026-01-31 07:00:00.0","HOST_MESSAGE":"","HOST_START_DT":"2026-01-31 07:00:00.0","HOST_SUCCESS":1,"JOBID":1002,"LABEL":"Create Filesystem - swap","LINODEID":1001}
              - {"ACTION":"fs.create","DURATION":0,"ENTERED_DT":"2026-01-31 07:00:00.0","HOST_FINISH_DT":"2026-01-31 07:00:00.0","HOST_MESSAGE":"","HOST_START_DT":"2026-01-31 07:00:00.0","HOST_SUCCESS":1,"JOBID":1001,"LABEL":"Create Filesystem - Debian 12","LINODEID":1001}
            > linode.disk.list LinodeID=1001
              - {"CREATE_DT":"2026-01-31 07:00:00.0","DISKID":1001,"ISREADONLY":0,"LABEL":"Debian 12","LINODEID":1001,"SIZE":25088,"STATUS":1,"TYPE":"ext4","UPDATE_DT":"2026-01-31 07:00:00.0"}
              - {"CREATE_DT":"2026-01-31 07:00:00.0","DISKID":1002,"ISREADONLY":0,"LABEL":"swap","LINODEID":1001,"SIZE":512,"STATUS":1,"TYPE":"swap","UPDATE_DT":"2026-01-31 07:00:00.0"}
            > linode.config.list LinodeID=1001
              - {"Comments":"","ConfigID":1001,"DiskList":"1001,1002,,,,,,,","KernelID":138,"Label":"first","LinodeID":1001,"RAMLimit":0,"RootDeviceCustom":"","RootDeviceNum":1,"RootDeviceRO":true,"RunLevel":"default","__validationErrorArray":[],"apiColumnFilterStruct":"","devtmpfs_automount":true,"helper_depmod":1,"helper_disableUpdateDB":1,"helper_distro":1,"helper_libtls":false,"helper_network":1,"helper_xen":0,"isRescue":0,"virt_mode":"paravirt"}
            > linode.ip.list
              - {"IPADDRESS":"198.18.1.2","IPADDRESSID":258,"ISPUBLIC":1,"LINODEID":1001,"RDNS_NAME":"198-18-1-2.ip.sandbox.invalid"}
              - {"IPADDRESS":"192.168.129.2","IPADDRESSID":262402,"ISPUBLIC":0,"LINODEID":1001,"RDNS_NAME":""}
            > linode.shutdown LinodeID=1001
              = {"JobID":1004}
            > linode.delete LinodeID=1001
              ! 41 Linode must have no disks before delete
            > linode.disk.delete LinodeID=1001 DiskID=1001
              = {"DiskID":1001,"JobID":1005}
            > linode.disk.delete LinodeID=1001 DiskID=1002
              = {"DiskID":1002,"JobID":1006}
            > linode.delete LinodeID=1001
              = {"LinodeID":1001}
            > linode.list LinodeID=1001
              ! 5 Object not found
        "#]],
    );
    expect![[r#"
        boot 1001 web-1
        power_off 1001
        delete 1001
        delete 1001
        delete 1001"#]]
    .assert_eq(&cloud.machines.told());
    expect![[r#"
        linode_create linode1001 finished 100
        disk_create web-1 finished 100
        disk_create web-1 finished 100
        linode_boot web-1 finished 100
        linode_shutdown web-1 finished 100
        disk_delete web-1 finished 100
        disk_delete web-1 finished 100
        linode_delete web-1 notification -"#]]
    .assert_eq(&cloud.events());
}

#[test]
fn jobs_wait_for_each_other() {
    let cloud = Cloud::with(Timing::real(), LimitMode::Real);
    for action in MAKE.lines().filter(|line| !line.trim().is_empty()) {
        cloud.v3_data(action);
    }
    let mut told = String::new();
    for _ in 0..7 {
        let jobs = cloud.v3_data("linode.job.list LinodeID=1001");
        let word = |job: &serde_json::Value| {
            let state = match (job["HOST_START_DT"] == "", job["HOST_FINISH_DT"] == "") {
                (true, _) => "waits",
                (_, true) => "runs",
                _ => "done",
            };
            format!("{} {state}", job["ACTION"].as_str().unwrap())
        };
        let mut jobs: Vec<_> = jobs.as_array().unwrap().iter().map(word).collect();
        jobs.reverse();
        let status = &cloud.v3_data("linode.list")[0]["STATUS"];
        told += &format!("{status} {} | {}\n", cloud.status(1001), jobs.join(", "));
        cloud.pass(20.0);
    }
    expect![[r#"
        0 offline | fs.create runs, fs.create waits, linode.boot waits
        0 offline | fs.create runs, fs.create waits, linode.boot waits
        0 offline | fs.create runs, fs.create waits, linode.boot waits
        0 offline | fs.create runs, fs.create waits, linode.boot waits
        0 booting | fs.create done, fs.create done, linode.boot runs
        1 running | fs.create done, fs.create done, linode.boot done
        1 running | fs.create done, fs.create done, linode.boot done
    "#]]
    .assert_eq(&told);
}

#[test]
fn both_apis_show_one_world() {
    let cloud = Cloud::new();
    for action in MAKE.lines().filter(|line| !line.trim().is_empty()) {
        cloud.v3_data(action);
    }
    cloud.pass(1.0);
    let made = cloud.get("GET /v4/linode/instances/1001");
    let shown = |names: &[&str], of: &serde_json::Value| {
        names.iter().map(|name| format!("{name}={}", of[*name])).collect::<Vec<_>>().join(" ")
    };
    expect![[r#"label="web-1" status="running" region="us-east" type="g6-nanode-1" image="linode/debian12" group="prod" ipv4=["198.18.1.2","192.168.129.2"]"#]].assert_eq(&shown(&["label", "status", "region", "type", "image", "group", "ipv4"], &made));
    let id = cloud.linode("db-1");
    let other = &cloud.v3_data(&format!("linode.list LinodeID={id}"))[0];
    expect![[r#"LABEL="db-1" STATUS=1 DATACENTERID=6 PLANID=1 DISTRIBUTIONVENDOR="Debian""#]]
        .assert_eq(&shown(&["LABEL", "STATUS", "DATACENTERID", "PLANID", "DISTRIBUTIONVENDOR"], other));
    cloud.refused(
        "POST /v4/linode/instances/1001/boot",
        &expect![[r#"
        400
        -: Linode 1001 already booted."#]],
    );
    // While v4 does something with it, v3 has a job for it.
    let slow = Cloud::with(Timing::real(), LimitMode::Real);
    let id = slow.get(
        r#"POST /v4/linode/instances
        {"region":"xx-lab-1","type":"g6-dedicated-2","image":"linode/debian12","root_pass":"Str0ng-enough"}"#,
    )["id"]
        .clone();
    slow.v3_talk(
        &format!("linode.list LinodeID={id}\nlinode.job.list LinodeID={id} pendingOnly=1\nlinode.boot LinodeID={id}"),
        &expect![[r#"
            > linode.list LinodeID=1001
              - {"ALERT_BWIN_ENABLED":1,"ALERT_BWIN_THRESHOLD":10,"ALERT_BWOUT_ENABLED":1,"ALERT_BWOUT_THRESHOLD":10,"ALERT_BWQUOTA_ENABLED":1,"ALERT_BWQUOTA_THRESHOLD":80,"ALERT_CPU_ENABLED":1,"ALERT_CPU_THRESHOLD":180,"ALERT_DISKIO_ENABLED":1,"ALERT_DISKIO_THRESHOLD":10000,"BACKUPSENABLED":0,"BACKUPWEEKLYDAY":0,"BACKUPWINDOW":0,"CREATE_DT":"2026-01-31 07:00:00.0","DATACENTERID":148,"DISTRIBUTIONVENDOR":"Debian","ISKVM":1,"ISXEN":0,"LABEL":"linode1001","LINODEID":1001,"LPM_DISPLAYGROUP":"","PLANID":116,"STATUS":-1,"TOTALHD":81920,"TOTALRAM":4096,"TOTALXFER":4000,"WATCHDOG":1}
            > linode.job.list LinodeID=1001 pendingOnly=1
              - {"ACTION":"fs.create","DURATION":"","ENTERED_DT":"2026-01-31 07:00:00.0","HOST_FINISH_DT":"","HOST_MESSAGE":"","HOST_START_DT":"2026-01-31 07:00:00.0","HOST_SUCCESS":"","JOBID":1000001001,"LABEL":"Create Filesystem","LINODEID":1001}
            > linode.boot LinodeID=1001
              = {"JobID":1001}
        "#]],
    );
    slow.pass(120.0);
    slow.v3_talk(&format!("linode.job.list LinodeID={id}"), &expect![[r#"
        > linode.job.list LinodeID=1001
          - {"ACTION":"linode.boot","DURATION":0,"ENTERED_DT":"2026-01-31 07:00:00.0","HOST_FINISH_DT":"2026-01-31 07:01:29.0","HOST_MESSAGE":"It runs already.","HOST_START_DT":"2026-01-31 07:01:29.0","HOST_SUCCESS":0,"JOBID":1001,"LABEL":"Linode initial boot","LINODEID":1001}
    "#]]);
}

#[test]
fn what_is_refused() {
    let cloud = Cloud::new();
    cloud.linode("taken");
    cloud.v3_talk(
        "linode.create DatacenterID=5 PlanID=1
         linode.create DatacenterID=6 PlanID=3
         linode.create DatacenterID=6
         linode.create DatacenterID=newark PlanID=1
         linode.create DatacenterID=6 PlanID=1
         linode.update LinodeID=1002 Label=taken
         linode.update LinodeID=1002 Label=web..1
         linode.update LinodeID=9
         linode.update LinodeID=1002 watchdog=perhaps
         linode.boot LinodeID=1002
         linode.boot LinodeID=1001 ConfigID=5
         linode.job.list LinodeID=1002 pendingOnly=true
         linode.resize LinodeID=1002 PlanID=1
         linode.mutate LinodeID=1002
         linode.frobnicate
         firewall.list",
        &expect![[r#"
            > linode.create DatacenterID=5 PlanID=1
              ! 8 DatacenterID is not one of avail.datacenters
            > linode.create DatacenterID=6 PlanID=3
              ! 8 PlanID is not one of avail.linodeplans
            > linode.create DatacenterID=6
              ! 6 PlanID is required but was not passed in
            > linode.create DatacenterID=newark PlanID=1
              ! 7 DatacenterID must be numeric
            > linode.create DatacenterID=6 PlanID=1
              = {"LinodeID":1002}
            > linode.update LinodeID=1002 Label=taken
              ! 8 This account already has a Linode with that label. Labels must be unique.
            > linode.update LinodeID=1002 Label=web..1
              ! 8 Label: Must not have .. in it
            > linode.update LinodeID=9
              ! 5 Object not found
            > linode.update LinodeID=1002 watchdog=perhaps
              ! 7 watchdog must be boolean
            > linode.boot LinodeID=1002
              ! 8 This Linode has no configuration profile to boot
            > linode.boot LinodeID=1001 ConfigID=5
              ! 5 Object not found
            > linode.job.list LinodeID=1002 pendingOnly=true
              ! 7 pendingOnly must be 0 or 1
            > linode.resize LinodeID=1002 PlanID=1
              ! 8 This Linode has this plan already
            > linode.mutate LinodeID=1002
              ! 9 The sandbox does not emulate linode.mutate.
            > linode.frobnicate
              ! 9 Method Not Implemented
            > firewall.list
              ! 3 The requested class does not exist
        "#]],
    );
    assert_eq!(cloud.v3("").body.unwrap()["ERRORARRAY"][0]["ERRORCODE"], 2);
}

#[test]
fn another_plan_and_a_copy() {
    let cloud = Cloud::new();
    for action in MAKE.lines().filter(|line| !line.trim().is_empty()) {
        cloud.v3_data(action);
    }
    cloud.pass(1.0);
    cloud.v3_talk(
        "linode.resize LinodeID=1001 PlanID=2
         linode.clone LinodeID=1001 DatacenterID=7 PlanID=2",
        &expect![[r#"
            > linode.resize LinodeID=1001 PlanID=2
              ! 0 ok
            > linode.clone LinodeID=1001 DatacenterID=7 PlanID=2
              = {"LinodeID":1002}
        "#]],
    );
    cloud.pass(1.0);
    let (moved, copy) = (cloud.get("GET /v4/linode/instances/1001"), cloud.get("GET /v4/linode/instances/1002"));
    let shown = |of: &serde_json::Value| format!("{} {} {} {}", of["label"], of["type"], of["region"], of["status"]);
    expect![[r#"
        "web-1" "g6-standard-1" "us-east" "running"
        "linode1002" "g6-standard-1" "eu-west" "offline""#]]
    .assert_eq(&format!("{}\n{}", shown(&moved), shown(&copy)));
    cloud.v3_talk(
        "linode.config.list LinodeID=1002
         linode.boot LinodeID=1002
         linode.reboot LinodeID=1001",
        &expect![[r#"
            > linode.config.list LinodeID=1002
              - {"Comments":"","ConfigID":1002,"DiskList":"1003,1004,,,,,,,","KernelID":138,"Label":"first","LinodeID":1002,"RAMLimit":0,"RootDeviceCustom":"","RootDeviceNum":1,"RootDeviceRO":true,"RunLevel":"default","__validationErrorArray":[],"apiColumnFilterStruct":"","devtmpfs_automount":true,"helper_depmod":1,"helper_disableUpdateDB":1,"helper_distro":1,"helper_libtls":false,"helper_network":1,"helper_xen":0,"isRescue":0,"virt_mode":"paravirt"}
            > linode.boot LinodeID=1002
              = {"JobID":1008}
            > linode.reboot LinodeID=1001
              = {"JobID":1009}
        "#]],
    );
    cloud.pass(1.0);
    assert_eq!((cloud.status(1001), cloud.status(1002)), ("running".to_owned(), "running".to_owned()));
    expect![[r#"
        boot 1001 web-1
        power_off 1001
        boot 1001 web-1
        boot 1002 linode1002
        power_off 1001
        boot 1001 web-1"#]]
    .assert_eq(&cloud.machines.told());
}

#[test]
fn seventy_five_an_hour() {
    let cloud = Cloud::with(Timing::fast(), LimitMode::Real);
    for _ in 0..75 {
        cloud.v3_data("linode.create DatacenterID=6 PlanID=1");
    }
    cloud.v3_talk(
        "linode.create DatacenterID=6 PlanID=1",
        &expect![[r#"
        > linode.create DatacenterID=6 PlanID=1
          ! 40 Limit of Linodes added per hour reached
    "#]],
    );
    cloud.pass(3600.0);
    cloud.v3_data("linode.create DatacenterID=6 PlanID=1");
}

#[test]
fn a_boot_that_fails() {
    let cloud = Cloud::new();
    cloud.machines.refuse("boot");
    for action in MAKE.lines().filter(|line| !line.trim().is_empty()) {
        cloud.v3_data(action);
    }
    cloud.pass(1.0);
    let state = |cloud: &Cloud| {
        let job = &cloud.v3_data("linode.job.list LinodeID=1001")[0];
        format!("{} {} {}", cloud.v3_data("linode.list")[0]["STATUS"], job["HOST_SUCCESS"], job["HOST_MESSAGE"])
    };
    expect![[r#"-2 0 "no boot today""#]].assert_eq(&state(&cloud));
    cloud.machines.allow("boot");
    cloud.v3_data("linode.boot LinodeID=1001");
    cloud.pass(1.0);
    expect![[r#"1 1 """#]].assert_eq(&state(&cloud));
}
