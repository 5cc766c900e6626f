//! Rules of the house as tests: arrows between modules, headers, who may print, who may be unsafe.

#![allow(clippy::unwrap_used, reason = "a test may fail so")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Which modules of the host each module may use. An arrow that is not here points up.
const ARROWS: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("secrets", &["core"]),
    ("inventory", &["core", "secrets"]),
    ("nodes", &["core"]),
    ("provider", &["core"]),
    ("plugin_host", &["core", "provider"]),
    ("runs", &["core", "inventory", "nodes", "provider", "secrets"]),
    ("toolkit", &["core", "inventory", "nodes", "provider", "runs", "secrets"]),
    ("script", &["core", "inventory", "nodes", "runs", "toolkit"]),
    ("rehearsal", &["app", "core", "inventory", "nodes", "runs", "script", "secrets", "toolkit"]),
    (
        "cli",
        &[
            "app",
            "core",
            "inventory",
            "nodes",
            "plugin_host",
            "provider",
            "rehearsal",
            "runs",
            "script",
            "secrets",
            "toolkit",
        ],
    ),
];

/// The only files with `unsafe`: the two borders of plugins, and what makes machines of namespaces.
const UNSAFE: &[&str] = &["host/src/plugin_host/ffi.rs", "plugin-api/src/export.rs", "host/sandbox/src/machines/"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace is above the host").to_owned()
}

/// All of our Rust sources, by path from the root.
fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = ["host", "plugin-api", "plugins", "tests"].map(|f| root().join(f)).into();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(root()).unwrap().display().to_string();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// A module's folder or file below `host/src`.
fn module_of(file: &str) -> Option<&str> {
    let below = file.strip_prefix("host/src/")?;
    let first = below.split('/').next()?;
    Some(first.strip_suffix(".rs").unwrap_or(first))
}

/// Names after `crate::` in a line of code, also in `use crate::{a::x, b}` on one line.
fn uses(line: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for rest in line.split("crate::").skip(1) {
        let names = if let Some(list) = rest.strip_prefix('{') {
            list.split(',').map(|item| item.trim().split("::").next().unwrap_or_default().to_owned()).collect()
        } else {
            vec![rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default().to_owned()]
        };
        found.extend(names.into_iter().map(|name| name.trim_end_matches(['}', ';']).to_owned()));
    }
    found
}

fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(i, line)| (i + 1, line)).filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn nothing(broken: &[String]) {
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn arrows_between_modules_point_down() {
    let known: BTreeSet<&str> = ARROWS.iter().map(|(module, _)| *module).collect();
    let mut broken = Vec::new();
    for (file, text) in sources() {
        let Some((module, below)) = module_of(&file).and_then(|m| ARROWS.iter().find(|(name, _)| *name == m)) else {
            continue;
        };
        for (number, line) in code_lines(&text) {
            for used in uses(line) {
                let internal = known.contains(used.as_str()) || used == "app";
                if internal && used != *module && !below.contains(&used.as_str()) {
                    broken.push(format!("{file}:{number}: {module} may not use {used}"));
                }
            }
        }
    }
    nothing(&broken);
}

#[test]
fn every_module_has_its_arrows() {
    let text = fs::read_to_string(root().join("host/src/lib.rs")).unwrap();
    let modules = text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let known: Vec<&str> = ARROWS.iter().map(|(module, _)| *module).chain(["app"]).collect();
    nothing(&modules.filter(|m| !known.contains(m)).map(|m| format!("{m} is missing in ARROWS")).collect::<Vec<_>>());
}

#[test]
fn the_sandbox_and_the_plugins_know_nothing_of_the_host() {
    let mut broken = Vec::new();
    for (file, text) in sources() {
        let apart = ["host/sandbox/", "plugins/", "plugin-api/"].iter().any(|part| file.starts_with(part));
        for (number, line) in code_lines(&text) {
            if apart && (line.contains("linodetool::") || line.contains("use linodetool;")) {
                broken.push(format!("{file}:{number}: {line}"));
            }
        }
    }
    nothing(&broken);
}

#[test]
fn every_file_says_what_it_owns() {
    let missing = |(_, text): &(String, String)| !text.starts_with("//!");
    nothing(
        &sources().into_iter().filter(missing).map(|(file, _)| format!("{file}: no //! header")).collect::<Vec<_>>(),
    );
}

/// A file that no `mod` names is not compiled, and nobody notices.
#[test]
fn every_file_is_part_of_a_crate() {
    let all = sources();
    let declared = |file: &str| {
        let path = Path::new(file);
        let (Some(stem), Some(folder)) = (path.file_stem().and_then(|s| s.to_str()), path.parent()) else {
            return true;
        };
        let of_folder = format!("{}.rs", folder.display());
        let beside = folder.file_name().and_then(|f| f.to_str()).unwrap_or_default();
        let parents = ["mod.rs", "lib.rs", "main.rs"].map(|name| folder.join(name).display().to_string());
        let (stem, folder_module) = if stem == "mod" { (beside, true) } else { (stem, false) };
        let above = folder.parent().map(|above| above.display().to_string()).unwrap_or_default();
        let near = |name: &str| {
            if folder_module {
                name.starts_with(&above)
            } else {
                parents.iter().any(|p| p == name) || name == of_folder
            }
        };
        let (line, by_path) = (format!("mod {stem};"), format!("path = \"{stem}.rs\""));
        all.iter().any(|(name, text)| name != file && near(name) && (text.contains(&line) || text.contains(&by_path)))
    };
    let root_of_crate = |file: &str| {
        let below_tests = file.starts_with("tests/") || file.contains("/tests/") || file.contains("/examples/");
        ["lib.rs", "main.rs", "build.rs"].iter().any(|name| file.ends_with(name)) || below_tests
    };
    let lost = all.iter().map(|(file, _)| file).filter(|file| !root_of_crate(file) && !declared(file));
    nothing(&lost.cloned().collect::<Vec<_>>());
}

#[test]
fn unsafe_is_where_it_belongs() {
    let mut broken = Vec::new();
    for (file, text) in sources().into_iter().filter(|(file, _)| !file.starts_with("tests/")) {
        let may = UNSAFE.iter().any(|place| file.starts_with(place));
        if !may
            && code_lines(&text)
                .any(|(_, line)| line.contains("allow(unsafe_code") || line.contains("expect(unsafe_code"))
        {
            broken.push(format!("{file}: unsafe code"));
        }
    }
    nothing(&broken);
}

#[test]
fn the_environment_and_the_clock_come_in_from_the_top() {
    let mut broken = Vec::new();
    for (file, text) in sources() {
        let test = file.ends_with("/testing.rs") || file.ends_with("/tests.rs") || file.contains("/tests/");
        let below = !test && module_of(&file).is_some_and(|m| !["cli", "app", "main", "core"].contains(&m));
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in code_lines(text) {
            if below
                && (line.contains("env::var(") || line.contains("env::var_os(") || line.contains("SystemTime::now"))
            {
                broken.push(format!("{file}:{number}: {}", line.trim()));
            }
        }
    }
    nothing(&broken);
}

/// `panic = "abort"` would turn a plugin's panic into the host's death, and cannot be set per package.
#[test]
fn no_profile_aborts_on_panic() {
    assert!(!fs::read_to_string(root().join("Cargo.toml")).unwrap().contains("\"abort\""));
}

/// Not in tests either: what they do is what others learn from.
#[test]
fn nothing_turns_host_key_checks_off() {
    let off = |text: &str| {
        ["no", "accept-new", "off"].iter().any(|how| text.contains(&format!("StrictHostKeyChecking{how}")))
    };
    let broken = |(_, text): &(String, String)| off(&text.replace([' ', '='], ""));
    nothing(&sources().into_iter().filter(broken).map(|(file, _)| file).collect::<Vec<_>>());
}
