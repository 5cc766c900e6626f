//! One evaluation of a recipe: engine, imports and lane put together, on a thread of its own.
//!
//! Does not decide where recipes come from, nor how the run ends: the caller finishes the run.

use super::diagnostic::{Context, ScriptError, diagnose};
use super::engine::{LANE_STACK, attach, build};
use super::metadata::Functions;
use super::params::{ParamInfo, Settings, check};
use super::recipes::Found;
use super::resolver::{Imports, Roots};
use super::step::{Session, Tag};
use super::{Host, thrown::Stop};
use crate::core::{Cancel, Events, Failure, FailureKind};
use crate::runs::Run;
use rhai::{Dynamic, Engine, EvalAltResult, Module, ModuleResolver, Position, Scope};
use serde::Serialize;
use serde_json::Value;
use std::any::Any;
use std::sync::{Arc, PoisonError};

/// A recipe as `recipe show` presents it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Declared {
    pub path: String,
    /// The recipe's `//!` lines.
    pub description: String,
    pub params: Vec<ParamInfo>,
}

/// A recipe's description and parameters; nothing is run and no effect is possible.
///
/// # Errors
/// The text does not compile, an import fails, or a declaration is wrong.
pub fn declared(recipe: &Found, host: &Host) -> Result<Declared, ScriptError> {
    describe(recipe, host, None)
}

/// With a run, its cancel is obeyed and the texts it stored are used.
pub(super) fn describe(recipe: &Found, host: &Host, run: Option<&Arc<Run>>) -> Result<Declared, ScriptError> {
    let settings = Settings::default();
    let session = Session::new(settings, None, super::value::Handles::default());
    let (mut engine, _) = build(&host.registers);
    let imports = Imports::new(recipe.roots(&host.places), run.cloned());
    let cancel = run.map_or_else(Cancel::default, |run| run.cancel().clone());
    imports.remember(&recipe.path, &recipe.text);
    attach(&mut engine, Tag::Describe(session.clone()), imports.clone(), Events::none(), cancel);
    // What stands before `params` is little; a loop there must not hold up `recipe show`, and counts as no parameters.
    engine.set_max_operations(1_000_000);
    let script = Script { engine, imports, session: session.clone(), run: None };
    match script.evaluate(&recipe.path, &recipe.text) {
        Err(Ended::Error(error)) => return Err(*error),
        Ok(_) | Err(Ended::Described) => {}
    }
    let params = session.settings.lock().unwrap_or_else(PoisonError::into_inner).declared.take().unwrap_or_default();
    Ok(Declared { path: recipe.path.clone(), description: recipe.description(), params })
}

/// Evaluates a recipe as a run, and gives the run's outputs. The run is not finished by this.
/// Blocks, so never call it on a worker of an async runtime.
///
/// # Errors
/// Settings that do not fit the recipe's parameters (nothing was done then), or what ended the script.
pub fn run(run: &Arc<Run>, recipe: &Found, set: &[(String, String)], host: &Host) -> Result<Value, ScriptError> {
    // Checked before the first step, whatever the recipe does before it asks for its parameters.
    let params = describe(recipe, host, Some(run))?.params;
    check(&params, set).map_err(|failure| {
        let late = params.is_empty() && recipe.text.contains("params(");
        if late { failure.hint("`params` must come before anything that has an effect") } else { failure }
    })?;
    let script = Script::open(run, recipe.roots(&host.places), set, host);
    match script.evaluate(&recipe.path, &recipe.text) {
        Ok(_) => met(run).map(|()| run.outputs().into_iter().collect()),
        Err(Ended::Error(error)) => Err(*error),
        Err(Ended::Described) => Err(Failure::internal("a running recipe was only asked for its parameters").into()),
    }
}

/// A resumed script that ends before all that its journal holds has taken another path.
pub(super) fn met(run: &Run) -> Result<(), ScriptError> {
    let unmet = run.unmet();
    let Some((step, op, place)) = unmet.first() else { return Ok(()) };
    let count = unmet.len();
    let text =
        format!("the script has ended, but not all of its journal: {count} left, first step {step}, `{op}` at {place}");
    Err(Failure::new(FailureKind::Diverged, text)
        .hint("a resumed run must take the path it took before; begin a new run, which changes only what differs")
        .into())
}

/// An engine with its run, for one evaluation or for the lines of an interactive session.
pub struct Script {
    engine: Engine,
    imports: Imports,
    session: Arc<Session>,
    run: Option<Arc<Run>>,
}

pub(super) enum Ended {
    /// A recipe told its parameters.
    Described,
    Error(Box<ScriptError>),
}

impl Script {
    /// An engine whose effects are steps of the run's root lane.
    pub fn open(run: &Arc<Run>, roots: Roots, set: &[(String, String)], host: &Host) -> Self {
        let (mut engine, handles) = build(&host.registers);
        let settings = Settings { set: set.to_vec(), declared: None };
        let session = Session::new(settings, host.services.clone(), handles);
        let imports = Imports::new(roots, Some(run.clone()));
        let tag = Tag::Live { lane: run.root(), session: session.clone() };
        attach(&mut engine, tag, imports.clone(), host.events.clone(), run.cancel().clone());
        Self { engine, imports, session, run: Some(run.clone()) }
    }

    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// A value as JSON, handles as they show themselves.
    ///
    /// # Errors
    /// It holds a function or something else that is not plain data.
    pub fn to_json(&self, value: &Dynamic) -> Result<Value, Failure> {
        self.session.handles.to_json(value)
    }

