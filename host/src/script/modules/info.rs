//! `info::`: what the provider offers.

use rhai::plugin::*;

/// What the provider offers.
#[expect(unreachable_pub, reason = "the macro takes public functions")]
#[export_module]
pub(crate) mod info {
    use crate::script::modules::call::{at, toolkit};
    use crate::script::thrown::{Result, raise, throw};
    use crate::script::value::to_dynamic;
    use crate::toolkit::names::resolve;
    use rhai::{Array, Map};
    use serde::Serialize;

    fn maps<T: Serialize>(items: Vec<T>) -> Array {
        items.into_iter().filter_map(|item| serde_json::to_value(item).ok()).map(|json| to_dynamic(&json)).collect()
    }

    /// Regions, as maps of `id`, `label`, `country`, `capabilities`, `status`.
    ///
    /// # Example
    /// ```rhai
    /// for r in info::regions() { print(`${r.id}: ${r.label}`) }
    /// ```
    ///
    /// # Errors
    /// What the provider says.
    #[rhai_fn(return_raw, volatile)]
    pub fn regions(call: NativeCallContext) -> Result<Array> {
        Ok(maps(at(&call, |at| toolkit(&call)?.regions(at).map_err(|e| raise(e, &call)))?))
    }

    /// Types of Linodes, as maps of `id`, `label`, `class`, `memory_mb`, `disk_mb`, `vcpus`, `price`, ...
    ///
    /// # Example
    /// ```rhai
    /// let small = info::types().filter(|t| t.memory_mb <= 2048);
    /// ```
    ///
    /// # Errors
    /// What the provider says.
    #[rhai_fn(return_raw, volatile)]
    pub fn types(call: NativeCallContext) -> Result<Array> {
        Ok(maps(at(&call, |at| toolkit(&call)?.types(at).map_err(|e| raise(e, &call)))?))
    }

    /// Images, as maps of `id`, `label`, `vendor`, `deprecated`, `capabilities`, ...
    ///
    /// # Example
    /// ```rhai
    /// let debian = info::images().filter(|i| i.vendor == "Debian");
    /// ```
    ///
    /// # Errors
    /// What the provider says.
    #[rhai_fn(return_raw, volatile)]
    pub fn images(call: NativeCallContext) -> Result<Array> {
        Ok(maps(at(&call, |at| toolkit(&call)?.images(at).map_err(|e| raise(e, &call)))?))
    }

    /// What one Linode of a type costs in a region: a map of `hourly` and `monthly`, in US dollars.
    ///
    /// # Example
    /// ```rhai
    /// print(info::price("4gb", "newark").monthly);
    /// ```
    ///
    /// # Errors
    /// `not_found` for unknown names, with near ones.
    #[rhai_fn(return_raw, volatile)]
    pub fn price(call: NativeCallContext, type_name: &str, region: &str) -> Result<Map> {
        let toolkit = toolkit(&call)?;
        let types = at(&call, |at| toolkit.types(at).map_err(|e| raise(e, &call)))?;
        let regions = at(&call, |at| toolkit.regions(at).map_err(|e| raise(e, &call)))?;
        let region = resolve(&regions, region).map_err(|failure| throw(failure, &call))?;
        let price = resolve(&types, type_name).map_err(|failure| throw(failure, &call))?.price_in(&region.id);
        Ok([("hourly".into(), price.hourly.into()), ("monthly".into(), price.monthly.into())].into())
    }
}
