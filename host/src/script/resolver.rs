//! Imports: from the script folders only, and from what the run stored when the text was first used.
//!
//! Does not know how a recipe itself is found (`recipes.rs`).

use super::thrown::{Result, Thrown};
use crate::core::{Failure, FailureKind};
use crate::runs::Run;
use rhai::{Dynamic, Engine, EvalAltResult, GlobalRuntimeState, Module, ModuleResolver, Position, Scope, Shared};
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A script is text for people: more than this is a mistake.
pub(crate) const MAX_SCRIPT: u64 = 1 << 20;

/// Scripts compiled into the binary: their path below `scripts/`, and text.
#[derive(Clone, Copy, Debug, Default)]
pub struct Embedded(pub &'static [(&'static str, &'static str)]);

impl Embedded {
    pub(crate) fn text(&self, path: &str) -> Option<&'static str> {
        self.0.iter().find(|(name, _)| *name == path).map(|(_, text)| *text)
    }
}

/// The folders that scripts may import from, first match wins, then the embedded ones.
#[derive(Clone, Debug, Default)]
pub struct Roots {
    pub folders: Vec<PathBuf>,
    pub embedded: Embedded,
}

impl Roots {
    /// A script's text, by its path below a root and with its extension.
    pub(crate) fn read(&self, path: &str) -> std::result::Result<String, Failure> {
        for root in &self.folders {
            let Ok(root) = root.canonicalize() else { continue };
            // Symlinks are resolved before the check, so they cannot lead out.
            match root.join(path).canonicalize() {
                Ok(full) if full.starts_with(&root) => return read_script(&full),
                Ok(full) => {
                    return Err(Failure::new(
                        FailureKind::Script,
                        format!(
                            "`{path}` is a link to {}, outside the script folder {}",
                            full.display(),
                            root.display()
                        ),
                    )
                    .hint("copy the file into the folder"));
                }
                Err(_) => {}
            }
        }
        self.embedded.text(path).map(str::to_owned).ok_or_else(|| self.missing(path))
    }

    fn missing(&self, path: &str) -> Failure {
        let name = path.trim_end_matches(".rhai");
        let known = self.known();
        let failure = Failure::new(FailureKind::Script, format!("there is no script `{name}` to import"));
        let failure = failure.near(name, known.iter().map(String::as_str));
        if failure.hint.is_some() {
            return failure;
        }
        let folders: Vec<_> = self.folders.iter().map(|folder| folder.display().to_string()).collect();
        match folders.as_slice() {
            [] => failure.hint("only the built-in scripts were looked at"),
            folders => failure.hint(format!("looked in {} and the built-in scripts", folders.join(", "))),
        }
    }

    /// Importable names, for hints.
    fn known(&self) -> Vec<String> {
        let mut known: Vec<String> = self.embedded.0.iter().map(|(name, _)| (*name).to_owned()).collect();
        for root in &self.folders {
            known.extend(super::recipes::scripts_below(root));
        }
        known.iter().map(|name| name.trim_end_matches(".rhai").to_owned()).collect()
    }
}

/// Reads a script file.
///
/// # Errors
/// It cannot be read, is no regular file, is too large or not UTF-8.
pub(crate) fn read_script(path: &Path) -> std::result::Result<String, Failure> {
    let fail = |why: String| Failure::new(FailureKind::Local, format!("cannot read {}: {why}", path.display()));
    let about = std::fs::metadata(path).map_err(|error| fail(error.to_string()))?;
    if !about.is_file() {
        return Err(fail("it is not a file".into()));
    }
    if about.len() > MAX_SCRIPT {
        return Err(fail(format!("it has {} bytes, a script at most {MAX_SCRIPT}", about.len())));
    }
    let bytes = std::fs::read(path).map_err(|error| fail(error.to_string()))?;
    String::from_utf8(bytes).map_err(|_| fail("it is not UTF-8 text".into()))
}

/// The module resolver of one evaluation.
#[derive(Clone)]
pub(crate) struct Imports(Arc<Inner>);

struct Inner {
    roots: Roots,
    run: Option<Arc<Run>>,
    loaded: Mutex<HashMap<String, Shared<Module>>>,
    /// Texts by the name that positions have, for the reports of errors.
    texts: Mutex<HashMap<String, Arc<str>>>,
}

