//! The layer between this computer's files and every machine's disk, made once per room.
//!
//! Owns: what of this computer machines do not see. The rule: a machine sees what every user of this computer may read,
//! less the places that hold its state and keys. Does not mount.
//!
//! In an ordinary user's namespace the layer holds all directories too: a file whose owner has no id there cannot be copied up
//! (EOVERFLOW), nor can the directory it lies in, so that even creating a file next to it fails. Directories of ours on
//! top cure that; files of /etc and of dpkg, which are often edited in place, are copied whole.

use super::fail::{Because, Result, fail};
use super::protocol::Mode;
use super::sys;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};

/// Top-level directories shown copy-on-write (or, where they are symlinks, copied as such).
pub(crate) const SHARED: [&str; 9] = ["usr", "etc", "var", "opt", "bin", "sbin", "lib", "lib64", "lib32"];

/// Top-level directories that are each machine's own, or the kernel's, whatever a system has there.
const PRIVATE: [&str; 12] =
    ["root", "home", "srv", "mnt", "media", "tmp", "run", "proc", "sys", "dev", "boot", "lost+found"];

/// Directories that start empty, whatever their mode here: state, logs and keys of this computer, and units that would
/// start at a machine's boot. The mode is the machine's.
const EMPTIED: [(&str, u32); 20] = [
    ("etc/ssh", 0o755),
    ("etc/ssl/private", 0o710),
    ("etc/letsencrypt", 0o700),
    ("etc/kubernetes", 0o755),
    ("etc/rancher", 0o755),
    ("etc/wireguard", 0o700),
    ("etc/cloud", 0o755),
    ("etc/cron.d", 0o755),
    ("etc/systemd/system", 0o755),
    ("var/log", 0o755),
    ("var/tmp", 0o1777),
    ("var/spool", 0o755),
    ("var/mail", 0o775),
    ("var/backups", 0o755),
    ("var/crash", 0o755),
    ("var/lib/cloud", 0o755),
    ("var/lib/docker", 0o710),
    ("var/lib/containerd", 0o711),
    ("var/lib/kubelet", 0o755),
    ("var/lib/private", 0o700),
];

/// Folders of /proc/sys that are the whole kernel's and that recipes set all the same.
pub(crate) const SETTINGS: [&str; 2] = ["vm", "fs"];

/// How deep the search for what is not everybody's to read goes; deeper trees are programs' data.
const DEPTH: u32 = 12;
/// How deep /usr's directories are made anew in a user namespace: where packages put theirs, 3,000 instead of 17,000.
const USR_DEPTH: u32 = 3;

/// Makes the layer below `dir/layer`. It is made anew, so that what may be read by now shows: but for /usr in a user
/// namespace, where many directories are, all that an earlier room made, and new ones show through.
pub(crate) fn make(dir: &Path, mode: Mode, base: &Path) -> Result<()> {
    let layer = dir.join("layer");
    let (of, done) = (layer.join("of"), layer.join("usr-is-done"));
    let name = base.display().to_string();
    if !fs::read_to_string(&of).is_ok_and(|last| last == name) {
        remove(&layer)?;
    }
    for name in ["etc", "var", "opt"] {
        remove(&layer.join(name))?;
    }
    if mode.knows_owners() {
        remove(&layer.join("usr"))?;
        let _ = fs::remove_file(&done); // of a room that an ordinary user made
    }
    for name in ["usr", "etc", "var", "opt"] {
        make_dir(&layer.join(name), 0o755)?;
    }
    fs::write(&of, name).because(|| format!("cannot write {}", of.display()))?;
    let walk = Walk { mode, base, skip: fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned()) };
    for name in ["etc", "var", "opt"] {
        walk.directory(&base.join(name), &layer.join(name), 0)?;
    }
    if mode.knows_owners() {
        walk.directory(&base.join("usr/local/etc"), &layer.join("usr/local/etc"), 0)?;
    } else if !done.exists() {
        walk.directory(&base.join("usr"), &layer.join("usr"), 0)?;
        fs::write(&done, "").because(|| format!("cannot write {}", done.display()))?;
    }
    for (path, mode_bits) in EMPTIED {
        let d = layer.join(path);
        remove(&d)?;
        let needed = ["etc/ssh", "etc/systemd/system", "var/log", "var/tmp"].contains(&path);
        if needed || base.join(path).is_dir() {
            make_dir(&d, mode_bits)?;
            opaque(&d, mode)?;
        }
    }
    for name in SETTINGS {
        let to = layer.join("settings").join(name);
        make_dir(&to, 0o755)?;
        settings(&Path::new("/proc/sys").join(name), &to, 0);
    }
    accounts(base, &layer.join("etc"))
}

