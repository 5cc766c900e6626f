//! The same as an ordinary user: this binary runs itself as one.

use super::Case;
use super::support::{Key, client};
use linodetool_sandbox::machines::namespaces::{Mode, Namespaces, Options};
use linodetool_sandbox::machines::{MachineSpec, Machines};
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

pub(crate) const CASES: &[Case] =
    &[("rootless::without_root_with_one_user", single), ("rootless::without_root_with_a_range_of_users", range)];

fn single() {
    as_somebody("single", "");
}

/// The range comes from files of our own in a mount namespace of our own.
fn range() {
    let own = "for f in subuid subgid; do echo 65533:200000:65536 > $T/$f; touch /etc/$f && mount --bind $T/$f /etc/$f; done; \
               (cat /etc/passwd; echo ranger:x:65533:65533::/:/bin/sh) > $T/passwd; mount --bind $T/passwd /etc/passwd;";
    as_somebody("range", own);
}

fn as_somebody(mode: &str, before: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("mode");
    let mine = folder.path().join("mine");
    std::fs::create_dir(&mine).expect("made");
    // The test's own binary may lie where nobody else may read.
    let exe = folder.path().join("test");
    std::fs::copy(std::env::current_exe().expect("our own path"), &exe).expect("copied");
    std::os::unix::fs::chown(&mine, Some(65533), Some(65533)).expect("given");
    let script = format!(
        "set -e; {before} cd /; exec setpriv --reuid 65533 --regid 65533 --clear-groups $T/test helper-rootless $T/mine {mode}"
    );
    let out =
        Command::new("unshare").args(["-m", "sh", "-c", &script]).env("T", folder.path()).output().expect("it starts");
    assert!(out.status.success(), "{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
}

/// What that user does.
pub(crate) fn inside(dir: &Path, single: bool) -> Result<(), String> {
    let support = Namespaces::support()?;
    let expect = |what: &str, is: &str, should: &str| {
        if is == should { Ok(()) } else { Err(format!("{what}: {is:?} instead of {should:?}")) }
    };
    if support.mode == Mode::Root {
        return Err("we are root".to_owned());
    }
    let key = Key::make(dir);
    let room =
        Namespaces::open(&dir.join("m"), &Options { single_user: single, ..Default::default() }).map_err(|e| e.0)?;
    let many = room.mode() == Mode::Range;
    if many == single {
        return Err(format!("the mode is {:?}", room.mode()));
    }
    let spec = MachineSpec {
        id: 1,
        hostname: "one".to_owned(),
        public_ip: Some(Ipv4Addr::new(198, 18, 0, 1)),
        private_ip: Some(Ipv4Addr::new(192, 168, 128, 1)),
        authorized_keys: vec![key.public.clone()],
        user_data: Some(b"#cloud-config\nwrite_files: [{path: /etc/x, content: hello}]\n".to_vec()),
        ..Default::default()
    };
    let (ip, other) = (Ipv4Addr::new(198, 18, 0, 1), Ipv4Addr::new(198, 18, 0, 2));
    room.boot(&spec).map_err(|e| e.0)?;
    room.boot(&MachineSpec {
        id: 2,
        hostname: "two".to_owned(),
        public_ip: Some(other),
        private_ip: None,
        ..spec.clone()
    })
    .map_err(|e| e.0)?;
    let run = |c: &str| client(&dir.join("m"), ip, "root", &key.file, c);
    let ran = run(
        "cloud-init status --wait; id -un; cat /etc/x; hostname; cat /etc/shadow | wc -c | grep -vc ^0; exec 3<>/dev/tcp/198.18.0.2/22 && read -r l <&3 && echo ${l%%-*}",
    )?;
    expect("a login", &ran.out, "status: done\nroot\nhelloone\n1\nSSH\n")?;
    let ran = run(
        "echo x >> /etc/passwd && echo y > /usr/local/y && mkdir /usr/share/z /var/lib/z && ls -d /usr/share/z && java -version 2>/dev/null; \
                   printf '[Service]\\nExecStart=/bin/sleep 1000\\n' > /etc/systemd/system/s.service; systemctl start s && systemctl is-active s; tty >/dev/null; ls /root",
    )?;
    expect("changes", &ran.out, "/usr/share/z\nactive\n")?;
    if many {
        let ran = run(
            "useradd -m joe && install -o joe -d /home/joe/d && setpriv --reuid joe --regid joe --clear-groups sh -c 'id -un; touch /home/joe/d/f'",
        )?;
        expect("another user", &(ran.out + &ran.err), "joe\n")?;
    }
    if support.firewalls {
        room.set_firewalls(&[]).map_err(|e| e.0)?;
    }
    room.power_off(1).map_err(|e| e.0)?;
    room.boot(&spec).map_err(|e| e.0)?;
    expect("after a power cycle", &run("cat /usr/local/y /etc/x")?.out, "y\nhello")?;
    // Its disk has files of users that exist in there alone, and still goes.
    room.delete(1).map_err(|e| e.0)?;
    if dir.join("m/disks/1").exists() {
        return Err("the disk is still there".to_owned());
    }
    room.delete(2).map_err(|e| e.0)
}
