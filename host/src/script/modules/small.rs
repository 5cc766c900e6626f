//! The small namespaces: `inventory::`, `secrets::`, `api::`, `configuration::`.

use rhai::plugin::*;

/// The inventory: what linodetool knows it has made.
#[expect(unreachable_pub, reason = "the macro takes public functions")]
#[export_module]
pub(crate) mod inventory {
    use crate::script::modules::call::{at, toolkit};
    use crate::script::modules::handles::array;
    use crate::script::thrown::{Result, raise};
    use crate::script::value::to_dynamic;
    use rhai::Array;

    /// Nodes that a selector means: `web-1`, `cluster:hadoop`, `role:worker`, `hadoop-*`; several with commas.
    ///
    /// # Example
    /// ```rhai
    /// let workers = inventory::query("cluster:docs");
    /// ```
    ///
    /// # Errors
    /// `not_found` if it means none, with near names.
    #[rhai_fn(return_raw, volatile)]
    pub fn query(call: NativeCallContext, selector: &str) -> Result<Array> {
        Ok(array(at(&call, |at| toolkit(&call)?.select_nodes(at, selector).map_err(|e| raise(e, &call)))?))
    }

    /// Firewalls and other things kept at the provider, as maps of `kind`, `name`, `id`, `cluster`.
    ///
    /// # Example
    /// ```rhai
    /// for r in inventory::resources() { print(`${r.kind} ${r.name}`) }
    /// ```
    ///
    /// # Errors
    /// Only if the inventory cannot be read.
    #[rhai_fn(return_raw, volatile)]
    pub fn resources(call: NativeCallContext) -> Result<Array> {
        let all = at(&call, |at| toolkit(&call)?.resources(at).map_err(|e| raise(e, &call)))?;
        Ok(all.iter().filter_map(|r| serde_json::to_value(r).ok()).map(|json| to_dynamic(&json)).collect())
    }
}

/// Values that must not be printed, stored or written into a journal.
#[expect(unreachable_pub, reason = "the macro takes public functions")]
#[export_module]
pub(crate) mod secrets {
    use crate::core::Secret;
    use crate::script::modules::call::{at, toolkit};
    use crate::script::thrown::{Result, raise, throw};

    /// A secret of the store (`linodetool secret set NAME`), as an opaque value that nothing can print: to know that it is there.
    ///
    /// Nodes get it by its name, in `secret_env` of `run` and `content_secret` of `file`.
    ///
    /// # Example
    /// ```rhai
    /// try { let password = secrets::get("database") } catch (e) { print(e.kind) }
    /// ```
    ///
    /// # Errors
    /// `not_found`, with near names.
    #[rhai_fn(return_raw, volatile)]
    pub fn get(call: NativeCallContext, name: &str) -> Result<Secret<String>> {
        // Whether it is there decides the script's path, so the journal has it; its value never.
        let toolkit = toolkit(&call)?;
        at(&call, |at| toolkit.find_secret(at, name).map_err(|error| raise(error, &call)))?;
        toolkit.secret(name).map_err(|failure| throw(failure, &call))
    }
}

/// Any operation of the provider.
#[expect(unreachable_pub, reason = "the macro takes public functions")]
#[export_module]
pub(crate) mod api {
    use crate::script::modules::call::{at, toolkit};
    use crate::script::options;
    use crate::script::thrown::{Result, raise};
    use crate::script::value::to_dynamic;
    use crate::toolkit::api::{Listing, RawSpec};
    use rhai::Map;

    /// Calls the provider by method and path, and gives its JSON.
    ///
    /// | option | type | default |
    /// |---|---|---|
    /// | `method` | `"GET"`, `"POST"`, `"PUT"` or `"DELETE"` | |
    /// | `path` | string below the provider's base URL | |
    /// | `query` | map of strings | `#{}` |
    /// | `body` | anything plain | none |
    /// | `filter` | map, where the provider has filters | none |
    /// | `all_pages` | of a list, all pages as one array | `false` |
    ///
    /// # Example
    /// ```rhai
    /// let linodes = api::raw(#{ method: "GET", path: "/linode/instances" });
    /// print(linodes.results);
    /// ```
    ///
    /// # Errors
    /// What the provider says.
    #[rhai_fn(return_raw, volatile)]
    pub fn raw(call: NativeCallContext, options: Map) -> Result<Dynamic> {
        let spec: RawSpec = options::read(&call, options)?;
        Ok(to_dynamic(&at(&call, |at| toolkit(&call)?.raw(at, &spec).map_err(|e| raise(e, &call)))?))
    }

