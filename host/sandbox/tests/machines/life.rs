//! Power, disks, deaths; nothing is left behind.

use super::Case;
use super::support::{Place, client, place, say};
use linodetool_sandbox::machines::namespaces::{Namespaces, Options};
use linodetool_sandbox::machines::{HowEnded, MachineExit, MachineFaults, MachineSpec, Machines};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) const CASES: &[Case] = &[
    ("life::a_power_cycle_keeps_the_disk", power_cycle),
    ("life::delete_removes_the_disk", delete),
    ("life::ends_from_inside_are_told", ends_from_inside),
    ("life::an_end_right_after_the_boot_is_told", ends_at_once),
    ("life::a_dead_room_is_told_and_leaves_nothing", dead_room),
    ("life::kill_9_of_the_owner_leaves_nothing", kill_9),
    ("life::the_next_life_finds_the_disks", next_life),
    ("life::one_owner_per_folder", one_owner),
    ("life::twenty_at_once", twenty),
    ("life::an_address_moves_to_another_machine", address_moves),
    ("life::a_replaced_program_boots_machines", replaced_program),
    ("life::all_end_at_once", all_at_once),
    ("life::a_folder_that_cannot_be_used", bad_folder),
    ("life::what_goes_wrong_on_purpose_goes_wrong", on_purpose),
];

fn power_cycle() {
    let m = place().machine();
    m.out("echo p > /root/p; echo q > /usr/local/q; echo r > /etc/r; useradd -m kept; echo gone > /tmp/g; sleep 1000 >/dev/null 2>&1 & disown");
    place().room.power_off(m.spec.id).expect("off");
    place().room.power_off(m.spec.id).expect("off is off");
    place().room.boot(&m.spec).expect("boots again");
    assert_eq!(
        m.run("cat /root/p /usr/local/q /etc/r; id -un kept; ls /tmp; pgrep -c -x sleep").out,
        "p\nq\nr\nkept\n0\n"
    );
}