/// The top-level directories that machines show of a system, and links among them. Of this computer that is its
/// programs; of a system made for machines it is all but what is private to each.
pub(crate) fn names(base: &Path) -> Result<Vec<String>> {
    if base == Path::new("/") {
        return Ok(SHARED.map(str::to_owned).to_vec());
    }
    let cannot = || format!("cannot read the root file system {}", base.display());
    let mut names: Vec<String> = ["usr", "etc", "var", "opt"].map(str::to_owned).to_vec();
    for e in fs::read_dir(base).because(cannot)? {
        let e = e.because(cannot)?;
        let kind = e.file_type().because(cannot)?;
        if let Ok(name) = e.file_name().into_string()
            && (kind.is_dir() || kind.is_symlink())
            && !PRIVATE.contains(&name.as_str())
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    Ok(names)
}

/// A folder as a system for machines, or why it is none.
pub(crate) fn system(folder: &Path) -> Result<PathBuf> {
    let why = |why: &str| {
        format!(
            "{} is no root file system for machines: {why}; fill it with debootstrap, or with what a container exports",
            folder.display()
        )
    };
    let base = match fs::canonicalize(folder) {
        Ok(base) => base,
        Err(e) => return fail(why(&format!("it cannot be opened ({e})"))),
    };
    if !base.join("usr").is_dir() {
        return fail(why("it has no /usr"));
    }
    // As seen from inside: /bin and /bin/sh are often links.
    if let Err(e) = sys::open_below(&base, Path::new("bin/sh")) {
        return fail(why(&format!("it has no /bin/sh ({e})")));
    }
    Ok(base)
}

/// Removes a folder with all that is in it, if it is there.
pub(crate) fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            Err(e).because(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// Copies a folder of kernel settings with what they say now; what cannot be read is left out.
fn settings(from: &Path, to: &Path, depth: u32) {
    for e in fs::read_dir(from).into_iter().flatten().flatten() {
        let target = to.join(e.file_name());
        match e.file_type() {
            Ok(t) if t.is_dir() && depth < 2 => {
                let _ = make_dir(&target, 0o755);
                settings(&e.path(), &target, depth + 1);
            }
            // Reading this one makes every processor do something.
            Ok(t) if t.is_file() && e.file_name() != "stat_refresh" => {
                let _ = fs::read(e.path()).and_then(|text| fs::write(target, text));
            }
            _ => {}
        }
    }
}

struct Walk<'a> {
    mode: Mode,
    /// Whose files these are.
    base: &'a Path,
    /// Our own folder: never shown, whatever its mode.
    skip: PathBuf,
}

impl Walk<'_> {
    /// What we cannot read is left out: a machine cannot either, or it is hidden by its parent. What cannot be hidden is
    /// an error: it would show.
    fn directory(&self, from: &Path, to: &Path, depth: u32) -> Result<()> {
        let Ok(entries) = fs::read_dir(from) else { return Ok(()) };
        let owners = self.mode.knows_owners();
        let inside = from.strip_prefix(self.base).unwrap_or(from);
        let whole = !owners && ["etc", "var/lib/dpkg", "var/cache/apt"].iter().any(|d| inside.starts_with(d));
        let deepest = if inside.starts_with("usr") && !owners { USR_DEPTH } else { DEPTH };
        for e in entries.flatten() {
            let (path, target) = (e.path(), to.join(e.file_name()));
            let Ok(meta) = e.metadata() else { continue }; // of a link itself
            let everybodys = meta.mode() & if meta.is_dir() { 0o5 } else { 0o4 };
            if meta.is_dir() {
                if everybodys != 0o5 || path == self.skip {
                    self.hidden_directory(&path, &target, &meta)?;
                } else if depth < deepest {
                    if !owners {
                        let _ = make_dir(&target, meta.mode() & 0o7777 | 0o700);
                    }
                    self.directory(&path, &target, depth + 1)?;
                }
            } else if meta.is_file() && everybodys == 0 {
                self.hidden_file(&path, &target, &meta)
                    .because(|| format!("cannot hide {} from machines", path.display()))?;
            } else if whole && fs::symlink_metadata(&target).is_err() {
                let _ = if meta.is_symlink() {
                    fs::read_link(&path).and_then(|l| symlink(l, &target))
                } else {
                    copy_file(&path, &target, &meta)
                };
            }
        }
        Ok(())
    }

    /// An empty directory in its place, with the same owner and mode.
    fn hidden_directory(&self, from: &Path, target: &Path, meta: &fs::Metadata) -> Result<()> {
        self.parents(from, target);
        make_dir(target, if self.mode.knows_owners() { meta.mode() & 0o7777 } else { meta.mode() & 0o7777 | 0o700 })?;
        self.own(target, meta);
        opaque(target, self.mode)
    }

    /// An empty file in its place, with the same owner and mode.
    fn hidden_file(&self, from: &Path, target: &Path, meta: &fs::Metadata) -> io::Result<()> {
        self.parents(from, target);
        fs::write(target, "")?;
        self.own(target, meta);
        fs::set_permissions(target, fs::Permissions::from_mode(meta.mode() & 0o1777))
    }

    /// As root the layer has only what is needed; a directory in it gives its owner and mode to what machines see.
    fn parents(&self, from: &Path, target: &Path) {
        let (Some(from), Some(target)) = (from.parent(), target.parent()) else { return };
        if target.exists() {
            return;
        }
        self.parents(from, target);
        if fs::create_dir(target).is_ok()
            && let Ok(meta) = fs::metadata(from)
        {
            self.own(target, &meta);
            let _ = fs::set_permissions(target, fs::Permissions::from_mode(meta.mode() & 0o7777));
        }
    }

    fn own(&self, target: &Path, meta: &fs::Metadata) {
        if self.mode.knows_owners() {
            let _ = lchown(target, Some(meta.uid()), Some(meta.gid()));
        }
    }
}

