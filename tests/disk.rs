//! A state directory whose disk is full or cannot be written: said with its place and its remedy, what is on record can be
//! read, and nothing is lost once there is room.
//!
//! The disk is a small one of its own, in a mount namespace that this test lives in: nothing of this computer's is filled.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

#[path = "support/mod.rs"]
mod support;

use libtest_mimic::Failed;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, Stdio};
use support::{Home, is};

/// Set in the process that has mounts of its own.
const INSIDE: &str = "LINODETOOL_TEST_OWN_MOUNTS";

/// Anybody who is not root.
const NOBODY: u32 = 65_534;

fn main() -> ExitCode {
    let tests: &[support::Test] = &[
        ("a_full_disk_loses_nothing", a_full_disk_loses_nothing),
        ("a_full_disk_of_secrets_is_named", a_full_disk_of_secrets_is_named),
        ("what_cannot_be_written_can_be_read", what_cannot_be_written_can_be_read),
        ("a_folder_without_the_right_to_write_can_be_read", a_folder_without_the_right_to_write_can_be_read),
    ];
    support::main(tests, || support::no_machines(&["unshare", "mount", "umount"]).or_else(no_mounts))
}

/// Why this program can have no mounts of its own; otherwise it goes on with them.
fn no_mounts() -> Option<String> {
    if !is_root() {
        return Some("only root may mount a disk".to_owned());
    }
    if std::env::var_os(INSIDE).is_some() {
        return None;
    }
    let mut inside = Command::new("unshare");
    inside.args(["--mount", "--propagation", "private"]).arg(std::env::current_exe().unwrap());
    Some(inside.args(std::env::args_os().skip(1)).env(INSIDE, "1").exec().to_string())
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|of| std::os::unix::fs::MetadataExt::uid(&of) == 0)
}

/// A disk of two MiB at this place, which is gone with this.
struct Disk(PathBuf);

impl Disk {
    fn at(place: PathBuf) -> Result<Self, Failed> {
        std::fs::create_dir_all(&place)?;
        done(&Command::new("mount").args(["-t", "tmpfs", "-o", "size=2m,mode=0700", "disk"]).arg(&place).output()?)?;
        Ok(Self(place))
    }

    /// Of the sandbox's state directory, once there is a sandbox.
    fn of_state(home: &Home) -> Result<Self, Failed> {
        home.ok(&["--sandbox", "regions", "list"])?;
        let place = state(home);
        std::fs::remove_dir_all(&place)?;
        Self::at(place)
    }

    fn fill(&self) -> Result<(), Failed> {
        let full = std::fs::write(self.0.join("fill"), vec![0; 4 << 20]).unwrap_err();
        is("the disk is full", full.kind() == std::io::ErrorKind::StorageFull, true)
    }

    fn make_room(&self) -> Result<(), Failed> {
        Ok(std::fs::remove_file(self.0.join("fill"))?)
    }

