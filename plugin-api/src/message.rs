//! The messages. Flat objects told apart by `t`; arrays of them cross in both directions.
//!
//! Written by derive, read through one flat `Wire` struct: serde's internally tagged enums cannot hold `RawValue`, and
//! a flat struct reads in one pass, borrows nothing, ignores unknown fields and survives unknown kinds.

use crate::error::ProviderError;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Host to plugin.
#[derive(Debug, Serialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum In {
    /// Starts a call.
    Call {
        /// The call's number.
        id: u64,
        /// Name of the operation.
        op: String,
        /// Its arguments, without those that have their default value.
        args: Box<RawValue>,
    },
    /// The answer to an [`Out::Http`].
    Http {
        /// Which request or timer of the plugin.
        io: u64,
        /// Which call it belongs to.
        call: u64,
        /// What the plugin attached to it.
        #[serde(skip_serializing_if = "Option::is_none")]
        state: State,
        /// HTTP status.
        status: u16,
        /// By lower-case name; repeats joined by `, `.
        headers: Headers,
        /// The body's fields.
        #[serde(flatten)]
        body: Body,
    },
    /// An [`Out::Http`] got no answer.
    HttpFailed {
        /// Which request or timer of the plugin.
        io: u64,
        /// Which call it belongs to.
        call: u64,
        /// What the plugin attached to it.
        #[serde(skip_serializing_if = "Option::is_none")]
        state: State,
        /// `refused`: the host has not sent it. `timeout`, `network`: no answer, and it may have had its effect.
        kind: String,
        /// For people.
        message: String,
    },
    /// The time of an [`Out::Timer`] has come.
    Timer {
        /// Which request or timer of the plugin.
        io: u64,
        /// Which call it belongs to.
        call: u64,
        /// What the plugin attached to it.
        #[serde(skip_serializing_if = "Option::is_none")]
        state: State,
    },
    /// Ends a call; needs no answer.
    Cancel {
        /// The call's number.
        id: u64,
    },
    /// A kind of tomorrow; ignored.
    #[serde(skip_serializing)]
    Unknown,
}

/// Plugin to host.
#[derive(Debug, Serialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum Out {
    /// Wants an HTTP request sent.
    Http(HttpOut),
    /// Wants an [`In::Timer`] later.
    Timer {
        /// Which request or timer of the plugin.
        io: u64,
        /// Which call it belongs to.
        call: u64,
        /// What the plugin attached to it.
        #[serde(skip_serializing_if = "Option::is_none")]
        state: State,
        /// Milliseconds.
        after_ms: u64,
    },
    /// The plugin no longer waits for this io.
    Forget {
        /// Which request or timer of the plugin.
        io: u64,
        /// Which call it belongs to.
        call: u64,
    },
    /// How far a call is, for people.
    Progress {
        /// Which call it belongs to.
        call: u64,
        /// For people.
        message: String,
    },
    /// A line for the log.
    Log {
        /// `debug`, `info`, `warn` or `error`.
        level: String,
        /// For people.
        message: String,
    },
    /// A call went well.
    Done {
        /// The call's number.
        id: u64,
        /// The answer.
        value: Box<RawValue>,
    },
    /// A call did not go well.
    Failed {
        /// The call's number.
        id: u64,
        /// Why.
        error: ProviderError,
    },
    /// The whole instance is lost: nothing it still owes will come.
    Fatal {
        /// For people.
        message: String,
    },
    /// A kind of tomorrow; ignored.
    #[serde(skip_serializing)]
    Unknown,
}

/// An HTTP request that a plugin wants sent.
#[derive(Debug, Serialize)]
pub struct HttpOut {
    /// Echoed in the answer.
    pub io: u64,
    /// The call it is for.
    pub call: u64,
    /// Echoed in the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: State,
    /// `GET`, `POST`, ...
    pub method: String,
    /// Absolute; below one of the manifest's base URLs.
    pub url: String,
    /// Where the host puts the credential; absent: nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// By lower-case name. Never the credential.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: Headers,
    /// What to send.
    #[serde(flatten)]
    pub body: Body,
    /// Rate class of the manifest that this request counts against.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub class: String,
    /// The host may send it again after a lost answer.
    pub safe_to_repeat: bool,
}

/// The place of the credential in a request. The plugin never sees the credential itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// `authorization: Bearer ...`
    Bearer,
    /// HTTP Basic with the credential as password.
    Basic,
    /// A field of the form body, by name.
    Form(String),
    /// A query parameter, by name.
    Query(String),
    /// A header, by name.
    Header(String),
    /// A place of tomorrow; the request is refused, since without its credential it would mean something else.
    #[serde(skip_deserializing)]
    Unknown,
}

