//! secrets: values of the user's own, for recipes and commands.

use crate::core::{Failure, Secret};
use crate::toolkit::Toolkit;

impl Toolkit {
    /// A stored secret. Not a step: its value must not get into a journal. From now on it is taken out of what nodes say.
    ///
    /// # Errors
    /// `NotFound` with near names.
    pub fn secret(&self, name: &str) -> Result<Secret<String>, Failure> {
        self.used_secret(name)
    }
}
