//! All functions that scripts can call, as data: signatures, documentation, examples.
//!
//! Feeds help, completion, the reference, hints of errors, and the test that every example runs.

use crate::core::Failure;
use rhai::Engine;
use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;
use std::cell::OnceCell;

/// One function, method or property.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Function {
    /// `nodes`, or empty for a global function or a method.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    pub name: String,
    pub kind: FunctionKind,
    /// `nodes::create(options: map) -> Node`
    pub signature: String,
    /// Markdown, without the comment marks.
    pub doc: String,
    #[serde(skip)]
    types: Vec<String>,
}

/// How a function is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FunctionKind {
    Function,
    /// `value.name()`
    Method,
    /// `value.name`
    Property,
}

/// All functions, sorted by namespace, name and signature.
#[derive(Clone, Debug, Default)]
pub struct Index {
    functions: Vec<Function>,
}

impl Index {
    /// What an engine's own modules offer, without Rhai's packages.
    pub(crate) fn of(engine: &Engine) -> Result<Self, Failure> {
        Self::read(engine.gen_fn_metadata_to_json(false))
    }

    /// Rhai's packages too: `push`, `len`, ... for hints.
    pub(crate) fn with_packages(engine: &Engine) -> Result<Self, Failure> {
        Self::read(engine.gen_fn_metadata_to_json(true))
    }

    fn read(json: serde_json::Result<String>) -> Result<Self, Failure> {
        let broken =
            |error: serde_json::Error| Failure::internal(format!("the script functions cannot be listed: {error}"));
        let json = json.map_err(broken)?;
        let root: Value = serde_json::from_str(&json).map_err(broken)?;
        let mut functions = Vec::new();
        collect("", &root, &mut functions);
        functions.sort_by(|a, b| (&a.namespace, &a.name, &a.signature).cmp(&(&b.namespace, &b.name, &b.signature)));
        functions.dedup_by(|a, b| a.namespace == b.namespace && a.signature == b.signature);
        Ok(Self { functions })
    }

    pub fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// Everything of that name: `nodes::create`, `run`, `clusters`.
    pub fn lookup<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Function> {
        let (namespace, function) = name.rsplit_once("::").unwrap_or(("", name));
        self.functions.iter().filter(move |f| f.namespace == namespace && f.name == function || f.namespace == name)
    }

    pub(crate) fn namespaces(&self) -> Vec<&str> {
        let mut names: Vec<&str> =
            self.functions.iter().map(|f| f.namespace.as_str()).filter(|n| !n.is_empty()).collect();
        names.dedup();
        names
    }

    pub(crate) fn names(&self, namespace: &str) -> Vec<&str> {
        let all = self.functions.iter().filter(|f| f.kind != FunctionKind::Property && f.namespace == namespace);
        let mut names: Vec<&str> = all.map(|f| f.name.as_str()).collect();
        names.dedup();
        names
    }

    /// Signatures without the type of the result.
    pub(crate) fn signatures(&self, namespace: &str, name: &str) -> Vec<&str> {
        let all = self.functions.iter().filter(|f| f.kind != FunctionKind::Property);
        let same = all.filter(|f| f.namespace == namespace && f.name == name);
        same.map(|f| f.signature.split(" -> ").next().unwrap_or_default()).collect()
    }

    /// The same, but where some take `first` first, only those.
    pub(crate) fn signatures_on(&self, first: &str, namespace: &str, name: &str) -> Vec<&str> {
        let all = self.functions.iter().filter(|f| f.kind != FunctionKind::Property);
        let same = all.filter(|f| f.namespace == namespace && f.name == name);
        let on = same.filter(|f| f.types.first().is_some_and(|t| t == first));
        let on: Vec<&str> = on.map(|f| f.signature.split(" -> ").next().unwrap_or_default()).collect();
        if on.is_empty() { self.signatures(namespace, name) } else { on }
    }