/// A place that only a newer peer knows must not make the whole batch unreadable.
fn known_place<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Auth>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(from)?).unwrap_or(Some(Auth::Unknown)))
}

/// Whatever a plugin attaches to a request or timer; the host gives it back with the answer. So a plugin needs no memory.
pub type State = Option<Box<RawValue>>;

/// By lower-case name; repeats joined by `, `.
pub type Headers = BTreeMap<String, String>;

/// At most one of: JSON as it stands, text, form fields, or base64 of bytes. Fields of the message, not an object of their own.
#[derive(Debug, Default, Serialize)]
pub struct Body {
    /// JSON as it stands, not parsed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json: Option<Box<RawValue>>,
    /// UTF-8 that is not JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Sent as `application/x-www-form-urlencoded`; requests only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<BTreeMap<String, String>>,
    /// Bytes that are not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
}

/// Every field of every message.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Wire {
    t: String,
    id: u64,
    io: u64,
    call: u64,
    state: State,
    op: String,
    args: Option<Box<RawValue>>,
    status: u16,
    headers: Headers,
    json: Option<Box<RawValue>>,
    text: Option<String>,
    form: Option<BTreeMap<String, String>>,
    base64: Option<String>,
    #[serde(deserialize_with = "known_place")]
    auth: Option<Auth>,
    kind: String,
    level: String,
    message: String,
    method: String,
    url: String,
    class: String,
    safe_to_repeat: bool,
    after_ms: u64,
    value: Option<Box<RawValue>>,
    error: Option<ProviderError>,
}

impl Wire {
    fn body(&mut self) -> Body {
        Body { json: self.json.take(), text: self.text.take(), form: self.form.take(), base64: self.base64.take() }
    }
}

/// JSON's `null`.
pub fn null() -> Box<RawValue> {
    RawValue::NULL.to_owned()
}

/// Reads what a host says.
///
/// # Errors
/// Not a JSON array of objects, or a known field of another type. Unknown fields and kinds are none.
pub fn read_in(bytes: &[u8]) -> serde_json::Result<Vec<In>> {
    let wires: Vec<Wire> = serde_json::from_slice(bytes)?;
    Ok(wires.into_iter().map(In::from).collect())
}

/// Reads what a plugin says.
///
/// # Errors
/// As [`read_in`].
pub fn read_out(bytes: &[u8]) -> serde_json::Result<Vec<Out>> {
    let wires: Vec<Wire> = serde_json::from_slice(bytes)?;
    Ok(wires.into_iter().map(Out::from).collect())
}

impl From<Wire> for In {
    fn from(mut w: Wire) -> Self {
        match w.t.as_str() {
            "call" => Self::Call { id: w.id, op: w.op, args: w.args.unwrap_or_else(null) },
            "http" => Self::Http {
                io: w.io,
                call: w.call,
                status: w.status,
                body: w.body(),
                state: w.state,
                headers: w.headers,
            },
            "http_failed" => {
                Self::HttpFailed { io: w.io, call: w.call, state: w.state, kind: w.kind, message: w.message }
            }
            "timer" => Self::Timer { io: w.io, call: w.call, state: w.state },
            "cancel" => Self::Cancel { id: w.id },
            _ => Self::Unknown,
        }
    }
}

impl From<Wire> for Out {
    fn from(mut w: Wire) -> Self {
        match w.t.as_str() {
            "http" => Self::Http(HttpOut {
                io: w.io,
                call: w.call,
                body: w.body(),
                state: w.state,
                method: w.method,
                url: w.url,
                auth: w.auth,
                headers: w.headers,
                class: w.class,
                safe_to_repeat: w.safe_to_repeat,
            }),
            "timer" => Self::Timer { io: w.io, call: w.call, state: w.state, after_ms: w.after_ms },
            "forget" => Self::Forget { io: w.io, call: w.call },
            "progress" => Self::Progress { call: w.call, message: w.message },
            "log" => Self::Log { level: w.level, message: w.message },
            "done" => Self::Done { id: w.id, value: w.value.unwrap_or_else(null) },
            "failed" => Self::Failed {
                id: w.id,
                error: w.error.unwrap_or_else(|| ProviderError::plugin("the plugin gave no reason")),
            },
            "fatal" => Self::Fatal { message: w.message },
            _ => Self::Unknown,
        }
    }
}