fn copy_file(from: &Path, to: &Path, meta: &fs::Metadata) -> io::Result<()> {
    if meta.is_file() {
        fs::copy(from, to)?;
    }
    Ok(())
}

/// Accounts: this computer's system users, none of its people, no passwords.
fn accounts(base: &Path, etc: &Path) -> Result<()> {
    // A small system may have no accounts at all.
    let or = |text: String, root: &str| {
        if text.lines().any(|l| l.starts_with("root:")) { text } else { root.to_owned() + &text }
    };
    let passwd = or(read(&base.join("etc/passwd")), "root:x:0:0:root:/root:/bin/sh\n");
    let group = or(read(&base.join("etc/group")), "root:x:0:\n");
    for (file, text, mode) in [
        ("passwd", system_only(&passwd), 0o644),
        ("group", system_only(&group), 0o644),
        ("shadow", locked(&passwd, "*:20000:0:99999:7:::"), 0o640),
        ("gshadow", locked(&group, "*::"), 0o640),
        ("shadow-", String::new(), 0o600),
        ("gshadow-", String::new(), 0o600),
        ("sudoers", "root ALL=(ALL:ALL) ALL\n%sudo ALL=(ALL:ALL) NOPASSWD: ALL\n".to_owned(), 0o440),
        ("fstab", String::new(), 0o644),
        ("machine-id", String::new(), 0o444),
    ] {
        let path = etc.join(file);
        let _ = fs::remove_file(&path);
        fs::write(&path, text).because(|| format!("cannot write {}", path.display()))?;
        let _ = fs::set_permissions(&path, fs::Permissions::from_mode(mode));
    }
    Ok(())
}

