//! What recipes can call: one file per namespace. This registers those that need no toolkit.
//!
//! The pattern of a file, with `core.rs` as the example:
//! - An inline `#[export_module]` of functions that take `call: NativeCallContext` first, are `return_raw` if they can fail
//!   and `volatile` if they touch the world. Methods of handles are `global` and `pure`, else a lane cannot use a captured one.
//! - Options come as one map: `options::read(&call, map)?` into a struct that denies unknown fields.
//! - The toolkit is `step::service::<T>(&call)?`, an effect is `step::step(&call, &effect)?`, other failures are thrown with
//!   `thrown::throw`. What is to work inside `wait_until` must be a read.
//! - The `///` of a function is a sentence, a table of options, `# Example` with a fenced `rhai` block that runs, `# Errors`.
//! - A `Register` function registers the module under its namespace, and its handle types with their names and JSON.

mod core;
mod text;

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
