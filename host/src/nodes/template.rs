//! Texts with places to fill in: `{{name}}`. `${name}` is left alone, since shells and many programs have it for themselves.

use super::{NodeError, Result};
use crate::core::failure::near_names;
use serde_json::Value;

/// Fills in `{{name}}` and `{{outer.inner}}`; `\{{` stands for `{{` itself. A name that is not there is an error.
pub fn render(text: &str, variables: &Value) -> Result<String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("{{") {
        let line = || text[..text.len() - rest.len() + at].matches('\n').count() + 1;
        if let Some(before) = rest[..at].strip_suffix('\\') {
            filled.push_str(before);
            filled.push_str("{{");
            rest = &rest[at + 2..];
            continue;
        }
        let Some(length) = rest[at + 2..].find("}}").filter(|l| !rest[at + 2..at + 2 + l].contains('\n')) else {
            return Err(wrong(line(), "`{{` has no `}}`; write `\\{{` for the characters themselves"));
        };
        let name = rest[at + 2..at + 2 + length].trim();
        filled.push_str(&rest[..at]);
        filled.push_str(&value(variables, name).map_err(|why| wrong(line(), &why))?);
        rest = &rest[at + 2 + length + 2..];
    }
    filled.push_str(rest);
    Ok(filled)
}

fn value(variables: &Value, name: &str) -> Result<String, String> {
    let mut at = variables;
    for part in name.split('.') {
        at = at.get(part).ok_or_else(|| {
            let known = at.as_object().into_iter().flat_map(|o| o.keys().map(String::as_str));
            let near = near_names(part, known);
            let meant = near.first().map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
            format!("there is no variable `{name}`{meant}")
        })?;
    }
    as_text(at).ok_or_else(|| format!("the variable `{name}` is an array or a map, not a single value; text::join(array, \",\") makes an array a text"))
}

/// A single value as files hold it; nothing for arrays and maps. No value is an empty text.
pub fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Null => Some(String::new()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

fn wrong(line: usize, why: &str) -> NodeError {
    NodeError::usage("template", format!("line {line} of the template: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn filled(text: &str) -> String {
        let variables = json!({ "host": "web-1", "port": 80, "none": null, "tls": true, "node": { "ip": "10.0.0.1" }, "list": [1] });
        render(text, &variables).unwrap_or_else(|e| format!("error: {e}"))
    }

    #[test]
    fn names_are_filled_in() {
        assert_eq!(
            filled("{{host}}:{{ port }} {{tls}} {{node.ip}} ${HOME} {x} }}"),
            "web-1:80 true 10.0.0.1 ${HOME} {x} }}"
        );
        assert_eq!(filled("[{{none}}]"), "[]", "as in the strings of recipes");
        assert_eq!(filled(r"\{{host}} {{host}}"), "{{host}} web-1");
    }

    #[test]
    fn what_cannot_be_filled_in_is_an_error_with_its_line() {
        let cases = ["a\n{{hots}}", "{{node.up}}", "{{list}}", "\n\n{{host", "{{host\n}}"];
        let told: Vec<_> = cases.iter().map(|c| filled(c)).collect();
        expect_test::expect![[r#"
            [
                "error: line 2 of the template: there is no variable `hots`; did you mean `host`?",
                "error: line 1 of the template: there is no variable `node.up`",
                "error: line 1 of the template: the variable `list` is an array or a map, not a single value; text::join(array, \",\") makes an array a text",
                "error: line 3 of the template: `{{` has no `}}`; write `\\{{` for the characters themselves",
                "error: line 1 of the template: `{{` has no `}}`; write `\\{{` for the characters themselves",
            ]
        "#]]
        .assert_debug_eq(&told);
    }
}