    /// Methods of a handle type.
    pub(crate) fn methods(&self, of: &str) -> Vec<&str> {
        let all = self.functions.iter().filter(|f| f.kind == FunctionKind::Method);
        let own = all.filter(|f| f.types.first().is_some_and(|t| t == of));
        let mut names: Vec<&str> = own.map(|f| f.name.as_str()).filter(|n| !n.starts_with("to_")).collect();
        names.dedup();
        names
    }

    /// What keeps the reference from being right: functions without documentation or example, examples that fail.
    /// `run` evaluates an example against whatever world the caller has.
    pub fn problems(&self, mut run: impl FnMut(&str) -> Result<(), String>) -> Vec<String> {
        let mut problems = Vec::new();
        for function in self.functions.iter().filter(|f| !f.name.starts_with("to_")) {
            let signature = &function.signature;
            if function.summary().is_empty() {
                problems.push(format!("{signature} has no documentation"));
            }
            let examples = function.examples();
            if examples.is_empty() {
                problems.push(format!("{signature} has no example"));
            }
            for example in examples {
                if let Err(error) = run(&example) {
                    problems.push(format!("an example of {signature} fails: {error}\n{example}"));
                }
            }
        }
        problems
    }

    pub(crate) fn properties(&self, of: &str) -> Vec<&str> {
        let all = self.functions.iter().filter(|f| f.kind == FunctionKind::Property);
        all.filter(|f| f.types.first().is_some_and(|t| t == of)).map(|f| f.name.as_str()).collect()
    }
}

/// The functions of an engine, read when an error needs them: listing Rhai's packages takes a while.
pub(crate) struct Functions<'a> {
    engine: &'a Engine,
    ours: OnceCell<Index>,
    all: OnceCell<Index>,
}

impl<'a> Functions<'a> {
    pub(crate) fn new(engine: &'a Engine) -> Self {
        Self { engine, ours: OnceCell::new(), all: OnceCell::new() }
    }

    pub(crate) fn ours(&self) -> &Index {
        self.ours.get_or_init(|| Index::of(self.engine).unwrap_or_default())
    }

    /// Those and the language's own.
    pub(crate) fn all(&self) -> &Index {
        self.all.get_or_init(|| Index::with_packages(self.engine).unwrap_or_default())
    }
}

impl Function {
    /// The fenced `rhai` blocks of the documentation.
    pub fn examples(&self) -> Vec<String> {
        let mut examples = Vec::new();
        let mut lines = self.doc.lines();
        while let Some(line) = lines.next() {
            if line.trim() == "```rhai" {
                let block: Vec<&str> = lines.by_ref().take_while(|line| line.trim() != "```").collect();
                examples.push(block.join("\n"));
            }
        }
        examples
    }

    /// First sentence of the documentation.
    pub fn summary(&self) -> &str {
        self.doc.split("\n\n").next().unwrap_or_default()
    }
}

fn collect(namespace: &str, json: &Value, functions: &mut Vec<Function>) {
    for function in json["functions"].as_array().into_iter().flatten() {
        functions.extend(read(namespace, function));
    }
    for (name, module) in json["modules"].as_object().into_iter().flatten() {
        let path = if namespace.is_empty() { name.clone() } else { format!("{namespace}::{name}") };
        collect(&path, module, functions);
    }
}

