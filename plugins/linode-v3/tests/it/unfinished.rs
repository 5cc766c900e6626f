//! What goes wrong while a Linode is made: nothing is left that costs money, and what is left after all is found again.

use crate::create::{all_well, bare, before, wish, with};
use crate::instances::linode;
use crate::{answer, bad, batch, driver, fault, good, show};
use expect_test::expect;
use linodetool_plugin::testing::Reply;
use serde_json::json;

/// A create that goes well up to a call, then gets these answers.
fn breaks_at(call: usize, replies: impl IntoIterator<Item = Reply>) -> String {
    let well = all_well().into_iter().take(call);
    show("instances.create", wish(), well.chain(replies).collect::<Vec<_>>())
}

fn deleted() -> Reply {
    good(json!({ "LinodeID": 7 }))
}

fn lost() -> Reply {
    Reply::lost("timeout", "no answer within 60 s")
}

#[test]
fn the_list_before_is_refused() {
    expect![[r#"
        > linode.list
        ! {"kind":"unauthorized","message":"Authentication failed: API v3 wants an API key of its own; a personal access token of API v4 is none","retry":"never","code":"4"}
    "#]].assert_eq(&breaks_at(0, [bad(4, "Authentication failed")]));
}

#[test]
fn the_create_itself_is_refused() {
    let shown = breaks_at(1, [bad(8, "No open slots for this plan!")])
        + &breaks_at(1, [bad(30, "Charging the credit card failed")]);
    expect![[r#"
        > linode.list
        >! linode.create DatacenterID=6 PlanID=4
        ! {"kind":"limit","message":"No open slots for this plan!","retry":"never","code":"8"}
        > linode.list
        >! linode.create DatacenterID=6 PlanID=4
        ! {"kind":"limit","message":"Charging the credit card failed","retry":"never","code":"30"}
    "#]]
    .assert_eq(&shown);
}

#[test]
fn label_and_mark_are_refused() {
    let taken = "This account already has a Linode with that label. Labels must be unique.";
    expect![[r#"
        > linode.list
        >! linode.create DatacenterID=6 PlanID=4
        > linode.update Label=web-1 LinodeID=7 lpm_displayGroup=+@c-1,@s-2
        ~ removing Linode 7, which cannot be made whole: label: This account already has a Linode with that label. Labels must be unique.
        > linode.delete LinodeID=7 skipChecks=1
        ! {"kind":"conflict","message":"This account already has a Linode with that label. Labels must be unique.","field":"label","retry":"never","code":"8"}
    "#]].assert_eq(&breaks_at(2, [bad(8, taken), deleted()]));
}

#[test]
fn a_disk_is_refused() {
    let half = batch([answer(json!({ "JobID": 1, "DiskID": 71 })), fault(8, "Not enough free space")]);
    expect![[r#"
        > linode.list
        >! linode.create DatacenterID=6 PlanID=4
        > linode.update Label=web-1 LinodeID=7 lpm_displayGroup=+@c-1,@s-2
        >! batch of 2
            linode.disk.createfromdistribution DistributionID=140 Label=Debian 12 Disk LinodeID=7 Size=48640 rootPass={"secret":"s1"}
            linode.disk.create Label=512 MB Swap Image LinodeID=7 Size=512 Type=swap
        ~ removing Linode 7, which cannot be made whole: Not enough free space
        > linode.delete LinodeID=7 skipChecks=1
        ! {"kind":"invalid","message":"Not enough free space","retry":"never","code":"8"}
    "#]].assert_eq(&breaks_at(3, [half, deleted()]));
}

#[test]
fn the_configuration_is_refused() {
    expect![[r#"
        > linode.list
        >! linode.create DatacenterID=6 PlanID=4
        > linode.update Label=web-1 LinodeID=7 lpm_displayGroup=+@c-1,@s-2
        >! batch of 2
            linode.disk.createfromdistribution DistributionID=140 Label=Debian 12 Disk LinodeID=7 Size=48640 rootPass={"secret":"s1"}
            linode.disk.create Label=512 MB Swap Image LinodeID=7 Size=512 Type=swap
        >! linode.config.create DiskList=71,72,,,,,,, KernelID=138 Label=My Debian 12 Disk Profile LinodeID=7 helper_network=1
        ~ removing Linode 7, which cannot be made whole: KernelID is invalid
        > linode.delete LinodeID=7 skipChecks=1
        ! {"kind":"invalid","message":"KernelID is invalid","retry":"never","code":"8"}
    "#]].assert_eq(&breaks_at(4, [bad(8, "KernelID is invalid"), deleted()]));
}

#[test]
fn the_boot_is_refused() {
    let ok = || answer(json!([]));
    let half = batch([fault(8, "The host is in maintenance"), answer(json!({ "LinodeID": 7 })), ok(), ok(), ok()]);
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
        ~ removing Linode 7, which cannot be made whole: The host is in maintenance
        > linode.delete LinodeID=7 skipChecks=1
        ! {"kind":"invalid","message":"The host is in maintenance","retry":"never","code":"8"}
    "#]].assert_eq(&breaks_at(5, [half, deleted()]));
}

/// At every call after the create: the Linode is destroyed, and the error says that the call may be made again.
#[test]
fn an_answer_is_lost_at_any_later_call() {
    let mut shown = String::new();
    for call in 2..6 {
        let story = breaks_at(call, [lost(), deleted()]);
        let end: Vec<_> = story.lines().rev().take(4).collect();
        shown += &format!("call {call}:\n{}\n", end.into_iter().rev().collect::<Vec<_>>().join("\n"));
    }
    expect![[r#"
        call 2:
        < lost: timeout
        ~ removing Linode 7, which cannot be made whole: no answer within 60 s
        > linode.delete LinodeID=7 skipChecks=1
        ! {"kind":"busy","message":"no answer within 60 s; what was made so far, Linode 7, is deleted again","retry":"backoff"}
        call 3:
        < lost: timeout
        ~ removing Linode 7, which cannot be made whole: no answer within 60 s
        > linode.delete LinodeID=7 skipChecks=1
        ! {"kind":"busy","message":"no answer within 60 s; what was made so far, Linode 7, is deleted again","retry":"backoff"}
        call 4:
        < lost: timeout
        ~ removing Linode 7, which cannot be made whole: no answer within 60 s
        > linode.delete LinodeID=7 skipChecks=1
        ! {"kind":"busy","message":"no answer within 60 s; what was made so far, Linode 7, is deleted again","retry":"backoff"}
        call 5:
        < lost: timeout
        ~ removing Linode 7, which cannot be made whole: no answer within 60 s
        > linode.delete LinodeID=7 skipChecks=1
        ! {"kind":"busy","message":"no answer within 60 s; what was made so far, Linode 7, is deleted again","retry":"backoff"}
    "#]].assert_eq(&shown);
}

/// The one new Linode that is as it was asked for, and nobody has named, is it.
#[test]
fn the_answer_of_the_create_is_lost_and_the_linode_is_found() {
    let others =
        [linode(5, "other", ""), with(bare(8), "PLANID", 1), with(bare(9), "DATACENTERID", 7), linode(10, "new", "")];
    // Number 11 is what another process is about to name.
    let later = || good(json!([others[0], others[1], others[2], others[3], bare(7)]));
    let first = good(json!([others[0], others[1], others[2], others[3], bare(7), bare(11)]));
    let [_, _, c, d, e, f] = all_well();
    expect![[r#"
        > linode.list
        >! linode.create DatacenterID=6 PlanID=4
        < lost: timeout
        @ 1000 ms
        > linode.list
        @ 2000 ms
        > linode.list
        @ 3000 ms
        > linode.list
        # warn the answer of linode.create was lost: Linode 7 is it
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
    "#]].assert_eq(&breaks_at(1, [lost(), good(json!(others)), first, later(), c, d, e, f]));
}

#[test]
fn the_answer_of_the_create_is_lost_and_nothing_shows() {
    let replies = std::iter::once(lost()).chain(std::iter::repeat_with(before).take(5));
    expect![[r#"
        > linode.list
        >! linode.create DatacenterID=6 PlanID=4
        < lost: timeout
        @ 1000 ms
        > linode.list
        @ 2000 ms
        > linode.list
        @ 4000 ms
        > linode.list
        @ 8000 ms
        > linode.list
        @ 15000 ms
        > linode.list
        ! {"kind":"timeout","message":"no answer within 60 s; no new Linode has shown since"}
    "#]]
    .assert_eq(&breaks_at(1, replies));
}

#[test]
fn the_answer_of_the_create_is_lost_and_two_could_be_it() {
    expect![[r#"
        > linode.list
        >! linode.create DatacenterID=6 PlanID=4
        < lost: timeout
        @ 1000 ms
        > linode.list
        @ 3000 ms
        > linode.list
        ! {"kind":"conflict","message":"no answer within 60 s; one of Linodes 7, 8 may be it: delete those that nobody wants","retry":"never"}
    "#]].assert_eq(&breaks_at(1, [lost(), good(json!([bare(7), bare(8)])), good(json!([bare(7), bare(8)]))]));
}

#[test]
fn the_answer_of_the_create_has_no_id() {
    let [_, _, c, d, e, f] = all_well();
    let shown = breaks_at(1, [good(json!({})), good(json!([bare(7)])), good(json!([bare(7)])), c, d, e, f]);
    assert!(shown.ends_with("\"watchdog\":true}\n"), "{shown}");
}

#[test]
fn what_is_left_cannot_be_destroyed_at_first() {
    let down = || Reply::text(502, "<html>");
    let gone = bad(5, "Object not found");
    expect![[r#"
        > linode.list
        >! linode.create DatacenterID=6 PlanID=4
        > linode.update Label=web-1 LinodeID=7 lpm_displayGroup=+@c-1,@s-2
        >! batch of 2
            linode.disk.createfromdistribution DistributionID=140 Label=Debian 12 Disk LinodeID=7 Size=48640 rootPass={"secret":"s1"}
            linode.disk.create Label=512 MB Swap Image LinodeID=7 Size=512 Type=swap
        >! linode.config.create DiskList=71,72,,,,,,, KernelID=138 Label=My Debian 12 Disk Profile LinodeID=7 helper_network=1
        ~ removing Linode 7, which cannot be made whole: KernelID is invalid
        > linode.delete LinodeID=7 skipChecks=1
        < 502
        @ 1000 ms
        > linode.delete LinodeID=7 skipChecks=1
        < lost: timeout
        @ 2000 ms
        > linode.delete LinodeID=7 skipChecks=1
        ! {"kind":"invalid","message":"KernelID is invalid","retry":"never","code":"8"}
    "#]].assert_eq(&breaks_at(4, [bad(8, "KernelID is invalid"), down(), lost(), gone]));
}

#[test]
fn what_is_left_cannot_be_destroyed_at_all() {
    let forbidden = breaks_at(4, [bad(8, "KernelID is invalid"), bad(13, "Permission denied")]);
    let replies = std::iter::repeat_with(lost).take(7);
    expect![[r#"
        > linode.list
        >! linode.create DatacenterID=6 PlanID=4
        > linode.update Label=web-1 LinodeID=7 lpm_displayGroup=+@c-1,@s-2
        >! batch of 2
            linode.disk.createfromdistribution DistributionID=140 Label=Debian 12 Disk LinodeID=7 Size=48640 rootPass={"secret":"s1"}
            linode.disk.create Label=512 MB Swap Image LinodeID=7 Size=512 Type=swap
        >! linode.config.create DiskList=71,72,,,,,,, KernelID=138 Label=My Debian 12 Disk Profile LinodeID=7 helper_network=1
        ~ removing Linode 7, which cannot be made whole: KernelID is invalid
        > linode.delete LinodeID=7 skipChecks=1
        ! {"kind":"invalid","message":"KernelID is invalid; Linode 7 is left half made and costs money: delete it (Permission denied)","retry":"never","code":"8"}
        > linode.list
        >! linode.create DatacenterID=6 PlanID=4
        > linode.update Label=web-1 LinodeID=7 lpm_displayGroup=+@c-1,@s-2
        >! batch of 2
            linode.disk.createfromdistribution DistributionID=140 Label=Debian 12 Disk LinodeID=7 Size=48640 rootPass={"secret":"s1"}
            linode.disk.create Label=512 MB Swap Image LinodeID=7 Size=512 Type=swap
        >! linode.config.create DiskList=71,72,,,,,,, KernelID=138 Label=My Debian 12 Disk Profile LinodeID=7 helper_network=1
        < lost: timeout
        ~ removing Linode 7, which cannot be made whole: no answer within 60 s
        > linode.delete LinodeID=7 skipChecks=1
        < lost: timeout
        @ 1000 ms
        > linode.delete LinodeID=7 skipChecks=1
        < lost: timeout
        @ 2000 ms
        > linode.delete LinodeID=7 skipChecks=1
        < lost: timeout
        @ 4000 ms
        > linode.delete LinodeID=7 skipChecks=1
        < lost: timeout
        @ 8000 ms
        > linode.delete LinodeID=7 skipChecks=1
        < lost: timeout
        @ 15000 ms
        > linode.delete LinodeID=7 skipChecks=1
        < lost: timeout
        ! {"kind":"timeout","message":"no answer within 60 s; Linode 7 is left half made and costs money: delete it (no answer within 60 s)"}
    "#]].assert_eq(&(forbidden + &breaks_at(4, replies)));
}

/// The host remembers what was there before a try that it did not survive.
#[test]
fn what_a_try_that_was_cut_off_has_made_is_taken() {
    let again = with(wish(), "before", json!(["5"]));
    let one = || good(json!([linode(5, "other", ""), bare(7)]));
    let two = || good(json!([linode(5, "other", ""), bare(7), bare(8)]));
    let [a, b, c, d, e, f] = all_well();
    let shown = show("instances.create", again.clone(), [one(), two(), one(), c, d, e, f])
        + &show("instances.create", again.clone(), [two(), two(), two()]);
    let shown = shown + &show("instances.create", with(again, "before", json!(["x"])), []);
    expect![[r#"
        > linode.list
        > linode.list
        @ 3000 ms
        > linode.list
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
        > linode.list
        > linode.list
        @ 3000 ms
        > linode.list
        ! {"kind":"conflict","message":"an earlier try got no answer; one of Linodes 7, 8 may be it: delete those that nobody wants","retry":"never"}
        ! {"kind":"invalid","message":"`x` is not an id of this provider: its ids are whole numbers","field":"before"}
    "#]].assert_eq(&shown);
    let [_, _, c, d, e, f] = all_well();
    let none = show("instances.create", with(wish(), "before", json!(["5"])), [a, b, c, d, e, f]);
    assert!(none.contains(">! linode.create"), "{none}");
}

/// What could be neither marked nor removed has nothing by which it could be known, but this plugin remembers it.
#[test]
fn what_could_not_be_removed_goes_with_the_next_create() {
    let mut driver = driver();
    let [a, b, _, ..] = all_well();
    for reply in [a, b].into_iter().chain(std::iter::repeat_with(lost).take(7)) {
        driver.on(crate::API, reply);
    }
    let error = driver.call("instances.create", wish()).expect_err("the network is down");
    assert!(error.is_ambiguous(), "{error:?}");
    let [_, b, c, d, e, f] = all_well();
    for reply in [good(json!([bare(7)])), deleted(), b, c, d, e, f] {
        driver.on(crate::API, reply);
    }
    let shown = crate::short(&driver.show("instances.create", wish()));
    expect![[r#"
        > linode.list
        > linode.delete LinodeID=7 skipChecks=1
        >! linode.create DatacenterID=6 PlanID=4
        > linode.update Label=web-1 LinodeID=7 lpm_displayGroup=+@c-1,@s-2"#]]
    .assert_eq(&shown.lines().take(4).collect::<Vec<_>>().join("\n"));
}

/// Another process has taken it up: then it is nobody's to remove here.
#[test]
fn what_somebody_else_has_made_whole_stays() {
    let mut driver = driver();
    let [a, b, _, ..] = all_well();
    for reply in [a, b].into_iter().chain(std::iter::repeat_with(lost).take(7)) {
        driver.on(crate::API, reply);
    }
    driver.call("instances.create", wish()).expect_err("the network is down");
    for there in [linode(7, "web-1", "@c-1,@s-3"), linode(7, "web-1", "+@c-2,@s-4")] {
        driver.on(crate::API, good(json!([there])));
        let error = driver.call("instances.create", wish()).expect_err("its label is taken");
        assert_eq!(error.field.as_deref(), Some("label"));
    }
}

/// What an earlier try left is not shown as the Linode that was wanted, and goes when that is made again.
#[test]
fn what_an_earlier_try_has_left_goes_first() {
    let left = || linode(6, "web-1", "+@c-1,@s-1");
    let mut driver = driver();
    driver.on(crate::API, batch([answer(json!([left()])), answer(json!([]))]));
    driver.on(crate::API, good(json!([])));
    let list = driver.call("instances.list", json!({ "tag": "lt-c-1" })).expect("a list");
    assert_eq!(list["items"][0]["label"], "web-1 (half made)");
    let mut replies = vec![good(json!([left()])), good(json!({ "LinodeID": 6 }))];
    replies.extend(all_well().into_iter().skip(1));
    expect![[r#"
        > linode.list
        ~ removing Linode 6, which an earlier try has left half made
        > linode.delete LinodeID=6 skipChecks=1
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
    "#]].assert_eq(&show("instances.create", wish(), replies));
}

/// Too many requests are no failure of a create: nothing was done, so it is asked again.
#[test]
fn too_many_requests_are_waited_out() {
    let too_many = || bad(14, "API rate limit exceeded");
    let in_a_batch = batch([answer(json!({ "JobID": 1, "DiskID": 71 })), fault(14, "API rate limit exceeded")]);
    let [a, b, c, _, e, f] = all_well();
    let replies =
        [a, too_many(), b, too_many(), too_many(), c, in_a_batch, good(json!({ "JobID": 2, "DiskID": 72 })), e, f];
    expect![[r#"
        > linode.list
        >! linode.create DatacenterID=6 PlanID=4
        # debug linode.create: again in 1000 ms: API rate limit exceeded
        @ 1000 ms
        >! linode.create DatacenterID=6 PlanID=4
        > linode.update Label=web-1 LinodeID=7 lpm_displayGroup=+@c-1,@s-2
        # debug linode.update: again in 1000 ms: API rate limit exceeded
        @ 1000 ms
        > linode.update Label=web-1 LinodeID=7 lpm_displayGroup=+@c-1,@s-2
        # debug linode.update: again in 2000 ms: API rate limit exceeded
        @ 2000 ms
        > linode.update Label=web-1 LinodeID=7 lpm_displayGroup=+@c-1,@s-2
        >! batch of 2
            linode.disk.createfromdistribution DistributionID=140 Label=Debian 12 Disk LinodeID=7 Size=48640 rootPass={"secret":"s1"}
            linode.disk.create Label=512 MB Swap Image LinodeID=7 Size=512 Type=swap
        # debug linode.disk.createfromdistribution: again in 1000 ms: API rate limit exceeded
        @ 1000 ms
        >! linode.disk.create Label=512 MB Swap Image LinodeID=7 Size=512 Type=swap
        >! linode.config.create DiskList=71,72,,,,,,, KernelID=138 Label=My Debian 12 Disk Profile LinodeID=7 helper_network=1
        >! batch of 5
            linode.boot ConfigID=700 LinodeID=7
            linode.update LinodeID=7 lpm_displayGroup=@c-1,@s-2
            linode.list LinodeID=7
            linode.ip.list LinodeID=7
            linode.job.list LinodeID=7 pendingOnly=1
        = {"created":"2015-07-03T03:08:52","disk_mb":49152,"id":"7","image":"linode/debian12","ipv4":["203.0.113.9"],"ipv6":null,"label":"web-1","memory_mb":4096,"private_ipv4":["192.168.130.9"],"region":"us-east","status":"provisioning","tags":["lt-c-1","lt-s-2"],"type":"g6-standard-2","vcpus":2,"watchdog":true}
    "#]].assert_eq(&show("instances.create", wish(), replies));
}
