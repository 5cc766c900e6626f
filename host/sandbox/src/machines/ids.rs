//! Who is who in a room's user namespace.
//!
//! Owns: the range of ids that /etc/subuid grants an ordinary user, the one that root takes because nobody has it, and
//! writing either into a new namespace. Does not know what runs there.
//!
//! Root takes one range for a whole room: all files of a folder then have owners that the room may change and remove, and
//! a machine's disk needs no record of its range. What keeps machines from each other is a namespace of each one's own,
//! in which the same ids mean the same; see `nursery.rs`.

use super::fail::{Because, Result, fail};
use super::protocol::Mode;
use super::sys;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::Command;

/// As many as a system's own ids have, `nobody` among them.
const LENGTH: u32 = 0x1_0000;
/// Where systemd has containers' ids, and no distribution people's.
const FIRST: u32 = 0x8_0000;
const END: u32 = 0x7000_0000;

/// The first id of the range for a folder's room: that of its disks, or of one that nobody has, different from most
/// other folders'.
pub(crate) fn range_for(dir: &Path) -> u32 {
    if let Some(owner) = owner_of_disks(dir).filter(|owner| *owner >= FIRST) {
        return owner;
    }
    let read = |name: &str| fs::read_to_string(name).unwrap_or_default();
    let mut taken: Vec<(u64, u64)> = Vec::new();
    for name in ["/etc/subuid", "/etc/subgid"] {
        taken.extend(granted(&read(name)));
    }
    for name in ["/etc/passwd", "/etc/group"] {
        taken.extend(accounts(&read(name)));
    }
    let mut hash = DefaultHasher::new();
    dir.hash(&mut hash);
    unused(hash.finish(), &taken)
}

/// Who owns a folder's disks, if there are any.
pub(crate) fn owner_of_disks(dir: &Path) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    let disks = dir.join("disks");
    fs::read_dir(&disks).ok()?.next()?.ok()?;
    fs::metadata(&disks).ok().map(|m| m.uid())
}

fn granted(text: &str) -> impl Iterator<Item = (u64, u64)> + '_ {
    text.lines().filter_map(|l| {
        let mut fields = l.split(':').skip(1).map(|f| f.trim().parse().ok());
        Some((fields.next()??, fields.next()??))
    })
}

fn accounts(text: &str) -> impl Iterator<Item = (u64, u64)> + '_ {
    text.lines().filter_map(|l| Some((l.split(':').nth(2)?.parse().ok()?, 1)))
}

/// From a place that `hash` chooses, the next range without an id of those taken: (first, how many).
fn unused(hash: u64, taken: &[(u64, u64)]) -> u32 {
    let places = u64::from((END - FIRST) / LENGTH);
    let at = |n: u64| u64::from(FIRST) + (hash.wrapping_add(n) % places) * u64::from(LENGTH);
    let free = |first: &u64| {
        taken.iter().all(|(start, count)| start.saturating_add(*count) <= *first || *start >= first + u64::from(LENGTH))
    };
    // Where everything is taken the ids are somebody's, which is still better than root's.
    let first = (0..places).map(at).find(free).unwrap_or_else(|| at(0));
    u32::try_from(first).unwrap_or(FIRST)
}

/// Says who is who in the new user namespace of a process that waits.
pub(crate) fn map(pid: i32, mode: Mode, first: u32) -> Result<()> {
    let (uid, gid) = (sys::user_id(), sys::group_id());
    let write = |file: &str, text: String| {
        fs::write(format!("/proc/{pid}/{file}"), text).because(|| format!("cannot write the room's {file}"))
    };
    match mode {
        Mode::Root => Ok(()),
        Mode::Mapped => {
            write("uid_map", format!("0 {first} {LENGTH}"))?;
            write("gid_map", format!("0 {first} {LENGTH}"))
        }
        Mode::Range => {
            let (uid_start, gid_start, length) =
                granted_to_us().because(|| "the range of ids in /etc/subuid is gone")?;
            for (tool, id, start) in [("newuidmap", uid, uid_start), ("newgidmap", gid, gid_start)] {
                let [pid, id] = [pid.to_string(), id.to_string()];
                let args = [pid.as_str(), "0", &id, "1", "1", &start, &length];
                let out = Command::new(tool).args(args).output().because(|| format!("cannot run {tool}"))?;
                if !out.status.success() {
                    let why = String::from_utf8_lossy(&out.stderr);
                    return fail(format!("{tool} refuses the range of ids: {}", why.trim()));
                }
            }
            Ok(())
        }
        Mode::Single => {
            write("setgroups", "deny".to_owned())?;
            write("uid_map", format!("0 {uid} 1"))?;
            write("gid_map", format!("0 {gid} 1"))
        }
    }
}

