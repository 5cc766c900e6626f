//! Making Linodes: what is asked in which order.

use crate::instances::{job, linode, looks};
use crate::{API, answer, bad, batch, driver, fault, good, show};
use expect_test::expect;
use linodetool_plugin::testing::Reply;
use serde_json::{Value, json};

/// The usual arguments.
pub(crate) fn wish() -> Value {
    json!({ "label": "web-1", "region": "us-east", "type": "g6-standard-2", "image": "linode/debian12",
        "tags": ["lt-c-1", "lt-s-2"], "root_pass": { "secret": "s1" } })
}

pub(crate) fn with(mut args: Value, field: &str, value: impl Into<Value>) -> Value {
    args[field] = value.into();
    args
}

/// What is there before: one Linode of somebody else.
pub(crate) fn before() -> Reply {
    good(json!([linode(5, "other", "")]))
}

/// A new Linode as it is before anybody has named it.
pub(crate) fn bare(id: u64) -> Value {
    with(linode(id, &format!("linode{id}"), ""), "STATUS", 0)
}

pub(crate) fn disks() -> Reply {
    batch([answer(json!({ "JobID": 1, "DiskID": 71 })), answer(json!({ "JobID": 2, "DiskID": 72 }))])
}

/// Boot, update, and the three looks.
pub(crate) fn last(group: &str) -> Reply {
    let mut answers = vec![answer(json!({ "JobID": 3 })), answer(json!({ "LinodeID": 7 }))];
    let new = with(linode(7, "web-1", group), "STATUS", 0);
    answers.extend(looks(new, json!([job(3, "linode.boot", ""), job(2, "fs.create", "")])));
    batch(answers)
}

/// The answers of a create with an image, in turn.
pub(crate) fn all_well() -> [Reply; 6] {
    let id = || good(json!({ "LinodeID": 7 }));
    [before(), id(), id(), disks(), good(json!({ "ConfigID": 700 })), last("@c-1,@s-2")]
}

