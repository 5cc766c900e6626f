//! Takes secrets out of texts: as they are, and in the encodings in which services echo them.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use reqwest::Url;
use serde_json::Value;
use std::borrow::Cow;

/// What stands in place of a secret.
const MASK: &str = "***";

/// Shorter ones would tear holes into every text; no provider accepts them.
const SHORTEST: usize = 4;

/// Lines of a secret of several lines that are this long are secrets too: errors quote single lines.
const SHORTEST_LINE: usize = 20;

/// Knows some secrets and takes them out of texts.
#[derive(Clone, Default)]
pub struct Redactor {
    /// Longest first, so that what contains another goes first.
    needles: Vec<String>,
}

impl Redactor {
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut redactor = Self::default();
        for secret in secrets {
            redactor.learn(secret);
        }
        redactor.needles.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        redactor.needles.dedup();
        redactor
    }

    fn learn(&mut self, secret: &str) {
        if secret.len() < SHORTEST {
            return;
        }
        self.encoded(secret);
        for base64 in [
            STANDARD.encode(secret),
            STANDARD_NO_PAD.encode(secret),
            URL_SAFE.encode(secret),
            URL_SAFE_NO_PAD.encode(secret),
        ] {
            self.encoded(&base64);
        }
        self.needles.extend(inside_base64(secret));
        if secret.contains('\n') {
            let lines = secret.lines().map(str::trim).filter(|line| line.len() >= SHORTEST_LINE);
            self.needles.extend(lines.map(str::to_owned));
        }
    }

    /// The text, and how JSON, forms and URLs write it.
    fn encoded(&mut self, text: &str) {
        if let Ok(json) = serde_json::to_string(text) {
            self.needles.push(json.trim_matches('"').to_owned());
        }
        let form = form_encode(text);
        self.needles.push(lower_hex(&form));
        let url = form.replace('+', "%20");
        self.needles.push(lower_hex(&url));
        self.needles.extend([url, form, text.to_owned()]);
    }

    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for needle in &self.needles {
            if text.contains(needle.as_str()) {
                text = Cow::Owned(text.replace(needle.as_str(), MASK));
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
        !self.needles.is_empty()
            && (text.contains('\\') || self.needles.iter().any(|needle| text.contains(needle.as_str())))
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
                let hit = self.needles.contains(&number.to_string());
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
        write!(f, "Redactor({} needles)", self.needles.len())
    }
}

/// `a b&c` as `a+b%26c`.
pub(crate) fn form_encode(text: &str) -> String {
    let Ok(mut url) = Url::parse("http://h/") else {
        return String::new();
    };
    url.query_pairs_mut().append_pair("", text);
    url.query().unwrap_or_default().trim_start_matches('=').to_owned()
}

fn lower_hex(encoded: &str) -> String {
    let mut bytes = encoded.as_bytes().to_vec();
    for at in 0..bytes.len() {
        if bytes[at] == b'%' {
            let end = bytes.len().min(at + 3);
            bytes[at..end].make_ascii_lowercase();
        }
    }
    String::from_utf8(bytes).unwrap_or_default()
}

/// The characters that are the same wherever the secret stands in a longer text that was encoded (`user:password`).
fn inside_base64(secret: &str) -> impl Iterator<Item = String> {
    const SHORTEST_INSIDE: usize = 8;
    let at = |before: usize| {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(secret.as_bytes());
        let encoded = STANDARD_NO_PAD.encode(&bytes);
        let first = (before * 8).div_ceil(6);
        let last = bytes.len() * 8 / 6;
        encoded.get(first..last).unwrap_or_default().to_owned()
    };
    [at(0), at(1), at(2)].into_iter().filter(|inside| inside.len() >= SHORTEST_INSIDE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn secrets_go_in_every_encoding() {
        let redactor = Redactor::new(["p@ss/wörd +1"]);
        let basic = STANDARD.encode("root:p@ss/wörd +1!");
        let texts = [
            "plain p@ss/wörd +1.".to_owned(),
            format!("base64 {}", STANDARD.encode("p@ss/wörd +1")),
            format!("url-safe {}", URL_SAFE_NO_PAD.encode("p@ss/wörd +1")),
            format!("form {}", form_encode("p@ss/wörd +1")),
            "url p%40ss%2Fw%C3%B6rd%20%2B1".to_owned(),
            "lower p%40ss%2fw%c3%b6rd%20%2b1".to_owned(),
            "nothing p@ss".to_owned(),
        ];
        let clean: Vec<_> = texts.iter().map(|text| redactor.text(text).into_owned()).collect();
        expect![[r#"
            plain ***.
            base64 ***
            url-safe ***
            form ***
            url ***
            lower ***
            nothing p@ss"#]]
        .assert_eq(&clean.join("\n"));
        assert!(redactor.text(&basic).contains(MASK));
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
        expect!["line 2: *** is not valid"]
            .assert_eq(&Redactor::new([key]).text("line 2: b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAA is not valid"));
    }

    #[test]
    fn nothing_known_changes_nothing() {
        assert!(!Redactor::new(["", "abc"]).concerns("\"abc\\n\""));
    }
}
