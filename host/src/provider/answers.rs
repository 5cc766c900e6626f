//! Makes message bodies of HTTP answers: redacted, JSON where it is JSON.

use crate::core::Redactor;
use crate::provider::transport::Answer;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use linodetool_plugin::message::{Body, Headers};
use reqwest::header::HeaderMap;
use serde_json::value::RawValue;

impl Answer {
    /// Without what the redactor knows.
    pub(crate) fn redacted(mut self, redactor: &Redactor) -> (u16, Headers, Body) {
        for value in self.headers.values_mut() {
            if let std::borrow::Cow::Owned(clean) = redactor.text(value) {
                *value = clean;
            }
        }
        (self.status, self.headers, body_of(self.bytes, redactor))
    }
}

/// Lower-case names; repeated headers are joined.
pub(crate) fn headers_of(map: &HeaderMap) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in map {
        let value = String::from_utf8_lossy(value.as_bytes());
        headers
            .entry(name.as_str().to_owned())
            .and_modify(|all| *all = format!("{all}, {value}"))
            .or_insert(value.into());
    }
    headers
}

/// JSON if it is JSON, whatever the header says; else text; else base64.
pub(crate) fn body_of(bytes: Vec<u8>, redactor: &Redactor) -> Body {
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(binary) => return binary_body(binary.as_bytes(), redactor),
    };
    if text.is_empty() {
        return Body::default();
    }
    let clean = redactor.concerns(&text).then(|| redactor.json(&text)).flatten();
    let text = clean.unwrap_or(text);
    match RawValue::from_string(text.clone()) {
        Ok(json) => Body { json: Some(json), ..Body::default() },
        Err(_) => Body { text: Some(redactor.text(&text).into_owned()), ..Body::default() },
    }
}

fn binary_body(bytes: &[u8], redactor: &Redactor) -> Body {
    let text = String::from_utf8_lossy(bytes);
    match redactor.text(&text) {
        std::borrow::Cow::Owned(clean) => Body { text: Some(clean), ..Body::default() },
        std::borrow::Cow::Borrowed(_) => Body { base64: Some(STANDARD.encode(bytes)), ..Body::default() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn bodies_are_what_they_are() {
        let redactor = Redactor::new(["hunter22"]);
        let bodies: Vec<_> = [
            b"".as_slice(),
            b"{\"a\": 1}",
            b"{\"a\": \"hunter22\"}",
            b"<html>hunter22</html>",
            b"\xff\x00",
            b"\xff hunter22",
            b"{\"cut\":\"hunter22",
        ]
        .iter()
        .map(|bytes| serde_json::to_string(&body_of(bytes.to_vec(), &redactor)).unwrap())
        .collect();
        expect![[r#"
            {}
            {"json":{"a": 1}}
            {"json":{"a":"***"}}
            {"text":"<html>***</html>"}
            {"base64":"/wA="}
            {"text":"� ***"}
            {"text":"{\"cut\":\"***"}"#]]
        .assert_eq(&bodies.join("\n"));
    }
}
