//! What natives throw: a [`Failure`] as a value that scripts can catch and read, and stops that no `try` can swallow.
//!
//! Knows Rhai's error type; does not know how errors are shown (`diagnostic.rs`).

use crate::core::{Failure, FailureKind};
use crate::runs::StepError;
use rhai::plugin::*;
use rhai::{Dynamic, Engine, EvalAltResult, NativeCallContext, Position};
use std::sync::Arc;

/// What script functions give back.
pub type Result<T> = std::result::Result<T, Box<EvalAltResult>>;

/// A failure thrown into a script, where its type is called `ToolkitError`.
#[derive(Clone, Debug)]
pub struct Thrown {
    pub failure: Arc<Failure>,
    /// The failed lanes, each with its whole error, if `lanes` threw this.
    pub lanes: Arc<[LaneFailure]>,
    /// How many lanes failed, in words.
    pub summary: Arc<str>,
}

/// One failed lane and why.
#[derive(Clone, Debug)]
pub struct LaneFailure {
    pub lane: String,
    pub error: Arc<EvalAltResult>,
}

/// Ends the evaluation; travels in `ErrorTerminated`, which a script cannot catch.
#[derive(Clone, Debug)]
pub(crate) enum Stop {
    /// The door refused or was told to stop, and where, since Rhai forgets the place of what cannot be caught.
    Step { error: StepError, file: String, at: Position },
    /// The run was cancelled while no step was at work.
    Cancelled,
    /// A recipe was only asked for its parameters, and has told them or has none.
    Described,
}

impl From<Failure> for Thrown {
    fn from(failure: Failure) -> Self {
        Self { failure: Arc::new(failure), lanes: Arc::new([]), summary: "".into() }
    }
}

impl Thrown {
    /// As an error at a position.
    pub(crate) fn at(self, at: Position) -> Box<EvalAltResult> {
        EvalAltResult::ErrorRuntime(Dynamic::from(self), at).into()
    }
}

/// A failure as an error at the place of the call.
pub fn throw(failure: Failure, call: &NativeCallContext) -> Box<EvalAltResult> {
    Thrown::from(failure).at(call.call_position())
}

/// A step's error as a script's error: failures can be caught, anything else stops the script.
pub fn raise(error: StepError, call: &NativeCallContext) -> Box<EvalAltResult> {
    match error {
        StepError::Failed(failure) => throw(failure, call),
        error => {
            let (file, at) = (call.call_source().unwrap_or_default().to_owned(), call.call_position());
            stopped(Stop::Step { error, file, at }, call)
        }
    }
}

pub(crate) fn stopped(stop: Stop, call: &NativeCallContext) -> Box<EvalAltResult> {
    EvalAltResult::ErrorTerminated(Dynamic::from(stop), call.call_position()).into()
}

/// Misuse of the script API at the place of the call.
pub(crate) fn misuse(message: impl Into<String>, call: &NativeCallContext) -> Box<EvalAltResult> {
    throw(Failure::new(FailureKind::Script, message), call)
}

/// The name of a kind as scripts and JSON know it.
pub(crate) fn kind_name(kind: FailureKind) -> String {
    serde_json::to_value(kind).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_else(|| "other".into())
}

pub(crate) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Thrown>("ToolkitError");
    engine.register_global_module(exported_module!(toolkit_error).into());
}

/// Properties of what `catch` gives when a toolkit function failed.
#[expect(unreachable_pub, clippy::unwrap_used, reason = "what the macro takes and makes")]
#[export_module]
mod toolkit_error {
    use super::{Thrown, kind_name};
    use rhai::{Array, Dynamic, ImmutableString};

    fn or_unit(text: Option<&String>) -> Dynamic {
        text.map_or(Dynamic::UNIT, |text| text.clone().into())
    }

    /// Kind of the failure: `"not_found"`, `"command"`, `"timeout"`, ...
    ///
    /// # Example
    /// ```rhai
    /// try { fail("no room") } catch (e) { print(e.kind) }
    /// ```
    #[rhai_fn(global, get = "kind", pure)]
    pub fn kind(error: &mut Thrown) -> String {
        kind_name(error.failure.kind)
    }

    /// What went wrong, in a sentence.
    ///
    /// # Example
    /// ```rhai
    /// try { fail("no room") } catch (e) { print(e.message) }
    /// ```
    #[rhai_fn(global, get = "message", pure)]
    pub fn message(error: &mut Thrown) -> String {
        error.failure.message.clone()
    }

    /// What to do next, or `()`.
    ///
    /// # Example
    /// ```rhai
    /// try { fail("no room", "delete something") } catch (e) { print(e.hint) }
    /// ```
    #[rhai_fn(global, get = "hint", pure)]
    pub fn hint(error: &mut Thrown) -> Dynamic {
        or_unit(error.failure.hint.as_ref())
    }

    /// Name of the node it happened on, or `()`.
    ///
    /// # Example
    /// ```rhai
    /// try { fail("no room") } catch (e) { if e.node != () { print(e.node) } }
    /// ```
    #[rhai_fn(global, get = "node", pure)]
    pub fn node(error: &mut Thrown) -> Dynamic {
        or_unit(error.failure.node.as_ref())
    }

    /// Last lines that the failed command wrote, or `()`.
    ///
    /// # Example
    /// ```rhai
    /// try { fail("no room") } catch (e) { if e.output != () { print(e.output) } }
    /// ```
    #[rhai_fn(global, get = "output", pure)]
    pub fn output(error: &mut Thrown) -> Dynamic {
        or_unit(error.failure.output.as_ref())
    }

    /// Exit code of the failed command, or `()`.
    ///
    /// # Example
    /// ```rhai
    /// try { fail("no room") } catch (e) { if e.exit_code == 2 { print("two") } }
    /// ```
    #[rhai_fn(global, get = "exit_code", pure)]
    pub fn exit_code(error: &mut Thrown) -> Dynamic {
        error.failure.exit_code.map_or(Dynamic::UNIT, |code| i64::from(code).into())
    }

    /// Names of the lanes that failed; empty unless `lanes` threw this.
    ///
    /// # Example
    /// ```rhai
    /// try { lanes(["a", "b"], |x| fail(x)) } catch (e) { print(e.lanes) }
    /// ```
    #[rhai_fn(global, get = "lanes", pure)]
    pub fn lanes(error: &mut Thrown) -> Array {
        error.lanes.iter().map(|lane| Dynamic::from(ImmutableString::from(&lane.lane))).collect()
    }

    /// The failure as one line: node and message.
    ///
    /// # Example
    /// ```rhai
    /// try { fail("no room") } catch (e) { print(e.to_string()) }
    /// ```
    #[rhai_fn(global, name = "to_string", name = "to_debug", pure)]
    pub fn show(error: &mut Thrown) -> String {
        error.failure.to_string()
    }
}
