//! Where the provider's token comes from, and what to say if it comes from nowhere.

use super::linode_cli;
use super::store::SecretStore;
use crate::core::{Failure, FailureKind, Secret};
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// How long `--token-cmd` may take: password managers answer in one or two seconds.
const COMMAND_LIMIT: Duration = Duration::from_secs(10);

/// Much more than any token has.
const OUTPUT_LIMIT: u64 = 64 * 1024;

/// Name in the secret store under which a token is looked for.
const STORED_NAME: &str = "token";

/// The places that are looked at, in this order.
pub struct TokenSources<'a> {
    /// `--token-cmd`: run by `sh`.
    pub token_cmd: Option<&'a str>,
    /// The environment.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// The secret `token` in this store.
    pub stored: Option<&'a SecretStore>,
    /// linode-cli's configuration file.
    pub linode_cli: &'a Path,
    /// A user in that file; absent: its default user.
    pub user: Option<&'a str>,
}

/// A token, and where it comes from in words.
#[derive(Clone, Debug)]
pub struct TokenFound {
    pub token: Secret<String>,
    pub from: String,
}

/// The first token there is. A source that is named but broken is an error, not passed over.
pub fn find_token(sources: &TokenSources<'_>) -> Result<TokenFound, Failure> {
    find_within(sources, COMMAND_LIMIT)
}

fn find_within(sources: &TokenSources<'_>, limit: Duration) -> Result<TokenFound, Failure> {
    if let Some(command) = sources.token_cmd {
        let output = run_command(command, limit)?;
        let token = plausible(output.trim(), "--token-cmd")?;
        return Ok(TokenFound { token, from: "--token-cmd".to_owned() });
    }
    for name in ["LINODE_TOKEN", "LINODE_CLI_TOKEN"] {
        if let Some(value) = (sources.env)(name).filter(|value| !value.trim().is_empty()) {
            let token = plausible(value.trim(), name)?;
            return Ok(TokenFound { token, from: format!("the environment variable {name}") });
        }
    }
    if let Some(store) = sources.stored
        && let Some(value) = store.get(STORED_NAME)?
    {
        let token = plausible(value.reveal().trim(), "the secret `token`")?;
        return Ok(TokenFound { token, from: "the secret `token`".to_owned() });
    }
    if let Some(user) = linode_cli::read(sources.linode_cli, sources.user)? {
        let from = format!("linode-cli's file {} (user {})", sources.linode_cli.display(), user.name);
        return Ok(TokenFound { token: user.token, from });
    }
    Err(Failure::new(FailureKind::Auth, "there is no Linode API token").hint(format!(
        "make one at https://cloud.linode.com/profile/tokens, then do one of: `export LINODE_TOKEN=...`; \
         `linodetool secret set {STORED_NAME}`; `--token-cmd 'pass show linode'`; `linode-cli configure`. \
         No account is needed with --sandbox"
    )))
}

/// One word of printable characters: anything else could change the request that it becomes part of.
pub(super) fn plausible(token: &str, from: &str) -> Result<Secret<String>, Failure> {
    if token.is_empty() {
        return Err(Failure::new(FailureKind::Auth, format!("{from} gives an empty token")));
    }
    if token.len() > 4096 || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Failure::new(FailureKind::Auth, format!("what {from} gives is no token"))
            .hint("a token is one word of printable characters on one line"));
    }
    Ok(Secret::new(token.to_owned()))
}

/// Runs the command and gives what it writes. Errors never show that: it may hold half a secret.
fn run_command(command: &str, limit: Duration) -> Result<String, Failure> {
    let failed = |why: String| {
        Failure::new(FailureKind::Auth, format!("--token-cmd {why}"))
            .hint("run the command by itself to see what it says; its output is not shown here")
    };
    // Its standard error stays the terminal's, so that a password manager can ask.
    let mut child = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| failed(format!("cannot be started: {error}")))?;
    let (sender, output) = channel();
    if let Some(mut stdout) = child.stdout.take() {
        std::thread::spawn(move || {
            let mut text = String::new();
            let read = stdout.by_ref().take(OUTPUT_LIMIT).read_to_string(&mut text);
            let _ = sender.send(read.map(|_| text));
        });
    }
    let until = Instant::now() + limit;
    let output = output.recv_timeout(limit);
    let status = wait_until(&mut child, until);
    let Some(status) = status.map_err(|error| failed(format!("cannot be waited for: {error}")))? else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(failed(format!("took longer than {} s", limit.as_secs_f32())));
    };
    if !status.success() {
        let how = status.code().map_or_else(|| "was killed".to_owned(), |code| format!("ended with exit code {code}"));
        return Err(failed(how));
    }
    match output {
        Ok(Ok(text)) => Ok(text),
        Ok(Err(_)) => Err(failed("wrote something that is no text".to_owned())),
        Err(_) => Err(failed("left its output open".to_owned())),
    }
}

