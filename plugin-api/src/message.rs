//! The messages. Flat objects told apart by `t`; arrays of them cross in both directions.
//!
//! Written by derive, read through one flat `Wire` struct: serde's internally tagged enums cannot hold `RawValue`, and
//! a flat struct reads in one pass, borrows nothing, ignores unknown fields and survives unknown kinds.

use crate::error::ProviderError;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Host to plugin.
#[derive(Debug, Serialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum In {
    Call {
        id: u64,
        op: String,
        args: Box<RawValue>,
    },
    Http {
        io: u64,
        call: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        state: State,
        status: u16,
        headers: Headers,
        #[serde(flatten)]
        body: Body,
    },
    HttpFailed {
        io: u64,
        call: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        state: State,
        kind: String,
        message: String,
    },
    Timer {
        io: u64,
        call: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        state: State,
    },
    Cancel {
        id: u64,
    },
    #[serde(skip_serializing)]
    Unknown,
}

/// Plugin to host.
#[derive(Debug, Serialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum Out {
    Http(HttpOut),
    Timer {
        io: u64,
        call: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        state: State,
        after_ms: u64,
    },
    /// The plugin no longer waits for this io.
    Forget {
        io: u64,
        call: u64,
    },
    Progress {
        call: u64,
        message: String,
    },
    Log {
        level: String,
        message: String,
    },
    Done {
        id: u64,
        value: Box<RawValue>,
    },
    Failed {
        id: u64,
        error: ProviderError,
    },
    /// The whole instance is lost: nothing it still owes will come.
    Fatal {
        message: String,
    },
    #[serde(skip_serializing)]
    Unknown,
}

#[derive(Debug, Serialize)]
pub struct HttpOut {
    pub io: u64,
    pub call: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: State,
    pub method: String,
    pub url: String,
    /// Where the host puts the credential; absent: nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: Headers,
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
}

/// Whatever a plugin attaches to a request or timer; the host gives it back with the answer. So a plugin needs no memory.
pub type State = Option<Box<RawValue>>;

pub type Headers = BTreeMap<String, String>;

/// At most one of: JSON as it stands, text, form fields, or base64 of bytes. Fields of the message, not an object of their own.
#[derive(Debug, Default, Serialize)]
pub struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Sent as `application/x-www-form-urlencoded`; requests only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<BTreeMap<String, String>>,
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

pub fn null() -> Box<RawValue> {
    RawValue::NULL.to_owned()
}

pub fn read_in(bytes: &[u8]) -> serde_json::Result<Vec<In>> {
    let wires: Vec<Wire> = serde_json::from_slice(bytes)?;
    Ok(wires.into_iter().map(In::from).collect())
}

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
