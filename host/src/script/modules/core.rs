//! Functions that every recipe has: parameters, outputs, lanes, waiting, failing.
//!
//! Knows runs and nothing of clouds.

use crate::core::{Failure, FailureKind};
use crate::runs::{Done, Effect, Kind, StepCx, performs_again};
use crate::script::params::{Limits, ParamInfo};
use rhai::Position;
use rhai::plugin::*;
use serde::Serialize;
use serde_json::Value;

/// What `param` gives: a parameter that has no name yet.
#[derive(Clone, Debug)]
pub(crate) struct Param {
    default: Value,
    doc: String,
    limits: Limits,
    at: Position,
}

#[derive(Serialize)]
struct Now;

impl Effect for Now {
    const OP: &'static str = "now";
    const KIND: Kind = Kind::Read;
    type Out = i64;

    async fn perform(&self, cx: &StepCx) -> Result<Done<i64>, Failure> {
        Ok(i64::try_from(cx.time.now_ms()).unwrap_or(i64::MAX).into())
    }

    async fn reconcile(&self, _: &StepCx) -> Result<Option<Done<i64>>, Failure> {
        performs_again().await
    }
}

/// A declaration in the map that `params` is given: made by `param`, or a plain default.
fn declare(name: &str, value: &Dynamic) -> Result<(Position, ParamInfo), Failure> {
    if let Some(param) = value.read_lock::<Param>() {
        let info = ParamInfo::new(name, param.default.clone(), &param.doc, param.limits.clone())?;
        return Ok((param.at, info));
    }
    let default = crate::script::value::Handles::default().to_json(value)?;
    Ok((Position::NONE, ParamInfo::new(name, default, "", Limits::default())?))
}

/// Functions that every recipe has.
#[expect(unreachable_pub, reason = "the macro takes public functions")]
#[export_module]
pub(crate) mod core {
    use super::{Limits, Now, Param, declare};
    use crate::script::params::check;
    use crate::script::step::{Tag, run_of, session_of, step, tag_of};
    use crate::script::thrown::{Result, Stop, misuse, stopped, throw};
    use crate::script::waiting::Wait;
    use crate::script::{lanes, options, value, waiting};
    use rhai::{Array, FnPtr, Map};
    use std::sync::PoisonError;

    /// Declares a recipe's parameters and gives their values as a map.
    ///
    /// Call it once and before anything that has an effect: `recipe show` evaluates a recipe up to here.
    /// Each entry is made by `param`, or is a plain default without documentation.
    ///
    /// # Example
    /// ```rhai
    /// let p = params(#{ name: param("web", "cluster name"), workers: 3 });
    /// print(`${p.workers} workers of ${p.name}`);
    /// ```
    ///
    /// # Errors
    /// A value given with `--set` that is unknown, of another type or outside the limits.
    #[rhai_fn(return_raw, volatile)]
    pub fn params(call: NativeCallContext, declarations: Map) -> Result<Map> {
        let session = session_of(&call)?;
        let mut declared = Vec::new();
        for (name, value) in &declarations {
            declared.push(declare(name, value).map_err(|failure| throw(failure, &call))?);
        }
        // In the order they are written in, as far as `param` tells; a map forgets it.
        declared.sort_by_key(|(at, _)| (at.line(), at.position()));
        let declared: Vec<_> = declared.into_iter().map(|(_, info)| info).collect();
        let mut settings = session.settings.lock().unwrap_or_else(PoisonError::into_inner);
        if settings.declared.is_some() {
            return Err(misuse("`params` is called twice: declare all parameters in one map", &call));
        }
        let values = check(&declared, &settings.set);
        settings.declared = Some(declared);
        drop(settings);
        if matches!(tag_of(&call)?, Tag::Describe(_)) {
            return Err(stopped(Stop::Described, &call));
        }
        let values = values.map_err(|failure| throw(failure, &call))?;
        Ok(values.iter().map(|(name, value)| (name.as_str().into(), value::to_dynamic(value))).collect())
    }

    /// A parameter for `params`: its default, whose type it takes, and its documentation.
    ///
    /// # Example
    /// ```rhai
    /// let p = params(#{ region: param("us-east", "region of all nodes") });
    /// ```
    ///
    /// # Errors
    /// A default that is no int, float, bool, string or array.
    #[rhai_fn(name = "param", return_raw, volatile)]
    pub fn param(call: NativeCallContext, default: Dynamic, doc: &str) -> Result<Param> {
        param_with(call, default, doc, Map::new())
    }

