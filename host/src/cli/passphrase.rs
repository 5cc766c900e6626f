//! Passphrases: from a file, from stdin, or typed without being shown.
//!
//! Owns how one is asked for. Does not know what it opens.

use super::confirm::line_of_terminal;
use super::output::Output;
use crate::core::{Cancel, Failure, FailureKind, Secret};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::io::Read;
use std::path::Path;

/// Longer is no passphrase but the wrong file.
const MAX: u64 = 4096;

/// Whoever has the file may guess as long as he likes.
const SHORTEST: usize = 8;

/// The first line of a file, or of stdin for `-`.
pub(crate) fn of_file(path: &Path) -> Result<Secret<String>, Failure> {
    let text = match path.to_str() {
        Some("-") => read(std::io::stdin().lock()),
        _ => std::fs::File::open(path).and_then(read),
    };
    let text = text.map_err(|error| {
        Failure::new(FailureKind::Local, format!("the passphrase cannot be read from {}: {error}", path.display()))
            .hint("give a file with the passphrase in its first line, or `-` for stdin")
    })?;
    fit(text.lines().next().unwrap_or_default())
}

fn read(from: impl Read) -> std::io::Result<String> {
    let mut text = String::new();
    from.take(MAX).read_to_string(&mut text)?;
    Ok(text)
}

fn fit(line: &str) -> Result<Secret<String>, Failure> {
    if line.chars().count() >= SHORTEST {
        return Ok(Secret::new(line.to_owned()));
    }
    Err(Failure::usage(format!("the passphrase has less than {SHORTEST} characters"))
        .hint("a few random words make a good one"))
}

/// Asks for a new passphrase, twice.
pub(crate) fn ask_new(out: &Output, cancel: &Cancel) -> Result<Secret<String>, Failure> {
    let first = fit(ask(out, cancel, "Passphrase: ")?.reveal())?;
    let second = ask(out, cancel, "The same again: ")?;
    if first != second {
        return Err(Failure::usage("the two passphrases differ").hint("try again; nothing was done"));
    }
    Ok(first)
}

/// Asks for a passphrase that is there.
pub(crate) fn ask(out: &Output, cancel: &Cancel, question: &str) -> Result<Secret<String>, Failure> {
    if !out.can_ask() {
        return Err(Failure::new(FailureKind::Declined, "a passphrase is needed, and there is no terminal to ask on")
            .hint("give a file with --passphrase-file, or `-` for stdin"));
    }
    out.prompt(question);
    let silence = Silence::begin()?;
    let line = line_of_terminal(cancel);
    drop(silence);
    // The line feed that ended it was not shown either.
    out.error("");
    Ok(Secret::new(line?.unwrap_or_default().trim_end_matches(['\n', '\r']).to_owned()))
}

/// What is typed is not shown until this is dropped.
struct Silence(Termios);

impl Silence {
    fn begin() -> Result<Self, Failure> {
        let failed = |error: rustix::io::Errno| {
            Failure::new(FailureKind::Local, format!("this terminal cannot hide what is typed: {error}"))
                .hint("give the passphrase with --passphrase-file")
        };
        let before = tcgetattr(std::io::stdin()).map_err(failed)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(std::io::stdin(), OptionalActions::Now, &silent).map_err(failed)?;
        Ok(Self(before))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // A terminal that has gone needs nothing.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_of_a_file_counts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("passphrase");
        std::fs::write(&path, "correct horse\nbattery\n").unwrap();
        assert_eq!(of_file(&path).unwrap().reveal(), "correct horse");
        std::fs::write(&path, "short\n").unwrap();
        assert_eq!(of_file(&path).unwrap_err().message, "the passphrase has less than 8 characters");
        assert_eq!(of_file(&dir.path().join("none")).unwrap_err().kind, FailureKind::Local);
    }
}
