//! Simulated machines: what they remember, and what goes wrong with them on purpose.

use super::*;
use crate::act::{Command, File, Wish};
use crate::machines::MachineFaults;
use std::time::Duration;

#[test]
fn ssh_may_be_refused_after_each_boot() {
    let m = Simulated::new();
    let faults = MachineFaults { ssh_refused: Some(Duration::from_secs(5)), ..Default::default() };
    let public_ip = Some(Ipv4Addr::new(198, 18, 0, 1));
    let spec = MachineSpec { id: 5, hostname: "a".into(), public_ip, faults, ..Default::default() };
    let answers = |seconds: u64| {
        let request = Request { address: "198.18.0.1".into(), act: Act::Connect };
        m.act(request, Time(seconds * 1000)).expect("simulated").what == What::Done
    };
    m.time_is(Time(10_000));
    m.boot(&spec).expect("boots");
    assert_eq!([10, 14, 15].map(answers), [false, false, true]);
    m.power_off(5).expect("off");
    m.time_is(Time(20_000));
    m.boot(&spec).expect("boots again");
    assert_eq!([24, 25].map(answers), [false, true]);
}

#[test]
fn remembers_and_tells() {
    let m = Simulated::new();
    let exits = m.exits().expect("the receiver");
    assert!(m.exits().is_none(), "handed out once");
    let spec = MachineSpec { id: 5, hostname: "a".into(), ..Default::default() };
    m.boot(&spec).expect("boots");
    assert_eq!(m.boot(&spec).expect_err("twice").0, "machine 5 runs already");
    m.end(5, HowEnded::Rebooted);
    m.end(5, HowEnded::Died); // it is off already
    assert_eq!(exits.try_iter().collect::<Vec<_>>(), [MachineExit { id: 5, life: 0, how: HowEnded::Rebooted }]);
    m.boot(&spec).expect("boots again");
    m.power_off(5).expect("off");
    m.delete(5).expect("gone");
    m.power_off(5).expect("no error");
    let seen = [Asked::Boot(5), Asked::Boot(5), Asked::PowerOff(5), Asked::Delete(5), Asked::PowerOff(5)];
    assert_eq!(m.asked(), seen);
    assert!(exits.try_iter().next().is_none());
}

#[test]
fn a_command_that_is_cut_makes_nothing() {
    let m = Simulated::new();
    let address = std::net::Ipv4Addr::new(198, 18, 0, 5);
    let spec = MachineSpec { id: 5, public_ip: Some(address), ..Default::default() };
    let act = |act, now| m.act(Request { address: address.to_string(), act }, Time(now)).expect("simulated").what;
    let look = |now| act(Act::Look { path: "/made".into() }, now);
    let command = crate::act::Command {
        place: "p".into(),
        command: "make".into(),
        creates: Some("/made".into()),
        takes_ms: Some(1000),
        ..Default::default()
    };
    let run = |now| act(Act::Run(Box::new(command.clone())), now);
    m.boot(&spec).expect("boots");
    assert_eq!((run(0), look(500)), (What::Running { left_ms: 1000 }, What::Absent));
    m.end(5, HowEnded::Rebooted);
    m.boot(&spec).expect("boots again");
    assert_eq!((run(2000), look(2000)), (What::Interrupted, What::Absent));
    act(Act::Forget { place: "p".into() }, 2000);
    assert_eq!((run(2000), look(2999)), (What::Running { left_ms: 1000 }, What::Absent));
    assert!(matches!((run(3000), look(3000)), (What::Exited { .. }, What::File(_))));
    let other = crate::act::Command { place: "q".into(), ..command.clone() };
    assert_eq!(act(Act::Run(Box::new(other)), 3000), What::Skipped);
    let memory: Vec<_> = m.memory(5).into_iter().map(|(thing, how)| format!("{thing}: {how}")).collect();
    assert_eq!(memory, ["file /made: made by a command", "ran make: 1"]);
}

