//! Options maps to typed structs: an unknown, missing or wrong option is an error at the call, with a hint.
//!
//! Does not know any particular option. The structs deny unknown fields.

use super::thrown::{Result, throw};
use super::value::Handles;
use crate::core::{Failure, FailureKind};
use rhai::{Dynamic, Map, NativeCallContext};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads an options map into a struct.
///
/// # Errors
/// An unknown option (with near names), a missing one, one of a wrong type, or one that is a function.
pub fn read<T: DeserializeOwned>(call: &NativeCallContext, options: Map) -> Result<T> {
    let handles = super::step::session_of(call).map(|session| session.handles.clone()).unwrap_or_default();
    from_map(&title(call), options, &handles).map_err(|failure| throw(failure, call))
}

/// `clusters::ensure`, or `run` for a method or a global function.
pub(crate) fn title(call: &NativeCallContext) -> String {
    match call.fn_source() {
        Some(namespace) if !namespace.is_empty() && !namespace.contains(['/', '.']) => {
            format!("{namespace}::{}", call.fn_name())
        }
        _ => call.fn_name().to_owned(),
    }
}

pub(crate) fn from_map<T: DeserializeOwned>(
    of: &str,
    options: Map,
    handles: &Handles,
) -> std::result::Result<T, Failure> {
    let json = handles.to_json(&Dynamic::from(options)).map_err(|failure| {
        let option = failure.field.clone().unwrap_or_default();
        Failure { message: format!("option `{option}` of {of} cannot be used: {}", failure.message), ..failure }
    })?;
    from_json(of, &json)
}

fn from_json<T: DeserializeOwned>(of: &str, json: &Value) -> std::result::Result<T, Failure> {
    serde_path_to_error::deserialize(json).map_err(|error| {
        let path = error.path().to_string();
        explain(of, path.trim_end_matches(['?', '.']), &error.into_inner().to_string(), json)
    })
}

/// Serde's sentence in the words of recipes.
fn explain(of: &str, path: &str, message: &str, json: &Value) -> Failure {
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let subject = quoted.first().copied().unwrap_or_default();
    let known = quoted.get(1..).unwrap_or_default();
    let failure = |text: String, field: String| Failure::new(FailureKind::Script, text).field(field);
    if message.starts_with("unknown field") {
        let above = path.strip_suffix(subject).unwrap_or(path).trim_end_matches('.');
        let place = if above.is_empty() { of.to_owned() } else { format!("`{above}` in {of}") };
        let found = failure(format!("unknown option `{subject}` of {place}"), join(above, subject));
        return hinted(found, subject, known, "the options are");
    }
    if message.starts_with("missing field") {
        let option = join(path, subject);
        return failure(format!("option `{option}` of {of} is missing"), option);
    }
    if message.starts_with("unknown variant") {
        let found = failure(format!("option `{path}` of {of} cannot be `{subject}`"), path.into());
        return hinted(found, subject, known, "it can be");
    }
    let wanted = message.rsplit_once("expected ").map_or(message, |(_, wanted)| wanted);
    let wanted = match wanted {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number not below 0",
        "i8" | "i16" | "i32" | "i64" => "a whole number",
        "f32" | "f64" => "a number",
        "a string" | "string" => "text",
        "a boolean" => "true or false",
        "a sequence" => "an array",
        other if other.starts_with("struct ") => "a map",
        other => other,
    };
    let given = at_path(json, path).map_or_else(|| "something else".into(), Value::to_string);
    let name = if path.is_empty() { format!("what {of} is given") } else { format!("option `{path}` of {of}") };
    if message.contains("expected ") {
        failure(format!("{name} must be {wanted}, but is {given}"), path.into())
    } else {
        failure(format!("{name} is not valid: {message}"), path.into())
    }
}

