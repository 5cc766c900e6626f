//! The roles our binary plays besides its own: the machine room, a machine's init, the shims inside a machine.
//!
//! Owns: telling them apart by the arguments. Does not know what they do. The sandbox starts the very binary it runs in
//! again (`/proc/self/exe`), so each such binary must call [`run_if_role`] first.

#[cfg(target_os = "linux")]
use crate::machines::role;

/// Plays the role the arguments ask for and answers its exit code; `None`: an ordinary start.
///
/// To be called first in `main`, before threads, loggers or runtimes exist.
#[cfg(target_os = "linux")]
pub fn run_if_role() -> Option<i32> {
    let argv: Vec<String> = std::env::args_os()
        .map(std::ffi::OsString::into_string)
        .map(|a| a.unwrap_or_else(|a| a.to_string_lossy().into_owned()))
        .collect();
    let name = argv.first()?.rsplit('/').next().unwrap_or_default();
    if let "systemctl" | "journalctl" | "cloud-init" | "poweroff" | "reboot" | "halt" | "shutdown" = name {
        return Some(role::shim(name, &argv[1..]));
    }
    match (argv.get(1).map(String::as_str)?, argv.get(2)) {
        (role::ROOM, Some(a)) => Some(role::room(a)),
        (role::SFTP, None) => Some(role::sftp()),
        _ => None,
    }
}

/// There are no machines but on Linux, so there are no roles.
#[cfg(not(target_os = "linux"))]
pub fn run_if_role() -> Option<i32> {
    None
}
