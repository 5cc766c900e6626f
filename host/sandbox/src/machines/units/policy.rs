//! What an end means: success or failure, restart or not.
//!
//! Owns: Restart=, SuccessExitStatus= and their kin. Does not know states.

use super::super::init::Ended;
use super::file::UnitFile;

/// Whether an end counts as success.
pub(crate) fn clean(f: &UnitFile, e: Ended) -> bool {
    let also: Vec<&str> = f.all("SuccessExitStatus").flat_map(str::split_whitespace).collect();
    match (e.exited(), e.signal()) {
        (Some(code), _) => code == 0 || also.iter().any(|w| w.parse() == Ok(code)),
        (None, Some(s)) => {
            matches!(s, libc::SIGHUP | libc::SIGINT | libc::SIGTERM | libc::SIGPIPE)
                || also.iter().any(|w| signal_number(w) == Some(s))
        }
        _ => false,
    }
}

/// systemd's word for it.
pub(crate) fn failure(e: Ended) -> &'static str {
    if e.signal().is_some() { "signal" } else { "exit-code" }
}

/// What Restart= says about such an end.
pub(crate) fn restarts(f: &UnitFile, e: Option<Ended>, ok: bool) -> bool {
    let killed = e.and_then(Ended::signal).is_some();
    if e.and_then(Ended::exited)
        .is_some_and(|c| f.all("RestartPreventExitStatus").flat_map(str::split_whitespace).any(|w| w.parse() == Ok(c)))
    {
        return false;
    }
    match f.get("Restart").unwrap_or("no") {
        "always" => true,
        "on-success" => ok,
        "on-failure" => !ok,
        "on-abnormal" | "on-abort" => !ok && killed,
        _ => false,
    }
}

/// A signal by its name, with or without SIG, or number.
pub(crate) fn signal_number(name: &str) -> Option<i32> {
    Some(match name.strip_prefix("SIG").unwrap_or(name) {
        "HUP" | "1" => libc::SIGHUP,
        "INT" | "2" => libc::SIGINT,
        "QUIT" | "3" => libc::SIGQUIT,
        "ABRT" | "6" => libc::SIGABRT,
        "KILL" | "9" => libc::SIGKILL,
        "USR1" | "10" => libc::SIGUSR1,
        "USR2" | "12" => libc::SIGUSR2,
        "TERM" | "15" => libc::SIGTERM,
        "CONT" | "18" => libc::SIGCONT,
        "WINCH" | "28" => libc::SIGWINCH,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends() {
        let mut f = UnitFile::default();
        f.parse("Restart=on-failure\nSuccessExitStatus=143 KILL\nRestartPreventExitStatus=7", "x");
        let exit = |code: i32| Ended(code << 8);
        assert!(
            clean(&f, exit(0))
                && clean(&f, exit(143))
                && clean(&f, Ended(libc::SIGTERM))
                && clean(&f, Ended(libc::SIGKILL))
        );
        assert!(!clean(&f, exit(1)) && !clean(&f, Ended(libc::SIGSEGV)));
        assert!(
            restarts(&f, Some(exit(1)), false)
                && !restarts(&f, Some(exit(7)), false)
                && !restarts(&f, Some(exit(0)), true)
        );
    }
}