#[test]
fn the_usual() {
    expect![[r#"
        > linode.list
        >! linode.create DatacenterID=6 PlanID=4
        > linode.update Label=web-1 LinodeID=7 lpm_displayGroup=+@c-1,@s-2
        >! batch of 2
            linode.disk.createfromdistribution DistributionID=140 Label=Debian 12 Disk LinodeID=7 Size=48640 rootPass={"secret":"s1"}
            linode.disk.create Label=512 MB Swap Image LinodeID=7 Size=512 Type=swap
        >! linode.config.create DiskList=71,72,,,,,,, KernelID=138 Label=My Debian 12 Disk Profile LinodeID=7 helper_network=1
        >! batch of 5
            linode.boot ConfigID=700 LinodeID=7
            linode.update LinodeID=7 lpm_displayGroup=@c-1,@s-2
            linode.list LinodeID=7
            linode.ip.list LinodeID=7
            linode.job.list LinodeID=7 pendingOnly=1
        = {"created":"2015-07-03T03:08:52","disk_mb":49152,"id":"7","image":"linode/debian12","ipv4":["203.0.113.9"],"ipv6":null,"label":"web-1","memory_mb":4096,"private_ipv4":["192.168.130.9"],"region":"us-east","status":"provisioning","tags":["lt-c-1","lt-s-2"],"type":"g6-standard-2","vcpus":2,"watchdog":true}
    "#]].assert_eq(&show("instances.create", wish(), all_well()));
}

#[test]
fn everything_at_once() {
    let args = json!({ "label": "web-1", "region": "6", "type": "4", "image": "distribution/140",
        "tags": ["lt-c-1", "lt-s-2"], "authorized_keys": ["ssh-ed25519 AAAA ann", "ssh-ed25519 BBBB bob"],
        "root_pass": { "secret": "s1" }, "stackscript_id": "10",
        "stackscript_data": { "db": "x", "password": { "secret": "s3" } }, "private_ip": true, "booted": false,
        "swap_mb": 1024 });
    let id = || good(json!({ "LinodeID": 7 }));
    let mut answers = vec![answer(json!({ "LinodeID": 7 }))];
    answers.extend(looks(with(linode(7, "web-1", "@c-1,@s-2"), "STATUS", 0), json!([])));
    let replies = [
        before(),
        id(),
        id(),
        good(json!({ "JobID": 1, "DiskID": 71 })),
        batch([
            answer(json!({ "JobID": 2, "DiskID": 72 })),
            answer(json!({ "IPADDRESSID": 9, "IPADDRESS": "192.168.130.9" })),
        ]),
        good(json!({ "ConfigID": 700 })),
        batch(answers),
    ];
    expect![[r#"
        > linode.list
        >! linode.create DatacenterID=6 PlanID=4
        > linode.update Label=web-1 LinodeID=7 lpm_displayGroup=+@c-1,@s-2
        >! linode.disk.createfromstackscript DistributionID=140 Label=Debian 12 Disk LinodeID=7 Size=48128 StackScriptID=10 StackScriptUDFResponses={"db":"x","password":{"secret":"s3"}} rootPass={"secret":"s1"} rootSSHKey=ssh-ed25519 AAAA ann\nssh-ed25519 BBBB bob
        >! batch of 2
            linode.disk.create Label=1024 MB Swap Image LinodeID=7 Size=1024 Type=swap
            linode.ip.addprivate LinodeID=7
        >! linode.config.create DiskList=71,72,,,,,,, KernelID=138 Label=My Debian 12 Disk Profile LinodeID=7 helper_network=1
        > batch of 4
            linode.update LinodeID=7 lpm_displayGroup=@c-1,@s-2
            linode.list LinodeID=7
            linode.ip.list LinodeID=7
            linode.job.list LinodeID=7 pendingOnly=1
        = {"created":"2015-07-03T03:08:52","disk_mb":49152,"id":"7","image":"distribution/140","ipv4":["203.0.113.9"],"ipv6":null,"label":"web-1","memory_mb":4096,"private_ipv4":["192.168.130.9"],"region":"us-east","status":"offline","tags":["lt-c-1","lt-s-2"],"type":"g6-standard-2","vcpus":2,"watchdog":true}
    "#]].assert_eq(&show("instances.create", args, replies));
}

#[test]
fn from_an_image_of_ones_own_and_without_swap() {
    let args = with(with(wish(), "image", "private/15"), "swap_mb", 0);
    let id = || good(json!({ "LinodeID": 7 }));
    let disk = good(json!({ "JOBID": 1, "DISKID": 71 }));
    let replies = [before(), id(), id(), disk, good(json!({ "ConfigID": 700 })), last("@c-1,@s-2")];
    expect![[r#"
        > linode.list
        >! linode.create DatacenterID=6 PlanID=4
        > linode.update Label=web-1 LinodeID=7 lpm_displayGroup=+@c-1,@s-2
        >! linode.disk.createfromimage ImageID=15 Label=Image 15 Disk LinodeID=7 rootPass={"secret":"s1"} size=49152
        >! linode.config.create DiskList=71,,,,,,,, KernelID=138 Label=My Image 15 Disk Profile LinodeID=7 helper_network=1
        >! batch of 5
            linode.boot ConfigID=700 LinodeID=7
            linode.update LinodeID=7 lpm_displayGroup=@c-1,@s-2
            linode.list LinodeID=7
            linode.ip.list LinodeID=7
            linode.job.list LinodeID=7 pendingOnly=1
        = {"created":"2015-07-03T03:08:52","disk_mb":49152,"id":"7","image":"private/15","ipv4":["203.0.113.9"],"ipv6":null,"label":"web-1","memory_mb":4096,"private_ipv4":["192.168.130.9"],"region":"us-east","status":"provisioning","tags":["lt-c-1","lt-s-2"],"type":"g6-standard-2","vcpus":2,"watchdog":true}
    "#]].assert_eq(&show("instances.create", args, replies));
}

#[test]
fn without_image_there_are_no_disks() {
    let args = json!({ "label": "web-1", "region": "us-east", "type": "g6-standard-2", "image": "" });
    let id = || good(json!({ "LinodeID": 7 }));
    let mut answers = vec![answer(json!({ "LinodeID": 7 }))];
    answers.extend(looks(with(linode(7, "web-1", ""), "STATUS", 0), json!([])));
    expect![[r#"
        > linode.list
        >! linode.create DatacenterID=6 PlanID=4
        > linode.update Label=web-1 LinodeID=7 lpm_displayGroup=+
        > batch of 4
            linode.update LinodeID=7 lpm_displayGroup=
            linode.list LinodeID=7
            linode.ip.list LinodeID=7
            linode.job.list LinodeID=7 pendingOnly=1
        = {"created":"2015-07-03T03:08:52","disk_mb":49152,"id":"7","image":"","ipv4":["203.0.113.9"],"ipv6":null,"label":"web-1","memory_mb":4096,"private_ipv4":["192.168.130.9"],"region":"us-east","status":"offline","tags":[],"type":"g6-standard-2","vcpus":2,"watchdog":true}
    "#]].assert_eq(&show("instances.create", args, [before(), id(), id(), batch(answers)]));
}

#[test]
fn what_api_v3_lacks_is_refused_before_anything_is_made() {
    let refused = |field: &str, value: Value| driver().show("instances.create", with(wish(), field, value));
    let own_image = with(with(wish(), "image", "private/15"), "stackscript_id", "10");
    let no_password =
        json!({ "label": "web-1", "region": "us-east", "type": "g6-standard-2", "image": "linode/debian12" });
    let no_image = with(with(wish(), "image", ""), "stackscript_id", "10");
    let shown = [
        refused("user_data", json!({ "secret": "s2" })),
        refused("firewall_id", json!("11")),
        refused("subnet", json!("4")),
        refused("placement_group", json!("3")),
        refused("tags", json!(["a,b"])),
        refused("swap_mb", json!(49152)),
        refused("stackscript_id", json!("hadoop")),
        driver().show("instances.create", own_image),
        driver().show("instances.create", no_password),
        driver().show("instances.create", no_image),
    ];
    expect![[r#"
        ! {"kind":"unsupported","message":"Linode's API v3 has no user data (a StackScript is the only way into a new Linode): leave it out, or use the provider linode-v4","field":"user_data"}
        ! {"kind":"unsupported","message":"Linode's API v3 has no Cloud Firewalls: leave it out, or use the provider linode-v4","field":"firewall_id"}
        ! {"kind":"unsupported","message":"Linode's API v3 has no VPCs: leave it out, or use the provider linode-v4","field":"subnet"}
        ! {"kind":"unsupported","message":"Linode's API v3 has no placement groups: leave it out, or use the provider linode-v4","field":"placement_group"}
        ! {"kind":"invalid","message":"`a,b` cannot be kept: API v3 has one display group for all tags, so a tag has no comma, begins with neither `@` nor `+`, and has no space at its ends","field":"tags"}
        ! {"kind":"invalid","message":"49152 MB of swap leave nothing of a disk of 49152 MB","field":"swap_mb"}
        ! {"kind":"invalid","message":"`hadoop` is not an id of this provider: its ids are whole numbers","field":"stackscript_id"}
        ! {"kind":"unsupported","message":"Linode's API v3 has no StackScripts on images of one's own, only on distributions: leave it out, or use the provider linode-v4","field":"stackscript_id"}
        ! {"kind":"invalid","message":"API v3 makes no disk from an image without a password for root","field":"root_pass"}
        ! {"kind":"invalid","message":"a StackScript needs an image to run on","field":"image"}
    "#]].assert_eq(&shown.concat());
}

/// A name that is not known may be new: the catalogue is read once more.
#[test]
fn names_that_api_v3_does_not_have() {
    let refused = |field: &str, value: &str| show("instances.create", with(wish(), field, value), [crate::catalogue()]);
    expect![[r#"
        > batch of 4
            avail.datacenters
            avail.linodeplans
            avail.distributions
            avail.kernels
        ! {"kind":"invalid","message":"`us-ord` is nothing that API v3 offers as region: it has eu-west, tokyo, us-east","field":"region"}
        > batch of 4
            avail.datacenters
            avail.linodeplans
            avail.distributions
            avail.kernels
        ! {"kind":"invalid","message":"`g6-dedicated-2` is nothing that API v3 offers as type: it has 9, g6-nanode-1, g6-standard-2","field":"type"}
        > batch of 4
            avail.datacenters
            avail.linodeplans
            avail.distributions
            avail.kernels
        ! {"kind":"invalid","message":"`linode/debian13` is nothing that API v3 offers as image: it has linode/debian12, linode/debian632bit, linode/ubuntu14.04lts","field":"image"}
    "#]].assert_eq(
        &[refused("region", "us-ord"), refused("type", "g6-dedicated-2"), refused("image", "linode/debian13")].concat(),
    );
}

#[test]
fn a_label_that_is_taken() {
    let taken = |group: &str| show("instances.create", wish(), [good(json!([linode(5, "Web-1", group)]))]);
    expect![[r#"
        > linode.list
        ! {"kind":"conflict","message":"Linode 5 has this label: labels must be unique","field":"label","retry":"never"}
        > linode.list
        ! {"kind":"conflict","message":"Linode 5 has this label: labels must be unique","field":"label","retry":"never"}
        > linode.list
        ! {"kind":"conflict","message":"Linode 5 has this label: it is being made by somebody else, or was left half made","field":"label","retry":"never"}
    "#]].assert_eq(&(taken("") + &taken("@c-1,@s-1") + &taken("+@c-9,@s-9")));
}

/// Two calls at once: the second lists only when the first has its mark.
#[test]
fn one_is_made_at_a_time() {
    use linodetool_plugin::message::{In, Out};
    let mut driver = driver();
    let call = |id: u64| {
        let args = serde_json::value::to_raw_value(&with(wish(), "label", format!("web-{id}"))).expect("JSON");
        In::Call { id, op: "instances.create".to_owned(), args }
    };
    let requests = |out: &[Out]| -> Vec<(u64, u64, String)> {
        let asked = out.iter().filter_map(|message| match message {
            Out::Http(http) => Some((http.io, http.call, http.body.form.as_ref()?["api_action"].clone())),
            _ => None,
        });
        asked.collect()
    };
    let reply = |io: u64, call: u64, data: Value| In::Http {
        io,
        call,
        state: None,
        status: 200,
        headers: Default::default(),
        body: linodetool_plugin::message::Body {
            json: Some(serde_json::value::to_raw_value(&answer(data)).expect("JSON")),
            ..Default::default()
        },
    };
    let mut shown = String::new();
    let mut out = driver.send(vec![call(101), call(102)]);
    for data in [json!([]), json!({ "LinodeID": 7 }), json!({ "LinodeID": 7 })] {
        let asked = requests(&out);
        shown +=
            &format!("{:?}\n", asked.iter().map(|(_, call, action)| format!("{call} {action}")).collect::<Vec<_>>());
        let (io, call, _) = asked[0];
        out = driver.send(vec![reply(io, call, data)]);
    }
    let asked: Vec<_> = requests(&out).iter().map(|(_, call, action)| format!("{call} {action}")).collect();
    shown += &format!("{asked:?}\n");
    // Cancelled while it lists, it gives the turn to the next.
    let out = driver.send(vec![call(103), In::Cancel { id: 102 }]);
    let asked: Vec<_> = requests(&out).iter().map(|(_, call, action)| format!("{call} {action}")).collect();
    shown += &format!("{asked:?}\n");
    expect![[r#"
        ["101 linode.list"]
        ["101 linode.create"]
        ["101 linode.update"]
        ["101 batch", "102 linode.list"]
        ["103 linode.list"]
    "#]]
    .assert_eq(&shown);
}

#[test]
fn a_group_that_is_cut_is_noticed() {
    let [a, b, c, d, e, _] = all_well();
    expect![[r#"
        > linode.list
        >! linode.create DatacenterID=6 PlanID=4
        > linode.update Label=web-1 LinodeID=7 lpm_displayGroup=+@c-1,@s-2
        >! batch of 2
            linode.disk.createfromdistribution DistributionID=140 Label=Debian 12 Disk LinodeID=7 Size=48640 rootPass={"secret":"s1"}
            linode.disk.create Label=512 MB Swap Image LinodeID=7 Size=512 Type=swap
        >! linode.config.create DiskList=71,72,,,,,,, KernelID=138 Label=My Debian 12 Disk Profile LinodeID=7 helper_network=1
        >! batch of 5
            linode.boot ConfigID=700 LinodeID=7
            linode.update LinodeID=7 lpm_displayGroup=@c-1,@s-2
            linode.list LinodeID=7
            linode.ip.list LinodeID=7
            linode.job.list LinodeID=7 pendingOnly=1
        ~ removing Linode 7, which cannot be made whole: the provider has not kept the tags: `@c-1,@s-2` has become `lt-c-1`
        > linode.delete LinodeID=7 skipChecks=1
        ! {"kind":"invalid","message":"the provider has not kept the tags: `@c-1,@s-2` has become `lt-c-1`"}
    "#]].assert_eq(&show(
        "instances.create",
        wish(),
        [a, b, c, d, e, last("@c-1"), good(json!({ "LinodeID": 7 }))],
    ));
}

#[test]
fn a_copy() {
    let args = json!({ "id": "5", "label": "copy", "private_ip": true });
    let id = || good(json!({ "LinodeID": 7 }));
    let mut answers = vec![answer(json!({ "LinodeID": 7 }))];
    answers.extend(looks(linode(7, "copy", ""), json!([job(1, "linode.clone", "")])));
    let replies = [
        good(json!([linode(5, "other", "")])),
        before(),
        id(),
        id(),
        good(json!({ "IPADDRESSID": 9 })),
        batch(answers),
    ];
    let elsewhere = json!({ "id": "5", "label": "copy", "region": "eu-west", "type": "g6-nanode-1" });
    let refused = [good(json!([linode(5, "other", "")])), before(), bad(8, "No open slots for this plan!")];
    let shown = show("instances.clone", args, replies)
        + &show("instances.clone", elsewhere, refused)
        + &show("instances.clone", json!({ "id": "6", "label": "copy" }), [bad(5, "Object not found")]);
    expect![[r#"
        > linode.list LinodeID=5
        > linode.list
        >! linode.clone DatacenterID=6 LinodeID=5 PlanID=4
        > linode.update Label=copy LinodeID=7 lpm_displayGroup=+
        >! linode.ip.addprivate LinodeID=7
        > batch of 4
            linode.update LinodeID=7 lpm_displayGroup=
            linode.list LinodeID=7
            linode.ip.list LinodeID=7
            linode.job.list LinodeID=7 pendingOnly=1
        = {"created":"2015-07-03T03:08:52","disk_mb":49152,"id":"7","image":"","ipv4":["203.0.113.9"],"ipv6":null,"label":"copy","memory_mb":4096,"private_ipv4":["192.168.130.9"],"region":"us-east","status":"cloning","tags":[],"type":"g6-standard-2","vcpus":2,"watchdog":true}
        > linode.list LinodeID=5
        > linode.list
        >! linode.clone DatacenterID=7 LinodeID=5 PlanID=1
        ! {"kind":"limit","message":"No open slots for this plan!","retry":"never","code":"8"}
        > linode.list LinodeID=6
        ! {"kind":"not_found","message":"Object not found","retry":"never","code":"5"}
    "#]].assert_eq(&shown);
}

#[test]
fn new_disks_in_an_old_linode() {
    let args = json!({ "id": "7", "image": "linode/debian12", "root_pass": { "secret": "s1" } });
    let there = [
        answer(json!([linode(7, "web-1", "prod")])),
        answer(json!([{ "ConfigID": 600, "LinodeID": 7 }])),
        answer(json!([{ "DISKID": 61 }, { "DISKID": 62 }])),
    ];
    let gone = |id: u64| answer(json!({ "JobID": 1, "DiskID": id }));
    let mut answers = vec![answer(json!({ "JobID": 3 }))];
    answers.extend(looks(linode(7, "web-1", "prod"), json!([job(3, "linode.boot", "")])));
    let replies = [
        batch(there),
        good(json!({ "JobID": 1 })),
        good(json!([job(1, "linode.shutdown", "")])),
        good(json!([])),
        batch([answer(json!({ "ConfigID": 600 })), gone(61), gone(62)]),
        good(json!([])),
        disks(),
        good(json!({ "ConfigID": 700 })),
        batch(answers),
    ];
    expect![[r#"
        > batch of 3
            linode.list LinodeID=7
            linode.config.list LinodeID=7
            linode.disk.list LinodeID=7
        > linode.shutdown LinodeID=7
        > linode.job.list LinodeID=7 pendingOnly=1
        ~ Linode 7: waiting for linode.shutdown
        @ 2000 ms
        > linode.job.list LinodeID=7 pendingOnly=1
        > batch of 3
            linode.config.delete ConfigID=600 LinodeID=7
            linode.disk.delete DiskID=61 LinodeID=7
            linode.disk.delete DiskID=62 LinodeID=7
        > linode.job.list LinodeID=7 pendingOnly=1
        >! batch of 2
            linode.disk.createfromdistribution DistributionID=140 Label=Debian 12 Disk LinodeID=7 Size=48640 rootPass={"secret":"s1"}
            linode.disk.create Label=512 MB Swap Image LinodeID=7 Size=512 Type=swap
        >! linode.config.create DiskList=71,72,,,,,,, KernelID=138 Label=My Debian 12 Disk Profile LinodeID=7 helper_network=1
        >! batch of 4
            linode.boot ConfigID=700 LinodeID=7
            linode.list LinodeID=7
            linode.ip.list LinodeID=7
            linode.job.list LinodeID=7 pendingOnly=1
        = {"created":"2015-07-03T03:08:52","disk_mb":49152,"id":"7","image":"linode/debian12","ipv4":["203.0.113.9"],"ipv6":null,"label":"web-1","memory_mb":4096,"private_ipv4":["192.168.130.9"],"region":"us-east","status":"booting","tags":["prod"],"type":"g6-standard-2","vcpus":2,"watchdog":true}
    "#]].assert_eq(&show("instances.rebuild", args, replies));
}

#[test]
fn new_disks_that_cannot_be_made_leave_the_linode_as_it_is_then() {
    let args = json!({ "id": "7", "image": "linode/debian12", "root_pass": { "secret": "s1" }, "booted": false });
    let off = with(linode(7, "web-1", ""), "STATUS", 2);
    let replies = [
        batch([answer(json!([off])), answer(json!([])), answer(json!([]))]),
        good(json!([])),
        good(json!([])),
        batch([fault(8, "rootPass is too weak"), answer(json!({ "DiskID": 72 }))]),
    ];
    expect![[r#"
        > batch of 3
            linode.list LinodeID=7
            linode.config.list LinodeID=7
            linode.disk.list LinodeID=7
        > linode.job.list LinodeID=7 pendingOnly=1
        > linode.job.list LinodeID=7 pendingOnly=1
        >! batch of 2
            linode.disk.createfromdistribution DistributionID=140 Label=Debian 12 Disk LinodeID=7 Size=48640 rootPass={"secret":"s1"}
            linode.disk.create Label=512 MB Swap Image LinodeID=7 Size=512 Type=swap
        ! {"kind":"invalid","message":"rootPass is too weak","retry":"never","code":"8"}
    "#]].assert_eq(&show("instances.rebuild", args, replies));
    let mut driver = driver();
    driver.on(API, batch([answer(json!([])), answer(json!([])), answer(json!([]))]));
    let error = driver
        .call("instances.rebuild", json!({ "id": "7", "image": "linode/debian12" }))
        .expect_err("it is not there");
    assert_eq!(error.message, "Object not found");
}
