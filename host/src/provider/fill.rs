//! Puts secrets into request bodies: `{"secret":"ID"}` becomes the value, for secrets that came with the same call.

use crate::provider::Secrets;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use linodetool_plugin::{Encoding, SecretRef};
use serde_json::Value;

/// A reference to a secret that the call did not bring.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request names secret `{id}`, which did not come with its call; pass it beside the arguments")]
pub(crate) struct MissingSecret {
    id: String,
}

/// A JSON body with its secrets in place.
pub(crate) fn fill_json(text: &str, secrets: &Secrets) -> Result<String, MissingSecret> {
    if !text.contains("\"secret\"") {
        return Ok(text.to_owned());
    }
    let Ok(mut value) = serde_json::from_str(text) else {
        return Ok(text.to_owned());
    };
    fill(&mut value, secrets)?;
    Ok(value.to_string())
}

/// A form field with its secrets in place: a reference alone becomes the value, JSON around it stays JSON.
pub(crate) fn fill_field(text: &str, secrets: &Secrets) -> Result<String, MissingSecret> {
    match fill_json(text, secrets)? {
        filled if filled == text => Ok(filled),
        filled => Ok(serde_json::from_str::<String>(&filled).unwrap_or(filled)),
    }
}

fn fill(value: &mut Value, secrets: &Secrets) -> Result<(), MissingSecret> {
    if let Some(reference) = reference(value) {
        *value = Value::String(reveal(reference, secrets)?);
        return Ok(());
    }
    match value {
        Value::Array(items) => items.iter_mut().try_for_each(|item| fill(item, secrets)),
        Value::Object(fields) => fields.values_mut().try_for_each(|field| fill(field, secrets)),
        _ => Ok(()),
    }
}

fn reference(value: &Value) -> Option<SecretRef> {
    value.get("secret").filter(|id| id.is_string())?;
    serde_json::from_value(value.clone()).ok()
}

fn reveal(reference: SecretRef, secrets: &Secrets) -> Result<String, MissingSecret> {
    let Some(secret) = secrets.get(&reference.secret) else {
        return Err(MissingSecret { id: reference.secret });
    };
    Ok(match reference.encoding {
        Some(Encoding::Base64) => STANDARD.encode(secret.reveal()),
        None => secret.reveal().clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Secret;
    use expect_test::expect;

    fn secrets() -> Secrets {
        [("pw", "a\"b"), ("ud", "#cloud-config")]
            .map(|(id, value)| (id.to_owned(), Secret::new(value.to_owned())))
            .into_iter()
            .collect()
    }

    #[test]
    fn references_become_values_and_nothing_else_changes() {
        let body =
            r#"{"root_pass":{"secret":"pw"},"metadata":{"user_data":{"secret":"ud","as":"base64"}},"label":"pw"}"#;
        expect![[r##"{"label":"pw","metadata":{"user_data":"I2Nsb3VkLWNvbmZpZw=="},"root_pass":"a\"b"}"##]]
            .assert_eq(&fill_json(body, &secrets()).unwrap());
        let other = r#"{ "secret" : {"kept":"as it is"}, "more": 1.50 }"#;
        expect![[r#"{"more":1.5,"secret":{"kept":"as it is"}}"#]].assert_eq(&fill_json(other, &secrets()).unwrap());
        assert_eq!(fill_json(r#"{"a": 1.50}"#, &secrets()).unwrap(), r#"{"a": 1.50}"#);
    }

    #[test]
    fn form_fields_hold_values_or_json_with_values() {
        let filled = |text: &str| fill_field(text, &secrets()).unwrap();
        expect![[r#"a"b"#]].assert_eq(&filled(r#"{"secret":"pw"}"#));
        expect![[r#"[{"api_action":"linode.disk.create","rootPass":"a\"b"}]"#]]
            .assert_eq(&filled(r#"[{"api_action":"linode.disk.create","rootPass":{"secret":"pw"}}]"#));
        expect!["my \"secret\""].assert_eq(&filled("my \"secret\""));
    }

    #[test]
    fn a_secret_of_another_call_is_refused() {
        let error = fill_json(r#"{"root_pass":{"secret":"other"}}"#, &secrets()).unwrap_err();
        expect!["the request names secret `other`, which did not come with its call; pass it beside the arguments"]
            .assert_eq(&error.to_string());
    }
}
