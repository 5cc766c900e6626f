//! One exchange with API v4: address, credential, rate class, and the answer as a noun or an error.
//!
//! Does not know pages (`list`) or what the nouns mean.

use crate::errors::error_of;
use crate::lenient::Part;
use crate::manifest::{BASE_URL, BETA_URL};
use linodetool_plugin::{Auth, Cx, ErrorKind, Nothing, ProviderError, Request, Response, Result};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// Rate classes as the manifest names them.
pub(crate) mod class {
    /// `POST /linode/instances`.
    pub(crate) const CREATE: &str = "create";
    /// Lists by pages.
    pub(crate) const LIST: &str = "list";
    /// The list of images.
    pub(crate) const IMAGES: &str = "images";
    /// `POST /volumes`.
    pub(crate) const VOLUMES: &str = "volumes";
    /// The list of StackScripts.
    pub(crate) const STACKSCRIPTS: &str = "stackscripts";
    /// All the rest.
    pub(crate) const DEFAULT: &str = "default";
}

/// Where API v4 is.
pub(crate) struct Api {
    base_url: String,
}

/// A noun and the shape in which API v4 writes it.
pub(crate) trait Noun: Sized {
    type Wire: DeserializeOwned + Default;

    fn from_wire(wire: Self::Wire) -> Self;

    /// Never empty in what an operation answers: a thing without id could not be named again.
    fn id(&self) -> &str;
}

impl Api {
    /// A base URL without a slash at its end.
    pub(crate) fn at(base_url: &str) -> Result<Self> {
        let base_url = base_url.trim_end_matches('/');
        if base_url.starts_with("https://") || base_url.starts_with("http://") {
            return Ok(Self { base_url: base_url.to_owned() });
        }
        let message = format!("`{base_url}` is no address of an API: give one like https://api.linode.com/v4");
        Err(invalid("base_url", message))
    }

    pub(crate) fn get(&self, path: &str) -> Request {
        Request::get(self.url(path)).auth(Auth::Bearer).class(class::DEFAULT)
    }

    pub(crate) fn post(&self, path: &str) -> Request {
        Request::post(self.url(path)).auth(Auth::Bearer).class(class::DEFAULT)
    }

    pub(crate) fn put(&self, path: &str) -> Request {
        Request::put(self.url(path)).auth(Auth::Bearer).class(class::DEFAULT)
    }

    pub(crate) fn delete(&self, path: &str) -> Request {
        Request::delete(self.url(path)).auth(Auth::Bearer).class(class::DEFAULT)
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> Request {
        Request::new(method, self.url(path)).auth(Auth::Bearer).class(class::DEFAULT)
    }

    /// The same below `/v4beta`, unless somebody chose the address: then it says which version is meant.
    pub(crate) fn beta(&self, method: &str, path: &str) -> Request {
        let base_url = if self.base_url == BASE_URL { BETA_URL } else { &self.base_url };
        Request::new(method, format!("{base_url}{path}")).auth(Auth::Bearer).class(class::DEFAULT)
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }
}

/// Sends and expects 2xx.
pub(crate) async fn send(cx: &Cx, request: Request) -> Result<Response> {
    let response = cx.http(request).await?;
    if response.is_success() { Ok(response) } else { Err(error_of(&response)) }
}

/// Sends and reads one noun.
pub(crate) async fn one<N: Noun>(cx: &Cx, request: Request) -> Result<N> {
    let response = send(cx, request).await?;
    let noun = N::from_wire(object::<Part<N::Wire>>(&response)?.0);
    if noun.id().is_empty() { Err(no_id(response.status)) } else { Ok(noun) }
}

/// Sends and wants to know no more than that it went well.
pub(crate) async fn done(cx: &Cx, request: Request) -> Result<Nothing> {
    send(cx, request).await?;
    Ok(Nothing {})
}

/// The body, which must be an object: a derived reader would take `[1]` for one whose first field is 1.
pub(crate) fn object<T: DeserializeOwned>(response: &Response) -> Result<T> {
    if response.body.json.as_ref().is_some_and(|json| !json.get().starts_with('{')) {
        let message = format!("the provider answered {} with JSON that is not an object", response.status);
        let error = ProviderError::new(ErrorKind::Unavailable, message);
        return Err(ProviderError { status: Some(response.status), ..error });
    }
    response.json()
}

/// An item of a list; one that is no object is empty.
pub(crate) fn wire<W: DeserializeOwned + Default>(item: &RawValue) -> Result<W> {
    let read: std::result::Result<Part<W>, _> = serde_json::from_str(item.get());
    read.map(|part| part.0).map_err(|e| {
        let message = format!("the provider answered 200 in an unknown form: {e}");
        ProviderError { status: Some(200), ..ProviderError::new(ErrorKind::Unavailable, message) }
    })
}

/// Ambiguous on purpose: after a create, the thing may exist.
pub(crate) fn no_id(status: u16) -> ProviderError {
    let message = format!("the provider answered {status} with something that has no id");
    ProviderError { status: Some(status), ..ProviderError::new(ErrorKind::Unavailable, message) }
}

/// An id that API v4 counts in numbers, checked before it becomes part of a path or body.
pub(crate) fn number(field: &str, id: &str) -> Result<u64> {
    let digits = !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
    match id.parse() {
        Ok(number) if digits => Ok(number),
        _ => Err(invalid(field, format!("`{id}` is not an id of this provider: its ids are whole numbers"))),
    }
}

/// An id of the same kind that may be left out.
pub(crate) fn some_number(field: &str, id: Option<&String>) -> Result<Option<u64>> {
    id.map(|id| number(field, id)).transpose()
}

/// As URLs write what is not plain.
pub(crate) fn escape(url: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => url.push(byte.into()),
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
}

/// An argument is wrong.
pub(crate) fn invalid(field: &str, message: String) -> ProviderError {
    ProviderError { field: Some(field.to_owned()), ..ProviderError::new(ErrorKind::Invalid, message) }
}
