//! The provider's own operations by their names: what they are called with is checked against the facts that the plugin
//! carries, before any request.
//!
//! Owns the way from named parameters to a request. Does not know how a request is made: that is `api`.

use linodetool_plugin::{RawOperation, RawParameter, RawPlace, RawType};
use serde_json::{Map, Value};

use crate::core::failure::near_names;
use crate::core::redact::percent;
use crate::core::{Failure, FailureKind};
use crate::provider::Client;
use crate::toolkit::Toolkit;
use crate::toolkit::api::RawSpec;

/// Fields that hold secrets, in what is sent and in what is answered: neither may get into a journal.
const SECRETS: &[&str] = &[
    "access_key_secret",
    "api_key",
    "ccnumber",
    "kubeconfig",
    "passphrase",
    "password",
    "private_key",
    "root_pass",
    "root_password",
    "rootpass",
    "scratch",
    "secret",
    "secret_key",
    "ssl_key",
    "token",
    "user_data",
];

/// Which page of a list is wanted, and how long it is to be; every list takes them.
const PAGES: [&str; 2] = ["page", "page_size"];

/// Whether the field of this name holds a secret.
pub(crate) fn is_secret(name: &str) -> bool {
    SECRETS.contains(&name.to_ascii_lowercase().as_str())
}

impl Toolkit {
    /// The provider's own operations. Asks nobody but the plugin.
    ///
    /// # Errors
    /// `Unsupported` if the plugin lists none.
    pub async fn operations(&self) -> Result<Vec<RawOperation>, Failure> {
        known(&self.provider().await?.client).await
    }
}

/// The operations that a provider's plugin lists.
///
/// # Errors
/// `Unsupported` if it lists none.
pub(crate) async fn known(client: &Client) -> Result<Vec<RawOperation>, Failure> {
    if !client.supports("raw.operations") {
        let message = format!("provider {} lists no operations of its own", client.manifest().name);
        return Err(Failure::new(FailureKind::Unsupported, message).hint("a recipe may call it with api::raw"));
    }
    Ok(client.list_raw_operations(&linodetool_plugin::NoArguments {}).await?.items)
}

/// The operation of this name.
///
/// # Errors
/// `NotFound`, with near names or names that hold what was given.
pub fn expect<'a>(operations: &'a [RawOperation], name: &str) -> Result<&'a RawOperation, Failure> {
    if let Some(found) = operations.iter().find(|one| one.id.eq_ignore_ascii_case(name)) {
        return Ok(found);
    }
    let failure = Failure::not_found(format!("the provider has no operation `{name}`")).field("operation");
    let ids = || operations.iter().map(|one| one.id.as_str());
    let mut near = near_names(name, ids());
    let holds: Vec<_> = ids().filter(|id| id.contains(&name.to_lowercase()) && !near.contains(id)).take(5).collect();
    near.extend(holds);
    Err(match near.is_empty() {
        true => failure.hint("`linodetool api --search TEXT` finds operations"),
        false => failure.hint(format!("did you mean {}?", near.join(", "))),
    })
}