/// One that has booted at the beginning of time, and how it is asked.
fn with(faults: MachineFaults) -> (Simulated, impl Fn(&Simulated, Act, u64) -> (u64, What)) {
    let m = Simulated::new();
    let public_ip = Some(Ipv4Addr::new(198, 18, 0, 1));
    m.boot(&MachineSpec { id: 5, public_ip, faults, ..Default::default() }).expect("boots");
    let act = |m: &Simulated, act, now| {
        let Acted { takes_ms, what } =
            m.act(Request { address: "198.18.0.1".into(), act }, Time(now)).expect("simulated");
        (takes_ms, what)
    };
    (m, act)
}

#[test]
fn a_connection_that_is_cut_leaves_its_command_alone() {
    let faults = MachineFaults { ssh_cut: Some(Duration::from_secs(3)), ..Default::default() };
    let (m, act) = with(faults);
    let command = Command { place: "p".into(), command: "make".into(), takes_ms: Some(10_000), ..Default::default() };
    let run = || Act::Run(Box::new(command.clone()));
    let inspect = || Act::Inspect { place: "p".into() };
    assert_eq!(act(&m, Act::Connect, 500), (150, What::Done));
    assert_eq!(act(&m, run(), 1_000), (3_000, What::Lost));
    assert_eq!(act(&m, inspect(), 3_500), (500, What::Lost));
    // Whoever comes back finds what goes on, and its end.
    assert_eq!(act(&m, run(), 5_000), (0, What::Running { left_ms: 6_000 }));
    assert_eq!(act(&m, inspect(), 11_000), (0, What::Exited { code: 0, output: String::new() }));
    assert_eq!(m.memory(5), [("ran make".to_owned(), "1".to_owned())].into());
    // Once in each boot.
    m.end(5, HowEnded::Rebooted);
    m.time_is(Time(20_000));
    m.boot(&MachineSpec { faults, ..m.spec(5).expect("known") }).expect("boots again");
    assert_eq!(act(&m, Act::Exec { command: "true".into() }, 20_000).0, 100);
    let second = Command { place: "q".into(), ..command.clone() };
    assert_eq!(act(&m, Act::Run(Box::new(second)), 22_000), (1_000, What::Lost));
}

#[test]
fn a_disk_that_is_full_takes_nothing_more() {
    let (m, act) = with(MachineFaults { disk: Some(40 << 20), ..Default::default() });
    let write = |path: &str, megabytes: u64| {
        let file = File { digest: Some(format!("{path} {megabytes}")), size: megabytes << 20, content: None };
        act(&m, Act::Write { path: path.into(), file }, 0).1
    };
    let wish = |kind: &str, name: &str| Wish { kind: kind.into(), name: name.into(), ..Wish::default() };
    let apply = |wish: Wish| act(&m, Act::Apply(Box::new(wish)), 0).1;
    let done = |what| !matches!(what, What::Full);
    assert!(done(write("/a", 8)));
    assert_eq!(write("/b", 33), What::Full);
    assert_eq!(act(&m, Act::Look { path: "/b".into() }, 0).1, What::Absent);
    assert!(done(apply(wish("package", "nginx"))));
    assert_eq!(apply(wish("package", "redis")), What::Full);
    // What is there already needs no room, and what replaces something only the rest of it.
    assert!(done(apply(wish("package", "nginx"))));
    assert!(done(write("/a", 9)));
    assert_eq!(write("/c", 1), What::Full);
    assert!(done(apply(Wish { absent: true, ..wish("file", "/a") })));
    assert!(done(write("/c", 1)));
    // The last of it: then not even the record of a command can be made.
    let left = 40 * 256 - 30 * 256 - 1 - 257;
    let file = File { digest: None, size: (left - 1) * 4096, content: None };
    assert!(done(act(&m, Act::Write { path: "/d".into(), file }, 0).1));
    let command = Command { place: "p".into(), command: "make".into(), ..Default::default() };
    assert_eq!(act(&m, Act::Run(Box::new(command)), 0).1, What::Full);
}
