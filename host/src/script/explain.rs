//! One evaluation error in words: kind, sentence, hint. Where it happened is `diagnostic.rs`'s.

use super::metadata::{Functions, Index, clean_type};
use super::thrown::{Stop, Thrown};
use crate::core::failure::near_names;
use crate::core::{Failure, FailureKind};
use crate::runs::{Difference, StepError};
use rhai::{EvalAltResult, ParseErrorType};
use std::borrow::Cow;

/// What hints may name.
#[derive(Clone, Copy, Default)]
pub(crate) struct Words<'a> {
    /// Ours, and the language's own: those are named only where none of ours fits.
    pub(crate) functions: Option<&'a Functions<'a>>,
    /// Text of the script it happened in: the names that it declares.
    pub(crate) text: &'a str,
    /// Byte offset of the spot in that text.
    pub(crate) offset: Option<usize>,
    /// It happened in a lane: what is captured there may only be read.
    pub(crate) in_lane: bool,
}

impl<'a> Words<'a> {
    fn ours(&self) -> Option<&'a Index> {
        self.functions.map(Functions::ours)
    }

    fn all(&self) -> Option<&'a Index> {
        self.functions.map(Functions::all)
    }

    /// Nothing but that it happened in a lane.
    pub(crate) fn of_lane() -> Self {
        Words { in_lane: true, ..Words::default() }
    }
}

/// The innermost error as a failure.
pub(crate) fn explain(error: &EvalAltResult, words: &Words) -> Failure {
    let script = |text: String| Failure::new(FailureKind::Script, text);
    match error.unwrap_inner() {
        EvalAltResult::ErrorRuntime(value, _) => match value.read_lock::<Thrown>() {
            Some(thrown) => (*thrown.failure).clone(),
            None if value.is_unit() => Failure::new(FailureKind::Failed, "the script threw an error without a message"),
            None => Failure::new(FailureKind::Failed, value.to_string()),
        },
        EvalAltResult::ErrorTerminated(value, _) => match value.read_lock::<Stop>().as_deref() {
            Some(Stop::Step { error, .. }) => stop(error),
            Some(Stop::Cancelled) => stop(&StepError::Cancelled),
            Some(Stop::Described) | None => Failure::new(FailureKind::Cancelled, "stopped"),
        },
        EvalAltResult::ErrorParsing(kind, _) => parsing(kind, words),
        EvalAltResult::ErrorFunctionNotFound(signature, _) => function(signature, words),
        EvalAltResult::ErrorVariableNotFound(name, _) => variable(name, words),
        EvalAltResult::ErrorModuleNotFound(name, _) => module(name, words),
        EvalAltResult::ErrorAssignmentToConstant(name, _)
        | EvalAltResult::ErrorNonPureMethodCallOnConstant(name, _) => {
            let name = if name.is_empty() { variable_before(words).unwrap_or("it") } else { name };
            if words.in_lane {
                let name = variable_before(words).filter(|_| is_method(error)).unwrap_or(name);
                return script(format!("a lane cannot change `{name}`: return a value instead"))
                    .hint("what a lane captures is a copy for reading; `lanes` gives the lanes' values as an array");
            }
            script(format!("`{name}` cannot be changed: it is a constant"))
        }
        EvalAltResult::ErrorDataRace(..) => script(
            "a value is used inside a closure that works on the value itself".into(),
        )
        .hint("copy what the closure needs into a variable before the call: `let n = list.len(); list.map(|x| x + n)`"),
        EvalAltResult::ErrorStackOverflow(_) => {
            script(format!("functions call each other more than {} levels deep", super::engine::MAX_CALLS))
                .hint("is there a function that calls itself without end?")
        }
        EvalAltResult::ErrorTooManyOperations(_) => {
            script("the script did more than 50 million operations".into()).hint("is there a loop that does not end?")
        }
        EvalAltResult::ErrorDotExpr(text, _) => property(text, words),
        EvalAltResult::ErrorPropertyNotFound(name, _) => key(name, words),
        EvalAltResult::ErrorMismatchDataType(wanted, given, _)
        | EvalAltResult::ErrorMismatchOutputType(wanted, given, _) => {
            script(format!("this is {}, but must be {}", clean_type(given), clean_type(wanted)))
        }
        other => script(lower(&plain(&other.to_string()))),
    }
}

fn is_method(error: &EvalAltResult) -> bool {
    matches!(error.unwrap_inner(), EvalAltResult::ErrorNonPureMethodCallOnConstant(..))
}

