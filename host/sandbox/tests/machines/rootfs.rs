//! Machines with a system of their own instead of this computer's.

use super::Case;
use super::support::{Place, which};
use linodetool_sandbox::machines::Machines;
use linodetool_sandbox::machines::namespaces::{Namespaces, Options};
use std::fs;
use std::path::Path;
use std::process::Command;

pub(crate) const CASES: &[Case] = &[
    ("rootfs::machines_show_it", shows_it),
    ("rootfs::machines_show_it_without_a_user_namespace", shows_it_as_real_root),
    ("rootfs::a_folder_that_is_none_is_refused", refused),
];

/// A shell, a few programs, the libraries they need, and nothing of /etc but a file and a secret.
fn small_system(folder: &Path) {
    for d in ["usr/bin", "usr/lib", "etc/ssh", "app", "root"] {
        fs::create_dir_all(folder.join(d)).expect("made");
    }
    std::os::unix::fs::symlink("usr/bin", folder.join("bin")).expect("linked");
    for program in ["sh", "cat", "ls", "sleep", "stat", "touch"] {
        let path = which(program).expect("everybody has it");
        fs::copy(&path, folder.join("usr/bin").join(program)).expect("copied");
        let needs = Command::new("ldd").arg(&path).output().expect("ldd");
        for lib in String::from_utf8_lossy(&needs.stdout).split_whitespace().filter(|w| w.starts_with('/')) {
            let to = folder.join(&lib[1..]);
            fs::create_dir_all(to.parent().expect("a folder")).expect("made");
            fs::copy(lib, to).expect("copied");
        }
    }
    for (file, text) in
        [("etc/own", "its own\n"), ("etc/ssh/key", "secret"), ("app/x", "app\n"), ("root/r", "private\n")]
    {
        fs::write(folder.join(file), text).expect("written");
    }
}

fn shows_it() {
    in_small_system(false);
}

fn shows_it_as_real_root() {
    in_small_system(true);
}

fn in_small_system(real_root: bool) {
    let folder = tempfile::tempdir().expect("a folder");
    small_system(folder.path());
    let rootfs = Some(folder.path().to_owned());
    let p = Place::with(&Options { rootfs, real_root, ..Default::default() });
    let m = p.machine();
    assert_eq!(
        m.out("cat /etc/own /app/x /etc/passwd; ls /root /home; stat -c %u /app/x"),
        "its own\napp\nroot:x:0:0:root:/root:/bin/sh\n/home:\n\n/root:\n0\n"
    );
    assert_eq!(
        m.out("for f in /etc/ssh/key /usr/bin/id /etc/profile; do test -e $f && echo $f; done; echo none"),
        "none\n"
    );
    // Our own program brings its libraries along.
    m.out("ls /usr > /app/y; echo '[Service]\nExecStart=/bin/sleep 1000' > /etc/systemd/system/s.service; systemctl start s");
    assert_eq!(m.out("systemctl is-active s; journalctl -u s"), "active\n");
    assert!(!folder.path().join("app/y").exists());
    p.room.power_off(m.spec.id).expect("off");
    p.room.boot(&m.spec).expect("boots again");
    assert_eq!(m.out("test -e /app/y && cat /app/x"), "app\n");
}

fn refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (system, dir) = (folder.path().join("sys"), folder.path().join("m"));
    let open = |system: &Path, dir: &Path| {
        let options = Options { rootfs: Some(system.to_owned()), ..Default::default() };
        let e = Namespaces::open(dir, &options).err().expect("refused");
        e.0.replace(&folder.path().display().to_string(), "T")
    };
    let mut said = vec![open(&system, &dir)];
    fs::create_dir_all(system.join("bin")).expect("made");
    said.push(open(&system, &dir));
    fs::create_dir_all(system.join("usr")).expect("made");
    // A link that leads to this computer's shell leads nowhere there.
    std::os::unix::fs::symlink("/usr/bin/env", system.join("bin/sh")).expect("linked");
    said.push(open(&system, &dir));
    fs::remove_file(system.join("bin/sh")).expect("gone");
    fs::write(system.join("bin/sh"), "").expect("written");
    said.push(open(&system, &system.join("usr/m")));
    expect_test::expect![[r#"
        T/sys is no root file system for machines: it cannot be opened (No such file or directory (os error 2)); fill it with debootstrap, or with what a container exports
        T/sys is no root file system for machines: it has no /usr; fill it with debootstrap, or with what a container exports
        T/sys is no root file system for machines: it has no /bin/sh (No such file or directory (os error 2)); fill it with debootstrap, or with what a container exports
        machines cannot live in T/sys/usr/m: T/sys/usr is part of their own file system; choose a folder elsewhere with --state"#]].assert_eq(&said.join("\n"));
    assert!(!dir.exists());
}