/// Gives the new user namespace of a process the ids of this one, under the same numbers.
pub(crate) fn map_as_here(pid: i32) -> std::io::Result<()> {
    for file in ["uid_map", "gid_map"] {
        let ours = fs::read_to_string(format!("/proc/self/{file}"))?;
        fs::write(format!("/proc/{pid}/{file}"), same(&ours))?;
    }
    Ok(())
}

/// A map of ids onto themselves, for all that a map has.
fn same(map: &str) -> String {
    let line = |l: &str| {
        let [inside, _, length] = l.split_whitespace().collect::<Vec<_>>()[..] else { return None };
        Some(format!("{inside} {inside} {length}\n"))
    };
    map.lines().filter_map(line).collect()
}

/// A user namespace with root's range and nobody in it: it tells the kernel whose files are whose in a mount.
pub(crate) fn namespace(first: u32) -> Result<File> {
    let exe = sys::open_self().because(|| "cannot open our own program")?;
    let (go, end) = sys::pipe().because(|| "cannot make a pipe")?;
    let pid = sys::spawn(&sys::Spawn {
        flags: libc::CLONE_NEWUSER,
        exe: exe.as_raw_fd(),
        argv: &[],
        keep: &[],
        die_with_thread: true,
        go: Some(go.as_raw_fd()),
    })
    .because(|| "cannot make a user namespace")?;
    let made = map(pid, Mode::Mapped, first).and_then(|()| {
        let path = format!("/proc/{pid}/ns/user");
        File::open(&path).because(|| format!("cannot open {path}"))
    });
    // The namespace lives on in the file.
    drop(end);
    let _ = sys::kill(pid, libc::SIGKILL);
    let _ = sys::wait_for(pid);
    made
}

/// A range of ids that the system grants this user: (user start, group start, length).
pub(crate) fn granted_to_us() -> Option<(String, String, String)> {
    let tools = ["newuidmap", "newgidmap"].iter().all(|t| Command::new(t).output().is_ok());
    let (uid_start, length) = own_line(&fs::read_to_string("/etc/subuid").ok()?)?;
    let (gid_start, length2) = own_line(&fs::read_to_string("/etc/subgid").ok()?)?;
    let shorter = if length.parse::<u64>().ok()? <= length2.parse::<u64>().ok()? { length } else { length2 };
    tools.then_some((uid_start, gid_start, shorter))
}

fn own_line(text: &str) -> Option<(String, String)> {
    let uid = sys::user_id().to_string();
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let me = passwd.lines().find(|l| l.split(':').nth(2) == Some(&uid)).and_then(|l| l.split(':').next());
    let line = text.lines().find(|l| l.split(':').next().is_some_and(|n| Some(n) == me || n == uid))?;
    let mut f = line.split(':').skip(1).map(str::to_owned);
    f.next().zip(f.next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_ids_one_level_down() {
        assert_eq!(same("         0       1000          1\n         1     100000      65536\n"), "0 0 1\n1 1 65536\n");
    }

    #[test]
    fn a_range_that_nobody_has() {
        let taken: Vec<_> = granted("ann:524288:65536\nbob:589824:65536\n# none\nbroken:x\n")
            .chain(accounts("root:x:0:0::/root:/bin/sh\nldap:x:655361:1::/:/bin/sh\n"))
            .collect();
        assert_eq!(taken, [(524_288, 65_536), (589_824, 65_536), (0, 1), (655_361, 1)]);
        let places = u64::from((END - FIRST) / LENGTH);
        let seen = [0, 1, 2, 3, places - 1, places, u64::MAX].map(|hash| unused(hash, &taken));
        // The first three are taken.
        let last = END - LENGTH;
        assert_eq!(seen[..6], [720_896, 720_896, 720_896, 720_896, last, 720_896]);
        assert!((FIRST..=last).contains(&seen[6]), "{}", seen[6]);
        assert_eq!(unused(5, &[(0, u64::MAX)]), FIRST + 5 * LENGTH);
    }
}
