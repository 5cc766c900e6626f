//! Disks and configurations of Linodes.

use crate::instances::job;
use crate::{answer, bad, batch, good, show};
use expect_test::expect;
use serde_json::{Value, json};

#[test]
fn disks_are_ready_when_no_job_changes_them() {
    let disks = json!([
        { "DISKID": 55319, "LABEL": "root", "TYPE": "ext3", "STATUS": 1, "SIZE": 4096, "CREATE_DT": "2008-04-04 10:08:06.0" },
        { "DISKID": "55320", "LABEL": "swap", "TYPE": "swap", "STATUS": "2", "SIZE": "256", "CREATE_DT": "" },
    ]);
    let list =
        |jobs: Value| show("disks.list", json!({ "instance": "7" }), [batch([answer(disks.clone()), answer(jobs)])]);
    expect![[r#"
        > batch of 2
            linode.disk.list LinodeID=7
            linode.job.list LinodeID=7 pendingOnly=1
        = {"created":"2008-04-04T14:08:06","filesystem":"ext3","id":"55319","label":"root","size_mb":4096,"status":"ready"}
        = {"created":"","filesystem":"swap","id":"55320","label":"swap","size_mb":256,"status":"not_ready"}
        > batch of 2
            linode.disk.list LinodeID=7
            linode.job.list LinodeID=7 pendingOnly=1
        = {"created":"2008-04-04T14:08:06","filesystem":"ext3","id":"55319","label":"root","size_mb":4096,"status":"not_ready"}
        = {"created":"","filesystem":"swap","id":"55320","label":"swap","size_mb":256,"status":"not_ready"}
        > batch of 2
            linode.disk.list LinodeID=7
            linode.job.list LinodeID=7 pendingOnly=1
        = {"created":"2008-04-04T14:08:06","filesystem":"ext3","id":"55319","label":"root","size_mb":4096,"status":"ready"}
        = {"created":"","filesystem":"swap","id":"55320","label":"swap","size_mb":256,"status":"not_ready"}
    "#]].assert_eq(
        &(list(json!([])) + &list(json!([job(1, "fs.resize", "")])) + &list(json!([job(1, "linode.boot", "")]))),
    );
}

#[test]
fn disks_are_made_empty_or_from_an_image() {
    let made = || good(json!({ "JobID": 1298, "DiskID": 55647 }));
    let create = |args: Value| show("disks.create", args, [made()]);
    let empty = json!({ "instance": "7", "label": "data", "size_mb": 1024 });
    let raw = json!({ "instance": "7", "label": "data", "size_mb": 1024, "filesystem": "raw" });
    let system = json!({ "instance": "7", "label": "root", "size_mb": 2048, "image": "linode/debian12",
        "root_pass": { "secret": "s1" }, "authorized_keys": ["a", "b"] });
    let own = json!({ "instance": "7", "label": "root", "size_mb": 2048, "image": "private/15", "root_pass": { "secret": "s1" } });
    let refuse = |args: Value| show("disks.create", args, []);
    let shown = [
        create(empty),
        create(raw),
        create(system),
        create(own),
        refuse(json!({ "instance": "7", "label": "root", "size_mb": 2048, "image": "linode/debian12" })),
        refuse(json!({ "instance": "7", "label": "data", "size_mb": 2048, "authorized_keys": ["a"] })),
    ];
    expect![[r#"
        >! linode.disk.create Label=data LinodeID=7 Size=1024 Type=ext4
        = {"created":"","filesystem":"ext4","id":"55647","label":"data","size_mb":1024,"status":"not_ready"}
        >! linode.disk.create Label=data LinodeID=7 Size=1024 Type=raw
        = {"created":"","filesystem":"raw","id":"55647","label":"data","size_mb":1024,"status":"not_ready"}
        >! linode.disk.createfromdistribution DistributionID=140 Label=root LinodeID=7 Size=2048 rootPass={"secret":"s1"} rootSSHKey=a\nb
        = {"created":"","filesystem":"","id":"55647","label":"root","size_mb":2048,"status":"not_ready"}
        >! linode.disk.createfromimage ImageID=15 Label=root LinodeID=7 rootPass={"secret":"s1"} size=2048
        = {"created":"","filesystem":"","id":"55647","label":"root","size_mb":2048,"status":"not_ready"}
        ! {"kind":"invalid","message":"API v3 makes no disk from an image without a password for root","field":"root_pass"}
        ! {"kind":"invalid","message":"password and keys are for a disk made from an image","field":"image"}
    "#]].assert_eq(&shown.concat());
}

#[test]
fn disks_grow_and_go() {
    let shown =
        show(
            "disks.resize",
            json!({ "instance": "7", "id": "61", "size_mb": 512 }),
            [good(json!({ "JobID": 1, "DiskID": 61 }))],
        ) + &show("disks.delete", json!({ "instance": "7", "id": "61" }), [good(json!({ "JobID": 2, "DiskID": 61 }))])
            + &show("disks.delete", json!({ "instance": "7", "id": "61" }), [bad(5, "Object not found")]);
    expect![[r#"
        > linode.disk.resize DiskID=61 LinodeID=7 size=512
        = {}
        > linode.disk.delete DiskID=61 LinodeID=7
        = {}
        > linode.disk.delete DiskID=61 LinodeID=7
        ! {"kind":"not_found","message":"Object not found","retry":"never","code":"5"}
    "#]]
    .assert_eq(&shown);
}

#[test]
fn configurations_have_their_slots_in_a_list_of_text() {
    let configs = json!([
        { "ConfigID": 31058, "Label": "mine", "KernelID": 138, "DiskList": "55319,55590,,55591,0,,,,55592", "RootDeviceNum": 1,
            "RootDeviceCustom": "", "RootDeviceRO": true, "helper_distro": 1, "Comments": "first", "__validationErrorArray": [],
            "apiColumnFilterStruct": "" },
        { "CONFIGID": "31231", "LABEL": "bare", "KERNELID": "61", "DISKLIST": ",,,,,,,,", "ROOTDEVICENUM": "2" },
        { "ConfigID": 31232, "Label": "custom", "KernelID": 999, "RootDeviceNum": 0, "RootDeviceCustom": "/dev/ubda" },
    ]);
    expect![[r#"
        > linode.config.list LinodeID=7
        = {"comments":"first","devices":{"sda":{"disk":"55319"},"sdb":{"disk":"55590"},"sdd":{"disk":"55591"}},"id":"31058","kernel":"linode/latest-64bit","label":"mine","root_device":"/dev/sda"}
        = {"comments":"","devices":{},"id":"31231","kernel":"linode/finnix","label":"bare","root_device":"/dev/sdb"}
        = {"comments":"","devices":{},"id":"31232","kernel":"999","label":"custom","root_device":"/dev/ubda"}
    "#]].assert_eq(&show("configs.list", json!({ "instance": "7" }), [good(configs)]));
}

#[test]
fn configurations_are_made() {
    let create = |args: Value| show("configs.create", args, [good(json!({ "ConfigID": 31239 }))]);
    let refuse = |args: Value| show("configs.create", args, []);
    let with =
        |devices: Value| json!({ "instance": "7", "label": "mine", "kernel": "linode/grub2", "devices": devices });
    let all = json!({ "instance": "7", "label": "mine", "kernel": "kernel/61", "devices": { "sda": { "disk": "61" } },
        "root_device": "/dev/ubda", "comments": "by hand" });
    let shown = [
        create(with(json!({ "sda": { "disk": "61" }, "sdh": { "disk": "62" } }))),
        create(all),
        create(json!({ "instance": "7", "label": "mine", "devices": {} })),
        refuse(with(json!({ "sdi": { "disk": "61" } }))),
        refuse(with(json!({ "sda": { "volume": "5" } }))),
        refuse(with(json!({ "sda": {} }))),
        refuse(with(json!({ "sda": { "disk": "root" } }))),
    ];
    expect![[r#"
        >! linode.config.create DiskList=61,,,,,,,62, KernelID=210 Label=mine LinodeID=7 RootDeviceCustom= RootDeviceNum=1
        = {"comments":"","devices":{"sda":{"disk":"61"},"sdh":{"disk":"62"}},"id":"31239","kernel":"linode/grub2","label":"mine","root_device":"/dev/sda"}
        >! linode.config.create Comments=by hand DiskList=61,,,,,,,, KernelID=61 Label=mine LinodeID=7 RootDeviceCustom=/dev/ubda RootDeviceNum=0
        = {"comments":"by hand","devices":{"sda":{"disk":"61"}},"id":"31239","kernel":"linode/finnix","label":"mine","root_device":"/dev/ubda"}
        >! linode.config.create DiskList=,,,,,,,, KernelID=138 Label=mine LinodeID=7 RootDeviceCustom= RootDeviceNum=1
        = {"comments":"","devices":{},"id":"31239","kernel":"linode/latest-64bit","label":"mine","root_device":"/dev/sda"}
        ! {"kind":"invalid","message":"`sdi` is no slot of API v3: it has sda, sdb, sdc, sdd, sde, sdf, sdg, sdh","field":"devices"}
        ! {"kind":"unsupported","message":"Linode's API v3 has no volumes in slots (volumes.attach gives one to a Linode): leave it out, or use the provider linode-v4","field":"devices"}
        ! {"kind":"invalid","message":"`sda` holds no disk","field":"devices"}
        ! {"kind":"invalid","message":"`root` is not an id of this provider: its ids are whole numbers","field":"devices"}
    "#]].assert_eq(&shown.concat());
}

#[test]
fn configurations_change_and_go() {
    let args = json!({ "instance": "7", "id": "600", "label": "new", "kernel": "linode/grub2", "devices": { "sdb": { "disk": "62" } },
        "root_device": "/dev/sdb" });
    let list =
        json!([{ "ConfigID": 600, "Label": "new", "KernelID": 210, "DiskList": ",62,,,,,,,", "RootDeviceNum": 2 }]);
    let shown = show("configs.update", args, [good(json!({ "ConfigID": 600 })), good(list)])
        + &show("configs.delete", json!({ "instance": "7", "id": "600" }), [good(json!({ "ConfigID": 600 }))]);
    expect![[r#"
        > linode.config.update ConfigID=600 DiskList=,62,,,,,,, KernelID=210 Label=new LinodeID=7 RootDeviceCustom= RootDeviceNum=2
        > linode.config.list ConfigID=600 LinodeID=7
        = {"comments":"","devices":{"sdb":{"disk":"62"}},"id":"600","kernel":"linode/grub2","label":"new","root_device":"/dev/sdb"}
        > linode.config.delete ConfigID=600 LinodeID=7
        = {}
    "#]].assert_eq(&shown);
}