    /// Calls an operation of the provider's own API by its name, and gives its JSON. `linodetool api` lists the operations,
    /// `linodetool api NAME --help` tells what one takes.
    ///
    /// A field that holds a secret is given as `#{ secret: "NAME" }`, a secret of the store; in answers `***` stands in its place.
    ///
    /// # Example
    /// ```rhai
    /// let linodes = api::call("get-linode-instances", #{ page_size: 100 });
    /// print(linodes.results);
    /// ```
    ///
    /// # Errors
    /// `usage` before anything is sent, if there is no such operation or it cannot be called so; what the provider says.
    #[rhai_fn(name = "call", return_raw, volatile)]
    pub fn operation(call: NativeCallContext, name: &str, parameters: Map) -> Result<Dynamic> {
        operation_with(call, name, parameters, Map::new())
    }

    /// The same for a list.
    ///
    /// | option | type | default |
    /// |---|---|---|
    /// | `all_pages` | all pages as one array | `false` |
    /// | `filter` | map, where the provider has filters | none |
    ///
    /// # Example
    /// ```rhai
    /// let all = api::call("get-linode-instances", #{}, #{ all_pages: true, filter: #{ region: "us-east" } });
    /// print(all.len());
    /// ```
    ///
    /// # Errors
    /// The same.
    #[rhai_fn(name = "call", return_raw, volatile)]
    pub fn operation_with(call: NativeCallContext, name: &str, parameters: Map, options: Map) -> Result<Dynamic> {
        let parameters = options::read(&call, parameters)?;
        let listing: Listing = options::read(&call, options)?;
        let answer =
            at(&call, |at| toolkit(&call)?.call_operation(at, name, parameters, listing).map_err(|e| raise(e, &call)))?;
        Ok(to_dynamic(&answer))
    }
}

/// The effective settings.
#[expect(unreachable_pub, reason = "the macro takes public functions")]
#[export_module]
pub(crate) mod configuration {
    use crate::script::modules::call::{at, toolkit};
    use crate::script::thrown::{Result, raise};

    /// Whether this runs in the sandbox.
    ///
    /// # Example
    /// ```rhai
    /// if configuration::sandbox() { print("no real money here") }
    /// ```
    ///
    /// # Errors
    /// None.
    #[rhai_fn(return_raw, volatile)]
    pub fn sandbox(call: NativeCallContext) -> Result<bool> {
        Ok(toolkit(&call)?.settings().sandbox)
    }

    /// Name of the provider.
    ///
    /// # Example
    /// ```rhai
    /// print(configuration::provider());
    /// ```
    ///
    /// # Errors
    /// None.
    #[rhai_fn(return_raw, volatile)]
    pub fn provider(call: NativeCallContext) -> Result<String> {
        Ok(toolkit(&call)?.settings().provider.clone())
    }

    /// Name of the context that scopes everything stored.
    ///
    /// # Example
    /// ```rhai
    /// print(configuration::context());
    /// ```
    ///
    /// # Errors
    /// None.
    #[rhai_fn(name = "context", return_raw, volatile)]
    pub fn context_name(call: NativeCallContext) -> Result<String> {
        Ok(toolkit(&call)?.settings().context.clone())
    }

    /// Whether the provider has a capability: `firewalls`, `user_data`, `stackscripts`, ...
    ///
    /// # Example
    /// ```rhai
    /// if !configuration::has("firewalls") { fail("not without a firewall") }
    /// ```
    ///
    /// # Errors
    /// If the provider's plugin cannot be loaded.
    #[rhai_fn(return_raw, volatile)]
    pub fn has(call: NativeCallContext, capability: &str) -> Result<bool> {
        at(&call, |at| toolkit(&call)?.has_capability(at, capability).map_err(|e| raise(e, &call)))
    }
}

/// What belongs to no namespace.
#[expect(unreachable_pub, reason = "the macro takes public functions")]
#[export_module]
pub(crate) mod global {
    use crate::core::{Failure, FailureKind};
    use crate::script::modules::call::toolkit;
    use crate::script::step::lane_of;
    use crate::script::thrown::{Result, throw};

    /// How many operations of this run have changed something so far. Not in a lane, since others are at work then.
    ///
    /// # Example
    /// ```rhai
    /// if changes() == 0 { print("everything was as it should be") }
    /// ```
    ///
    /// # Errors
    /// In a lane: the operations there say themselves whether they `changed` something.
    #[rhai_fn(return_raw, volatile)]
    pub fn changes(call: NativeCallContext) -> Result<i64> {
        // What others have done meanwhile would lead a resumed run down another path.
        if !lane_of(&call)?.path().is_empty() {
            let failure =
                Failure::new(FailureKind::Script, "`changes` counts what all lanes do, and cannot be used in one");
            return Err(throw(
                failure.hint("use it after `lanes`, or the `changed` of what an operation answers"),
                &call,
            ));
        }
        Ok(i64::try_from(toolkit(&call)?.changes()).unwrap_or(i64::MAX))
    }
}