fn hinted(failure: Failure, given: &str, known: &[&str], otherwise: &str) -> Failure {
    let failure = failure.near(given, known.iter().copied());
    if failure.hint.is_some() || known.is_empty() {
        return failure;
    }
    failure.hint(format!("{otherwise}: {}", known.join(", ")))
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// The value at a path such as `roles[1].count`.
fn at_path<'a>(json: &'a Value, path: &str) -> Option<&'a Value> {
    path.split(['.', '[']).filter(|part| !part.is_empty()).try_fold(json, |value, part| {
        match part.strip_suffix(']').and_then(|index| index.parse::<usize>().ok()) {
            Some(index) => value.get(index),
            None => value.get(part),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use serde::Deserialize;

    #[derive(Deserialize, Debug)]
    #[serde(rename_all = "snake_case")]
    enum Policy {
        Stop,
        Continue,
    }

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "shown by Debug")]
    struct Role {
        role: String,
        #[serde(default)]
        count: u32,
    }

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "shown by Debug")]
    struct Ensure {
        name: String,
        region: Option<String>,
        backups: Option<bool>,
        policy: Option<Policy>,
        #[serde(default)]
        roles: Vec<Role>,
    }

    #[expect(clippy::needless_pass_by_value, reason = "reads better in the tests")]
    fn check(map: &str, wanted: Expect) {
        let map = rhai::Engine::new().eval::<Map>(map).unwrap();
        wanted.assert_eq(&match from_map::<Ensure>("clusters::ensure", map, &Handles::default()) {
            Ok(ensure) => format!("{ensure:?}"),
            Err(Failure { message, hint, field, .. }) => {
                format!("{message}\nhint: {}\nfield: {}", hint.unwrap_or_default(), field.unwrap_or_default())
            }
        });
    }

    #[test]
    fn right_options_are_read() {
        check(
            "#{ name: \"h\", policy: \"stop\", roles: [#{ role: \"m\" }] }",
            expect![[
                r#"Ensure { name: "h", region: None, backups: None, policy: Some(Stop), roles: [Role { role: "m", count: 0 }] }"#
            ]],
        );
    }

    #[test]
    fn unknown_options_have_near_names() {
        check(
            "#{ name: \"h\", regoin: 1 }",
            expect![[r#"
            unknown option `regoin` of clusters::ensure
            hint: did you mean `region`?
            field: regoin"#]],
        );
        check(
            "#{ name: \"h\", zzz: 1 }",
            expect![[r#"
            unknown option `zzz` of clusters::ensure
            hint: the options are: name, region, backups, policy, roles
            field: zzz"#]],
        );
        check(
            "#{ name: \"h\", roles: [#{ role: \"m\", cuont: 1 }] }",
            expect![[r#"
            unknown option `cuont` of `roles[0]` in clusters::ensure
            hint: did you mean `count`?
            field: roles[0].cuont"#]],
        );
    }

    #[test]
    fn missing_options_are_named() {
        check(
            "#{}",
            expect![[r#"
            option `name` of clusters::ensure is missing
            hint: 
            field: name"#]],
        );
        check(
            "#{ name: \"h\", roles: [#{ count: 3 }] }",
            expect![[r#"
            option `roles[0].role` of clusters::ensure is missing
            hint: 
            field: roles[0].role"#]],
        );
    }

    #[test]
    fn wrong_types_say_what_is_wanted_and_given() {
        check(
            "#{ name: 5 }",
            expect![[r#"
            option `name` of clusters::ensure must be text, but is 5
            hint: 
            field: name"#]],
        );
        check(
            "#{ name: \"h\", backups: \"yes\" }",
            expect![[r#"
            option `backups` of clusters::ensure must be true or false, but is "yes"
            hint: 
            field: backups"#]],
        );
        check(
            "#{ name: \"h\", roles: #{} }",
            expect![[r#"
            option `roles` of clusters::ensure must be an array, but is {}
            hint: 
            field: roles"#]],
        );
        check(
            "#{ name: \"h\", roles: [7] }",
            expect![[r#"
            option `roles[0]` of clusters::ensure must be a map, but is 7
            hint: 
            field: roles[0]"#]],
        );
        check(
            "#{ name: \"h\", roles: [#{ role: \"m\", count: -1 }] }",
            expect![[r#"
            option `roles[0].count` of clusters::ensure must be a whole number not below 0, but is -1
            hint: 
            field: roles[0].count"#]],
        );
        check(
            "#{ name: \"h\", policy: \"stopp\" }",
            expect![[r#"
            option `policy` of clusters::ensure cannot be `stopp`
            hint: did you mean `stop`?
            field: policy"#]],
        );
        check(
            "#{ name: |x| x }",
            expect![[r#"
            option `name` of clusters::ensure cannot be used: a function at `name` is not plain data
            hint: use text, numbers, true or false, arrays, maps, or handles such as nodes
            field: name"#]],
        );
    }
}
