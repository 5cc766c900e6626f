//! Any action of API v3, for what the neutral model has no word for. The path is the action, `/linode.kvmify`; its parameters
//! are the query, or the fields of the body.

use crate::LinodeV3;
use crate::action::Action;
use crate::errors::{invalid, lacks};
use linodetool_plugin::{Cx, ErrorKind, ProviderError, Raw, Result, SecretRef};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

pub(crate) async fn raw(v3: &LinodeV3, cx: &Cx, args: Raw) -> Result<Box<RawValue>> {
    if !["GET", "POST", "PUT", "DELETE"].contains(&args.method.to_ascii_uppercase().as_str()) {
        return Err(invalid("method", format!("`{}` is none of GET, POST, PUT, DELETE", args.method)));
    }
    if args.filter.is_some() {
        return Err(lacks("filter", "filters"));
    }
    let name = name(&args.path)?;
    // Whoever only asks may do so again and again.
    if args.method.eq_ignore_ascii_case("GET") && !LinodeV3::only_reads(name) {
        return Err(invalid("method", format!("{name} changes something: it is called with POST")));
    }
    let mut action = Action::new(name);
    for (key, value) in &args.query {
        action = action.set(parameter(key)?, value);
    }
    let fields = match &args.body {
        None => Map::new(),
        Some(body) => serde_json::from_str(body.get())
            .map_err(|e| invalid("body", format!("the parameters of an action are one object: {e}")))?,
    };
    for (key, value) in fields {
        let key = parameter(&key)?;
        action = match value {
            Value::Null => action,
            Value::Bool(flag) => action.flag(key, flag),
            Value::String(text) => action.set(key, text),
            Value::Number(number) => action.set(key, number.to_string()),
            Value::Object(object) => match serde_json::from_value::<SecretRef>(Value::Object(object.clone())) {
                Ok(secret) => action.secret(key, Some(&secret)),
                Err(_) => action.object(key, object),
            },
            Value::Array(_) => action.set(key, value.to_string()),
        };
    }
    Ok(to_raw_value(&v3.api.call(cx, action).await?.0)?)
}

/// Two to four words with dots between.
fn name(path: &str) -> Result<&str> {
    let name = path.strip_prefix('/').unwrap_or(path);
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'.';
    if !name.bytes().all(plain) || !name.contains('.') || name.split('.').any(str::is_empty) {
        return Err(invalid("path", format!("`{path}` is no action of API v3: give one like /linode.list")));
    }
    if name.eq_ignore_ascii_case("user.getapikey") {
        let message = "user.getapikey answers with a key, which would be kept with the run: log in with a key instead";
        return Err(ProviderError {
            field: Some("path".to_owned()),
            ..ProviderError::new(ErrorKind::Forbidden, message)
        });
    }
    Ok(name)
}

/// Not what belongs to the request itself.
fn parameter(key: &str) -> Result<&str> {
    if key.is_empty() || key.to_ascii_lowercase().starts_with("api_") {
        return Err(invalid("query", format!("`{key}` is no parameter of an action: key and action are set already")));
    }
    Ok(key)
}