fn wait_until(child: &mut std::process::Child, until: Instant) -> std::io::Result<Option<std::process::ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= until {
            return Ok(None);
        }
        // Its output has ended, so it is about to: this goes round once or twice.
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::SystemClock;
    use expect_test::{Expect, expect};
    use std::sync::Arc;

    #[derive(Default)]
    struct Given<'a> {
        token_cmd: Option<&'a str>,
        env: &'a [(&'a str, &'a str)],
        stored: Option<&'a str>,
        linode_cli: Option<&'a str>,
    }

    fn check(given: &Given<'_>, expected: &Expect) {
        let dir = tempfile::tempdir().unwrap();
        let store = SecretStore::open(dir.path(), "default/default", Arc::new(SystemClock)).unwrap();
        if let Some(stored) = given.stored {
            store.set("token", &Secret::new(stored.to_owned())).unwrap();
        }
        let file = dir.path().join("linode-cli");
        if let Some(text) = given.linode_cli {
            std::fs::write(&file, text).unwrap();
        }
        let env = |name: &str| given.env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let sources =
            TokenSources { token_cmd: given.token_cmd, env: &env, stored: Some(&store), linode_cli: &file, user: None };
        let said = match find_within(&sources, Duration::from_millis(300)) {
            Ok(found) => format!("{} from {}", found.token.reveal(), found.from),
            Err(failure) => format!("{failure}\nhint: {}", failure.hint.as_deref().unwrap_or_default()),
        };
        expected.assert_eq(&said.replace(dir.path().to_str().unwrap(), "DIR"));
    }

    #[test]
    fn the_first_source_wins() {
        let all = Given {
            token_cmd: Some("echo ' from-cmd '"),
            env: &[("LINODE_TOKEN", "from-env"), ("LINODE_CLI_TOKEN", "from-cli-env")],
            stored: Some("from-store"),
            linode_cli: Some("[anna]\ntoken = from-file\n"),
        };
        check(&all, &expect!["from-cmd from --token-cmd"]);
        let all = Given { token_cmd: None, ..all };
        check(&all, &expect!["from-env from the environment variable LINODE_TOKEN"]);
        let all = Given { env: &[("LINODE_TOKEN", " "), ("LINODE_CLI_TOKEN", "from-cli-env")], ..all };
        check(&all, &expect!["from-cli-env from the environment variable LINODE_CLI_TOKEN"]);
        let all = Given { env: &[], ..all };
        check(&all, &expect!["from-store from the secret `token`"]);
        let all = Given { stored: None, ..all };
        check(&all, &expect!["from-file from linode-cli's file DIR/linode-cli (user anna)"]);
        check(
            &Given::default(),
            &expect![[r#"
                there is no Linode API token
                hint: make one at https://cloud.linode.com/profile/tokens, then do one of: `export LINODE_TOKEN=...`; `linodetool secret set token`; `--token-cmd 'pass show linode'`; `linode-cli configure`. No account is needed with --sandbox"#]],
        );
    }

    #[test]
    fn a_command_that_fails_shows_no_output() {
        check(
            &Given { token_cmd: Some("echo half-a-secret; exit 3"), ..Given::default() },
            &expect![[r#"
                --token-cmd ended with exit code 3
                hint: run the command by itself to see what it says; its output is not shown here"#]],
        );
        check(
            &Given { token_cmd: Some("exec sleep 60"), ..Given::default() },
            &expect![[r#"
                --token-cmd took longer than 0.3 s
                hint: run the command by itself to see what it says; its output is not shown here"#]],
        );
        check(
            &Given { token_cmd: Some("true"), ..Given::default() },
            &expect![[r#"
                --token-cmd gives an empty token
                hint: "#]],
        );
        check(
            &Given { token_cmd: Some("printf 'two\\nlines'"), ..Given::default() },
            &expect![[r#"
                what --token-cmd gives is no token
                hint: a token is one word of printable characters on one line"#]],
        );
    }
}