fn read(path: &Path) -> String {
    fs::read(path).map(|b| String::from_utf8_lossy(&b).into_owned()).unwrap_or_default()
}

/// Lines of passwd or group whose id is not a person's (1000 to 59999, as Debian has it).
fn system_only(text: &str) -> String {
    let system = |l: &&str| {
        !l.split(':').nth(2).and_then(|id| id.parse().ok()).is_some_and(|id: u32| (1000..60000).contains(&id))
    };
    text.lines().filter(system).map(|l| format!("{l}\n")).collect()
}

/// A line for shadow or gshadow for every account that stays: no password fits.
fn locked(text: &str, rest: &str) -> String {
    system_only(text).lines().filter_map(|l| l.split(':').next()).map(|name| format!("{name}:{rest}\n")).collect()
}

/// A directory and its parents, with exactly this mode.
pub(crate) fn make_dir(p: &Path, mode: u32) -> Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(p)
        .because(|| format!("cannot make the folder {}", p.display()))?;
    fs::set_permissions(p, fs::Permissions::from_mode(mode))
        .because(|| format!("cannot set the mode of {}", p.display()))
}

/// Marks a directory of a layer so that nothing below it shows through.
pub(crate) fn opaque(p: &Path, mode: Mode) -> Result<()> {
    let name = if mode.has_own_users() { "user.overlay.opaque" } else { "trusted.overlay.opaque" };
    sys::set_attribute(p, name, b"y").because(|| {
        format!(
            "cannot hide what lies below {}; the folder must be on a file system with extended attributes",
            p.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn accounts_lose_people_and_passwords() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\nann:x:1000:1000::/home/ann:/bin/bash\nnobody:x:65534:65534::/:/bin/false\n";
        expect![[r#"
            root:x:0:0:root:/root:/bin/bash
            nobody:x:65534:65534::/:/bin/false
        "#]]
        .assert_eq(&system_only(passwd));
        expect![[r#"
            root:*:20000:0:99999:7:::
            nobody:*:20000:0:99999:7:::
        "#]]
        .assert_eq(&locked(passwd, "*:20000:0:99999:7:::"));
    }

    fn write(path: &Path, mode: u32) {
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs::write(path, "text").expect("written");
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("mode");
    }

    #[test]
    fn what_is_hidden_shows_again_when_everybody_may_read_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let (base, dir) = (folder.path().join("base"), folder.path().join("m"));
        let (app, file) = (base.join("opt/app"), base.join("opt/file"));
        write(&app.join("x"), 0o644);
        write(&file, 0o600);
        let mut seen = String::new();
        for mode in [0o700, 0o755] {
            fs::set_permissions(&app, fs::Permissions::from_mode(mode)).expect("mode");
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("mode");
            make(&dir, Mode::Single, &base).expect("a layer");
            let entries = fs::read_dir(dir.join("layer/opt")).expect("a folder").map(|e| e.expect("one").file_name());
            let mut names: Vec<_> = entries.map(|e| e.to_string_lossy().into_owned()).collect();
            names.sort();
            seen += &format!("{mode:o}: {names:?}\n");
        }
        // An ordinary user's layer has all directories.
        expect![[r#"
            700: ["app", "file"]
            755: ["app"]
        "#]]
        .assert_eq(&seen);
    }

    #[test]
    fn what_cannot_be_hidden_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let base = folder.path();
        let walk = Walk { mode: Mode::Single, base, skip: PathBuf::new() };
        let failed = |name: &str| {
            let e = walk.directory(&base.join(name), Path::new("/dev/null/layer"), 0).expect_err("it would show");
            e.0.replace(&base.display().to_string(), "T")
        };
        write(&base.join("etc/secret"), 0o600);
        fs::create_dir_all(base.join("var/secrets")).expect("made");
        fs::set_permissions(base.join("var/secrets"), fs::Permissions::from_mode(0o700)).expect("mode");
        expect![[r#"
            cannot hide T/etc/secret from machines: Not a directory (os error 20)
            cannot make the folder /dev/null/layer/secrets: Not a directory (os error 20)"#]]
        .assert_eq(&format!("{}\n{}", failed("etc"), failed("var")));
    }
}
