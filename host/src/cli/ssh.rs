//! A login with this computer's own `ssh`, given the node's key and known host key for this one time.
//!
//! Owns the short-lived files: a key readable by nobody else, gone when the session ends. The user's own ssh settings
//! and known hosts are neither read nor written. Does not know where keys and addresses come from.

use crate::core::{Failure, FailureKind, Secret};
use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io::Write;
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Whom to log in to.
#[derive(Debug)]
pub(crate) struct Login {
    pub(crate) node: String,
    pub(crate) host: IpAddr,
    pub(crate) port: u16,
    pub(crate) user: String,
    /// An OpenSSH private key.
    pub(crate) key: Secret<String>,
    /// `ssh-ed25519 AAAA...`, as they are known from the node's making.
    pub(crate) host_keys: Vec<String>,
    /// A command that connects stdin and stdout to `%h` `%p`, where the node cannot be reached directly.
    pub(crate) proxy: Option<String>,
}

/// The files of one session; dropping it removes them.
#[derive(Debug)]
pub(crate) struct Session {
    folder: tempfile::TempDir,
    node: String,
}

impl Session {
    /// Writes the files below `state`, where only the user may look.
    pub(crate) fn prepare(login: &Login, state: &Path) -> Result<Self, Failure> {
        if login.host_keys.is_empty() {
            return Err(Failure::new(FailureKind::Ssh, "its host key is not known, so it could be anybody").on(&login.node).hint(
                "linodetool trusts no key at first sight; create the node with linodetool, or record its key in the inventory",
            ));
        }
        let parent = state.join("ssh");
        let cannot = |e: std::io::Error| {
            Failure::new(FailureKind::State, format!("{} cannot be written: {e}", parent.display()))
                .hint("give a writable folder with --state-dir")
        };
        DirBuilder::new().recursive(true).mode(0o700).create(&parent).map_err(cannot)?;
        forget_dead(&parent);
        let folder = tempfile::Builder::new()
            .prefix(&format!("{}-", std::process::id()))
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(&parent)
            .map_err(cannot)?;
        let mut key = login.key.reveal().clone();
        if !key.ends_with('\n') {
            // ssh calls a key without its last line feed invalid.
            key.push('\n');
        }
        let known: String = login.host_keys.iter().map(|key| format!("{} {key}\n", login.node)).collect();
        for (name, text) in [("key", key), ("known_hosts", known), ("config", config(login, folder.path())?)] {
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(folder.path().join(name))
                .map_err(cannot)?;
            file.write_all(text.as_bytes()).map_err(cannot)?;
        }
        Ok(Self { folder, node: login.node.clone() })
    }

    /// Runs ssh on this terminal until it ends; its exit code.
    pub(crate) fn run(self, ssh: Option<PathBuf>, arguments: &[String]) -> Result<u8, Failure> {
        let ssh = ssh.ok_or_else(|| {
            Failure::new(FailureKind::Local, "this computer has no `ssh` program in PATH")
                .hint("install the OpenSSH client: `apt install openssh-client`, `dnf install openssh-clients`")
        })?;
        let status = Command::new(&ssh)
            .arg("-F")
            .arg(self.folder.path().join("config"))
            .arg(&self.node)
            .args(arguments)
            .stdin(Stdio::inherit())
            .status()
            .map_err(|e| Failure::new(FailureKind::Local, format!("{} cannot be started: {e}", ssh.display())))?;
        let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(255);
        Ok(u8::try_from(code).unwrap_or(255))
    }
}

