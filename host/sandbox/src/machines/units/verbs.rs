//! What `systemctl` can be told, and what it prints.
//!
//! Owns: verbs, options, exit codes. Does not know how services run.

use super::super::init::Power;
use super::Told;
use super::file::{ETC, UnitFile, name_of};
use super::manager::{Manager, State};
use super::policy::signal_number;
use super::show::{list_files, list_units, show, status, word};
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

/// Services of a real system that init itself does here: they are always active.
const BUILT_IN: [&str; 2] = ["ssh", "sshd"];
/// Verbs anybody may use.
const HARMLESS: [&str; 12] = [
    "status",
    "is-active",
    "is-enabled",
    "is-failed",
    "show",
    "list-units",
    "list-unit-files",
    "cat",
    "is-system-running",
    "get-default",
    "help",
    "--version",
];

/// A command line taken apart.
#[derive(Default)]
pub(crate) struct Line<'a> {
    pub(crate) verb: &'a str,
    pub(crate) units: Vec<String>,
    pub(crate) now: bool,
    pub(crate) quiet: bool,
    pub(crate) value: bool,
    pub(crate) properties: Vec<&'a str>,
    pub(crate) state: Option<&'a str>,
    pub(crate) no_legend: bool,
    pub(crate) signal: Option<&'a str>,
    pub(crate) lines: Option<&'a str>,
}

/// `systemctl poweroff` and `reboot`.
pub(crate) fn power(args: &[String]) -> Option<Power> {
    match args.iter().find(|a| !a.starts_with('-'))?.as_str() {
        "poweroff" | "halt" => Some(Power::Off),
        "reboot" => Some(Power::Reboot),
        _ => None,
    }
}

fn take_apart(args: &[String]) -> Line<'_> {
    let mut l = Line::default();
    let mut it = args.iter().map(String::as_str);
    while let Some(a) = it.next() {
        let (name, given) = a.split_once('=').map_or((a, None), |(n, v)| (n, Some(v)));
        match name {
            "--now" => l.now = true,
            "-q" | "--quiet" => l.quiet = true,
            "--value" => l.value = true,
            "--no-legend" => l.no_legend = true,
            "-p" | "--property" | "-P" => {
                l.value |= name == "-P";
                l.properties.extend(given.or_else(|| it.next()).unwrap_or_default().split(','));
            }
            "--state" => l.state = given.or_else(|| it.next()),
            "-s" | "--signal" => l.signal = given.or_else(|| it.next()),
            "-n" | "--lines" => l.lines = given.or_else(|| it.next()),
            "-t" | "--type" | "-o" | "--output" | "--kill-whom" | "--job-mode" => drop(given.or_else(|| it.next())),
            _ if a.starts_with("-p") && a.len() > 2 => l.properties.extend(a[2..].split(',')),
            "--version" => l.verb = "--version",
            _ if a.starts_with('-') => {}
            _ if l.verb.is_empty() => l.verb = a,
            _ => l.units.push(name_of(a)),
        }
    }
    if l.verb.is_empty() {
        l.verb = "list-units";
    }
    l
}

pub(crate) async fn run(m: &Manager, args: &[String], root: bool) -> Told {
    let l = take_apart(args);
    let mut t = Told::default();
    if !root && !HARMLESS.contains(&l.verb) {
        return Told { code: 1, err: "Access denied: only root may do that.\n".to_owned(), ..t };
    }
    match l.verb {
        "daemon-reload" | "daemon-reexec" | "preset" | "help" => {}
        "--version" => t.out = "systemd 252 (linodetool sandbox)\n".to_owned(),
        "get-default" => t.out = "multi-user.target\n".to_owned(),
        "is-system-running" => {
            let degraded = m.known().values().any(|u| u.state == State::Failed);
            (t.out, t.code) = if degraded { ("degraded\n".to_owned(), 1) } else { ("running\n".to_owned(), 0) };
        }
        "reset-failed" if l.units.is_empty() => m.reset(None),
        "list-units" => list_units(m, &l, &mut t),
        "list-unit-files" => list_files(&l, &mut t),
        "show" if l.units.is_empty() => t.out = "Version=252 (linodetool sandbox)\n".to_owned(),
        _ if l.units.is_empty() => (t.code, t.err) = (1, "Too few arguments.\n".to_owned()),
        "start" | "enable" if l.verb == "start" || l.now => {
            if l.verb == "enable" {
                enable(&l.units, &mut t);
            }
            let units: Vec<String> = l.units.iter().filter(|u| !built_in(u)).cloned().collect();
            note(&mut t, m.start_all(units).await);
        }
        _ => {
            let mut best = i32::MAX;
            for u in &l.units {
                let code = one(m, &l, u, &mut t).await;
                best = best.min(code);
                t.code = t.code.max(code);
            }
            // `is-active a b` succeeds if one of them is.
            if matches!(l.verb, "is-active" | "is-failed") {
                t.code = best;
            }
        }
    }
    if l.quiet {
        t.out.clear();
    }
    t
}

fn built_in(unit: &str) -> bool {
    BUILT_IN.contains(&unit) || unit.ends_with(".target") || unit == "cloud-init" || unit == "cloud-final"
}

fn note(t: &mut Told, results: Vec<(String, super::Result<()>)>) {
    for (_, r) in results {
        if let Err(e) = r {
            t.code = if e.0.contains("could not be found") { 5 } else { 1 };
            let _ = writeln!(t.err, "{e}");
        }
    }
}

