//! Takes known secrets out of text, also where they stand in base64, URL encoding or JSON.

use crate::core::Secret;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::fmt::Write;
use std::sync::{Arc, PoisonError, RwLock};

/// What stands in a secret's place.
const MASK: &str = "***";

/// Shorter ones would take out parts of common words, and tell by their absence what they are.
const SHORTEST: usize = 6;

/// Knows the secrets that this process has touched. Clones share them.
#[derive(Clone, Default)]
pub struct Redactor(Arc<RwLock<Vec<String>>>);

impl Redactor {
    /// From now on this secret is taken out. One of fewer than 6 characters is not.
    pub fn add(&self, secret: &Secret<String>) {
        let secret = secret.reveal();
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for form in forms(secret) {
            if form.len() >= SHORTEST && !all.contains(&form) {
                all.push(form);
            }
        }
        // The longest first, so that no form leaves the rest of a longer one standing.
        all.sort_by_key(|form| std::cmp::Reverse(form.len()));
    }

    /// The text without any known secret.
    pub fn redact(&self, text: &str) -> String {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut text = text.to_owned();
        for form in all.iter() {
            if text.contains(form.as_str()) {
                text = text.replace(form.as_str(), MASK);
            }
        }
        text
    }

    /// Whether any known secret is in the text.
    pub fn finds(&self, text: &str) -> bool {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.iter().any(|form| text.contains(form.as_str()))
    }
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redactor")
    }
}

/// The ways in which a secret may stand in a text.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned()];
    let trimmed = secret.trim();
    if trimmed != secret {
        forms.push(trimmed.to_owned());
    }
    let json = serde_json::Value::String(secret.to_owned()).to_string();
    forms.push(json[1..json.len() - 1].to_owned());
    for kept in ["-._~", "-._*", "-._~!*'()"] {
        for space in ["%20", "+"] {
            forms.push(percent(secret, kept, space, false));
            forms.push(percent(secret, kept, space, true));
        }
    }
    for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        forms.extend((0..3).map(|offset| base64_within(secret.as_bytes(), offset, engine)));
    }
    forms
}

fn percent(text: &str, kept: &str, space: &str, lower: bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.as_bytes().contains(&byte) {
            encoded.push(byte as char);
        } else if byte == b' ' {
            encoded.push_str(space);
        } else {
            let _ = if lower { write!(encoded, "%{byte:02x}") } else { write!(encoded, "%{byte:02X}") };
        }
    }
    encoded
}

/// The characters that the secret alone decides when it begins `offset` bytes into a group of three.
fn base64_within(secret: &[u8], offset: usize, engine: &impl Engine) -> String {
    let mut bytes = vec![0; offset];
    bytes.extend_from_slice(secret);
    let encoded = engine.encode(&bytes);
    let first = (offset * 8).div_ceil(6);
    let last = bytes.len() * 8 / 6;
    encoded.get(first..last).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};
    use expect_test::{Expect, expect};

    fn check(secret: &str, text: &str, expected: &Expect) {
        let redactor = Redactor::default();
        redactor.add(&Secret::new(secret.to_owned()));
        expected.assert_eq(&redactor.redact(text));
    }

    const TOKEN: &str = "s3cr3t/t0ken+✓";

    #[test]
    fn takes_out_plain_and_encoded_secrets() {
        check(TOKEN, "Bearer s3cr3t/t0ken+✓!", &expect!["Bearer ***!"]);
        check(TOKEN, "?key=s3cr3t%2Ft0ken%2B%E2%9C%93&x=1", &expect!["?key=***&x=1"]);
        check(TOKEN, "?key=s3cr3t%2ft0ken%2b%e2%9c%93&x=1", &expect!["?key=***&x=1"]);
        check("pass word\"1", r#"{"p":"pass word\"1"}"#, &expect![[r#"{"p":"***"}"#]]);
        check("pass word", "a=pass+word&b=pass%20word", &expect!["a=***&b=***"]);
        check("short", "short words stay", &expect!["short words stay"]);
    }

    #[test]
    fn takes_out_base64_at_any_offset() {
        let redactor = Redactor::default();
        redactor.add(&Secret::new(TOKEN.to_owned()));
        for before in ["", "a", "ab", "abc", "user:"] {
            for after in ["", "x", "xy", "\nmore"] {
                let text = format!("{before}{TOKEN}{after}");
                for encoded in [STANDARD.encode(&text), URL_SAFE.encode(&text)] {
                    let said = redactor.redact(&encoded);
                    assert!(said.contains(MASK), "{text:?}: {said}");
                    // What is left at the edges decides fewer than one byte of the secret.
                    let longest = said.split(MASK).map(|part| part.len()).max().unwrap_or(0);
                    assert!(longest <= 12, "{said}");
                }
            }
        }
    }

    #[test]
    fn a_longer_secret_goes_first() {
        let redactor = Redactor::default();
        for secret in ["secret", "secret-and-more"] {
            redactor.add(&Secret::new(secret.to_owned()));
        }
        expect!["*** ***"].assert_eq(&redactor.redact("secret-and-more secret"));
        assert!(redactor.finds("xsecretx") && !redactor.finds("nothing"));
    }
}