/// The request that calls it with these parameters: each by its name, or as `path.NAME`, `query.NAME` or `body.NAME` where
/// two places have one of the same name.
///
/// # Errors
/// `Usage`: an unknown or missing parameter, a value that it cannot be, a secret in plain text.
pub fn request(operation: &RawOperation, given: Map<String, Value>) -> Result<RawSpec, Failure> {
    let wrong = |message: String, name: &str| Failure::usage(message).field(name);
    if operation.foreign_body {
        let why = format!("{} takes a body that is not JSON, which cannot be sent", operation.id);
        return Err(wrong(why, "operation"));
    }
    let mut spec = RawSpec { method: operation.method.clone(), path: operation.path.clone(), ..RawSpec::default() };
    let mut body = Map::new();
    let mut set = Vec::new();
    for (name, value) in given {
        if operation.paged && PAGES.contains(&name.as_str()) {
            if !value.is_u64() {
                return Err(wrong(format!("`{name}` of {}: it is a whole number, not {value}", operation.id), &name));
            }
            spec.query.insert(name, plain(&value));
            continue;
        }
        let parameter = parameter(operation, &name)?;
        check(parameter, &value).map_err(|why| wrong(format!("`{name}` of {}: {why}", operation.id), &name))?;
        set.push((parameter.place, parameter.name.clone()));
        match parameter.place {
            RawPlace::Path => {
                let (hole, text) = (format!("{{{}}}", parameter.name), percent(&plain(&value), "-._~", "%20", false));
                if text.is_empty() {
                    return Err(wrong(format!("`{name}` of {} is empty", operation.id), &name));
                }
                spec.path = spec.path.replace(&hole, &text);
            }
            RawPlace::Query => drop(spec.query.insert(parameter.name.clone(), plain(&value))),
            RawPlace::Body | RawPlace::Other => drop(body.insert(parameter.name.clone(), value)),
        }
    }
    let is_missing = |one: &&RawParameter| one.required && !set.contains(&(one.place, one.name.clone()));
    let missing: Vec<&RawParameter> = operation.parameters.iter().filter(is_missing).collect();
    if let Some(first) = missing.first() {
        let names: Vec<_> = missing.iter().map(|one| format!("`{}` ({})", one.name, type_of(one))).collect();
        let failure = wrong(format!("{} needs {}", operation.id, names.join(", ")), &first.name);
        return Err(failure.hint(format!("linodetool api {} --help shows all that it takes", operation.id)));
    }
    if !body.is_empty() {
        spec.body = Some(Value::Object(body));
    }
    Ok(spec)
}

/// Says whether a filter names only what the operation's list can be filtered by.
///
/// # Errors
/// `Usage`, with the fields it may name.
pub fn check_filter(operation: &RawOperation, filter: &Value) -> Result<(), Failure> {
    match filter {
        Value::Array(parts) => parts.iter().try_for_each(|part| check_filter(operation, part)),
        Value::Object(fields) => fields.iter().try_for_each(|(name, value)| match name.as_str() {
            "+and" | "+or" => check_filter(operation, value),
            name if name.starts_with('+') || operation.filterable.iter().any(|known| known == name) => Ok(()),
            name if operation.filterable.is_empty() => {
                Err(Failure::usage(format!("{} cannot be filtered by `{name}`: it takes no filter", operation.id)))
            }
            name => Err(Failure::usage(format!("{} cannot be filtered by `{name}`", operation.id))
                .hint(format!("by {}", operation.filterable.join(", ")))),
        }),
        _ => Err(Failure::usage("a filter is a map of fields").field("filter")),
    }
}

/// What a text means for this parameter: as people type it in a command.
///
/// # Errors
/// `Usage` if it means nothing.
pub fn typed(operation: &RawOperation, name: &str, text: &str) -> Result<Value, Failure> {
    if operation.paged && PAGES.contains(&name) {
        return Ok(text.parse::<u64>().map_or_else(|_| Value::from(text), Value::from));
    }
    let parameter = parameter(operation, name)?;
    let json = || serde_json::from_str::<Value>(text).ok();
    let words = || text.split(',').filter(|word| !word.is_empty()).map(str::trim);
    let value = match parameter.kind {
        RawType::Text => Some(Value::from(text)),
        RawType::Whole | RawType::Number | RawType::Flag | RawType::Object | RawType::Objects | RawType::List => json(),
        RawType::Texts => json().filter(Value::is_array).or_else(|| Some(words().map(Value::from).collect())),
        RawType::Wholes => json().filter(Value::is_array).or_else(|| words().map(|w| w.parse::<i64>().ok()).collect()),
        RawType::Any => json().or_else(|| Some(Value::from(text))),
    };
    value.ok_or_else(|| {
        let said = format!("`{name}` of {}: it is {}, not `{text}`", operation.id, type_of(parameter));
        Failure::usage(said).field(name)
    })
}

