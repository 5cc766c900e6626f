//! One request and one answer, whatever carries them: a socket, a Unix socket or a function call.
//!
//! Owns: the two structs. Does not know axum, paths or accounts.

use std::time::Duration;

use serde_json::Value;

/// Header of a request whose sender lives in virtual time: what time it is there, in milliseconds since 1970.
pub const TIME: &str = "x-sandbox-time";

/// A request as it came. Header names are in lower case.
#[derive(Clone, Default)]
pub struct Request {
    pub method: String,
    /// Percent-encoded, without the query.
    pub path: String,
    /// Percent-encoded, without the question mark.
    pub query: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl std::fmt::Debug for Request {
    /// Without headers and body: they hold tokens, passwords and user data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

impl Request {
    /// The first header of this (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The decoded parameters of the query.
    pub fn parameters(&self) -> Vec<(String, String)> {
        pairs(&self.query)
    }
}

/// The decoded parameters of a query or a form.
pub fn pairs(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(&key.replace('+', " ")), decode(&value.replace('+', " ")))
        })
        .collect()
}

/// An answer; the body is JSON, or nothing, unless something happens to it on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Option<Value>,
    /// What happens to it on its way: whoever carries it does that.
    pub mishap: Option<Mishap>,
    /// How long it is on its way, in the emulator's time.
    pub delay: Duration,
}

/// What happens to an answer on its way.
#[derive(Clone, Debug, PartialEq)]
pub enum Mishap {
    /// The connection is closed before any of it arrives.
    Closed,
    /// The connection breaks in the middle of it.
    Broken,
    /// This HTML instead of the body.
    Page(String),
    /// Half of the body, as if that were all.
    Truncated,
}

impl Response {
    /// An answer without headers of its own.
    pub fn new(status: u16, body: Value) -> Self {
        Self { body: Some(body), ..Self::bare(status) }
    }

    /// 204.
    pub fn empty() -> Self {
        Self::bare(204)
    }

    fn bare(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: None, mishap: None, delay: Duration::ZERO }
    }

    /// The body as it arrives, with its type; none: there is none. Not of a connection that closes.
    pub fn content(&self) -> Option<(&'static str, String)> {
        if let Some(Mishap::Page(page)) = &self.mishap {
            return Some(("text/html", page.clone()));
        }
        let mut text = self.body.as_ref()?.to_string();
        if self.mishap == Some(Mishap::Truncated) {
            let half = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
            text.truncate(half);
        }
        Some(("application/json", text))
    }
}

/// Percent-decoding; what is no valid escape stays as it is.
pub fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok()))
            .flatten();
        match escaped {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_once() {
        assert_eq!(decode("linode%2Fdebian12"), "linode/debian12");
        assert_eq!(decode("100%25%zz%e2%82%ac%"), "100%%zz€%");
        let request = Request { query: "page=2&page_size=25&&x=a+b%26".to_owned(), ..Request::default() };
        let told: Vec<_> = request.parameters();
        assert_eq!(told[2], ("x".to_owned(), "a b&".to_owned()));
    }
}
