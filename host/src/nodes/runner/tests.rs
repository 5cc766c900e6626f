//! The scripts on the node, in each shell that is here: `sh` is another one on every distribution.

use super::{START, WATCH};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// As an SSH server runs it: input and outputs apart, leading a process group unless said.
fn start(shell: &[&str], base: &str, step: &str, command: &str, leads: bool) -> (String, String) {
    let mut child = Command::new(shell[0]);
    child.args(&shell[1..]).args(["-c", "eval \"$1\"", "lt", START, base, "r", step, "/", "", "", "", "1000", "30"]);
    if leads {
        child.process_group(0);
    }
    let output = child.arg(command).stdin(Stdio::null()).output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

fn watch(shell: &[&str], mode: &str, base: &str, step: &str) -> String {
    let mut child = Command::new(shell[0]);
    child.args(&shell[1..]).args(["-c", WATCH, "lt", mode, base, "r", step, "0", "0"]);
    String::from_utf8(child.output().unwrap().stdout).unwrap()
}

#[test]
fn every_shell_keeps_the_same_record() {
    let here = |shell: &&[&str]| Command::new(shell[0]).args(&shell[1..]).args(["-c", ":"]).output().is_ok();
    for shell in
        [["sh"].as_slice(), &["dash"], &["bash", "--posix"], &["busybox", "sh"], &["ksh"]].into_iter().filter(here)
    {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().join("records").display().to_string();
        for (step, leads) in [("1.1", true), ("2.1", false)] {
            let ran = start(shell, &base, step, "echo out; echo err >&2; exit 3", leads);
            assert_eq!(ran, ("out\n\x1eLT1 exited 3\x1e".into(), "err\n".into()), "{shell:?}");
            assert_eq!(start(shell, &base, step, "true", leads).0, "\x1eLT1 claimed 0\x1e", "{shell:?}");
            assert_eq!(watch(shell, "inspect", &base, step), "\x1eLT1 exited 3\x1e", "{shell:?}");
        }
        // Killed by a signal of its own: no shell adds a word.
        let killed = start(shell, &base, "3.1", "echo a; kill -KILL $(exec sh -c 'echo $PPID')", true);
        assert_eq!(killed, ("a\n\x1eLT1 exited 137\x1e".into(), String::new()), "{shell:?}");
        assert_eq!(watch(shell, "follow", &base, "3.1"), "a\n\x1eLT1 exited 137\x1e", "{shell:?}");
        assert_eq!(watch(shell, "inspect", &base, "4.1"), "\x1eLT1 absent 0\x1e", "{shell:?}");
        // Cut without a word, by a loss of power.
        std::fs::remove_file(format!("{base}/r/3.1.exit")).unwrap();
        assert_eq!(watch(shell, "inspect", &base, "3.1"), "\x1eLT1 interrupted 0\x1e", "{shell:?}");
        assert_eq!(watch(shell, "forget", &base, "3.1"), "\x1eLT1 interrupted 0\x1e", "{shell:?}");
        assert_eq!(watch(shell, "inspect", &base, "3.1"), "\x1eLT1 absent 0\x1e", "{shell:?}");
    }
}