fn stop(error: &StepError) -> Failure {
    match error {
        StepError::Failed(failure) => failure.clone(),
        StepError::Journal(failure) | StepError::Endless(failure) => (**failure).clone(),
        StepError::Cancelled => Failure::new(FailureKind::Cancelled, "cancelled"),
        StepError::Refused(message) => Failure::new(FailureKind::Script, message.clone()),
        StepError::OnlyLooks(_) => Failure::new(FailureKind::Script, error.to_string()).hint(
            "what is waited for is asked again and again, so it may only look: `wait_until(|| n.check(\"COMMAND\"))` asks \
             whether a command succeeds that changes nothing; do whatever changes something before the wait or after it",
        ),
        StepError::NotYet => Failure::internal(error.to_string()),
        StepError::Diverged(difference) => diverged(difference),
    }
}

/// A script that left the path of its journal.
pub(crate) fn diverged(difference: &Difference) -> Failure {
    Failure::new(FailureKind::Diverged, difference.to_string()).hint(
        "a resumed run must take the path it took before, so what decides it must come from parameters and steps; \
         what is done stays done: begin a new run, which changes only what differs",
    )
}

fn parsing(kind: &ParseErrorType, words: &Words) -> Failure {
    match kind {
        ParseErrorType::VariableUndefined(name) => variable(name, words),
        ParseErrorType::ModuleUndefined(name) => module(name, words),
        ParseErrorType::UnexpectedEOF => {
            Failure::new(FailureKind::Script, "the script ends too early").hint("is a `}`, `)` or `]` missing?")
        }
        ParseErrorType::AssignmentToConstant(name) => {
            Failure::new(FailureKind::Script, format!("`{name}` cannot be changed: it is a constant"))
        }
        other if other.to_string().contains("'eval'") => no_eval(),
        ParseErrorType::Reserved(name) if name == "eval" => no_eval(),
        other => Failure::new(FailureKind::Script, lower(&plain(&other.to_string()))),
    }
}

fn no_eval() -> Failure {
    Failure::new(FailureKind::Script, "`eval` cannot be used").hint("put the code into a function")
}

fn variable(name: &str, words: &Words) -> Failure {
    let declared = declared_names(words.text);
    Failure::new(FailureKind::Script, format!("there is no variable `{name}`"))
        .near(name, declared.iter().copied().filter(|known| *known != name))
}

fn module(name: &str, words: &Words) -> Failure {
    let mut known: Vec<&str> = words.ours().map(Index::namespaces).unwrap_or_default();
    known.extend(imported_names(words.text));
    let failure = Failure::new(FailureKind::Script, format!("there is no module `{name}`"));
    let failure = failure.near(name, known.iter().copied());
    if failure.hint.is_some() || known.is_empty() {
        failure
    } else {
        failure.hint(format!("there are: {}", known.join(", ")))
    }
}

/// `nodes::crate (map)`, `run (Node, i64)`, `+ (i64, map)`
fn function(signature: &str, words: &Words) -> Failure {
    let script = |text: String| Failure::new(FailureKind::Script, text);
    let (path, arguments) = signature.split_once(" (").unwrap_or((signature, ")"));
    let arguments = arguments.strip_suffix(')').unwrap_or(arguments);
    let types: Vec<Cow<str>> = arguments.split(", ").filter(|t| !t.is_empty()).map(clean_type).collect();
    if path.starts_with("anon$") {
        return script("a closure that a module's function made cannot be called outside of that module".into())
            .hint("wrap the call: `|x| module::function(x)`");
    }
    if !path.starts_with(|c: char| c.is_alphabetic() || c == '_') {
        return script(format!("`{path}` does not work with {}", types.join(" and ")));
    }
    let nothing = || types.iter().any(|kind| kind == "nothing").then(|| emptied(words)).flatten();
    let (namespace, name) = path.rsplit_once("::").unwrap_or(("", path));
    let of = types.first().map_or("", |kind| kind);
    let same: Vec<&str> = words.all().map(|index| index.signatures_on(of, namespace, name)).unwrap_or_default();
    let own = own_signatures(words.text, name).filter(|_| namespace.is_empty());
    if !same.is_empty() || own.is_some() {
        let mut accepts: Vec<String> =
            same.iter().map(|s| (*s).to_owned()).chain(own).map(|s| format!("`{s}`")).collect();
        accepts.truncate(4);
        let is_method = words.ours().is_some_and(|index| index.methods(of).contains(&name));
        let given = types.iter().skip(usize::from(is_method)).map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
        return script(format!("`{path}` cannot be called with ({given})"))
            .hint(nothing().unwrap_or_else(|| format!("it is {}", accepts.join(" or "))));
    }
    let failure = script(format!("there is no function `{path}({})`", types.join(", ")));
    if let Some(hint) = nothing() {
        return failure.hint(hint);
    }
    let known: Vec<&str> = words.ours().map(|index| index.names(namespace)).unwrap_or_default();
    let own = if namespace.is_empty() { own_functions(words.text) } else { Vec::new() };
    let candidates = || known.iter().copied().chain(own.iter().copied());
    let mut near = near_names(name, candidates());
    if near.is_empty() {
        // Two letters swapped in a short name look far apart to the usual measure.
        near.extend(candidates().filter(|known| name.len() > 2 && strsim::osa_distance(name, known) == 1));
    }
    if near.is_empty() && namespace.is_empty() {
        let all = words.all().map(|index| index.names(namespace)).unwrap_or_default();
        near.extend(
            all.iter().copied().filter(|known| name.len() > 2 && strsim::osa_distance(name, known) == 1).take(2),
        );
    }
    let methods = words.ours().map(|index| index.methods(of)).filter(|_| namespace.is_empty()).unwrap_or_default();
    let full = |name: &str| {
        let signatures = words.all().map(|index| index.signatures_on(of, namespace, name)).unwrap_or_default();
        signatures.first().map_or_else(
            || if namespace.is_empty() { name.to_owned() } else { format!("{namespace}::{name}") },
            |s| (*s).to_owned(),
        )
    };
    match near.as_slice() {
        [] if !methods.is_empty() => failure.hint(format!("{of} has: {}", methods.join(", "))),
        [] if known.is_empty() || namespace.is_empty() => failure,
        [] => failure.hint(format!("`{namespace}` has: {}", known.join(", "))),
        names => failure.hint(format!(
            "did you mean {}?",
            names.iter().map(|name| format!("`{}`", full(name))).collect::<Vec<_>>().join(" or ")
        )),
    }
}

