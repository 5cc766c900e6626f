//! Root's machines in a user namespace: who is who inside, and who that is here; and what there is instead.

use super::Case;
use super::support::{Place, place, which};
use linodetool_sandbox::machines::Machines;
use linodetool_sandbox::machines::namespaces::{Mode, Namespaces, Options};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;

pub(crate) const CASES: &[Case] = &[
    ("users::root_inside_is_nobody_here", root_is_nobody),
    ("users::what_is_the_kernels_is_refused", kernels_own),
    ("users::users_owners_and_setuid_programs_work", users_work),
    ("users::this_computers_files_are_roots_and_only_copies_change", files_are_roots),
    ("users::without_a_user_namespace", without),
    ("users::a_file_system_that_refuses", file_system_refuses),
    ("users::disks_of_real_root_stay_with_real_root", old_disks),
    ("users::a_folder_that_only_root_may_enter", closed_folder),
];

fn root_is_nobody() {
    assert_eq!(place().room.mode(), Mode::Mapped);
    let m = place().machine();
    m.out("echo x > /root/x; echo y > /usr/local/y");
    // Two maps lie upon each other: the machine's own, which is what keeps it from the room, and the room's.
    assert_eq!(m.out("cat /proc/self/uid_map | tr -s ' '"), " 0 0 65536\n");
    let disk = place().dir().join("disks").join(m.spec.id.to_string());
    let owners = ["own/root/x", "upper/usr/local/y"].map(|f| std::fs::metadata(disk.join(f)).expect("there").uid());
    assert!(owners[0] >= 0x8_0000 && owners[0] == owners[1], "{owners:?}");
    // A process of the machine, as this computer sees it.
    m.out("sleep 4242 >/dev/null 2>&1 & until grep -q 4242 /proc/$!/cmdline; do sleep 0.01; done; disown");
    let sleeper = std::fs::read_dir("/proc")
        .expect("proc")
        .flatten()
        .find(|p| std::fs::read(p.path().join("cmdline")).is_ok_and(|c| c == b"sleep\x004242\0"));
    let sleeper = sleeper.expect("it runs");
    assert_eq!(sleeper.metadata().expect("there").uid(), owners[0]);
    let map = std::fs::read_to_string(sleeper.path().join("uid_map")).expect("a map");
    assert_eq!(map.split_whitespace().collect::<Vec<_>>(), ["0", &owners[0].to_string(), "65536"]);
}

fn kernels_own() {
    let m = place().machine();
    let host = || ["pid_max", "panic", "core_pattern"].map(|f| std::fs::read(format!("/proc/sys/kernel/{f}")).ok());
    let before = host();
    let refused = [
        "mknod /root/d b 254 0",
        "mknod /root/d c 1 1",
        "mount -t ext4 /dev/null /mnt",
        "date -s 2000-01-01",
        "echo 100 > /proc/sys/kernel/pid_max",
        "mount -o remount,rw /proc/sys/kernel; echo 7 > /proc/sys/kernel/panic",
        "umount /proc/sys/kernel; echo '|/bin/x' > /proc/sys/kernel/core_pattern",
        "echo b > /proc/sysrq-trigger && cat /proc/sysrq-trigger | grep .",
        "dmesg -C",
        "swapoff -a && swapon /dev/null",
    ];
    for command in refused {
        let ran = m.run(&format!("({command}) 2>&1"));
        assert_ne!(ran.code, Some(0), "{command}: {}", ran.out);
    }
    assert_eq!(before, host());
}

fn users_work() {
    let m = place().machine();
    m.out("useradd -m -s /bin/bash joe; touch /root/f; chown 5000:6000 /root/f");
    assert_eq!(
        m.out("stat -c '%u %g' /root/f; su joe -c 'id -un; touch ~/j; stat -c %U ~/j'"),
        "5000 6000\njoe\njoe\n"
    );
    if which("sudo").is_some() {
        assert_eq!(m.out("usermod -aG sudo joe; su joe -c 'sudo -n id -u'"), "0\n");
    }
    // What a program that is root's and setuid may do, a user may.
    m.out("cp /bin/id /usr/local/bin/id-of-root; chmod 4755 /usr/local/bin/id-of-root");
    assert_eq!(m.out("su joe -c 'id-of-root -u'"), "0\n");
}

