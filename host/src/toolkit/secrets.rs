//! secrets: values of the user's own, for recipes and commands.

use crate::core::{Failure, Secret};
use crate::toolkit::Toolkit;

impl Toolkit {
    /// A stored secret. Not a step: its value must not get into a journal.
    ///
    /// # Errors
    /// `NotFound` with near names.
    pub fn secret(&self, name: &str) -> Result<Secret<String>, Failure> {
        let store = self.secret_store();
        if let Some(value) = store.get(name)? {
            return Ok(value);
        }
        let known = store.list()?;
        let failure = Failure::not_found(format!("there is no secret `{name}`"));
        let near = failure.near(name, known.iter().map(String::as_str));
        Err(if near.hint.is_some() { near } else { near.hint(format!("store it: linodetool secret set {name}")) })
    }
}
