//! What belongs to the user: tokens and SSH keys.
//!
//! Owns: who may do what. Does not know which request needs which scope.

use super::{Entity, World};
use crate::clock::Time;
use crate::ledger::What;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// A personal access token.
#[derive(Clone, Debug)]
pub struct Token {
    pub id: u64,
    pub label: String,
    /// `*`, or words like `linodes:read_only` with spaces between them.
    pub scopes: String,
    pub created: Time,
}

impl Token {
    /// Whether the token may do what `wanted` (`linodes:read_only`, several with spaces between them) names.
    pub fn may(&self, wanted: &str) -> bool {
        wanted.split_whitespace().all(|one| self.scopes.split([' ', ',']).any(|held| covers(held, one)))
    }
}

fn covers(held: &str, wanted: &str) -> bool {
    if held == "*" {
        return true;
    }
    let (Some((held_area, held_right)), Some((area, right))) = (held.split_once(':'), wanted.split_once(':')) else {
        return false;
    };
    held_area == area && (held_right == right || held_right == "*" || held_right == "read_write")
}

/// A public SSH key of the profile.
#[derive(Clone, Debug)]
pub struct SshKey {
    pub id: u64,
    pub label: String,
    pub key: String,
    pub created: Time,
}

impl World {
    /// Makes `secret` a token with these scopes.
    pub fn add_token(&mut self, secret: &str, label: &str, scopes: &str, now: Time) -> u64 {
        if self.account == 0 {
            // Two sandboxes are two accounts, and an account stays what it is.
            let mut hasher = DefaultHasher::new();
            secret.hash(&mut hasher);
            self.account = hasher.finish();
        }
        let id = self.new_id("token");
        let token = Token { id, label: label.to_owned(), scopes: scopes.to_owned(), created: now };
        self.tokens.insert(secret.to_owned(), token);
        id
    }

    pub fn add_ssh_key(&mut self, label: &str, key: &str, now: Time) -> u64 {
        let id = self.new_id("sshkey");
        self.ssh_keys.insert(id, SshKey { id, label: label.to_owned(), key: key.to_owned(), created: now });
        self.note(now, What::Created, "sshkey", id, label, &[]);
        self.events.notify("user_ssh_key_add", key_entity(id, label), now);
        id
    }

    /// False if there is none.
    pub fn remove_ssh_key(&mut self, id: u64, now: Time) -> bool {
        let Some(key) = self.ssh_keys.remove(&id) else { return false };
        self.note(now, What::Destroyed, "sshkey", id, &key.label, &[]);
        self.events.notify("user_ssh_key_delete", key_entity(id, &key.label), now);
        true
    }
}

fn key_entity(id: u64, label: &str) -> Entity {
    Entity::new("user_ssh_key", id, label, format!("/v4/profile/sshkeys/{id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_cover_what_they_say() {
        let token = |scopes: &str| Token { id: 1, label: String::new(), scopes: scopes.to_owned(), created: Time(0) };
        assert!(token("*").may("linodes:read_write"));
        assert!(token("linodes:read_write").may("linodes:read_only"));
        assert!(token("linodes:*").may("linodes:read_write"));
        assert!(!token("linodes:read_only").may("linodes:read_write"));
        assert!(!token("linodes:read_write").may("events:read_only"));
        assert!(token("linodes:read_only images:read_write").may("images:read_write linodes:read_only"));
        assert!(!token("images:read_write").may("images:read_write linodes:read_only"));
        assert!(token("linodes:read_only").may(""), "some requests want no scope");
        assert!(!token("linodes:read_only").may("*"));
    }
}