/// Methods of the language that change what they are called on and give `()`.
const IN_PLACE: &[&str] = &[
    "trim",
    "replace",
    "sort",
    "reverse",
    "push",
    "append",
    "insert",
    "pad",
    "truncate",
    "crop",
    "clear",
    "dedup",
    "make_upper",
    "make_lower",
];

/// Why a name in the line of the spot is `()`: it was given what such a method gave.
fn emptied(words: &Words) -> Option<String> {
    let (text, offset) = (words.text, words.offset?);
    let line = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    let end = text[offset..].find('\n').map_or(text.len(), |at| offset + at);
    let tokens = tokens(text);
    let here: Vec<&str> = tokens.iter().filter(|(at, _)| (line..end).contains(at)).map(|(_, token)| *token).collect();
    let token = |at: usize| tokens.get(at).map_or("", |token| token.1);
    for (at, &(_, name)) in tokens.iter().enumerate().filter(|(_, (start, _))| *start < line) {
        if !is_name(name) || token(at + 1) != "=" || token(at + 2) == "=" || !here.contains(&name) {
            continue;
        }
        let last = (at..tokens.len()).find(|at| token(*at) == ";")?;
        // The last call of the statement: its name stands before the parenthesis that the last one closes.
        let mut depth = 0;
        let open = (at..last).rev().find(|at| {
            depth += match token(*at) {
                ")" => 1,
                "(" => -1,
                _ => 0,
            };
            depth == 0
        })?;
        let method = token(open.checked_sub(1)?);
        if token(open.checked_sub(2)?) == "." && IN_PLACE.contains(&method) && token(last - 1) == ")" {
            let of = text[tokens[at + 2].0..tokens[open - 2].0].trim();
            let call = &text[tokens[open - 1].0..tokens[last].0];
            let of = if of.len() > 40 || of.contains('\n') { "..." } else { of };
            return Some(format!(
                "`{name}` is `()`: `{method}` changes what it is called on and gives nothing back. Write it as \
                 `let {name} = {of}; {name}.{call};`"
            ));
        }
    }
    None
}

/// The map itself is not known here, but the script names most keys somewhere.
fn key(name: &str, words: &Words) -> Failure {
    let tokens = tokens(words.text);
    let keys = tokens.windows(3).filter_map(|three| match (three[0].1, three[1].1, three[2].1) {
        ("." | "?", key, _) => Some(key), // m.key
        (_, key, ":") => Some(key),       // #{ key: 1 }
        _ => None,
    });
    let failure = Failure::new(FailureKind::Script, format!("there is no property `{name}` in this map"));
    let failure = failure.near(name, keys.filter(|key| is_name(key) && *key != name));
    if failure.hint.is_some() {
        return failure;
    }
    failure.hint(format!("`map.get(\"{name}\")` gives `()` where a property may be absent"))
}

/// `Unknown property 'labl' - a getter is not registered for type 'Node'`
fn property(text: &str, words: &Words) -> Failure {
    let quoted: Vec<&str> = text.split('\'').skip(1).step_by(2).collect();
    let &[name, of] = quoted.as_slice() else { return Failure::new(FailureKind::Script, lower(text)) };
    let of = clean_type(of);
    let change = if text.contains("setter") && !text.contains("getter") { " that can be set" } else { "" };
    let failure = Failure::new(FailureKind::Script, format!("{of} has no property `{name}`{change}"));
    let known = words.ours().map(|index| index.properties(&of)).unwrap_or_default();
    let failure = failure.near(name, known.iter().copied());
    match failure.hint {
        None if !known.is_empty() => failure.hint(format!("it has: {}", known.join(", "))),
        _ => failure,
    }
}