fn parameter<'a>(operation: &'a RawOperation, name: &str) -> Result<&'a RawParameter, Failure> {
    let (place, bare) = match name.split_once('.') {
        Some(("path", bare)) => (Some(RawPlace::Path), bare),
        Some(("query", bare)) => (Some(RawPlace::Query), bare),
        Some(("body", bare)) => (Some(RawPlace::Body), bare),
        _ => (None, name),
    };
    let is_meant = |one: &&RawParameter| one.name == bare && place.is_none_or(|p| p == one.place);
    let found: Vec<_> = operation.parameters.iter().filter(is_meant).collect();
    let names = || operation.parameters.iter().map(|one| one.name.as_str());
    match found.as_slice() {
        [one] => Ok(one),
        [_, ..] => {
            let message = format!("{} has `{name}` in {} places", operation.id, found.len());
            let ways: Vec<_> = found.iter().map(|one| format!("{}.{name}", word(one.place))).collect();
            Err(Failure::usage(message).field(name).hint(format!("write {}", ways.join(" or "))))
        }
        [] => {
            let failure = Failure::usage(format!("{} has no parameter `{name}`", operation.id)).field(name);
            let all: Vec<_> = names().collect();
            Err(match near_names(bare, names()).is_empty() {
                false => failure.near(bare, names()),
                true if all.is_empty() => failure.hint("it takes none"),
                true => failure.hint(format!("it takes {}", all.join(", "))),
            })
        }
    }
}

/// Where a parameter goes, in a word.
pub(crate) fn word(place: RawPlace) -> &'static str {
    match place {
        RawPlace::Path => "path",
        RawPlace::Query => "query",
        RawPlace::Body | RawPlace::Other => "body",
    }
}

/// The first secret in plain text within a value of this name.
fn plain_secret<'a>(name: &'a str, value: &'a Value) -> Option<&'a str> {
    match value {
        Value::String(text) => (is_secret(name) && !text.is_empty()).then_some(name),
        Value::Array(items) => items.iter().find_map(|item| plain_secret(name, item)),
        // By its name.
        Value::Object(fields) if fields.get("secret").is_some_and(Value::is_string) => None,
        Value::Object(fields) => fields.iter().find_map(|(name, field)| plain_secret(name, field)),
        _ => None,
    }
}

fn check(parameter: &RawParameter, value: &Value) -> Result<(), String> {
    if value.is_null() && !parameter.required {
        return Ok(());
    }
    // A secret of the store, in place of a text.
    let is_reference = value.get("secret").is_some_and(Value::is_string);
    if is_reference && parameter.place == RawPlace::Body && parameter.kind != RawType::Object {
        return Ok(());
    }
    if let Some(secret) = plain_secret(&parameter.name, value).filter(|_| parameter.place != RawPlace::Path) {
        let what = if secret == parameter.name { "it is".to_owned() } else { format!("its field `{secret}` is") };
        return Err(format!(
            "{what} a secret, which must not be on record: store it with `linodetool secret set NAME`, and give \
             {{\"secret\": \"NAME\"}} in its place, or --secret FIELD=NAME"
        ));
    }
    let is = |right: bool| if right { Ok(()) } else { Err(format!("it is {}, not {value}", type_of(parameter))) };
    let texts = |items: &[Value]| items.iter().all(Value::is_string);
    let array = value.as_array().map(Vec::as_slice);
    match parameter.kind {
        RawType::Text => is(value.is_string())?,
        RawType::Whole => is(value.is_i64() || value.is_u64())?,
        RawType::Number => is(value.is_number())?,
        RawType::Flag => is(value.is_boolean())?,
        RawType::Object => is(value.is_object())?,
        RawType::Texts => is(array.is_some_and(texts))?,
        RawType::Wholes => is(array.is_some_and(|items| items.iter().all(|item| item.is_i64() || item.is_u64())))?,
        RawType::Objects => is(array.is_some_and(|items| items.iter().all(Value::is_object)))?,
        RawType::List => is(value.is_array())?,
        RawType::Any => {}
    }
    if !parameter.values.is_empty() && !value.is_array() && !parameter.values.contains(&plain(value)) {
        return Err(format!("it is one of {}, not {value}", parameter.values.join(", ")));
    }
    let (size, of) = match value {
        Value::String(text) => (i64::try_from(text.chars().count()).ok(), " long"),
        value => (value.as_i64(), ""),
    };
    match (size, parameter.min, parameter.max) {
        (Some(size), Some(min), _) if size < min => Err(format!("it must be at least {min}{of}, and is {size}")),
        (Some(size), _, Some(max)) if size > max => Err(format!("it must be at most {max}{of}, and is {size}")),
        _ => Ok(()),
    }
}