async fn one(m: &Manager, l: &Line<'_>, unit: &str, t: &mut Told) -> i32 {
    let missing = !built_in(unit) && UnitFile::find(unit).is_none();
    let u = m.unit(unit);
    let state = if built_in(unit) { State::Active } else { u.state };
    match l.verb {
        "is-active" => {
            let _ = writeln!(t.out, "{}", word(state));
            if state == State::Active { 0 } else { 3 }
        }
        "is-failed" => {
            let _ = writeln!(t.out, "{}", word(state));
            i32::from(state != State::Failed)
        }
        "is-enabled" => match enabled(unit) {
            _ if missing => {
                let _ = writeln!(t.err, "Failed to get unit file state for {unit}.service: No such file or directory");
                1
            }
            state => {
                let _ = writeln!(t.out, "{state}");
                i32::from(!matches!(state, "enabled" | "static" | "alias"))
            }
        },
        "show" => {
            show(l, unit, &u, state, missing, t);
            0
        }
        "status" if missing => {
            let _ = writeln!(t.err, "Unit {unit}.service could not be found.");
            4
        }
        "status" => {
            status(l, unit, &u, state, t);
            if state == State::Active { 0 } else { 3 }
        }
        _ if missing => {
            let _ = writeln!(t.err, "Unit {unit}.service could not be found.");
            5
        }
        _ if built_in(unit) => 0,
        "stop" => {
            m.stop_named(unit).await;
            0
        }
        "restart" | "reload-or-restart" | "try-restart" | "condrestart" => {
            if l.verb.contains("try") && state != State::Active {
                return 0;
            }
            m.stop_named(unit).await;
            let mut inner = Told::default();
            note(&mut inner, m.start_all(vec![unit.to_owned()]).await);
            t.err.push_str(&inner.err);
            inner.code
        }
        "reload" => match m.reload(unit).await {
            Ok(()) => 0,
            Err(e) => {
                let _ = writeln!(t.err, "{e}");
                1
            }
        },
        "enable" | "reenable" => {
            enable(&[unit.to_owned()], t);
            t.code
        }
        "disable" => {
            for target in targets(unit) {
                let _ = fs::remove_file(link(&target, unit));
            }
            if l.now {
                m.stop_named(unit).await;
            }
            0
        }
        "mask" | "unmask" => mask(l.verb == "mask", unit, t),
        "kill" => {
            m.signal(unit, l.signal.and_then(signal_number).unwrap_or(libc::SIGTERM));
            0
        }
        "reset-failed" => {
            m.reset(Some(unit));
            0
        }
        "cat" => {
            if let Some(p) = UnitFile::find(unit) {
                let _ = write!(t.out, "# {}\n{}", p.display(), fs::read_to_string(&p).unwrap_or_default());
            }
            0
        }
        other => {
            let _ = writeln!(t.err, "Unknown command verb {other}: the sandbox's systemctl does not have it.");
            1
        }
    }
}

/// Where a unit wants to be wanted from.
fn targets(unit: &str) -> Vec<String> {
    let f = UnitFile::read(unit).unwrap_or_default();
    f.all("WantedBy").chain(f.all("RequiredBy")).flat_map(str::split_whitespace).map(str::to_owned).collect()
}

fn link(target: &str, unit: &str) -> String {
    format!("{ETC}/{target}.wants/{unit}.service")
}

/// `is-enabled`'s word.
pub(crate) fn enabled(unit: &str) -> &'static str {
    let path = UnitFile::find(unit);
    if path.as_ref().and_then(|p| fs::canonicalize(p).ok()).is_some_and(|p| p == Path::new("/dev/null")) {
        return "masked";
    }
    let wanted = targets(unit);
    if built_in(unit) || wanted.iter().any(|t| fs::symlink_metadata(link(t, unit)).is_ok()) {
        "enabled"
    } else if wanted.is_empty() {
        "static"
    } else {
        "disabled"
    }
}

fn enable(units: &[String], t: &mut Told) {
    for unit in units.iter().filter(|u| !built_in(u)) {
        let Some(path) = UnitFile::find(unit) else {
            let _ = writeln!(t.err, "Failed to enable unit: Unit file {unit}.service does not exist.");
            t.code = 1;
            continue;
        };
        for target in targets(unit) {
            let link = link(&target, unit);
            let made = Path::new(&link).parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| {
                match symlink(&path, &link) {
                    Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
                    r => r.map(|()| true),
                }
            });
            match made {
                Ok(true) => drop(writeln!(t.err, "Created symlink {link} → {}.", path.display())),
                Ok(false) => {}
                Err(e) => (t.code, t.err) = (1, format!("Failed to enable unit: {link}: {e}\n")),
            }
        }
    }
}

fn mask(on: bool, unit: &str, t: &mut Told) -> i32 {
    let path = format!("{ETC}/{unit}.service");
    let r = if on {
        symlink("/dev/null", &path)
    } else if enabled(unit) == "masked" {
        fs::remove_file(&path)
    } else {
        Ok(())
    };
    match r {
        Ok(()) => 0,
        Err(e) => {
            let _ = writeln!(t.err, "Failed to change {path}: {e}");
            1
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_anywhere() {
        let args: Vec<String> = "show -p MainPID,Result --value web.service -q".split(' ').map(str::to_owned).collect();
        let l = take_apart(&args);
        assert_eq!(
            (l.verb, &l.units[..], &l.properties[..], l.value, l.quiet),
            ("show", &["web".to_owned()][..], &["MainPID", "Result"][..], true, true)
        );
        let args: Vec<String> = ["--now", "enable", "a", "--type=service"].map(str::to_owned).to_vec();
        let l = take_apart(&args);
        assert_eq!((l.verb, l.units.len(), l.now), ("enable", 1, true));
    }
}