    /// A parameter for `params` with limits.
    ///
    /// | option | type | default |
    /// |---|---|---|
    /// | `min`, `max` | number: of the value, a text's length, an array's items | none |
    /// | `one_of` | array of the allowed values | any |
    /// | `pattern` | string with `*` and `?` | any |
    /// | `required` | bool: must be given, the default only tells the type | `false` |
    ///
    /// # Example
    /// ```rhai
    /// let p = params(#{
    ///     workers: param(3, "worker nodes", #{ min: 1 }),
    ///     size: param("small", "size of nodes", #{ one_of: ["small", "large"] }),
    /// });
    /// ```
    ///
    /// # Errors
    /// An unknown option, or a default that breaks the limits.
    #[rhai_fn(name = "param", return_raw, volatile)]
    pub fn param_with(call: NativeCallContext, default: Dynamic, doc: &str, options: Map) -> Result<Param> {
        let limits: Limits = options::read(&call, options)?;
        let handles = value::Handles::default();
        let default = handles.to_json(&default).map_err(|failure| throw(failure, &call))?;
        Ok(Param { default, doc: doc.into(), limits, at: call.call_position() })
    }

    /// Says what failed lanes mean in this recipe: the default for each `lanes` call that does not say itself.
    ///
    /// | option | type | default |
    /// |---|---|---|
    /// | `on_failure` | `"continue"`, or `"stop"`: start no further lane after a failure | `"continue"` |
    /// | `quorum` | int or share such as `"80%"`: lanes that must end well; all of them where a call has fewer | all |
    ///
    /// Call it once, beside `params`. With a quorum, `lanes` gives `()` for a lane that failed. Steps that failed are
    /// listed at the run's end in any case.
    ///
    /// # Example
    /// ```rhai
    /// policy(#{ on_failure: "stop", quorum: "75%" });
    /// ```
    ///
    /// # Errors
    /// An unknown option; a second call, or one in a lane.
    #[rhai_fn(return_raw, volatile)]
    pub fn policy(call: NativeCallContext, options: Map) -> Result<()> {
        let policy = options::read(&call, options)?;
        if let Tag::Live { lane, .. } = tag_of(&call)?
            && !lane.path().is_empty()
        {
            return Err(misuse("`policy` is for the whole recipe: call it outside of lanes", &call));
        }
        let set = session_of(&call)?.policy.set(policy);
        set.map_err(|_| misuse("`policy` is called twice: give all its options in one call", &call))
    }

    /// Sets an output of the run, shown at its end and kept with it.
    ///
    /// # Example
    /// ```rhai
    /// output("url", "https://example.com/");
    /// ```
    ///
    /// # Errors
    /// A value that is a function or holds one.
    #[rhai_fn(return_raw, volatile)]
    pub fn output(call: NativeCallContext, name: &str, value: Dynamic) -> Result<()> {
        let run = run_of(&call)?;
        let session = session_of(&call)?;
        let json = session.handles.to_json(&value).map_err(|failure| throw(failure, &call))?;
        run.set_output(name, json).map_err(|failure| throw(failure, &call))
    }

    /// Ends the script, or this lane, with an error.
    ///
    /// # Example
    /// ```rhai
    /// try { fail("the cluster is not healthy") } catch (e) { print(e.message) }
    /// ```
    ///
    /// # Errors
    /// Always.
    #[rhai_fn(name = "fail", return_raw, volatile)]
    pub fn fail(call: NativeCallContext, message: &str) -> Result<()> {
        Err(throw(Failure::new(FailureKind::Failed, message), &call))
    }

    /// Ends the script, or this lane, with an error and a hint what to do.
    ///
    /// # Example
    /// ```rhai
    /// try { fail("no workers", "set workers to 1 or more") } catch (e) { print(e.hint) }
    /// ```
    ///
    /// # Errors
    /// Always.
    #[rhai_fn(name = "fail", return_raw, volatile)]
    pub fn fail_hint(call: NativeCallContext, message: &str, hint: &str) -> Result<()> {
        Err(throw(Failure::new(FailureKind::Failed, message).hint(hint), &call))
    }