/// What a parameter holds, for people.
pub(crate) fn type_of(parameter: &RawParameter) -> &'static str {
    match parameter.kind {
        RawType::Text => "text",
        RawType::Whole => "a whole number",
        RawType::Number => "a number",
        RawType::Flag => "true or false",
        RawType::Object => "an object",
        RawType::Texts => "a list of texts",
        RawType::Wholes => "a list of whole numbers",
        RawType::Objects => "a list of objects",
        RawType::List => "a list",
        RawType::Any => "any value",
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use serde_json::json;

    fn operation() -> RawOperation {
        serde_json::from_value(json!({
            "id": "post-add-linode-disk", "method": "POST", "path": "/linode/instances/{linodeId}/disks",
            "parameters": [
                {"name": "linodeId", "place": "path", "type": "whole", "required": true},
                {"name": "size", "place": "body", "type": "whole", "required": true, "min": 1},
                {"name": "label", "place": "body", "type": "text", "min": 1, "max": 48},
                {"name": "label", "place": "query", "type": "text"},
                {"name": "filesystem", "place": "body", "type": "text", "values": ["raw", "ext4"]},
                {"name": "authorized_keys", "place": "body", "type": "texts"},
                {"name": "read_only", "place": "body", "type": "flag"},
                {"name": "root_pass", "place": "body", "type": "text", "min": 7},
                {"name": "metadata", "place": "body", "type": "object"},
            ],
            "filterable": ["label", "size"],
        }))
        .expect("an operation")
    }

    /// As a command gives it: texts.
    fn check(set: &[(&str, &str)], expected: &Expect) {
        let operation = operation();
        let given: Result<Map<_, _>, _> = set
            .iter()
            .map(|(name, text)| typed(&operation, name, text).map(|value| ((*name).to_owned(), value)))
            .collect();
        expected.assert_eq(&told(given.and_then(|given| request(&operation, given))));
    }

    fn told(outcome: Result<RawSpec, Failure>) -> String {
        match outcome {
            Ok(spec) => format!("{} {} {:?} {}", spec.method, spec.path, spec.query, spec.body.unwrap_or_default()),
            Err(failure) => format!("{failure} | {}", failure.hint.as_deref().unwrap_or_default()),
        }
    }

    #[test]
    fn parameters_go_where_they_belong() {
        check(
            &[("linodeId", "7"), ("size", "512"), ("body.label", "a b"), ("query.label", "x"), ("read_only", "true")],
            &expect![[r#"POST /linode/instances/7/disks {"label": "x"} {"label":"a b","read_only":true,"size":512}"#]],
        );
        check(
            &[("linodeId", "7"), ("size", "512"), ("authorized_keys", "ssh-ed25519 A,ssh-rsa B")],
            &expect![[
                r#"POST /linode/instances/7/disks {} {"authorized_keys":["ssh-ed25519 A","ssh-rsa B"],"size":512}"#
            ]],
        );
    }

    #[test]
    fn wrong_parameters_are_refused_before_any_request() {
        check(
            &[("size", "512")],
            &expect![
                "post-add-linode-disk needs `linodeId` (a whole number) | linodetool api post-add-linode-disk --help shows all that it takes"
            ],
        );
        check(&[("sise", "1")], &expect!["post-add-linode-disk has no parameter `sise` | did you mean `size`?"]);
        check(
            &[("label", "x")],
            &expect!["post-add-linode-disk has `label` in 2 places | write body.label or query.label"],
        );
        check(&[("size", "big")], &expect!["`size` of post-add-linode-disk: it is a whole number, not `big` | "]);
        check(&[("size", "0")], &expect!["`size` of post-add-linode-disk: it must be at least 1, and is 0 | "]);
        check(
            &[("filesystem", "ntfs")],
            &expect![[r#"`filesystem` of post-add-linode-disk: it is one of raw, ext4, not "ntfs" | "#]],
        );
        check(
            &[("root_pass", "hunter2222")],
            &expect![[
                r#"`root_pass` of post-add-linode-disk: it is a secret, which must not be on record: store it with `linodetool secret set NAME`, and give {"secret": "NAME"} in its place, or --secret FIELD=NAME | "#
            ]],
        );
    }

    #[test]
    fn a_secret_within_an_object_is_refused_and_one_by_its_name_taken() {
        check(
            &[("metadata", r#"{"user_data":"I2Nsb3Vk"}"#)],
            &expect![[
                r#"`metadata` of post-add-linode-disk: its field `user_data` is a secret, which must not be on record: store it with `linodetool secret set NAME`, and give {"secret": "NAME"} in its place, or --secret FIELD=NAME | "#
            ]],
        );
        check(
            &[("linodeId", "7"), ("size", "1"), ("metadata", r#"{"user_data":{"secret":"boot"}}"#)],
            &expect![[r#"POST /linode/instances/7/disks {} {"metadata":{"user_data":{"secret":"boot"}},"size":1}"#]],
        );
    }

    #[test]
    fn a_path_stays_where_it_is() {
        let mut operation = operation();
        operation.parameters[0].kind = RawType::Text;
        let given = |id: &str| [("linodeId".into(), json!(id)), ("size".into(), json!(1))].into_iter().collect();
        let path = |id| request(&operation, given(id)).map(|spec| spec.path);
        assert_eq!(path("a/../b c?").unwrap(), "/linode/instances/a%2F..%2Fb%20c%3F/disks");
        assert_eq!(path("").unwrap_err().message, "`linodeId` of post-add-linode-disk is empty");
    }

    #[test]
    fn a_secret_goes_by_its_name() {
        let given = json!({"linodeId": 7, "size": 1, "root_pass": {"secret": "db"}});
        let Value::Object(given) = given else { unreachable!() };
        expect![[r#"POST /linode/instances/7/disks {} {"root_pass":{"secret":"db"},"size":1}"#]]
            .assert_eq(&told(request(&operation(), given)));
    }

    #[test]
    fn a_filter_names_what_can_be_filtered_by() {
        let check = |filter| check_filter(&operation(), &filter).map_err(|e| e.hint.unwrap_or(e.message));
        assert_eq!(check(json!({"+or": [{"label": "a"}, {"size": {"+gte": 3}}], "+order_by": "size"})), Ok(()));
        assert_eq!(check(json!({"+and": [{"status": "ready"}]})), Err("by label, size".to_owned()));
    }

    #[test]
    fn an_operation_is_found_by_its_name_or_a_part_of_it() {
        let all = [operation()];
        assert!(expect(&all, "Post-Add-Linode-Disk").is_ok());
        let hint = |name| super::expect(&all, name).unwrap_err().hint.unwrap();
        expect!["did you mean post-add-linode-disk?"].assert_eq(&hint("disk"));
        expect!["`linodetool api --search TEXT` finds operations"].assert_eq(&hint("mars"));
    }
}
