//! Requests and responses as an operation sees them. Does not know how they cross or who sends them.

use crate::error::{ErrorKind, ProviderError, Result};
use crate::message::{Auth, Body, Headers};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::{RawValue, to_raw_value};
use std::collections::BTreeMap;

/// An HTTP request to be: `Request::get(url).auth(Auth::Bearer).class("list")`.
#[derive(Debug, Default)]
pub struct Request {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) auth: Option<Auth>,
    pub(crate) headers: Headers,
    pub(crate) body: Body,
    pub(crate) class: String,
    pub(crate) safe_to_repeat: bool,
}

impl Request {
    /// Any method. The host repeats it after a lost answer only if [`safe_to_repeat`](Self::safe_to_repeat) is set.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self { method: method.into(), url: url.into(), ..Self::default() }
    }

    /// Reads; may be repeated.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url).safe_to_repeat(true)
    }

    /// Makes or does something; not repeated unless said otherwise.
    pub fn post(url: impl Into<String>) -> Self {
        Self::new("POST", url)
    }

    /// Sets something to a value; may be repeated.
    pub fn put(url: impl Into<String>) -> Self {
        Self::new("PUT", url).safe_to_repeat(true)
    }

    /// Removes something; may be repeated.
    pub fn delete(url: impl Into<String>) -> Self {
        Self::new("DELETE", url).safe_to_repeat(true)
    }

    /// Where the host puts the credential; without it, nowhere.
    #[must_use]
    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = Some(auth);
        self
    }

    /// Adds a header, or replaces it. Names are lower case on the wire.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.insert(name.to_ascii_lowercase(), value.into());
        self
    }

    /// The rate class of the manifest that this request counts against.
    #[must_use]
    pub fn class(mut self, class: &str) -> Self {
        class.clone_into(&mut self.class);
        self
    }

    /// Whether the host may send it again after a lost answer.
    #[must_use]
    pub fn safe_to_repeat(mut self, safe: bool) -> Self {
        self.safe_to_repeat = safe;
        self
    }

    /// A JSON body. A [`SecretRef`](crate::SecretRef) in it is replaced by the host.
    ///
    /// # Errors
    /// `Invalid` when the value has no JSON form.
    pub fn json(mut self, body: &impl Serialize) -> Result<Self> {
        self.body.json = Some(to_raw_value(body)?);
        Ok(self)
    }

    /// A JSON body that is there already.
    #[must_use]
    pub fn raw_json(mut self, body: Box<RawValue>) -> Self {
        self.body.json = Some(body);
        self
    }

    /// A form body, `application/x-www-form-urlencoded`.
    #[must_use]
    pub fn form(mut self, fields: BTreeMap<String, String>) -> Self {
        self.body.form = Some(fields);
        self
    }
}

/// What a provider answered.
#[derive(Debug)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// By lower-case name; repeats joined by `, `.
    pub headers: Headers,
    /// JSON when the bytes parse, whatever the content type says; else text; else base64.
    pub body: Body,
}

impl Response {
    /// 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The body as a value.
    ///
    /// # Errors
    /// `Unavailable`, with the status, when the body is not JSON or not of this shape: the fault is the provider's, not the
    /// caller's, and what was asked may have happened.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        let nonsense = |reason: String| {
            let mut error = ProviderError::new(ErrorKind::Unavailable, reason);
            error.status = Some(self.status);
            error
        };
        let Some(json) = &self.body.json else {
            return Err(nonsense(format!("the provider answered {} with something that is not JSON", self.status)));
        };
        serde_json::from_str(json.get())
            .map_err(|e| nonsense(format!("the provider answered {} in an unknown form: {e}", self.status)))
    }
}