    /// Compiles and evaluates a text in a scope that outlives it.
    ///
    /// # Errors
    /// Whatever ended it.
    pub fn evaluate_in(&self, scope: &mut Scope<'static>, name: &str, text: &str) -> Result<Dynamic, ScriptError> {
        self.evaluate_scoped(scope, name, text).map_err(|ended| match ended {
            Ended::Error(error) => *error,
            Ended::Described => Failure::internal("only parameters were asked for").into(),
        })
    }

    /// Evaluates a line of a session; the functions it declares stay.
    pub(crate) fn line(&mut self, scope: &mut Scope<'static>, name: &str, text: &str) -> Result<Dynamic, ScriptError> {
        self.imports.remember(name, text);
        let result = self.on_thread(|| -> Result<_, Box<EvalAltResult>> {
            let mut ast = self.engine.compile_with_scope(scope, text)?;
            ast.set_source(name);
            let functions = ast.clone_functions_only();
            // As a module of its own each keeps the name of its line in errors; the newest one of a name wins.
            let module = match functions.has_functions() {
                true => Some(Module::eval_ast_as_new(Scope::new(), &functions, &self.engine)?),
                false => None,
            };
            Ok((ast, module))
        });
        let (mut ast, module) = match result {
            Ok(Ok(parts)) => parts,
            Ok(Err(error)) => return Err(self.diagnose(name, &error)),
            Err(failure) => return Err(failure.into()),
        };
        if let Some(module) = module {
            self.engine.register_global_module(module.into());
            ast.clear_functions();
        }
        match self.on_thread(|| self.engine.eval_ast_with_scope::<Dynamic>(scope, &ast)) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(self.diagnose(name, &error)),
            Err(failure) => Err(failure.into()),
        }
    }

    /// An import lasts for one evaluation; a session keeps it.
    pub(crate) fn keep_import(&mut self, path: &str, alias: &str, name: &str) -> Result<(), ScriptError> {
        let module = self.on_thread(|| self.imports.resolve(&self.engine, None, path, Position::NONE))?;
        let module = module.map_err(|error| self.diagnose(name, &error))?;
        self.engine.register_static_module(alias, module);
        Ok(())
    }

    /// The text of a script that was used.
    pub(super) fn text(&self, file: &str) -> Option<Arc<str>> {
        self.imports.text(file)
    }

    pub(super) fn evaluate(&self, name: &str, text: &str) -> Result<Dynamic, Ended> {
        self.evaluate_scoped(&mut Scope::new(), name, text)
    }

    fn evaluate_scoped(&self, scope: &mut Scope<'static>, name: &str, text: &str) -> Result<Dynamic, Ended> {
        self.imports.remember(name, text);
        let result = self.on_thread(|| {
            let mut ast = self.engine.compile_with_scope(scope, text)?;
            ast.set_source(name);
            self.engine.eval_ast_with_scope::<Dynamic>(scope, &ast)
        });
        match result {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) if is_described(&error) => Err(Ended::Described),
            Ok(Err(error)) if self.run.is_none() && is_endless(&error) => Err(Ended::Described),
            Ok(Err(error)) => Err(Ended::Error(Box::new(self.diagnose(name, &error)))),
            Err(failure) => Err(Ended::Error(Box::new(failure.into()))),
        }
    }

    /// Runs something that evaluates on a thread with a stack that is deep enough; a panic becomes a failure.
    fn on_thread<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, Failure> {
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name("script".into()).stack_size(LANE_STACK);
            let thread = thread.spawn_scoped(scope, work).map_err(|error| {
                Failure::new(FailureKind::Local, format!("cannot start the script's thread: {error}"))
                    .hint("is there a limit on processes or memory? see `ulimit -u -v`")
            })?;
            thread.join().map_err(|panic| panicked(&*panic))
        })
    }

    fn diagnose(&self, name: &str, error: &EvalAltResult) -> ScriptError {
        let functions = Functions::new(&self.engine);
        let context = Context { main: name, text_of: &|file| self.imports.text(file), functions: &functions };
        diagnose(error, &context)
    }

    /// The run behind this engine.
    pub fn run(&self) -> Option<&Arc<Run>> {
        self.run.as_ref()
    }
}

fn is_endless(error: &EvalAltResult) -> bool {
    matches!(error.unwrap_inner(), EvalAltResult::ErrorTooManyOperations(_))
}

fn is_described(error: &EvalAltResult) -> bool {
    matches!(error.unwrap_inner(), EvalAltResult::ErrorTerminated(value, _)
        if matches!(value.read_lock::<Stop>().as_deref(), Some(Stop::Described)))
}

/// A panic as a failure.
pub(crate) fn panicked(panic: &(dyn Any + Send)) -> Failure {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    Failure::internal(format!("a function of linodetool panicked: {}", text.unwrap_or("no message")))
        .hint("this is a bug: please report it together with the recipe")
}