/// Without `(line 1, position 2)` at its end.
fn plain(text: &str) -> String {
    text.rsplit_once(" (line ").map_or(text, |(head, _)| head).to_owned()
}

/// Sentences of ours begin small.
fn lower(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => first.to_lowercase().chain(chars).collect(),
        _ => text.to_owned(),
    }
}

/// Words of a script's text that are names, with what stands before each. Comments and text are passed over.
pub(crate) fn tokens(text: &str) -> Vec<(usize, &str)> {
    let mut tokens = Vec::new();
    let bytes = text.as_bytes();
    let mut i = 0;
    while i < bytes.len() {
        let start = i;
        match bytes[i] {
            b'/' if bytes.get(i + 1) == Some(&b'/') => i += text[i..].find('\n').unwrap_or(text.len() - i),
            b'/' if bytes.get(i + 1) == Some(&b'*') => i += text[i..].find("*/").map_or(text.len() - i, |n| n + 2),
            quote @ (b'"' | b'\'' | b'`') => {
                i += 1;
                while i < bytes.len() && bytes[i] != quote {
                    i += if bytes[i] == b'\\' { 2 } else { 1 };
                }
                i += 1;
                tokens.push((start, "\""));
            }
            b if b.is_ascii_alphanumeric() || b == b'_' => {
                while i < bytes.len() && (bytes[i].is_ascii_alphanumeric() || bytes[i] == b'_') {
                    i += 1;
                }
                tokens.push((start, &text[start..i]));
            }
            b if b.is_ascii_whitespace() => i += 1,
            b if b.is_ascii() => {
                i += 1;
                tokens.push((start, &text[start..i]));
            }
            _ => i += text[i..].chars().next().map_or(1, char::len_utf8),
        }
    }
    tokens
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

/// Names of variables, constants, loop variables, parameters and imports that a script declares anywhere.
fn declared_names(text: &str) -> Vec<&str> {
    let tokens = tokens(text);
    let mut names = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        match tokens[i].1 {
            "let" | "const" | "for" | "as" => names.extend(tokens.get(i + 1).map(|t| t.1)),
            "|" | "(" => {
                let closing = if tokens[i].1 == "|" { "|" } else { ")" };
                // Only a plain list of names is one of parameters.
                let list: Vec<&str> = tokens[i + 1..].iter().map(|t| t.1).take_while(|t| *t != closing).collect();
                let is_list = list.iter().enumerate().all(|(n, t)| if n % 2 == 0 { is_name(t) } else { *t == "," });
                let is_fn = closing == "|" || i >= 2 && tokens[i - 2].1 == "fn";
                if is_list && is_fn {
                    names.extend(list.iter().step_by(2));
                    i += list.len();
                }
            }
            _ => {}
        }
        i += 1;
    }
    names.retain(|name| is_name(name));
    names
}

fn imported_names(text: &str) -> Vec<&str> {
    let tokens = tokens(text);
    tokens.windows(2).filter(|pair| pair[0].1 == "as").map(|pair| pair[1].1).collect()
}

fn own_functions(text: &str) -> Vec<&str> {
    let tokens = tokens(text);
    tokens.windows(2).filter(|pair| pair[0].1 == "fn").map(|pair| pair[1].1).collect()
}

/// `install(n, c)` as the script itself declares it.
fn own_signatures(text: &str, name: &str) -> Option<String> {
    let tokens = tokens(text);
    let at = tokens.windows(2).position(|pair| pair[0].1 == "fn" && pair[1].1 == name)?;
    let list: Vec<&str> =
        tokens.get(at + 3..)?.iter().map(|t| t.1).take_while(|t| *t != ")").filter(|t| *t != ",").collect();
    Some(format!("{name}({})", list.join(", ")))
}

/// The variable that the method at the spot is called on: `x` of `x.push(1)` and `x.a.push(1)`.
fn variable_before<'a>(words: &Words<'a>) -> Option<&'a str> {
    let offset = words.offset?;
    let tokens = tokens(words.text);
    let mut at = tokens.iter().position(|(start, _)| *start >= offset)?;
    if is_name(tokens.get(at)?.1) && at >= 2 && tokens[at - 1].1 == "." {
        at -= 1;
    }
    while at >= 1 && (tokens[at].1 == "." || tokens[at].1 == "]" || is_name(tokens[at].1) && tokens[at - 1].1 == ".") {
        at -= 1;
    }
    Some(tokens[at].1).filter(|token| is_name(token))
}