fn files_are_roots() {
    let m = place().machine();
    assert_eq!(m.out("stat -c '%U %G' / /etc /usr/bin/env /var/lib /root | sort -u"), "root root\n");
    let before = std::fs::metadata("/etc/profile").expect("a profile");
    m.out("echo >> /etc/profile; chown 7:7 /usr/bin/env; chmod 600 /usr/bin/env");
    assert_eq!(m.out("stat -c '%u %a' /usr/bin/env"), "7 600\n");
    let after = std::fs::metadata("/etc/profile").expect("a profile");
    assert_eq!((before.len(), before.ino(), before.mtime()), (after.len(), after.ino(), after.mtime()));
    assert_eq!(std::fs::metadata("/usr/bin/env").expect("env").uid(), 0);
}

fn without() {
    let p = Place::with(&Options { real_root: true, ..Default::default() });
    assert_eq!(p.room.mode(), Mode::Root);
    let m = p.machine();
    m.out("echo x > /root/x");
    assert_eq!(m.out("cat /proc/self/uid_map | tr -s ' '"), " 0 0 4294967295\n");
    assert_eq!(std::fs::metadata(p.dir().join(format!("disks/{}/own/root/x", m.spec.id))).expect("there").uid(), 0);
    // The bounding set.
    for command in ["mknod /root/d b 254 0", "date -s 2000-01-01", "echo 100 > /proc/sys/kernel/pid_max"] {
        assert_ne!(m.run(command).code, Some(0), "{command}");
    }
    let rights = u64::from_str_radix(m.out("awk '/CapBnd/ {print $2}' /proc/self/status").trim(), 16).expect("hex");
    assert_eq!([16, 17, 22, 25, 27].map(|c| rights >> c & 1), [0; 5]);
    assert_eq!(p.room.about(), "as root of this computer, less a few rights: it was asked for");
}

/// Overlayfs cannot be shown to other users; a mount namespace of our own has one at /opt.
fn file_system_refuses() {
    let folder = tempfile::tempdir().expect("a folder");
    let script =
        "set -e; mkdir $T/a $T/b; mount -t overlay -o lowerdir=$T/a:$T/b overlay /opt; exec $0 helper-about $T/m";
    let exe = std::env::current_exe().expect("our own path");
    let mut c = Command::new("unshare");
    let out = c.args(["-m", "sh", "-c", script]).arg(exe).env("T", folder.path()).output().expect("it starts");
    expect_test::expect![[r#"
        as root of this computer, less a few rights: cannot show /opt to other users (its file system or the kernel refuses): Invalid argument (os error 22)
    "#]].assert_eq(&String::from_utf8_lossy(&[out.stdout, out.stderr].concat()));
}

fn old_disks() {
    let p = Place::with(&Options { real_root: true, ..Default::default() });
    let m = p.spec();
    p.room.boot(&m).expect("boots");
    let (dir, folder) = (p.dir(), p.folder);
    drop(p.room);
    let room = Namespaces::open(&dir, &Options::default()).expect("opens again");
    assert_eq!(room.mode(), Mode::Root);
    assert_eq!(
        room.about().replace(&dir.display().to_string(), "DIR"),
        "as root of this computer, less a few rights: the disks in DIR belong to the user 0; remove them to begin anew"
    );
    room.boot(&m).expect("boots again");
    drop(room);
    let room = Namespaces::open(&dir, &Options { forget_disks: true, ..Default::default() }).expect("opens anew");
    assert_eq!(room.mode(), Mode::Mapped);
    room.boot(&m).expect("boots anew");
    drop((room, folder));
}

fn closed_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o700)).expect("mode");
    assert_eq!(std::fs::metadata(folder.path()).expect("there").uid(), 0);
    let room = Namespaces::open(&folder.path().join("a/m"), &Options::default()).expect("opens");
    assert_eq!(
        (room.mode(), room.about()),
        (Mode::Mapped, "in user namespaces, with ids that nobody has here".to_owned())
    );
    // Only root, and the room, may enter.
    assert_eq!(std::fs::metadata(folder.path().join("a/m")).expect("there").mode() & 0o7777, 0o700);
}
