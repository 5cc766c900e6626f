//! What is about the API itself: its methods, an echo, keys.
//!
//! Owns: these methods. Does not know the others.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::call::{Answer, Call};
use super::fault::Fault;
use super::methods::METHODS;
use crate::secret;
use crate::world::USERNAME;

/// All methods with their parameters; their texts are left out.
pub(super) fn spec(_: &mut Call<'_>) -> Answer {
    let methods: BTreeMap<String, Value> = METHODS
        .iter()
        .map(|method| {
            let parameters: BTreeMap<_, _> = method
                .parameters()
                .map(|one| {
                    let about =
                        json!({"NAME": one.name, "TYPE": one.kind(), "REQUIRED": one.required, "DESCRIPTION": ""});
                    (one.name, about)
                })
                .collect();
            (method.name.to_ascii_lowercase(), json!({"DESCRIPTION": "", "PARAMETERS": parameters, "THROWS": ""}))
        })
        .collect();
    Ok(json!({"VERSION": 3.3, "METHODS": methods}))
}

/// Names come back in upper case.
pub(super) fn echo(call: &mut Call<'_>) -> Answer {
    let own = call.parameters.own().map(|(name, value)| (name.to_ascii_uppercase(), Value::from(value)));
    Ok(Value::Object(own.collect::<Map<_, _>>()))
}

/// A key for the account's only user, whose password is any key that he has.
pub(super) fn get_api_key(call: &mut Call<'_>) -> Answer {
    let known = call.world.tokens.get(call.text("password")).is_some_and(|token| token.may("*"));
    if call.text("username") != USERNAME || !known {
        return Err(Fault::unauthorized());
    }
    let key = secret::random().map_err(|error| Fault::new(1, format!("The sandbox has no random numbers: {error}")))?;
    let (label, now) = (call.text("label"), call.now);
    call.world.add_token(&key, label, "*", now);
    Ok(json!({"USERNAME": USERNAME, "API_KEY": key}))
}