/// Removes what sessions left whose process was killed; their folders begin with its id.
fn forget_dead(parent: &Path) {
    // Where there is no /proc nobody can be told to be dead.
    if !Path::new("/proc/self").exists() {
        return;
    }
    for entry in parent.read_dir().into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.split('-').next()).and_then(|pid| pid.parse::<u32>().ok());
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists()) {
            // Of another user's process, or removed by another of ours at this moment: nothing is lost.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// The whole configuration of the session.
fn config(login: &Login, folder: &Path) -> Result<String, Failure> {
    let file = |name: &str| quoted(&folder.join(name).to_string_lossy());
    let plain = |what: &str, text: &str| {
        // A line feed or quote in a name would become an option of its own.
        let fine = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        if fine {
            Ok(text.to_owned())
        } else {
            Err(Failure::internal(format!("{what} `{}` is no plain word", text.escape_debug())))
        }
    };
    let node = plain("the node's name", &login.node)?;
    let mut lines = vec![
        format!("Host {node}"),
        format!("HostName {}", login.host),
        format!("Port {}", login.port),
        format!("User {}", plain("the user", &login.user)?),
        format!("IdentityFile {}", file("key")?),
        "IdentitiesOnly yes".to_owned(),
        "IdentityAgent none".to_owned(),
        format!("UserKnownHostsFile {}", file("known_hosts")?),
        "GlobalKnownHostsFile /dev/null".to_owned(),
        format!("HostKeyAlias {node}"),
        "StrictHostKeyChecking yes".to_owned(),
        "UpdateHostKeys no".to_owned(),
        "PasswordAuthentication no".to_owned(),
        "KbdInteractiveAuthentication no".to_owned(),
        "LogLevel ERROR".to_owned(),
    ];
    if let Some(proxy) = &login.proxy {
        lines.push(format!("ProxyCommand {proxy}"));
    }
    Ok(lines.join("\n    ") + "\n")
}

/// A path for ssh's configuration: quoted, and its `%` doubled.
fn quoted(path: &str) -> Result<String, Failure> {
    if path.contains(['"', '\n', '\\']) || path.contains("${") {
        return Err(Failure::new(FailureKind::Local, format!("ssh cannot be given the path {path:?}"))
            .hint("choose a state directory without quotes, backslashes, `${` or line feeds"));
    }
    Ok(format!("\"{}\"", path.replace('%', "%%")))
}

/// The command with which ssh reaches a machine of the sandbox.
pub(crate) fn sandbox_proxy(exe: &Path, state: &Path) -> String {
    use super::render::summary::quoted;
    let word = |path: &Path| quoted(&path.to_string_lossy()).replace('%', "%%");
    format!("{} --state-dir {} sandbox dial %h %p", word(exe), word(state))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn login() -> Login {
        Login {
            node: "web-1".into(),
            host: "198.18.0.2".parse().unwrap(),
            port: 22,
            user: "root".into(),
            key: Secret::new("-----BEGIN OPENSSH PRIVATE KEY-----\nx\n-----END OPENSSH PRIVATE KEY-----".into()),
            host_keys: vec!["ssh-ed25519 AAAA".into()],
            proxy: Some(sandbox_proxy(Path::new("/opt/my tools/linodetool"), Path::new("/s/100%"))),
        }
    }

    #[test]
    fn the_configuration_trusts_only_what_is_known() {
        expect![[r#"
            Host web-1
                HostName 198.18.0.2
                Port 22
                User root
                IdentityFile "/s/ssh/100%% x/key"
                IdentitiesOnly yes
                IdentityAgent none
                UserKnownHostsFile "/s/ssh/100%% x/known_hosts"
                GlobalKnownHostsFile /dev/null
                HostKeyAlias web-1
                StrictHostKeyChecking yes
                UpdateHostKeys no
                PasswordAuthentication no
                KbdInteractiveAuthentication no
                LogLevel ERROR
                ProxyCommand '/opt/my tools/linodetool' --state-dir /s/100%% sandbox dial %h %p
        "#]]
        .assert_eq(&config(&login(), Path::new("/s/ssh/100% x")).unwrap());
    }

    #[test]
    fn the_files_are_private_and_gone_afterwards() {
        let state = tempfile::tempdir().unwrap();
        let session = Session::prepare(&login(), state.path()).unwrap();
        let folder = session.folder.path().to_owned();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(folder.parent().unwrap()), mode(&folder), mode(&folder.join("key"))), (0o700, 0o700, 0o600));
        assert_eq!(std::fs::read_to_string(folder.join("known_hosts")).unwrap(), "web-1 ssh-ed25519 AAAA\n");
        assert!(std::fs::read_to_string(folder.join("key")).unwrap().ends_with("KEY-----\n"));
        // Any program takes ssh's place; its exit code comes through.
        let script = state.path().join("ssh.sh");
        std::fs::write(&script, "#!/bin/sh\n[ \"$1 $3 $4\" = '-F web-1 uptime' ] && exit 7\n").unwrap();
        let arguments = [script.to_string_lossy().into_owned()];
        assert_eq!(session.run(Some("/bin/false".into()), &arguments).unwrap(), 1);
        assert!(!folder.exists());
    }

    #[test]
    fn what_a_killed_session_left_is_removed() {
        let state = tempfile::tempdir().unwrap();
        // No process has an id above the kernel's limit of 4,194,304.
        let dead = state.path().join("ssh/4194999-abc");
        std::fs::create_dir_all(&dead).unwrap();
        std::fs::write(dead.join("key"), "x").unwrap();
        let living = Session::prepare(&login(), state.path()).unwrap();
        let _second = Session::prepare(&login(), state.path()).unwrap();
        assert!(!dead.exists() && living.folder.path().exists());
    }

    #[test]
    fn refusals_say_what_to_do() {
        let state = tempfile::tempdir().unwrap();
        let refused = |login: &Login| Session::prepare(login, state.path()).unwrap_err().to_string();
        assert_eq!(
            refused(&Login { host_keys: vec![], ..login() }),
            "web-1: its host key is not known, so it could be anybody"
        );
        assert_eq!(
            refused(&Login { user: "root\nProxyCommand x".into(), ..login() }),
            "the user `root\\nProxyCommand x` is no plain word"
        );
        let session = Session::prepare(&login(), state.path()).unwrap();
        assert_eq!(session.run(None, &[]).unwrap_err().kind, FailureKind::Local);
    }
}
