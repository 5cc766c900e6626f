//! `linodetool doctor`: what this computer has and lacks for linodetool, with a remedy for each.
//!
//! Owns the list of checks and how they are shown. Each check looks and changes nothing; a damaged database is copied aside, as
//! whoever else meets it would.

use super::args::Globals;
use super::environment::Environment;
use super::error::{CliError, OK};
use super::output::Output;
use super::plugin;
use super::session;
use crate::core::{FailureKind, Paths, SystemClock};
use crate::inventory::database;
use crate::plugin_host::PluginInfo;
use crate::secrets::{SecretStore, TokenSources, find_token};
use clap::Args;
use linodetool_sandbox::machines::namespaces::Namespaces;
use serde::Serialize;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

/// Check this computer, and say how to mend what is missing
#[derive(Args, Debug)]
#[command(after_help = "\
The exit code is 13 if something that is always needed is missing.

Examples:
  linodetool doctor
  linodetool --sandbox doctor              The sandbox counts as needed")]
pub(crate) struct DoctorArgs {}

/// What one check found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Check {
    pub(crate) name: &'static str,
    pub(crate) status: Status,
    pub(crate) found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remedy: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Ok,
    /// Only some commands need it.
    Warning,
    Missing,
}

impl Check {
    pub(crate) fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, status: Status::Ok, found: found.into(), remedy: None }
    }

    pub(crate) fn lacking(
        name: &'static str,
        needed: Needed,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let status = match needed {
            Needed::Always => Status::Missing,
            Needed::Sometimes => Status::Warning,
        };
        Self { name, status, found: found.into(), remedy: Some(remedy.into()) }
    }
}

/// Whether a thing that is not there stops everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needed {
    Always,
    Sometimes,
}

/// Programs of this computer that linodetool uses: name, what for, how to install.
const PROGRAMS: &[(&str, &str, &str)] = &[
    (
        "ssh",
        "`node ssh` and the commands of `inventory export`",
        "`apt install openssh-client` or `dnf install openssh-clients`",
    ),
    (
        "java",
        "Hadoop in the sandbox, whose machines use this computer's programs",
        "`apt install openjdk-17-jre-headless`",
    ),
    ("mvn", "fetching Hadoop from Maven Central, the default in the sandbox", "`apt install maven`"),
    ("nft", "firewalls in the sandbox", "`apt install nftables`"),
];

impl DoctorArgs {
    pub(crate) fn run(
        &self,
        env: &Environment,
        paths: &Paths,
        globals: &Globals,
        out: &Output,
    ) -> Result<u8, CliError> {
        let mut checks = vec![state_directory(paths)];
        checks.extend(disks(paths));
        checks.extend(plugins(env, paths));
        checks.push(token(env, paths, globals));
        checks.push(sandbox(if globals.sandbox { Needed::Always } else { Needed::Sometimes }));
        checks.extend(PROGRAMS.iter().map(|program| self::program(env, program)));
        show(&checks, out)
    }
}

/// Shows the checks; the exit code says whether something needed is missing.
pub(crate) fn show(checks: &[Check], out: &Output) -> Result<u8, CliError> {
    let healthy = checks.iter().all(|check| check.status != Status::Missing);
    out.result(&serde_json::json!({ "healthy": healthy, "checks": checks }), || text(checks, out.color_out()))?;
    Ok(if healthy { OK } else { CliError::from(crate::core::Failure::new(FailureKind::Local, "")).exit_code() })
}

