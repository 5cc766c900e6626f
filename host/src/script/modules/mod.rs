//! What recipes can call: one file per namespace. `register` adds those that need no toolkit, `toolkit::register` the others.

pub(crate) mod call;
mod clusters;
mod core;
pub mod handles;
mod info;
mod node;
mod nodes;
mod small;
mod sources;
mod text;
pub mod toolkit;

use rhai::{Engine, Module, exported_module};

pub(crate) fn register(engine: &mut Engine) {
    engine.register_global_module(exported_module!(core::core).into());
    namespace(engine, "text", exported_module!(text::text));
}

/// Registers a namespace; errors about its functions then say `name::function`.
pub fn namespace(engine: &mut Engine, name: &str, mut module: Module) {
    module.set_id(name);
    engine.register_static_module(name, module.into());
}
