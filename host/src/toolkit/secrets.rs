//! secrets: values of the user's own, for recipes and commands.

use serde::Serialize;

use crate::core::{Failure, Secret};
use crate::runs::{Done, Kind, StepCx, StepError};
use crate::toolkit::{At, Repeatable, Toolkit};

impl Toolkit {
    /// A stored secret. Not a step: its value must not get into a journal. From now on it is taken out of what nodes say.
    ///
    /// # Errors
    /// `NotFound` with near names.
    pub fn secret(&self, name: &str) -> Result<Secret<String>, Failure> {
        self.used_secret(name)
    }

    /// Makes sure that there is one, as a step.
    ///
    /// # Errors
    /// `NotFound` with near names.
    pub fn find_secret(&self, at: At<'_>, name: &str) -> Result<(), StepError> {
        at.step(&Find { name, toolkit: self })
    }
}

#[derive(Serialize)]
struct Find<'a> {
    name: &'a str,
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

impl Repeatable for Find<'_> {
    const OP: &'static str = "secrets.find";
    const KIND: Kind = Kind::Read;
    type Out = ();

    async fn perform(&self, _: &StepCx) -> Result<Done<()>, Failure> {
        self.toolkit.used_secret(self.name)?;
        Ok(().into())
    }
}
