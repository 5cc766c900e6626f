//! `linodetool secret`: values that recipes may use and nobody may see.

use super::error::{CliError, OK};
use super::render::table::Table;
use super::session::Session;
use crate::core::clock::utc;
use crate::core::{Failure, FailureKind, Redactor, Secret};
use clap::{Args, Subcommand};
use serde_json::json;
use std::io::Read;

/// Keep secrets for recipes, encrypted on this computer
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linodetool secret set db-password < password.txt
  pass show linode | linodetool secret set registry-token
  linodetool secret rm db-password")]
pub(crate) struct SecretArgs {
    #[command(subcommand)]
    pub(crate) command: SecretCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SecretCommand {
    /// Store a secret; its value is read from stdin, so that it shows in no process list or history
    Set {
        /// The secret's name
        name: String,
    },
    /// List the names of the secrets
    #[command(visible_alias = "ls")]
    List,
    /// Remove a secret
    #[command(visible_alias = "delete")]
    Rm {
        /// The secret's name
        name: String,
    },
}

/// Longest value that is taken.
const MAX: u64 = 64 * 1024;

/// Reads a secret up to its end; one line feed at the end is not part of it.
pub(crate) fn read_value(from: impl Read) -> Result<Secret<String>, CliError> {
    let mut bytes = Vec::new();
    from.take(MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| Failure::new(FailureKind::Local, format!("the secret's value cannot be read from stdin: {e}")))?;
    if bytes.len() as u64 > MAX {
        return Err(Failure::usage(format!("the secret's value is longer than {} KiB", MAX / 1024))
            .hint("keep big files elsewhere and their key here")
            .into());
    }
    let mut value = String::from_utf8(bytes).map_err(|_| {
        Failure::usage("the secret's value is not UTF-8 text")
            .hint("encode it first: `base64 FILE | linodetool secret set NAME`")
    })?;
    if value.ends_with('\n') {
        value.truncate(value.len() - if value.ends_with("\r\n") { 2 } else { 1 });
    }
    if value.is_empty() {
        return Err(Failure::usage("the secret's value is empty")
            .hint("pass it on stdin: `linodetool secret set NAME < FILE`")
            .into());
    }
    Ok(Secret::new(value))
}

impl SecretArgs {
    pub(crate) fn run(&self, session: &Session<'_>) -> Result<u8, CliError> {
        let (out, store) = (session.out, session.toolkit.secret_store());
        match &self.command {
            SecretCommand::Set { name } => {
                if out.can_ask() {
                    out.note("The value is read from stdin up to its end (Ctrl-D); it is shown while you type.");
                }
                let value = read_value(std::io::stdin().lock())?;
                store.set(name, &value).map_err(Failure::from)?;
                if !Redactor::takes_out(value.reveal()) {
                    out.note("note: it is so short that it is not masked where a command's output shows it");
                }
                out.result(&json!({ "set": name }), || format!("Secret `{name}` is stored."))?;
            }
            SecretCommand::List => {
                let secrets = store.list().map_err(Failure::from)?;
                out.result(&secrets, || {
                    let mut table = Table::new(["NAME", "SET"]);
                    for secret in &secrets {
                        table.row([secret.name.clone(), utc(secret.set_ms)]);
                    }
                    table.show(out, "There are no secrets.")
                })?;
            }
            SecretCommand::Rm { name } => {
                if !store.remove(name).map_err(Failure::from)? {
                    let known = store.list().map_err(Failure::from)?;
                    let failure = Failure::not_found(format!("there is no secret `{name}`"))
                        .hint("`linodetool secret list` shows all");
                    return Err(failure.near(name, known.iter().map(|secret| secret.name.as_str())).into());
                }
                out.result(&json!({ "removed": name }), || format!("Secret `{name}` is removed."))?;
            }
        }
        Ok(OK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_feed_at_the_end_is_dropped() {
        let read = |text: &str| read_value(text.as_bytes()).map(|s| s.reveal().clone()).map_err(|e| e.text(false));
        assert_eq!(read("s3cret\n"), Ok("s3cret".into()));
        assert_eq!(read("a\n\n"), Ok("a\n".into()));
        assert_eq!(read("\n").unwrap_err().unwrap().lines().next(), Some("error: the secret's value is empty"));
        assert!(read_value(&[0xff][..]).is_err());
        assert!(read_value(std::io::repeat(b'x')).is_err());
    }
}
