//! Takes known secrets out of texts: as they are, and in the encodings in which programs and services repeat them.
//!
//! Does not know whose secrets they are, nor where the texts go.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::Value;
use std::borrow::Cow;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

/// What stands in a secret's place.
const MASK: &str = "***";

/// Of all secrets that a process knows, shorter ones are left: they would take parts of common words out of what nodes
/// say, which recipes read, and tell by their absence what they are.
const SHORTEST: usize = 6;

/// Of the few secrets that go into one request, and out of its answer alone, also short passwords are taken.
const SHORTEST_OF_ONE: usize = 4;

/// Lines of a secret of several lines that are this long are secrets too: programs show and quote single lines.
const SHORTEST_LINE: usize = 20;

/// Knows some secrets and takes them out of texts. Clones share them.
#[derive(Clone, Default)]
pub struct Redactor(Arc<RwLock<Vec<String>>>);

impl Redactor {
    /// For a text that has to do with just these secrets. One of fewer than 4 characters stays.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let redactor = Self::default();
        redactor.know(secrets.into_iter().flat_map(|secret| forms(secret, SHORTEST_OF_ONE)));
        redactor
    }

    /// From now on this secret is taken out of any text. One of fewer than 6 characters is not.
    pub fn add(&self, secret: &str) {
        self.know(forms(secret, SHORTEST));
    }

    /// Whether [`Self::add`] does anything for this secret.
    pub fn takes_out(secret: &str) -> bool {
        secret.trim().len() >= SHORTEST
    }

    /// Takes out the lines of a key, which stands in texts line by line. Far less to remember than all forms of it.
    pub fn add_lines(&self, key: &str) {
        self.know(lines(key).map(str::to_owned));
    }

    fn know(&self, forms: impl IntoIterator<Item = String>) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.extend(forms);
        // The longest first, so that no form leaves the rest of a longer one standing.
        all.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        all.dedup();
    }

    fn all(&self) -> RwLockReadGuard<'_, Vec<String>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The text without any known secret; owned only if there was one.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for form in self.all().iter() {
            if text.contains(form.as_str()) {
                text = Cow::Owned(text.replace(form.as_str(), MASK));
            }
        }
        text
    }

    /// A JSON text, redacted inside its strings whatever way they are escaped. `None`: it is not JSON.
    pub(crate) fn json(&self, text: &str) -> Option<String> {
        let mut value: Value = serde_json::from_str(text).ok()?;
        self.value(&mut value).then(|| value.to_string()).or_else(|| Some(text.to_owned()))
    }

    /// Whether a JSON text must go through [`Self::json`]: something may be hidden by escapes or must be taken out. Parsing
    /// every page of 100 would take four times as long.
    pub(crate) fn concerns(&self, text: &str) -> bool {
        let all = self.all();
        !all.is_empty() && (text.contains('\\') || all.iter().any(|form| text.contains(form.as_str())))
    }

    fn value(&self, value: &mut Value) -> bool {
        match value {
            Value::String(text) => match self.text(text) {
                Cow::Borrowed(_) => false,
                Cow::Owned(clean) => {
                    *text = clean;
                    true
                }
            },
            Value::Number(number) => {
                let hit = self.all().contains(&number.to_string());
                if hit {
                    *value = Value::String(MASK.into());
                }
                hit
            }
            Value::Array(items) => {
                let mut hit = false;
                for item in items {
                    hit |= self.value(item);
                }
                hit
            }
            Value::Object(fields) => {
                let mut hit = false;
                for field in fields.values_mut() {
                    hit |= self.value(field);
                }
                let keys: Vec<_> =
                    fields.keys().filter(|key| matches!(self.text(key), Cow::Owned(_))).cloned().collect();
                for key in keys {
                    hit = true;
                    if let Some(field) = fields.remove(&key) {
                        fields.insert(self.text(&key).into_owned(), field);
                    }
                }
                hit
            }
            Value::Null | Value::Bool(_) => false,
        }
    }
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redactor({} forms)", self.all().len())
    }
}

/// The ways in which a secret may stand in a text.
fn forms(secret: &str, shortest: usize) -> Vec<String> {
    // Base64 of one that is too short would be long enough, and stand in other texts.
    if secret.len() < shortest {
        return Vec::new();
    }
    let mut forms = encoded(secret);
    if secret.trim() != secret {
        forms.extend(encoded(secret.trim()));
    }
    for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
        forms.extend(encoded(&engine.encode(secret)));
    }
    for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        forms.extend((0..3).map(|offset| base64_within(secret.as_bytes(), offset, engine)));
    }
    if secret.contains('\n') {
        forms.extend(lines(secret).map(str::to_owned));
    }
    // Blanks around a secret may have made it long enough, and little of a short one is left within base64.
    let too_short = |form: &String| form.len() < if form == secret.trim() { shortest } else { SHORTEST };
    forms.retain(|form| !too_short(form));
    forms
}

/// Lines that only this secret has: the first and last ones of keys are the same in all of them.
fn lines(secret: &str) -> impl Iterator<Item = &str> {
    secret.lines().map(str::trim).filter(|line| line.len() >= SHORTEST_LINE && !line.starts_with("-----"))
}