    fn remount(&self, how: &str) -> Result<(), Failed> {
        done(&Command::new("mount").args(["-o", &format!("remount,{how}")]).arg(&self.0).output()?)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a sandbox may still have hold of it. The namespace ends with the test in any case.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

fn done(output: &Output) -> Result<(), Failed> {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(said.into()) }
}

fn state(home: &Home) -> PathBuf {
    home.path().join(".local/state/linodetool/sandbox/state")
}

/// The message and the hint of a command that must end with this code.
fn refused(home: &Home, arguments: &[&str], code: i32) -> Result<String, Failed> {
    told(&home.run(&[&["--json"], arguments].concat())?, code, home.path())
}

fn told(output: &Output, code: i32, home: &Path) -> Result<String, Failed> {
    let said = String::from_utf8_lossy(&output.stdout);
    let document: Value = serde_json::from_str(&said).map_err(|_| format!("no document in: {said}"))?;
    let error = &document["error"];
    let text = |field: &str| error[field].as_str().unwrap_or_default().to_owned();
    let said = format!("{}; {}", text("message"), text("hint")).replace(&*home.to_string_lossy(), "HOME");
    is(&format!("exit code with: {said}"), output.status.code(), code)?;
    Ok(said)
}

const RECIPE: &str = r#"
let c = clusters::ensure(#{ name: "k", region: "us-east", image: "linode/debian12",
    roles: [#{ role: "node", count: 2, type: "g6-nanode-1" }] });
lanes(c.nodes, |n| n.run("echo first >> /root/log"));
print("first");
lanes(c.nodes, |n| n.run("i=0; until [ -e /root/go ] || [ $i -ge 600 ]; do sleep 0.1; i=$((i+1)); done; echo end >> /root/log"));
output("logs", lanes(c.nodes, |n| n.run("cat /root/log").stdout));
"#;

const FULL: &str = "HOME/.local/state/linodetool/sandbox/state/linodetool.db";

fn a_full_disk_loses_nothing(home: &Home) -> Result<(), Failed> {
    std::fs::write(home.path().join("k.rhai"), RECIPE)?;
    let disk = Disk::of_state(home)?;
    let room = format!("make room on the disk that holds {FULL}");
    // From the beginning.
    disk.fill()?;
    let down = format!("the journal {FULL} cannot be written: the disk is full; ");
    let again = format!("{down}nothing was begun that is not in the journal; {room}, then give the command again");
    is("no database", refused(home, &["--sandbox", "run", "k.rhai"], 12)?, again.clone())?;
    disk.make_room()?;
    is("no run", home.json(&["--sandbox", "runs", "list"])?, json!([]))?;
    disk.fill()?;
    let said = refused(home, &["--sandbox", "run", "k.rhai"], 12)?;
    is("a full disk before a run", said, again.clone())?;
    is("what is on record", home.json(&["--sandbox", "runs", "list"])?, json!([]))?;
    disk.make_room()?;

    // In the middle of a run, with its log: what was begun on nodes ends there.
    let mut run = home.command(&["--json", "--sandbox", "run", "k.rhai"]);
    let mut run = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(run.stderr.take().unwrap()).lines();
    while lines.next().ok_or("it ended early")?? != "first" {}
    // No command can be given to the nodes once the disk is full.
    home.ok(&["--sandbox", "exec", "all", "--", "(sleep 2; touch /root/go) >/dev/null 2>&1 &"])?;
    disk.fill()?;
    let id = home.json(&["--sandbox", "runs", "list"])?[1]["id"].as_str().unwrap_or_default().to_owned();
    home.ok(&["--sandbox", "node", "list"])?;
    let rest: Vec<_> = lines.map_while(Result::ok).collect();
    let said = told(&run.wait_with_output()?, 12, home.path())?;
    let resume = format!("{down}nothing is lost: {room}, then go on: linodetool --sandbox runs resume {id}");
    is(&format!("a full disk in a run, after {rest:?}"), said, resume)?;
    // Still no room.
    is("interrupted", home.json(&["--sandbox", "runs", "list"])?[1]["status"].clone(), "interrupted")?;
    is("a resume without room", refused(home, &["runs", "resume", &id], 12)?, again)?;
    disk.make_room()?;
    let report = home.json(&["runs", "resume", &id])?;
    is("logs", report["outputs"]["logs"].clone(), vec!["first\nend\n"; 2])?;
    is("nodes", home.json(&["--sandbox", "node", "list"])?.as_array().map(Vec::len), 2)?;
    // What its log lost is lost, and no line was spoilt by it.
    let log = home.json(&["--sandbox", "runs", "log", &id])?;
    let last = log.as_array().and_then(|lines| lines.last()).cloned().unwrap_or_default();
    is("its log", last["text"].clone(), format!("run {id} has ended: done"))
}

fn a_full_disk_of_secrets_is_named(home: &Home) -> Result<(), Failed> {
    std::fs::write(home.path().join("k.rhai"), RECIPE.replace("[ -e /root/go ]", "true"))?;
    home.ok(&["--sandbox", "regions", "list"])?;
    let disk = Disk::at(state(home).join("secrets"))?;
    disk.fill()?;
    let said = refused(home, &["--sandbox", "run", "k.rhai"], 12)?;
    let place = "HOME/.local/state/linodetool/sandbox/state/secrets/";
    is(&said, said.starts_with(&format!("the secret store cannot be used: cannot write {place}")), true)?;
    is(&said, said.contains("No space left on device"), true)?;
    is(&said, said.contains(&format!("; make room on the disk that holds {place}")), true)?;
    disk.make_room()?;
    let report = home.json(&["--sandbox", "runs", "resume", "last"])?;
    is("logs", report["outputs"]["logs"].clone(), vec!["first\nend\n"; 2])
}

fn what_cannot_be_written_can_be_read(home: &Home) -> Result<(), Failed> {
    let disk = Disk::of_state(home)?;
    home.ok(&["--sandbox", "node", "create", "us-east", "g6-nanode-1", "linode/debian12", "--name", "web-1"])?;
    let looks: &[&[&str]] = &[
        &["--sandbox", "node", "list"],
        &["--sandbox", "node", "show", "web-1"],
        &["--sandbox", "runs", "list"],
        &["--sandbox", "runs", "show", "last"],
        &["runs", "log", "last"],
        &["--sandbox", "inventory", "export", "--format", "ansible"],
    ];
    let before = looks.iter().map(|look| home.ok(look)).collect::<Result<Vec<_>, _>>()?;
    disk.remount("ro")?;
    let after = looks.iter().map(|look| home.ok(look)).collect::<Result<Vec<_>, _>>()?;
    is("what is read", after, before)?;
    let remedy = format!(
        "nothing was begun that is not in the journal; mount the file system that holds {FULL} writable, or name another \
         state directory with --state-dir, then give the command again"
    );
    let said = format!("the journal {FULL} cannot be written: the file system is read-only; {remedy}");
    is("a deletion", refused(home, &["--sandbox", "node", "delete", "web-1"], 12)?, said.clone())?;
    is("a command", refused(home, &["--sandbox", "exec", "web-1", "--", "true"], 12)?, said)?;
    disk.remount("rw")?;
    home.ok(&["--sandbox", "node", "delete", "web-1"]).map(drop)
}

/// The binary as a user for whom modes count.
fn as_nobody(home: &Home, arguments: &[&str]) -> Result<Output, Failed> {
    Ok(home.command(arguments).uid(NOBODY).gid(NOBODY).output()?)
}

fn a_folder_without_the_right_to_write_can_be_read(home: &Home) -> Result<(), Failed> {
    chown(home.path(), Some(NOBODY), Some(NOBODY))?;
    // A folder above may keep others from the binary; then there is nothing to see here.
    if as_nobody(home, &["--version"]).is_err() {
        return Ok(());
    }
    std::fs::write(home.path().join("f.rhai"), "params(#{});\nnodes::list();\nfail(\"not yet\");")?;
    let run = &["--json", "run", "f.rhai", "--yes"];
    told(&as_nobody(home, run)?, 10, home.path())?;
    let folder = home.path().join(".local/state/linodetool");
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o500))?;
    let list = as_nobody(home, &["--json", "runs", "list"])?;
    let list: Value =
        serde_json::from_slice(&list.stdout).map_err(|_| String::from_utf8_lossy(&list.stderr).into_owned())?;
    is("status", list[0]["status"].clone(), "failed")?;
    let said = told(&as_nobody(home, run)?, 12, home.path())?;
    let database = "HOME/.local/state/linodetool/linodetool.db";
    let wanted = format!(
        "the journal {database} cannot be written: its owner or mode forbids it; nothing was begun that is not in the journal; \
         check the owner and the mode of {database}, or name another state directory with --state-dir, then give the command again"
    );
    is("a run", said, wanted)
}
