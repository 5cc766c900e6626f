//! Steps that may be done twice without harm: reads, and writes that look first or say the whole of what is wanted.
//!
//! Owns what an intent without an outcome means for them: nothing, they are performed again.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::future::Future;

use crate::core::Failure;
use crate::runs::{Done, Effect, Kind, StepCx, performs_again};

/// An [`Effect`] without a `reconcile` of its own.
pub trait Repeatable: Serialize + Send + Sync {
    const OP: &'static str;
    const KIND: Kind;
    type Out: Serialize + DeserializeOwned + Send;

    /// As of [`Effect`].
    fn perform(&self, cx: &StepCx) -> impl Future<Output = Result<Done<Self::Out>, Failure>> + Send;
}

impl<T: Repeatable> Effect for T {
    const OP: &'static str = T::OP;
    const KIND: Kind = T::KIND;
    type Out = T::Out;

    fn perform(&self, cx: &StepCx) -> impl Future<Output = Result<Done<T::Out>, Failure>> + Send {
        Repeatable::perform(self, cx)
    }

    fn reconcile(&self, _: &StepCx) -> impl Future<Output = Result<Option<Done<T::Out>>, Failure>> + Send {
        performs_again()
    }
}