fn read(namespace: &str, json: &Value) -> Option<Function> {
    let raw = json["name"].as_str()?;
    if raw.starts_with("set$") || raw.starts_with("index$") {
        return None; // a property is listed by its getter
    }
    let (mut kind, name) = match raw.strip_prefix("get$") {
        Some(name) => (FunctionKind::Property, name),
        None => (FunctionKind::Function, raw),
    };
    if !name.starts_with(|c: char| c.is_alphabetic()) {
        return None; // operators
    }
    let mut parameters: Vec<(String, String)> = Vec::new();
    for parameter in json["params"].as_array().into_iter().flatten() {
        let kind = clean_type(parameter["type"].as_str().unwrap_or("?")).into_owned();
        if kind != "call" {
            let name = parameter["name"].as_str().unwrap_or("_");
            parameters.push((name.strip_prefix("mut ").unwrap_or(name).to_owned(), kind));
        }
    }
    let of = parameters.first().map_or("?", |(_, kind)| kind.as_str()).to_owned();
    // Our own types are written large, those of the language small.
    if kind == FunctionKind::Function
        && namespace.is_empty()
        && of.starts_with(|c: char| c.is_uppercase())
        && of != "Fn"
    {
        kind = FunctionKind::Method;
    }
    let skipped = usize::from(kind == FunctionKind::Method);
    let list: Vec<String> = parameters
        .iter()
        .skip(skipped)
        .map(|(name, kind)| if kind == "any" { name.clone() } else { format!("{name}: {kind}") })
        .collect();
    let path = if namespace.is_empty() { name.to_owned() } else { format!("{namespace}::{name}") };
    let result = match clean_type(json["returnType"].as_str().unwrap_or("()")).as_ref() {
        "nothing" => String::new(),
        kind => format!(" -> {kind}"),
    };
    let signature = match kind {
        FunctionKind::Function => format!("{path}({}){result}", list.join(", ")),
        FunctionKind::Method => format!("{of}.{name}({}){result}", list.join(", ")),
        FunctionKind::Property => format!("{of}.{name}{result}"),
    };
    let doc: Vec<String> =
        json["docComments"].as_array().into_iter().flatten().filter_map(|c| c.as_str()).map(clean_doc).collect();
    let types = parameters.into_iter().map(|(_, kind)| kind).collect();
    Some(Function {
        namespace: namespace.into(),
        name: name.into(),
        kind,
        signature,
        doc: doc.join("\n").trim().into(),
        types,
    })
}

fn clean_doc(comment: &str) -> String {
    let lines = comment.lines().map(|line| {
        let line = line.trim_start();
        line.strip_prefix("/// ").or_else(|| line.strip_prefix("///")).unwrap_or(line)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A Rust type's name as recipes' authors say it.
pub(crate) fn clean_type(name: &str) -> Cow<'_, str> {
    let name = name.trim();
    let name = name.strip_prefix("&mut ").or_else(|| name.strip_prefix('&')).unwrap_or(name).trim();
    for wrapper in ["std::result::Result<", "Result<", "RhaiResultOf<"] {
        if let Some(inner) = name.strip_prefix(wrapper) {
            let inner = inner.strip_suffix('>').unwrap_or(inner);
            let inner = inner.split(", Box<").next().unwrap_or(inner);
            return clean_type(inner);
        }
    }
    match name {
        "()" => "nothing".into(),
        "i64" | "INT" | "i32" | "u32" | "usize" => "int".into(),
        "f64" | "FLOAT" => "float".into(),
        "str" | "String" | "ImmutableString" | "string" => "string".into(),
        "str | ImmutableString | String" => "string".into(),
        "rhai::Map" | "Map" | "map" => "map".into(),
        "rhai::Array" | "Array" | "array" => "array".into(),
        "rhai::Blob" | "Blob" | "blob" => "blob".into(),
        "rhai::FnPtr" | "FnPtr" | "Fn" => "Fn".into(),
        "rhai::Dynamic" | "Dynamic" | "?" | "_" | "RhaiResult" => "any".into(),
        "NativeCallContext" | "rhai::NativeCallContext" => "call".into(),
        "Thrown" => "ToolkitError".into(),
        other => {
            // `Secret<String>` is a Secret, and what recipes call a Node is a handle in Rust.
            let plain = other.split('<').next().unwrap_or(other);
            let last = plain.rsplit("::").next().unwrap_or(plain);
            last.strip_suffix("Handle").filter(|rest| !rest.is_empty()).unwrap_or(last).to_owned().into()
        }
    }
}
