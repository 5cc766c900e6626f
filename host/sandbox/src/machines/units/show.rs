//! What `systemctl` prints about units.
//!
//! Owns: status, show, lists. Does not change anything.

use super::Told;
use super::file::{ETC, UnitFile, name_of};
use super::manager::{Manager, State, Unit};
use super::verbs::{Line, enabled};
use std::fmt::Write as _;
use std::fs;

/// `is-active`'s word.
pub(crate) fn word(s: State) -> &'static str {
    match s {
        State::Inactive => "inactive",
        State::Activating | State::AutoRestart => "activating",
        State::Active => "active",
        State::Deactivating => "deactivating",
        State::Failed => "failed",
    }
}

/// systemd's finer word.
pub(crate) fn sub(s: State, u: &Unit) -> &'static str {
    match s {
        State::Inactive => "dead",
        State::Activating => "start",
        State::AutoRestart => "auto-restart",
        State::Active if u.main == 0 => "exited",
        State::Active => "running",
        State::Deactivating => "stop",
        State::Failed => "failed",
    }
}

pub(crate) fn status(l: &Line<'_>, unit: &str, u: &Unit, state: State, t: &mut Told) {
    let f = UnitFile::read(unit).unwrap_or_default();
    let _ = writeln!(t.out, "● {unit}.service - {}", f.get("Description").unwrap_or(unit));
    let _ = writeln!(t.out, "     Loaded: loaded ({}; {})", f.path.display(), enabled(unit));
    let why = if state == State::Failed { format!(" (Result: {})", u.result) } else { format!(" ({})", sub(state, u)) };
    let _ = writeln!(t.out, "     Active: {}{why}", word(state));
    if u.main > 0 {
        let name = fs::read_to_string(format!("/proc/{}/comm", u.main)).unwrap_or_default();
        let _ = writeln!(t.out, "   Main PID: {} ({})", u.main, name.trim());
    } else if let Some(e) = u.ended {
        let _ = writeln!(t.out, "    Process: ended with code {}", e.code());
    }
    let lines = l.lines.and_then(|n| n.parse().ok()).unwrap_or(10);
    let log = fs::read(super::log_file(unit)).unwrap_or_default();
    let log = String::from_utf8_lossy(&log).into_owned();
    let all: Vec<&str> = log.lines().collect();
    if lines > 0 && !all.is_empty() {
        let _ = writeln!(t.out, "\n{}", all[all.len().saturating_sub(lines)..].join("\n"));
    }
}

pub(crate) fn show(l: &Line<'_>, unit: &str, u: &Unit, state: State, missing: bool, t: &mut Told) {
    let f = UnitFile::read(unit).unwrap_or_default();
    let all = [
        ("Id", format!("{unit}.service")),
        ("Names", format!("{unit}.service")),
        ("Description", f.get("Description").unwrap_or(unit).to_owned()),
        ("Type", f.get("Type").unwrap_or("simple").to_owned()),
        (
            "LoadState",
            if missing {
                "not-found"
            } else if enabled(unit) == "masked" {
                "masked"
            } else {
                "loaded"
            }
            .to_owned(),
        ),
        ("ActiveState", word(state).to_owned()),
        ("SubState", sub(state, u).to_owned()),
        ("UnitFileState", if missing { String::new() } else { enabled(unit).to_owned() }),
        ("FragmentPath", f.path.display().to_string()),
        ("MainPID", u.main.to_string()),
        ("ExecMainPID", u.main.to_string()),
        ("ExecMainStatus", u.ended.map_or(0, |e| e.exited().or(e.signal()).unwrap_or(0)).to_string()),
        ("ExecMainCode", u.ended.map_or(0, |e| if e.exited().is_some() { 1 } else { 2 }).to_string()),
        ("Result", if u.result.is_empty() { "success" } else { u.result }.to_owned()),
        ("NRestarts", u.restarts.to_string()),
    ];
    let wanted = |k: &str| l.properties.is_empty() || l.properties.contains(&k);
    for (k, v) in all.iter().filter(|(k, _)| wanted(k)) {
        let _ = if l.value { writeln!(t.out, "{v}") } else { writeln!(t.out, "{k}={v}") };
    }
}

pub(crate) fn list_units(m: &Manager, l: &Line<'_>, t: &mut Told) {
    let known = m.known();
    let shown = |u: &Unit| match l.state {
        Some(s) => s.split(',').any(|s| s == word(u.state) || s == sub(u.state, u)),
        None => u.state != State::Inactive,
    };
    let pattern = l.units.first().map(|p| p.trim_end_matches('*').to_owned());
    let rows: Vec<_> =
        known.iter().filter(|(n, u)| shown(u) && pattern.as_ref().is_none_or(|p| n.starts_with(p))).collect();
    if !l.no_legend {
        t.out.push_str("UNIT LOAD ACTIVE SUB DESCRIPTION\n");
    }
    for (name, u) in &rows {
        let f = UnitFile::read(name).unwrap_or_default();
        let _ = writeln!(
            t.out,
            "{name}.service loaded {} {} {}",
            word(u.state),
            sub(u.state, u),
            f.get("Description").unwrap_or(name)
        );
    }
    if !l.no_legend {
        let _ = writeln!(t.out, "\n{} loaded units listed.", rows.len());
    }
}

pub(crate) fn list_files(l: &Line<'_>, t: &mut Told) {
    let entries = [ETC, "/lib/systemd/system"].iter().flat_map(|f| fs::read_dir(f).into_iter().flatten().flatten());
    let mut names: Vec<String> =
        entries.filter_map(|e| e.file_name().to_str().filter(|n| n.ends_with(".service")).map(name_of)).collect();
    names.sort();
    names.dedup();
    if !l.no_legend {
        t.out.push_str("UNIT FILE STATE\n");
    }
    for n in names.iter().filter(|n| l.units.is_empty() || l.units.contains(n)) {
        let _ = writeln!(t.out, "{n}.service {}", enabled(n));
    }
}
