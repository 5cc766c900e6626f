//! From a script's call to a service's call.

use crate::inventory::Node;
use crate::script::modules::handles::NodeHandle;
use crate::script::step::{lane_of, place_of, service};
use crate::script::thrown::{Result, misuse};
use crate::toolkit::{At, Toolkit};
use rhai::{Array, NativeCallContext};
use std::sync::Arc;

pub(crate) fn toolkit(call: &NativeCallContext) -> Result<Arc<Toolkit>> {
    service(call)
}

/// Calls with the lane and place of the script's call.
pub(crate) fn at<T>(call: &NativeCallContext, ask: impl FnOnce(At<'_>) -> Result<T>) -> Result<T> {
    let (lane, place) = (lane_of(call)?, place_of(call));
    ask(At { lane: &lane, place: &place })
}

/// The nodes of an array that must hold nothing else.
pub(crate) fn nodes_of(call: &NativeCallContext, items: &Array) -> Result<Vec<Arc<Node>>> {
    items
        .iter()
        .map(|item| match item.read_lock::<NodeHandle>() {
            Some(node) => Ok(node.0.clone()),
            None => Err(misuse(
                format!("`{}` takes nodes, and the array holds a {}", call.fn_name(), item.type_name()),
                call,
            )),
        })
        .collect()
}
