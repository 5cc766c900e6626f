//! Registers every namespace that needs the toolkit.

use super::{clusters, info, node, nodes, small, sources};
use crate::script::modules::{handles, namespace};
use crate::script::value::HandleTypes;
use rhai::{Engine, exported_module};

/// For [`crate::script::Host::registers`].
pub fn register(engine: &mut Engine, types: &mut HandleTypes) {
    handles::register(types);
    engine.register_type_with_name::<handles::NodeHandle>("Node");
    engine.register_type_with_name::<handles::ClusterHandle>("Cluster");
    engine.register_type_with_name::<crate::toolkit::artifacts::Artifact>("Artifact");
    engine.register_type_with_name::<crate::toolkit::texts::Text>("Text");
    engine.register_type_with_name::<crate::core::Secret<String>>("Secret");
    engine.register_global_module(node::module().into());
    engine.register_global_module(exported_module!(clusters::cluster).into());
    engine.register_global_module(exported_module!(small::global).into());
    namespace(engine, "clusters", exported_module!(clusters::clusters));
    namespace(engine, "nodes", exported_module!(nodes::nodes));
    namespace(engine, "info", exported_module!(info::info));
    namespace(engine, "inventory", exported_module!(small::inventory));
    namespace(engine, "secrets", exported_module!(small::secrets));
    namespace(engine, "api", exported_module!(small::api));
    namespace(engine, "configuration", exported_module!(small::configuration));
    namespace(engine, "artifacts", exported_module!(sources::artifacts));
    namespace(engine, "words", exported_module!(sources::words));
}
