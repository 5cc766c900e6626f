//! Faults on purpose: the place where a request may be delayed, refused, cut or answered wrongly.
//!
//! Owns: the two hooks around every request. Does not know the world. There are no faults yet: [`Faults::none`].

use crate::wire::{Request, Response};

/// What goes wrong, and when.
#[derive(Clone, Debug, Default)]
pub struct Faults {}

impl Faults {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self {}
    }

    /// Asked before a request has any effect; an answer here is given instead of doing it.
    pub fn before(&self, _: &Request) -> Option<Response> {
        None
    }

    /// Asked after the effect; may replace the answer, so that a client is left in doubt.
    pub fn after(&self, _: &Request, response: Response) -> Response {
        response
    }
}