/// A line a check, its remedy below it.
fn text(checks: &[Check], color: bool) -> String {
    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    let line = |check: &Check| {
        let (mark, paint) = match check.status {
            Status::Ok => ("ok     ", "32"),
            Status::Warning => ("warning", "33"),
            Status::Missing => ("MISSING", "1;31"),
        };
        let mark = if color { format!("\x1b[{paint}m{mark}\x1b[0m") } else { mark.to_owned() };
        let remedy = check
            .remedy
            .as_ref()
            .map_or_else(String::new, |remedy| format!("\n{:<w$}  -> {remedy}", "", w = width + 9));
        format!("{mark}  {:<width$}  {}{remedy}", check.name, check.found)
    };
    checks.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The state directory, or the folder it would be made in, can be written, and its database can be used.
fn state_directory(paths: &Paths) -> Check {
    let (name, state) = ("state directory", &paths.state);
    let shown = state.display();
    let existing = existing(state);
    if !existing.is_dir() {
        return Check::lacking(
            name,
            Needed::Always,
            format!("{} is no folder", existing.display()),
            "remove it, or give another folder with --state-dir",
        );
    }
    match tempfile::tempfile_in(existing) {
        Ok(_) if paths.database().exists() => match database::examine(&paths.database()) {
            Ok(()) => Check::ok(name, format!("{shown} can be written, and its database is whole")),
            Err(error) => Check::lacking(name, Needed::Always, error.to_string(), error.hint()),
        },
        Ok(_) if existing == state => Check::ok(name, format!("{shown} can be written")),
        Ok(_) => Check::ok(name, format!("{shown} can be made")),
        Err(e) => Check::lacking(
            name,
            Needed::Always,
            format!("{} cannot be written: {e}", existing.display()),
            "give a writable folder with --state-dir",
        ),
    }
}

/// The folder, or the nearest one above that there is.
fn existing(folder: &Path) -> &Path {
    folder.ancestors().find(|dir| dir.exists()).unwrap_or(Path::new("/"))
}

/// Room where the state, with it the sandbox's machines, and what is downloaded come to lie.
fn disks(paths: &Paths) -> Vec<Check> {
    let mut places = vec![existing(&paths.state), existing(&paths.cache)];
    let disk = |place: &Path| std::fs::metadata(place).map(|found| found.dev()).ok();
    if disk(places[0]) == disk(places[1]) {
        places.pop();
    }
    let check = |place: &Path| match rustix::fs::statvfs(place) {
        Ok(found) => room(place, found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize),
        Err(e) => {
            let remedy = "look at the disk, or give another folder with --state-dir";
            Check::lacking("disk", Needed::Sometimes, format!("of {}: {e}", place.display()), remedy)
        }
    };
    places.into_iter().map(check).collect()
}

/// A Hadoop cluster in the sandbox begins with 2 GiB; a cluster's state and what is fetched want some, too.
const ROOM: u64 = 4 << 30;

/// From where on YARN takes no folder, unless told otherwise.
const FULL_PERCENT: u64 = 90;

fn room(place: &Path, free: u64, total: u64) -> Check {
    let used = 100 - (u128::from(free) * 100 / u128::from(total.max(1))) as u64;
    let gib = |bytes: u64| format!("{}.{}", bytes >> 30, ((bytes % (1 << 30)) * 10) >> 30);
    let found = format!("{} of {} GiB are free where {} is ({used} % full)", gib(free), gib(total), place.display());
    let remedy = if free < ROOM {
        "free some room: the sandbox's machines share this disk, and Hadoop on them begins with 2 GiB"
    } else if used > FULL_PERCENT {
        "free some room: the sandbox's machines share this disk, and YARN takes no folder on one over 90 % full unless told \
         otherwise, as recipes/hadoop.rhai does"
    } else {
        return Check::ok("disk", found);
    };
    Check::lacking("disk", Needed::Sometimes, found, remedy)
}

/// The bundled plugin at least, and that every one loads.
fn plugins(env: &Environment, paths: &Paths) -> Vec<Check> {
    let name = "plugin";
    let beside = "bundled plugins lie beside linodetool: unpack the whole tarball, or `cargo build --release`";
    match plugin::find(env, paths) {
        Err(failure) => vec![Check::lacking(
            name,
            Needed::Always,
            failure.to_string(),
            failure.hint.unwrap_or_else(|| beside.to_owned()),
        )],
        Ok(plugins) if plugins.is_empty() => vec![Check::lacking(name, Needed::Always, "none is found", beside)],
        Ok(plugins) => {
            let check = |plugin: &PluginInfo| match &plugin.manifest {
                Ok(manifest) => {
                    Check::ok(name, format!("{} {}, {}", manifest.name, manifest.version, plugin.path.display()))
                }
                Err(why) => Check::lacking(name, Needed::Always, format!("{}: {why}", plugin.path.display()), beside),
            };
            plugins.iter().map(check).collect()
        }
    }
}

/// Where the token comes from; never the token.
fn token(env: &Environment, paths: &Paths, globals: &Globals) -> Check {
    let name = "token";
    let context = match session::context(globals.context.as_deref()) {
        Ok(context) => context,
        Err(failure) => {
            let remedy = failure.hint.unwrap_or_default();
            return Check::lacking(name, Needed::Sometimes, failure.message, remedy);
        }
    };
    // Only looked into if it is there: doctor makes nothing.
    let stored =
        paths.state.join("secrets").is_dir().then(|| SecretStore::open(&paths.state, &context, Arc::new(SystemClock)));
    let stored = stored.and_then(Result::ok);
    let found = find_token(&TokenSources {
        token_cmd: globals.token_cmd.as_deref(),
        env: &|name| env.var(name).map(str::to_owned),
        stored: stored.as_ref(),
        linode_cli: &paths.linode_cli,
        user: None,
    });
    match found {
        Ok(found) => Check::ok(name, format!("from {}", found.from)),
        Err(failure) => {
            let remedy = failure.hint.unwrap_or_else(|| "set LINODE_TOKEN".to_owned());
            Check::lacking(name, Needed::Sometimes, format!("{}; needed for a real account", failure.message), remedy)
        }
    }
}

/// Whether this computer can run the sandbox's machines.
fn sandbox(needed: Needed) -> Check {
    let name = "sandbox";
    match Namespaces::support() {
        Ok(support) if support.lost.is_empty() => Check::ok(name, format!("machines can run {}", support.about())),
        Ok(support) => {
            Check::ok(name, format!("machines can run {}, but {}", support.about(), support.lost.join("; ")))
        }
        Err(why) => Check::lacking(
            name,
            needed,
            why,
            "run as root, or allow user namespaces: `sysctl kernel.unprivileged_userns_clone=1`",
        ),
    }
}

fn program(env: &Environment, (name, use_, install): &(&'static str, &str, &str)) -> Check {
    match env.program(name) {
        Some(path) => Check::ok(name, path.display().to_string()),
        None => Check::lacking(name, Needed::Sometimes, format!("not in PATH; needed for {use_}"), *install),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn every_lack_has_a_remedy() {
        let checks = [
            Check::ok("state directory", "/s can be written"),
            program(&Environment::fake(&[("PATH", "/nowhere")]), &("no-such-program", "tests", "do not install it")),
            Check::lacking("plugin linode-v4", Needed::Always, "not found", "reinstall"),
        ];
        expect![[r#"
            ok       state directory   /s can be written
            warning  no-such-program   not in PATH; needed for tests
                                       -> do not install it
            MISSING  plugin linode-v4  not found
                                       -> reinstall"#]]
        .assert_eq(&text(&checks, false));
    }

    #[test]
    fn a_nearly_full_disk_is_told_with_figures() {
        let gib = |tenths: u64| (tenths << 30) / 10;
        let of = |free, total| room(Path::new("/s"), gib(free), gib(total));
        expect![[r#"
            ok       disk  200.0 of 500.0 GiB are free where /s is (60 % full)
            warning  disk  30.0 of 500.0 GiB are free where /s is (94 % full)
                           -> free some room: the sandbox's machines share this disk, and YARN takes no folder on one over 90 % full unless told otherwise, as recipes/hadoop.rhai does
            warning  disk  1.5 of 20.0 GiB are free where /s is (93 % full)
                           -> free some room: the sandbox's machines share this disk, and Hadoop on them begins with 2 GiB
            warning  disk  0.0 of 0.0 GiB are free where /s is (100 % full)
                           -> free some room: the sandbox's machines share this disk, and Hadoop on them begins with 2 GiB"#]].assert_eq(&text(&[of(2000, 5000), of(300, 5000), of(15, 200), of(0, 0)], false));
    }

    #[test]
    fn a_state_directory_must_be_writable() {
        let dir = tempfile::tempdir().unwrap();
        let check = |state: &Path| {
            let env = Environment::fake(&[("HOME", "/nowhere")]);
            state_directory(&env.paths(Some(state)).unwrap())
        };
        assert_eq!(check(dir.path()).status, Status::Ok);
        assert_eq!(check(&dir.path().join("a/b")).status, Status::Ok);
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert_eq!(check(&file.join("below")).status, Status::Missing);
        assert!(!dir.path().join("a").exists());

        let path = dir.path().join("linodetool.db");
        let connection = database::open_writer(&path).unwrap();
        let found = |check: Check| (check.status, check.found.replace(dir.path().to_str().unwrap(), "DIR"));
        let whole = "DIR can be written, and its database is whole".to_owned();
        assert_eq!(found(check(dir.path())), (Status::Ok, whole));
        connection.pragma_update(None, "user_version", 99).unwrap();
        let newer = "DIR/linodetool.db was written by a newer linodetool: its schema is 99, this version knows up to 2";
        assert_eq!(found(check(dir.path())), (Status::Missing, newer.to_owned()));
        drop(connection);
        std::fs::write(&path, "this is no database, only text".repeat(100)).unwrap();
        let damaged = "the database DIR/linodetool.db is damaged: file is not a database";
        assert_eq!(found(check(dir.path())), (Status::Missing, damaged.to_owned()));
    }
}
