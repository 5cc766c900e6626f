//! Copies of values for another lane: what a closure captured becomes a read-only copy, so that lanes cannot race.

use rhai::{Array, Dynamic, FnPtr, Map};

/// A copy without shared cells: those would be a race between lanes.
pub(crate) fn detach(value: Dynamic) -> Dynamic {
    let value = value.flatten();
    if value.is::<FnPtr>() {
        return Dynamic::from(detach_function(value.cast::<FnPtr>()));
    }
    if value.is_array() {
        return value.cast::<Array>().into_iter().map(detach).collect::<Array>().into();
    }
    if value.is_map() {
        return value.cast::<Map>().into_iter().map(|(k, v)| (k, detach(v))).collect::<Map>().into();
    }
    value
}

/// The same closure over copies of its own, which it may read only.
pub(crate) fn detach_function(mut function: FnPtr) -> FnPtr {
    // `Dynamic::clone` and `Scope` make a value writable again; only inside a shared cell it stays read-only.
    let captured: Vec<_> =
        function.iter_curry().map(|value| detach(value.flatten_clone()).into_read_only().into_shared()).collect();
    function.set_curry(captured);
    function
}
