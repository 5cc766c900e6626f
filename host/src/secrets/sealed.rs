//! Secrets that leave this computer: bytes encrypted with age to a passphrase or to a key of the user's.
//!
//! The format is age's own, so that `age -d` opens such a file as well. Does not know what the bytes mean.

use crate::core::{Failure, FailureKind, Secret};
use age::secrecy::SecretString;
use age::{DecryptError, Decryptor, Identity, scrypt, x25519};
use std::str::FromStr;

/// Work for whoever guesses a passphrase: about half a second and 128 MiB a guess.
const WORK: u8 = 17;

/// A file that asks for more, 1 GiB a guess, is not one of ours.
const MOST_WORK: u8 = 20;

/// What bytes are encrypted to.
pub enum Seal {
    Passphrase(Secret<String>),
    Recipient(x25519::Recipient),
}

/// What opens them.
pub enum Opener {
    Passphrase(Secret<String>),
    /// Text of an age identity file.
    Identities(Secret<String>),
}

impl Seal {
    /// To the owner of `age1...`.
    ///
    /// # Errors
    /// `Usage` if it is no such thing.
    pub fn recipient(text: &str) -> Result<Self, Failure> {
        let recipient = x25519::Recipient::from_str(text.trim());
        recipient.map(Self::Recipient).map_err(|why| {
            Failure::usage(format!("`{text}` is no age recipient: {why}"))
                .hint("it begins with `age1`; `age-keygen` makes a pair and prints it")
                .field("recipient")
        })
    }

    /// Encrypts.
    pub fn seal(&self, bytes: &[u8]) -> Result<Vec<u8>, Failure> {
        let sealed = match self {
            Self::Passphrase(passphrase) => {
                let mut recipient = scrypt::Recipient::new(words(passphrase));
                recipient.set_work_factor(WORK);
                age::encrypt(&recipient, bytes)
            }
            Self::Recipient(recipient) => age::encrypt(recipient, bytes),
        };
        sealed.map_err(|error| Failure::internal(format!("encrypting failed: {error}")))
    }
}

/// Whether a passphrase opens the file, and no key does.
///
/// # Errors
/// `Usage` if it is no encrypted file.
pub fn wants_passphrase(sealed: &[u8]) -> Result<bool, Failure> {
    Ok(Decryptor::new(sealed).map_err(|error| explain(&error))?.is_scrypt())
}

impl Opener {
    /// Decrypts.
    ///
    /// # Errors
    /// `Usage` if this does not open it, or if it was changed.
    pub fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, Failure> {
        let opened = match self {
            Self::Passphrase(passphrase) => {
                let mut identity = scrypt::Identity::new(words(passphrase));
                // By default it depends on how fast this computer is just now.
                identity.set_max_work_factor(MOST_WORK);
                age::decrypt(&identity, sealed)
            }
            Self::Identities(text) => open_with_any(&identities(text.reveal())?, sealed),
        };
        opened.map_err(|error| explain(&error))
    }
}

fn words(passphrase: &Secret<String>) -> SecretString {
    SecretString::from(passphrase.reveal().clone())
}

fn identities(text: &str) -> Result<Vec<x25519::Identity>, Failure> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let all: Result<Vec<_>, _> = lines.map(x25519::Identity::from_str).collect();
    let wrong = |why: &str| {
        Failure::usage(format!("the identity file cannot be used: {why}"))
            .hint("it holds lines that begin with `AGE-SECRET-KEY-1`, as `age-keygen` writes them")
            .field("identity")
    };
    match all {
        Ok(all) if all.is_empty() => Err(wrong("there is no identity in it")),
        all => all.map_err(wrong),
    }
}

fn open_with_any(identities: &[x25519::Identity], sealed: &[u8]) -> Result<Vec<u8>, DecryptError> {
    let all = identities.iter().map(|identity| identity as &dyn Identity);
    let mut reader = Decryptor::new(sealed)?.decrypt(all)?;
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut reader, &mut bytes)?;
    Ok(bytes)
}

fn explain(error: &DecryptError) -> Failure {
    let (message, hint) = match error {
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => {
            ("the passphrase is wrong".to_owned(), "try again; nothing was done")
        }
        DecryptError::NoMatchingKeys => {
            ("the file is encrypted to another key or to a passphrase".to_owned(), "name the right one with --identity")
        }
        DecryptError::InvalidHeader | DecryptError::UnknownFormat => {
            ("the file is not encrypted with age".to_owned(), "name a file that `linodetool cluster export-keys` wrote")
        }
        error => (format!("the file cannot be decrypted: {error}"), "it may be damaged: take another copy of it"),
    };
    Failure::new(FailureKind::Usage, message).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use age::secrecy::ExposeSecret;
    use expect_test::expect;

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    fn refused(result: Result<Vec<u8>, Failure>) -> String {
        let failure = result.unwrap_err();
        format!("{failure}; {}\n", failure.hint.as_deref().unwrap_or_default())
    }

    #[test]
    fn a_passphrase_opens_what_it_closed() {
        let sealed = Seal::Passphrase(secret("correct horse")).seal(b"keys").unwrap();
        assert!(wants_passphrase(&sealed).unwrap());
        assert_eq!(Opener::Passphrase(secret("correct horse")).open(&sealed).unwrap(), b"keys");
        let mut damaged = sealed.clone();
        *damaged.last_mut().unwrap() ^= 1;
        let key = secret(x25519::Identity::generate().to_string().expose_secret());
        let all = [
            refused(Opener::Passphrase(secret("wrong")).open(&sealed)),
            refused(Opener::Passphrase(secret("correct horse")).open(b"no such file")),
            refused(Opener::Identities(key).open(&sealed)),
            refused(Opener::Identities(secret("# nothing\n")).open(&sealed)),
        ];
        expect![[r#"
            the passphrase is wrong; try again; nothing was done
            the file is not encrypted with age; name a file that `linodetool cluster export-keys` wrote
            the file is encrypted to another key or to a passphrase; name the right one with --identity
            the identity file cannot be used: there is no identity in it; it holds lines that begin with `AGE-SECRET-KEY-1`, as `age-keygen` writes them
        "#]]
        .assert_eq(&all.concat());
        assert!(Opener::Passphrase(secret("correct horse")).open(&damaged).is_err());
    }

    #[test]
    fn a_key_opens_what_was_closed_to_it() {
        let identity = x25519::Identity::generate();
        let seal = Seal::recipient(&identity.to_public().to_string()).unwrap();
        let sealed = seal.seal(b"keys").unwrap();
        assert!(!wants_passphrase(&sealed).unwrap());
        let file = format!("# made by a test\n{}\n", identity.to_string().expose_secret());
        assert_eq!(Opener::Identities(secret(&file)).open(&sealed).unwrap(), b"keys");
        assert!(Seal::recipient("age1nonsense").is_err());
    }
}