fn on_purpose() {
    let seconds = Duration::from_secs;
    let faults = MachineFaults { ssh_refused: Some(seconds(3)), ssh_cut: Some(seconds(1)), disk: Some(4 << 20) };
    let m = place().boot(MachineSpec { faults, ..place().spec() });
    let ask = |command: &str| client(&place().dir(), m.public(), "root", &place().key.file, command);
    let refused = ask("true").expect_err("nobody listens yet");
    assert!(refused.contains("refused"), "{refused}");
    let end = Instant::now() + seconds(30);
    // The first command of this boot, whatever it is, loses its connection; it goes on without.
    let cut = loop {
        match ask("sleep 5; touch /root/done") {
            Err(why) if why.contains("refused") => assert!(Instant::now() < end, "{why}"),
            other => break other,
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(!matches!(&cut, Ok(ran) if ran.code.is_some()), "{cut:?}");
    let full = m.run("head -c 8M /dev/zero > /root/large");
    assert!(full.err.contains("No space left on device"), "{full:?}");
    m.out("rm /root/large; echo kept > /root/small");
    m.wait("test -e /root/done");
    place().room.power_off(m.spec.id).expect("off");
    place()
        .room
        .boot(&MachineSpec { faults: MachineFaults { disk: faults.disk, ..Default::default() }, ..m.spec.clone() })
        .expect("boots again");
    assert_eq!(m.out("cat /root/small"), "kept\n");
    let disk = place().dir().join("disks").join(m.spec.id.to_string());
    place().room.delete(m.spec.id).expect("gone");
    assert!(!disk.exists());
}

fn delete() {
    let m = place().machine();
    m.out("echo p > /root/p; mkdir -p /usr/local/a/b; chmod 0 /usr/local/a");
    let disk = place().dir().join("disks").join(m.spec.id.to_string());
    assert!(disk.exists());
    place().room.delete(m.spec.id).expect("gone");
    assert!(!disk.exists());
    place().room.delete(m.spec.id).expect("none is no error");
    place().room.boot(&m.spec).expect("a new one of the same id");
    assert_eq!(m.out("ls /root"), "");
}

fn ends_from_inside() {
    let p = Place::new();
    let exits = p.room.exits().expect("the receiver");
    assert!(p.room.exits().is_none(), "handed out once");
    let m = p.machine();
    for (command, how) in [
        ("reboot", HowEnded::Rebooted),
        ("shutdown -h now", HowEnded::PoweredOff),
        ("systemctl poweroff", HowEnded::PoweredOff),
        ("/usr/sbin/reboot", HowEnded::Rebooted),
    ] {
        let _ = super::support::client(&p.dir(), m.public(), "root", &p.key.file, command); // the connection may be cut
        let exit = exits.recv_timeout(Duration::from_secs(20)).expect("told");
        assert_eq!(exit, MachineExit { id: m.spec.id, life: m.spec.life, how }, "{command}");
        p.room.boot(&m.spec).expect("boots again");
    }
    p.room.power_off(m.spec.id).expect("off");
    assert!(exits.try_recv().is_err(), "what we asked for is not told");
}

/// What a machine's own user data does may come before its boot has answered; many at once make that likely.
fn ends_at_once() {
    let p = Place::new();
    let exits = p.room.exits().expect("the receiver");
    let ends = [("reboot", HowEnded::Rebooted), ("poweroff", HowEnded::PoweredOff)];
    let wanted: Vec<_> = (1..=24).map(|id| (id, ends[id as usize % 2].1)).collect();
    std::thread::scope(|s| {
        for (id, _) in &wanted {
            let script = format!("#!/bin/sh\n{}\n", ends[*id as usize % 2].0).into_bytes();
            let spec = MachineSpec { user_data: Some(script), ..p.spec_of(*id) };
            let room = &p.room;
            s.spawn(move || room.boot(&spec).unwrap_or_else(|e| panic!("{e}")));
        }
    });
    let told = || exits.recv_timeout(Duration::from_secs(20)).map(|MachineExit { id, how, .. }| (id, how));
    let mut seen: Vec<_> = wanted.iter().map(|_| told().expect("told")).collect();
    seen.sort_by_key(|one| one.0);
    assert_eq!(seen, wanted);
}

fn dead_room() {
    let p = Place::new();
    let exits = p.room.exits().expect("the receiver");
    let (a, b) = (p.machine(), p.machine());
    kill(p.room.room());
    let mut seen = [
        exits.recv_timeout(Duration::from_secs(20)).expect("told"),
        exits.recv_timeout(Duration::from_secs(20)).expect("told"),
    ];
    seen.sort_by_key(|e| e.id);
    assert_eq!(seen.map(|e| (e.id, e.how)), [(a.spec.id, HowEnded::Died), (b.spec.id, HowEnded::Died)]);
    assert!(p.room.boot(&a.spec).expect_err("no room").0.contains("the machine room"));
    until_gone(&p.dir());
}

fn kill(pid: i32) {
    assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().expect("kill").success());
}

/// Waits until no process has to do with a folder: neither by its arguments nor by its mounts.
fn until_gone(dir: &Path) {
    let until = Instant::now() + Duration::from_secs(10);
    let name = dir.display().to_string();
    loop {
        let mut left = Vec::new();
        for e in std::fs::read_dir("/proc").expect("proc").flatten() {
            let read =
                |f: &str| String::from_utf8_lossy(&std::fs::read(e.path().join(f)).unwrap_or_default()).into_owned();
            let args = read("cmdline");
            if args.contains(&name) && args.contains("machine-room") || read("mountinfo").contains(&name) {
                left.push(format!("{}: {args}", e.path().display()));
            }
        }
        if left.is_empty() {
            return;
        }
        assert!(Instant::now() < until, "left behind: {left:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// An upgrade or a build replaces the program while its room runs, and again before a room that it opens later.
fn replaced_program() {
    let folder = tempfile::tempdir().expect("a folder");
    let exe = folder.path().join("program");
    // On the folder's own file system, so that it can have a second name there; and as a copy from another one.
    for other_system in [false, true] {
        let dir = if other_system {
            Path::new("/dev/shm").join(folder.path().file_name().expect("a name"))
        } else {
            folder.path().join("m")
        };
        std::fs::copy(std::env::current_exe().expect("our own path"), &exe).expect("copied");
        let mut child = Command::new(&exe)
            .args(["helper-replaced", &dir.join("rooms").display().to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut said = String::new();
        std::io::Read::read_to_string(&mut child.stdout.take().expect("a pipe"), &mut said).expect("text");
        assert!(child.wait().expect("it ends").success(), "{said}");
        let _ = std::fs::remove_dir_all(&dir);
        assert_eq!(said, "machine 1: active\nmachine 2: active\nmachine 3: active\n");
    }
}

/// What the replaced program does: a room before, a room after its own file has gone.
pub(crate) fn inside_replaced(dir: &Path) -> Result<(), String> {
    std::fs::create_dir_all(dir).map_err(|e| e.to_string())?;
    let key = super::support::Key::make(dir);
    let boot = |room: &Namespaces, id: u8| {
        let ip = std::net::Ipv4Addr::new(198, 18, 9, id);
        let spec = linodetool_sandbox::machines::MachineSpec {
            id: id.into(),
            hostname: format!("r{id}"),
            public_ip: Some(ip),
            authorized_keys: vec![key.public.clone()],
            ..Default::default()
        };
        room.boot(&spec).map_err(|e| e.0)?;
        // systemctl is our program as the machine sees it.
        let command = "printf '[Service]\nExecStart=/bin/sleep 1000\n' > /etc/systemd/system/s.service; systemctl start s; systemctl is-active s";
        let ran = super::support::client(room.dir(), ip, "root", &key.file, command)?;
        let _ = write!(std::io::stdout(), "machine {id}: {}{}", ran.out, ran.err);
        Ok::<_, String>(())
    };
    let room = Namespaces::open(&dir.join("a"), &Options::default()).map_err(|e| e.0)?;
    boot(&room, 1)?;
    let exe = std::env::current_exe().map_err(|e| e.to_string())?;
    std::fs::remove_file(&exe).and_then(|()| std::fs::write(&exe, "another program")).map_err(|e| e.to_string())?;
    boot(&room, 2)?;
    drop(room);
    let room = Namespaces::open(&dir.join("b"), &Options::default()).map_err(|e| e.0)?;
    boot(&room, 3)
}

fn all_at_once() {
    let p = Place::new();
    let exits = p.room.exits().expect("the receiver");
    let specs: Vec<_> = (1..=3).map(|i| p.spec_of(2000 + i)).collect();
    for spec in &specs {
        p.room.boot(spec).expect("boots");
    }
    p.room.delete_all().expect("at once").expect("gone");
    assert!(exits.try_recv().is_err(), "what we asked for is not told");
    assert!(!p.dir().join("disks").exists());
    let e = p.room.boot(&specs[0]).expect_err("over");
    assert_eq!(e.0, "machine 2001 does not boot: the sandbox is being stopped");
    p.room.delete(2001).expect("none is no error");
    drop(p.room);
    until_gone(&p.folder.path().join("m"));
}

/// A process of its own that has opened a room with machines in it.
fn serve(dir: &Path, machines: u8) -> Child {
    let mut child = Command::new(std::env::current_exe().expect("our own path"))
        .args(["helper-serve", &dir.display().to_string(), &machines.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
    assert!(line.starts_with("ready "), "{line}");
    child
}

fn kill_9() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("m");
    let before = (std::fs::read_to_string("/proc/self/mountinfo").expect("mounts"), links());
    let mut child = serve(&dir, 3);
    child.kill().expect("killed");
    child.wait().expect("dead");
    let killed = Instant::now();
    until_gone(&dir);
    say(&format!("all dead {:.0} ms after kill -9", killed.elapsed().as_secs_f64() * 1e3));
    assert_eq!(before, (std::fs::read_to_string("/proc/self/mountinfo").expect("mounts"), links()));
}

fn links() -> Vec<String> {
    let mut all: Vec<String> = std::fs::read_dir("/sys/class/net")
        .expect("interfaces")
        .flatten()
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .collect();
    all.sort();
    all
}

fn next_life() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("m");
    let mut child = serve(&dir, 2);
    child.kill().expect("killed");
    child.wait().expect("dead");
    // At once, while the earlier room may still be dying.
    let room = Namespaces::open(&dir, &Options::default()).expect("opens again");
    assert!(dir.join("disks/1/formatted").exists() && dir.join("disks/2").exists());
    drop(room);
    until_gone(&dir);
    let room = Namespaces::open(&dir, &Options { forget_disks: true, ..Default::default() }).expect("opens again");
    assert!(!dir.join("disks/1").exists() && !dir.join("disks/2").exists());
    drop(room);
    assert!(!dir.join("room.sock").exists());
}

fn one_owner() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("m");
    let _room = Namespaces::open(&dir, &Options::default()).expect("opens");
    let e =
        Namespaces::open(&dir, &Options { wait_for_earlier: Some(Duration::from_millis(50)), ..Default::default() })
            .err()
            .expect("taken");
    let dir = dir.canonicalize().expect("there");
    assert_eq!(
        e.0,
        format!(
            "another linodetool uses the machines in {}; stop it or choose another folder with --state",
            dir.display()
        )
    );
}

fn twenty() {
    let p = Place::new();
    let specs: Vec<_> = (1..=20).map(|i| p.spec_of(1000 + i)).collect();
    std::thread::scope(|s| {
        for spec in &specs {
            s.spawn(|| p.room.boot(spec).unwrap_or_else(|e| panic!("{e}")));
        }
    });
    for spec in &specs {
        let ran = super::support::client(&p.dir(), spec.public_ip.expect("one"), "root", &p.key.file, "hostname")
            .expect("in");
        assert_eq!(ran.out, format!("{}\n", spec.hostname));
    }
}

fn bad_folder() {
    let e = Namespaces::open(Path::new("/usr/local/linodetool-test"), &Options::default()).err().expect("refused");
    assert!(!Path::new("/usr/local/linodetool-test").exists());
    assert_eq!(
        e.0,
        "machines cannot live in /usr/local/linodetool-test: /usr is part of their own file system; choose a folder elsewhere with --state"
    );
}

fn address_moves() {
    let p = Place::new();
    let friend = p.machine();
    let hello = |m: &super::support::Machine<'_>| {
        assert_eq!(m.out("hostname"), format!("{}\n", m.spec.hostname));
        for ip in [m.public(), m.private()] {
            let out =
                friend.out(&format!("timeout 2 bash -c 'exec 3<>/dev/tcp/{ip}/22; read -r l <&3; echo ${{l%%-*}}'"));
            assert_eq!(out, "SSH\n");
        }
    };
    let old = p.machine();
    hello(&old);
    let mut spec = p.spec();
    (spec.public_ip, spec.private_ip) = (old.spec.public_ip, old.spec.private_ip);
    drop(old);
    let started = Instant::now();
    hello(&p.boot(spec));
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
}
