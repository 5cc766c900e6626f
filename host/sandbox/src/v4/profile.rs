//! The user: profile, grants, SSH keys and tokens.
//!
//! Owns: these calls. Does not know what a token's scopes allow (`world::profile`).

use serde_json::{Value, json};

use super::call::{Answer, Call, Route, done, ok};
use super::error::Refused;
use super::filter::{Field, Row};
use crate::rules::is_public_key;
use crate::secret;
use crate::wire::Response;
use crate::world::{SshKey, Token, USERNAME};

const READ: &str = "account:read_only";
const WRITE: &str = "account:read_write";

pub(super) const ROUTES: &[Route] = &[
    Route::new("GET", "profile", "", profile),
    // Nothing: the user is not restricted.
    Route::new("GET", "profile/grants", "", |_| Ok(Response::empty())),
    Route::list("profile/sshkeys", READ, |call| call.list(call.world.ssh_keys.values(), |key| key_view(key))),
    Route::new("POST", "profile/sshkeys", WRITE, add_key),
    Route::new("GET", "profile/sshkeys/{}", READ, |call| ok(key_view(key(call)?))),
    Route::new("PUT", "profile/sshkeys/{}", WRITE, update_key),
    Route::new("DELETE", "profile/sshkeys/{}", WRITE, delete_key),
    Route::list("profile/tokens", READ, |call| call.list(call.world.tokens.values(), |token| token_view(token, None))),
    Route::new("POST", "profile/tokens", WRITE, add_token),
];

fn profile(_: &mut Call<'_>) -> Answer {
    ok(json!({
        "uid": 1,
        "username": USERNAME,
        "email": "sandbox@example.invalid",
        "verified_phone_number": null,
        "timezone": "GMT",
        "email_notifications": false,
        "referrals": {"code": "", "url": "", "total": 0, "completed": 0, "pending": 0, "credit": 0},
        "ip_whitelist_enabled": false,
        "lish_auth_method": "keys_only",
        "authorized_keys": null,
        "two_factor_auth": false,
        "restricted": false,
        "authentication_type": "password",
        "user_type": "default",
    }))
}

fn key<'a>(call: &'a Call<'_>) -> Result<&'a SshKey, Refused> {
    call.world.ssh_keys.get(&call.id(0)?).ok_or_else(Refused::not_found)
}

fn add_key(call: &mut Call<'_>) -> Answer {
    let mut input = call.input()?;
    let label = key_label(&mut input).unwrap_or_default();
    let text = input.required_text("ssh_key").unwrap_or_default();
    if !text.is_empty() && !is_public_key(&text) {
        input.problems.add("ssh_key", "Not a valid public key");
    }
    input.done()?;
    let now = call.now;
    let id = call.world.add_ssh_key(&label, text.trim(), now);
    call.world.ssh_keys.get(&id).map_or_else(|| Err(Refused::not_found()), |key| ok(key_view(key)))
}

fn key_label(input: &mut super::input::Input) -> Option<String> {
    let label = input.required_text("label")?;
    if !(1..=64).contains(&label.chars().count()) {
        return input.wrong("label", "Must be 1-64 characters");
    }
    Some(label)
}

fn update_key(call: &mut Call<'_>) -> Answer {
    let id = key(call)?.id;
    let mut input = call.input()?;
    let label = key_label(&mut input).unwrap_or_default();
    input.done()?;
    let key = call.world.ssh_keys.get_mut(&id).ok_or_else(Refused::not_found)?;
    key.label = label;
    ok(key_view(key))
}

fn delete_key(call: &mut Call<'_>) -> Answer {
    let (id, now) = (call.id(0)?, call.now);
    if call.world.remove_ssh_key(id, now) { done() } else { Err(Refused::not_found()) }
}

fn add_token(call: &mut Call<'_>) -> Answer {
    let mut input = call.input()?;
    let label = input.text("label").unwrap_or_default();
    let scopes = input.text("scopes").filter(|scopes| !scopes.is_empty()).unwrap_or_else(|| "*".to_owned());
    input.done()?;
    let secret = secret::random().map_err(|_| Refused::new(500, "Internal server error"))?;
    let now = call.now;
    call.world.add_token(&secret, &label, &scopes, now);
    let token = call.world.tokens.get(&secret).ok_or_else(Refused::not_found)?;
    ok(token_view(token, Some(&secret)))
}

fn key_view(key: &SshKey) -> Value {
    json!({"id": key.id, "label": key.label, "ssh_key": key.key, "created": key.created.wire()})
}

/// The secret is told once, to the one who made it.
fn token_view(token: &Token, secret: Option<&str>) -> Value {
    json!({
        "id": token.id, "label": token.label, "scopes": token.scopes, "created": token.created.wire(), "expiry": null,
        "token": secret,
    })
}

impl Row for &SshKey {
    const FILTERABLE: &'static [&'static str] = &["created", "label"];

    fn field(&self, name: &str) -> Field<'_> {
        if name == "label" { Field::text(self.label.as_str()) } else { Field::text(self.created.wire()) }
    }
}

impl Row for &Token {
    const FILTERABLE: &'static [&'static str] = &["created", "label"];

    fn field(&self, name: &str) -> Field<'_> {
        if name == "label" { Field::text(self.label.as_str()) } else { Field::text(self.created.wire()) }
    }
}