impl Imports {
    pub(crate) fn new(roots: Roots, run: Option<Arc<Run>>) -> Self {
        Self(Arc::new(Inner { roots, run, loaded: Mutex::default(), texts: Mutex::default() }))
    }

    /// The text of a script that was loaded, or of the recipe itself.
    pub(crate) fn text(&self, file: &str) -> Option<Arc<str>> {
        self.0.texts.lock().unwrap_or_else(PoisonError::into_inner).get(file).cloned()
    }

    pub(crate) fn remember(&self, file: &str, text: &str) {
        self.0.texts.lock().unwrap_or_else(PoisonError::into_inner).insert(file.into(), text.into());
    }

    /// What the run stored wins; a text used for the first time is stored.
    fn fetch(&self, path: &str) -> std::result::Result<String, Failure> {
        let Some(run) = &self.0.run else { return self.0.roots.read(path) };
        if let Some(stored) = run.stored_source(path) {
            return Ok(stored);
        }
        let text = self.0.roots.read(path)?;
        run.source(path, &text)?;
        Ok(text)
    }
}

thread_local! {
    /// What this thread is importing, outermost first: Rhai would follow a circle until the stack ends.
    static LOADING: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

struct Loading;

impl Loading {
    fn enter(path: &str) -> std::result::Result<Self, Failure> {
        LOADING.with_borrow_mut(|loading| {
            if loading.iter().any(|above| above == path) {
                let circle = format!("{} > {path}", loading.join(" > "));
                return Err(Failure::new(FailureKind::Script, "scripts import each other in a circle")
                    .hint(format!("{circle}: move what both need into a third script")));
            }
            loading.push(path.to_owned());
            Ok(Self)
        })
    }
}

impl Drop for Loading {
    fn drop(&mut self) {
        LOADING.with_borrow_mut(Vec::pop);
    }
}

/// `lib/hadoop` and `./lib/hadoop.rhai` are the same script.
fn normal(path: &str) -> std::result::Result<String, Failure> {
    let trimmed = path.trim_start_matches("./");
    let inside = !trimmed.is_empty()
        && !trimmed.contains(['\\', '\0'])
        && trimmed.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    if !inside {
        return Err(Failure::new(
            FailureKind::Script,
            format!("`{path}` cannot be imported: it leads out of the script folders"),
        )
        .hint("name a script below a script folder, such as \"lib/hadoop\""));
    }
    Ok(if trimmed.ends_with(".rhai") { trimmed.to_owned() } else { format!("{trimmed}.rhai") })
}

impl ModuleResolver for Imports {
    fn resolve(&self, engine: &Engine, _: Option<&str>, path: &str, at: Position) -> Result<Shared<Module>> {
        let path = normal(path).map_err(|failure| Thrown::from(failure).at(at))?;
        if let Some(module) = self.0.loaded.lock().unwrap_or_else(PoisonError::into_inner).get(&path) {
            return Ok(module.clone());
        }
        let _loading = Loading::enter(&path).map_err(|failure| Thrown::from(failure).at(at))?;
        let text = self.fetch(&path).map_err(|failure| Thrown::from(failure).at(at))?;
        self.remember(&path, &text);
        let wrap = |error: Box<EvalAltResult>| EvalAltResult::ErrorInModule(path.clone(), error, at);
        let mut ast = engine.compile(&text).map_err(|error| wrap(error.into()))?;
        ast.set_source(path.as_str());
        let mut global = engine.new_global_runtime_state();
        global.tag = Dynamic::UNIT; // no lane: imports are cached and may race, so an effect could not be repeated
        let module = Module::eval_ast_as_new_raw(engine, &mut Scope::new(), &mut global, &ast).map_err(wrap)?;
        let module = Shared::<Module>::from(module);
        self.0.loaded.lock().unwrap_or_else(PoisonError::into_inner).insert(path, module.clone());
        Ok(module)
    }

    fn resolve_raw(
        &self,
        engine: &Engine,
        global: &mut GlobalRuntimeState,
        _: &mut Scope,
        path: &str,
        at: Position,
    ) -> Result<Shared<Module>> {
        self.resolve(engine, global.source(), path, at)
    }
}
