//! Scripts: the Rhai engine of a run, its modules, lanes, parameters, and the reports of its errors.
//!
//! Every effect goes through `step.rs` to the run; nothing here opens a socket or a database, prints, or knows a command.

// A failure is plain data on a cold path; boxing it everywhere would only hide what it is.

mod detach;
mod diagnostic;
mod engine;
mod evaluate;
mod explain;
mod follow;
mod interactive;
mod lanes;
mod metadata;
pub mod modules;
pub mod options;
mod params;
mod policy;
mod recipes;
mod reference;
mod resolver;
pub mod step;
pub mod thrown;
pub mod value;
mod waiting;

pub use diagnostic::{Frame, Look, ScriptError, Spot};
pub use engine::index;
pub use evaluate::{Declared, Script, declared, run};
pub use follow::{changed_since, follow};
pub use interactive::Interactive;
pub use metadata::{Function, FunctionKind, Index};
pub use params::{Limits, ParamInfo, ParamKind, check};
pub use recipes::{Found, Origin, Places, RecipeInfo, find_recipe, list_recipes};
pub use reference::{definitions, markdown};
pub use resolver::{Embedded, Roots};

use crate::core::Events;
use rhai::Engine;
use std::any::Any;
use std::sync::Arc;

/// Adds functions and handle types to an engine: one such function per group of modules.
pub type Register = fn(&mut Engine, &mut value::HandleTypes);

/// What evaluations are given by whoever puts the program together.
#[derive(Clone)]
pub struct Host {
    /// Where recipes and their imports come from.
    pub places: Places,
    pub registers: Vec<Register>,
    /// The toolkit; script functions take it with [`step::service`].
    pub services: Option<Arc<dyn Any + Send + Sync>>,
    pub events: Events,
}