/// The text, and how JSON, forms and URLs write it.
fn encoded(text: &str) -> Vec<String> {
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)) {
        return vec![text.to_owned()];
    }
    let json = Value::from(text).to_string();
    let mut forms = vec![text.to_owned(), json[1..json.len() - 1].to_owned()];
    // RFC 3986, forms, and JavaScript's `encodeURIComponent`; they differ in few texts.
    let kept = ["-._~", "-._*", "-._~!*'()"];
    let kept = if text.contains(['~', '!', '*', '\'', '(', ')']) { &kept[..] } else { &kept[..1] };
    let spaces = if text.contains(' ') { &["%20", "+"][..] } else { &["%20"][..] };
    for kept in kept {
        for space in spaces {
            forms.push(percent(text, kept, space, false));
            forms.push(percent(text, kept, space, true));
        }
    }
    forms
}

/// Percent-encoding; besides letters and digits these stay.
pub(crate) fn percent(text: &str, kept: &str, space: &str, lower: bool) -> String {
    let digits: &[u8; 16] = if lower { b"0123456789abcdef" } else { b"0123456789ABCDEF" };
    let mut encoded = String::with_capacity(text.len() + text.len() / 4);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.as_bytes().contains(&byte) {
            encoded.push(byte as char);
        } else if byte == b' ' {
            encoded.push_str(space);
        } else {
            let digit = |number: u8| digits[usize::from(number)] as char;
            encoded.extend(['%', digit(byte >> 4), digit(byte & 15)]);
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
    use expect_test::{Expect, expect};

    fn check(secret: &str, text: &str, expected: &Expect) {
        expected.assert_eq(&Redactor::new([secret]).text(text));
    }

    const TOKEN: &str = "s3cr3t/t0ken+✓";

    #[test]
    fn takes_out_plain_and_encoded_secrets() {
        check(TOKEN, "Bearer s3cr3t/t0ken+✓!", &expect!["Bearer ***!"]);
        check(TOKEN, "?key=s3cr3t%2Ft0ken%2B%E2%9C%93&x=1", &expect!["?key=***&x=1"]);
        check(TOKEN, "?key=s3cr3t%2ft0ken%2b%e2%9c%93&x=1", &expect!["?key=***&x=1"]);
        check("pass word\"1", r#"{"p":"pass word\"1"}"#, &expect![[r#"{"p":"***"}"#]]);
        check("pass word", "a=pass+word&b=pass%20word", &expect!["a=***&b=***"]);
        check("p@ss/wörd +1", "base64 cEBzcy93w7ZyZCArMQ== and cEBzcy93w7ZyZCArMQ", &expect!["base64 *** and ***"]);
        check("pass", "pass word, cGFzcw==", &expect!["*** word, ***"]);
        check("abc", "abc stays", &expect!["abc stays"]);
    }

    #[test]
    fn a_short_secret_is_not_taken_out_of_everything() {
        let known = Redactor::default();
        known.add("root");
        known.add("admin");
        known.add("longer");
        expect!["root and admin stay, *** goes"].assert_eq(&known.text("root and admin stay, longer goes"));
    }

    #[test]
    fn takes_out_base64_at_any_offset() {
        let redactor = Redactor::new([TOKEN]);
        for before in ["", "a", "ab", "abc", "user:"] {
            for after in ["", "x", "xy", "\nmore"] {
                let text = format!("{before}{TOKEN}{after}");
                for encoded in [STANDARD.encode(&text), URL_SAFE.encode(&text)] {
                    let said = redactor.text(&encoded);
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
        let redactor = Redactor::new(["secret"]);
        redactor.clone().add("secret-and-more");
        expect!["*** *** x***x"].assert_eq(&redactor.text("secret-and-more secret xsecretx"));
    }

    #[test]
    fn json_is_redacted_behind_its_escapes() {
        let redactor = Redactor::new(["a/b\"c\nd", "12345678"]);
        let text = r#"{"echo":"x a\/b\"c\u000ad y","pin":12345678,"list":["12345678"],"n":1.50}"#;
        assert!(redactor.concerns(text));
        expect![[r#"{"echo":"x *** y","list":["***"],"n":1.5,"pin":"***"}"#]].assert_eq(&redactor.json(text).unwrap());
        // What holds no secret stays as it was, to the byte.
        let text = r#"{"z":"\/","a":1.50}"#;
        assert_eq!(redactor.json(text).unwrap(), text);
    }

    #[test]
    fn a_single_line_of_a_key_is_a_secret_too() {
        let key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAA\n-----END-----\n";
        let text = "-----BEGIN OPENSSH PRIVATE KEY----- line 2: b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAA is not valid";
        let all = Redactor::default();
        all.add_lines(key);
        expect!["-----BEGIN OPENSSH PRIVATE KEY----- line 2: *** is not valid"].assert_eq(&all.text(text));
        check(key, text, &expect!["-----BEGIN OPENSSH PRIVATE KEY----- line 2: *** is not valid"]);
    }

    #[test]
    fn nothing_known_changes_nothing() {
        assert!(!Redactor::new(["", "abc"]).concerns("\"abc\\n\""));
    }
}
