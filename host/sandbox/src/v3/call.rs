//! What an action works with.
//!
//! Owns: its parameters as what they are, and the things they name. Does not know any action.

use serde_json::{Value, json};

use super::fault::Fault;
use super::request::Parameters;
use crate::clock::Time;
use crate::limits::Limits;
use crate::world::{Linode, World};

pub(super) type Answer = Result<Value, Fault>;

pub(super) struct Call<'a> {
    pub(super) world: &'a mut World,
    pub(super) limits: &'a mut Limits,
    pub(super) now: Time,
    /// Empty without one.
    pub(super) key: String,
    pub(super) parameters: &'a Parameters,
}

impl<'a> Call<'a> {
    /// A parameter; empty if it was not given. Lives longer than the call's world is borrowed.
    pub(super) fn text(&self, name: &str) -> &'a str {
        self.parameters.text(name)
    }

    /// One that was given, be it empty.
    pub(super) fn given(&self, name: &str) -> Option<&'a str> {
        self.parameters.has(name).then(|| self.parameters.text(name))
    }

    /// A number, which `methods` has made sure it is.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        number(self.text(name))
    }

    /// The same where it is required.
    pub(super) fn id(&self, name: &str) -> u64 {
        self.number(name).unwrap_or_default()
    }

    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        match self.text(name).trim().to_ascii_lowercase().as_str() {
            "" => None,
            text => Some(matches!(text, "1" | "true" | "yes")),
        }
    }

    /// The Linode that `LinodeID` names.
    pub(super) fn linode(&self) -> Result<&Linode, Fault> {
        self.world.linodes.get(&self.id("linodeid")).ok_or_else(Fault::not_found)
    }

    pub(super) fn linode_mut(&mut self) -> Result<&mut Linode, Fault> {
        let id = self.id("linodeid");
        self.world.linodes.get_mut(&id).ok_or_else(Fault::not_found)
    }
}

/// Whole, from 0 on; a client may write `3.0`.
pub(super) fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    text.strip_suffix(".0").unwrap_or(text).parse().ok()
}

/// `1` or `0`.
pub(super) fn bit(flag: bool) -> Value {
    json!(u64::from(flag))
}
