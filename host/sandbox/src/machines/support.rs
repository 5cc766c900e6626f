//! What this computer allows: in which mode machines would run, and what is lost there.
//!
//! Owns: the probe, which starts one process for a moment and leaves nothing. Does not start a room.

use super::protocol::Mode;
use super::{firewall, ids, start, sys};
use std::fs;
use std::path::Path;

/// What machines would be like on this computer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Support {
    pub mode: Mode,
    /// What does not work in this mode, one sentence each.
    pub lost: Vec<String>,
    /// Firewalls can be enforced: `nft` is there.
    pub firewalls: bool,
    /// Why machines share root with this computer, where they do.
    pub refused: Option<String>,
}

/// How machines run in a mode; follows "machines run".
pub(crate) fn about(mode: Mode, refused: Option<&str>) -> String {
    let how = match mode {
        Mode::Mapped => "in user namespaces, with ids that nobody has here",
        Mode::Root => "as root of this computer, less a few rights",
        Mode::Range => "in user namespaces, with your ids of /etc/subuid",
        Mode::Single => "in user namespaces, with your own id as their only one",
    };
    refused.map_or_else(|| how.to_owned(), |why| format!("{how}: {why}"))
}

impl Support {
    /// How machines would run; follows "machines run".
    pub fn about(&self) -> String {
        about(self.mode, self.refused.as_deref())
    }
}

/// Why nothing works, and what to do.
fn hopeless(why: &str) -> String {
    format!("this computer cannot run sandbox machines: {why}; use --machines simulated")
}

pub(crate) fn probe() -> Result<Support, String> {
    let overlay = fs::read_to_string("/proc/filesystems").is_ok_and(|t| t.lines().any(|l| l.ends_with("\toverlay")));
    // A kernel with overlayfs as a module lists it only once it is loaded.
    if !overlay && !Path::new("/lib/modules").exists() {
        return Err(hopeless("its kernel has no overlayfs"));
    }
    let mut refused = None;
    let mode = if sys::effective_uid() == 0 {
        refused = start::probe_own_users().err().map(|e| e.0);
        if refused.is_some() { Mode::Root } else { Mode::Mapped }
    } else if ids::granted_to_us().is_some() {
        Mode::Range
    } else {
        Mode::Single
    };
    try_namespaces(mode)?;
    let firewalls = firewall::program().is_some();
    let mut lost = Vec::new();
    if !mode.knows_owners() {
        lost.push(
            "files of this computer outside /etc cannot be edited in place inside a machine, only replaced".to_owned(),
        );
        lost.push("setuid programs do not work inside a machine".to_owned());
    }
    if mode == Mode::Single {
        lost.push("a machine has root as its only user: install newuidmap (Debian: apt-get install uidmap) and have lines in /etc/subuid and /etc/subgid".to_owned());
    }
    if !firewalls {
        lost.push("Cloud Firewalls are not enforced: install nft (Debian: apt-get install nftables)".to_owned());
    }
    Ok(Support { mode, lost, firewalls, refused })
}

/// Makes the room's namespaces in a child that ends at once.
fn try_namespaces(mode: Mode) -> Result<(), String> {
    let mut flags = libc::CLONE_NEWNS | libc::CLONE_NEWNET | libc::CLONE_NEWPID | libc::CLONE_NEWIPC;
    if mode.has_own_users() {
        flags |= libc::CLONE_NEWUSER;
    }
    let exe = sys::open_self().map_err(|e| hopeless(&format!("cannot open our own program: {e}")))?;
    let (go, end) = sys::pipe().map_err(|e| hopeless(&format!("cannot make a pipe: {e}")))?;
    drop(end); // the child finds the pipe's end instead of a go, and exits
    let go_fd = std::os::fd::AsRawFd::as_raw_fd(&go);
    let spawn = sys::Spawn {
        flags,
        exe: std::os::fd::AsRawFd::as_raw_fd(&exe),
        argv: &[],
        keep: &[],
        die_with_thread: true,
        go: Some(go_fd),
    };
    match sys::spawn(&spawn) {
        Ok(pid) => {
            let _ = sys::wait_for(pid);
        }
        Err(e) => return Err(hopeless(&refused(&e))),
    }
    // Ubuntu lets everybody make a user namespace, and then takes its rights away.
    let restricted =
        fs::read_to_string("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").is_ok_and(|t| t.trim() == "1");
    if restricted && !mode.knows_owners() {
        return Err(hopeless(
            "AppArmor restricts user namespaces (sysctl kernel.apparmor_restrict_unprivileged_userns=0 allows them)",
        ));
    }
    Ok(())
}

/// What the kernel's numbers mean here; "no space left on device" would send a user to look at disks.
fn refused(error: &std::io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::ENOSPC) => {
            "it may have no more namespaces, or none at all (`sysctl user` shows the limits, as max_user_namespaces)"
                .into()
        }
        Some(libc::EPERM) => "its kernel or container forbids namespaces to this user (run as root; on Debian \
            `sysctl kernel.unprivileged_userns_clone=1`; in a container start it with --privileged)"
            .into(),
        _ => format!("its kernel refuses namespaces ({error})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_its_cause() {
        let text = |number| hopeless(&refused(&std::io::Error::from_raw_os_error(number)));
        expect_test::expect![[r#"
            this computer cannot run sandbox machines: it may have no more namespaces, or none at all (`sysctl user` shows the limits, as max_user_namespaces); use --machines simulated
            this computer cannot run sandbox machines: its kernel or container forbids namespaces to this user (run as root; on Debian `sysctl kernel.unprivileged_userns_clone=1`; in a container start it with --privileged); use --machines simulated
            this computer cannot run sandbox machines: its kernel refuses namespaces (Invalid argument (os error 22)); use --machines simulated"#]]
            .assert_eq(&[text(libc::ENOSPC), text(libc::EPERM), text(libc::EINVAL)].join("\n"));
    }
}
