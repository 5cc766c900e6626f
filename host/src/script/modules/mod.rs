//! What recipes can call: one file per namespace. This registers those that need no toolkit.

mod core;

use rhai::{Engine, Module, exported_module};

pub(crate) fn register(engine: &mut Engine) {
    engine.register_global_module(exported_module!(core::core).into());
}

/// Registers a namespace; errors about its functions then say `name::function`.
pub fn namespace(engine: &mut Engine, name: &str, mut module: Module) {
    module.set_id(name);
    engine.register_static_module(name, module.into());
}