    /// Calls a function for each item, each in a lane of its own, and gives the values in item order.
    ///
    /// No lane waits for another. What the function captures can only be read. A lane is named by its item: a node's
    /// name, a string, a map's `name`, or else the item's index.
    ///
    /// # Example
    /// ```rhai
    /// let doubled = lanes([1, 2, 3], |n| n * 2);
    /// ```
    ///
    /// # Errors
    /// The first failure in item order, after all lanes have ended.
    #[rhai_fn(name = "lanes", return_raw, volatile)]
    pub fn lanes_all(call: NativeCallContext, items: Array, function: FnPtr) -> Result<Array> {
        lanes::lanes(&call, items, &function, None)
    }

    /// Calls a function for each item in lanes, and gives `#{ ok, value | error, node, name }` for each item in order.
    ///
    /// | option | type | default |
    /// |---|---|---|
    /// | `on_failure` | `"continue"`, or `"stop"`: start no further lane after a failure | `"continue"` |
    /// | `quorum` | int or share such as `"80%"`: fail the call unless so many lanes end well | none |
    ///
    /// What is not given is as the recipe's `policy` says.
    ///
    /// # Example
    /// ```rhai
    /// let results = lanes(["a", "b"], |x| if x == "a" { fail("no") } else { 1 }, #{ on_failure: "continue" });
    /// for r in results { if !r.ok { print(`${r.name}: ${r.error.message}`) } }
    /// ```
    ///
    /// # Errors
    /// Fewer lanes than the quorum ended well.
    #[rhai_fn(name = "lanes", return_raw, volatile)]
    pub fn lanes_with(call: NativeCallContext, items: Array, function: FnPtr, options: Map) -> Result<Array> {
        let options = options::read(&call, options)?;
        lanes::lanes(&call, items, &function, Some(options))
    }

    /// Waits until a function gives true: asks each second, for ten minutes. Only reads are allowed in it.
    ///
    /// # Example
    /// ```rhai
    /// let start = now();
    /// wait_until(|| now() >= start);
    /// ```
    ///
    /// # Errors
    /// `timeout`, and what the function itself fails with.
    #[rhai_fn(name = "wait_until", return_raw, volatile)]
    pub fn wait_until_default(call: NativeCallContext, ready: FnPtr) -> Result<()> {
        waiting::wait_until(&call, &ready, waiting::Options::default())
    }

    /// Waits until a function gives true. Only reads are allowed in it.
    ///
    /// | option | type | default |
    /// |---|---|---|
    /// | `every` | seconds between two tries | `1` |
    /// | `timeout` | seconds until it fails | `600` |
    ///
    /// # Example
    /// ```rhai
    /// wait_until(|| true, #{ every: 0.5, timeout: 30 });
    /// ```
    ///
    /// # Errors
    /// `timeout`, and what the function itself fails with.
    #[rhai_fn(name = "wait_until", return_raw, volatile)]
    pub fn wait_until_with(call: NativeCallContext, ready: FnPtr, options: Map) -> Result<()> {
        let options = options::read(&call, options)?;
        waiting::wait_until(&call, &ready, options)
    }

    /// Waits some seconds; a resumed run does not wait again.
    ///
    /// # Example
    /// ```rhai
    /// wait(0);
    /// ```
    ///
    /// # Errors
    /// A negative time.
    #[rhai_fn(name = "wait", name = "sleep", return_raw, volatile)]
    pub fn wait(call: NativeCallContext, seconds: i64) -> Result<()> {
        wait_float(call, seconds as f64)
    }

    /// Waits some seconds and parts of a second; a resumed run does not wait again.
    ///
    /// # Example
    /// ```rhai
    /// wait(0.01);
    /// ```
    ///
    /// # Errors
    /// A negative time.
    #[rhai_fn(name = "wait", name = "sleep", return_raw, volatile)]
    pub fn wait_float(call: NativeCallContext, seconds: f64) -> Result<()> {
        // A year is more than any script waits for, and keeps the arithmetic in range.
        if !(0.0..=31_536_000.0).contains(&seconds) {
            return Err(misuse(format!("cannot wait {seconds} seconds"), &call));
        }
        step(&call, &Wait { ms: (seconds * 1000.0) as u64 })
    }

    /// Milliseconds since 1970 (UTC). A resumed run sees the same time again.
    ///
    /// # Example
    /// ```rhai
    /// let started = now();
    /// ```
    ///
    /// # Errors
    /// Only a cancel.
    #[rhai_fn(return_raw, volatile)]
    pub fn now(call: NativeCallContext) -> Result<i64> {
        step(&call, &Now)
    }
}
