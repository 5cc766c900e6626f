//! An evaluation error as a report: the innermost spot in its own file, and how the script came there.
//!
//! Does not print and does not know exit codes: the command line renders and maps `failure.kind`.

use super::explain::{Words, explain};
use super::metadata::Functions;
use super::thrown::{Stop, Thrown, kind_name};
use crate::core::{Failure, FailureKind};
use crate::runs::StepError;
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource, Report};
use rhai::{EvalAltResult, Position};
use serde::Serialize;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// Failed lanes that a report names besides the first.
const MAX_OTHERS: usize = 10;

/// Lines of a failed command's output that a report shows.
const MAX_OUTPUT_LINES: usize = 20;

/// Why a script did not end well.
#[derive(Clone, Debug)]
pub struct ScriptError {
    /// What went wrong; its kind decides the exit code.
    pub failure: Failure,
    /// Where, if it is in a script at all.
    pub spot: Option<Spot>,
    /// How the script came there, innermost first.
    pub chain: Vec<Frame>,
    /// Lanes that failed besides the one that is reported, each with its message.
    pub other_lanes: Vec<(String, String)>,
    text: Arc<str>,
    not_yet: bool,
}

/// A place in a script. Line and column count from 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Spot {
    pub file: String,
    pub line: usize,
    pub column: usize,
}

/// One step on the way to the spot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Frame {
    /// ``in `install` ``, ``in lane `web-1` ``, `importing lib/hadoop.rhai`
    pub what: String,
    #[serde(flatten)]
    pub spot: Option<Spot>,
}

/// How a report is to look.
#[derive(Clone, Copy, Debug)]
pub enum Look {
    /// With colours, for a terminal of that width.
    Colour(usize),
    /// Without, of that width.
    Plain(usize),
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.spot {
            Some(spot) => write!(f, "{} ({spot})", self.failure),
            None => self.failure.fmt(f),
        }
    }
}

impl std::error::Error for ScriptError {}

impl From<Failure> for ScriptError {
    fn from(failure: Failure) -> Self {
        Self { failure, spot: None, chain: Vec::new(), other_lanes: Vec::new(), text: "".into(), not_yet: false }
    }
}

/// Where texts and names come from.
pub(crate) struct Context<'a> {
    pub(crate) main: &'a str,
    pub(crate) text_of: &'a dyn Fn(&str) -> Option<Arc<str>>,
    pub(crate) functions: &'a Functions<'a>,
}

/// Reads an evaluation error.
pub(crate) fn diagnose(error: &EvalAltResult, context: &Context) -> ScriptError {
    Walk { context, frames: Vec::new(), file: context.main.to_owned(), others: Vec::new(), in_lane: false }.read(error)
}

/// The innermost error, which belongs to the script's error or to a lane's.
enum SpotError<'a> {
    Own(&'a EvalAltResult),
    Lane(Arc<EvalAltResult>),
}

impl SpotError<'_> {
    fn error(&self) -> &EvalAltResult {
        match self {
            Self::Own(error) => error,
            Self::Lane(error) => error.unwrap_inner(),
        }
    }

    fn is_not_yet(&self) -> bool {
        matches!(self.error(), EvalAltResult::ErrorTerminated(value, _)
            if matches!(value.read_lock::<Stop>().as_deref(), Some(Stop::Step { error: StepError::NotYet, .. })))
    }

    /// What cannot be caught brings its own place.
    fn place(&self, file: String) -> (String, Position) {
        if let EvalAltResult::ErrorTerminated(value, _) = self.error()
            && let Some(Stop::Step { file: own, at, .. }) = value.read_lock::<Stop>().as_deref()
        {
            return (if own.is_empty() { file } else { own.clone() }, *at);
        }
        (file, self.error().position())
    }
}

struct Walk<'a> {
    context: &'a Context<'a>,
    frames: Vec<Frame>,
    file: String,
    others: Vec<(String, String)>,
    in_lane: bool,
}

impl Walk<'_> {
    fn read(mut self, error: &EvalAltResult) -> ScriptError {
        let spot_error = self.descend(error);
        let (file, at) = spot_error.place(self.file);
        let text = (self.context.text_of)(&file).unwrap_or_else(|| "".into());
        let offset = offset(&text, at);
        let words = Words { functions: Some(self.context.functions), text: &text, offset, in_lane: self.in_lane };
        let failure = explain(spot_error.error(), &words);
        self.frames.reverse();
        let not_yet = spot_error.is_not_yet();
        ScriptError { failure, spot: spot(&file, at), chain: self.frames, other_lanes: self.others, text, not_yet }
    }

    /// Outside in. `ErrorInFunctionCall` names the file of the function's body; its position lies in the file outside.
    fn descend<'e>(&mut self, mut error: &'e EvalAltResult) -> SpotError<'e> {
        loop {
            match error {
                EvalAltResult::ErrorInFunctionCall(name, source, inner, at) => {
                    let what = if name.starts_with("anon$") { "in a closure".into() } else { format!("in `{name}`") };
                    self.push(what, *at);
                    self.file = if source.is_empty() { self.context.main.to_owned() } else { source.clone() };
                    error = inner;
                }
                EvalAltResult::ErrorInModule(path, inner, at) => {
                    self.push(format!("importing {path}"), *at);
                    self.file.clone_from(path);
                    error = inner;
                }
                spot => return self.enter_lane(spot),
            }
        }
    }

    /// If `lanes` failed, goes on in the first failed lane.
    fn enter_lane<'e>(&mut self, spot: &'e EvalAltResult) -> SpotError<'e> {
        let EvalAltResult::ErrorRuntime(value, at) = spot else { return SpotError::Own(spot) };
        let Some(thrown) = value.read_lock::<Thrown>().map(|thrown| thrown.clone()) else {
            return SpotError::Own(spot);
        };
        let [first, others @ ..] = &*thrown.lanes else { return SpotError::Own(spot) };
        let summary = if thrown.summary.is_empty() { String::new() } else { format!(" ({})", thrown.summary) };
        self.push(format!("in lane `{}`{summary}", first.lane), *at);
        self.in_lane = true;
        for other in others {
            let walk = Walk {
                context: self.context,
                frames: Vec::new(),
                file: self.file.clone(),
                others: Vec::new(),
                in_lane: true,
            };
            self.others.push((other.lane.clone(), walk.read(&other.error).failure.to_string()));
        }
        let error = first.error.clone();
        match self.descend(&error) {
            SpotError::Lane(inner) => SpotError::Lane(inner),
            SpotError::Own(_) => SpotError::Lane(error),
        }
    }

    fn push(&mut self, what: String, at: Position) {
        let spot = spot(&self.file, at);
        let lane_starts_here = |above: &Frame| above.what.starts_with("in lane") && above.spot == spot;
        if what == "in a closure" && self.frames.last().is_some_and(lane_starts_here) {
            return; // the lane's own closure
        }
        self.frames.push(Frame { what, spot });
    }
}

fn spot(file: &str, at: Position) -> Option<Spot> {
    Some(Spot { file: file.to_owned(), line: at.line()?, column: at.position().unwrap_or(1) })
}

/// Byte offset of a position, which counts characters.
fn offset(text: &str, at: Position) -> Option<usize> {
    let (line, column) = (at.line()?, at.position().unwrap_or(1));
    let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let rest = text.get(start..)?;
    let end = rest.find('\n').unwrap_or(rest.len());
    Some(start + rest[..end].char_indices().nth(column.saturating_sub(1)).map_or(end, |(i, _)| i))
}

/// What to underline: the name or text at an offset; at the end of a file its last character.
fn token_at(text: &str, offset: usize) -> (usize, usize) {
    let end = text.trim_end().len();
    if offset >= end {
        let last = text[..end].chars().next_back().map_or(0, char::len_utf8);
        return (end - last, last);
    }
    let rest = &text[offset..];
    let first = rest.chars().next().map_or(0, char::len_utf8);
    let line = rest.find('\n').unwrap_or(rest.len());
    let length = match rest.as_bytes()[0] {
        quote @ (b'"' | b'`') => rest[1..line].find(quote as char).map_or(line, |n| n + 2),
        _ => rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len()),
    };
    (offset, length.max(first))
}

impl ScriptError {
    pub fn kind(&self) -> FailureKind {
        self.failure.kind
    }

    /// A failure at a place of a script whose text is known.
    pub(crate) fn at(failure: Failure, spot: Option<Spot>, text: Option<Arc<str>>) -> Self {
        Self { spot, text: text.unwrap_or_else(|| "".into()), ..failure.into() }
    }

    /// The script came to the end of the journal that it only follows.
    pub(crate) fn is_not_yet(&self) -> bool {
        self.not_yet
    }

    /// The source line of the spot.
    pub fn source_line(&self) -> Option<&str> {
        self.text.lines().nth(self.spot.as_ref()?.line - 1)
    }

    /// The whole report for a person.
    pub fn report(&self, look: Look) -> String {
        let mut out = String::new();
        let (theme, width) = match look {
            Look::Colour(width) => (GraphicalTheme::unicode(), width),
            Look::Plain(width) => (GraphicalTheme::unicode_nocolor(), width),
        };
        let handler =
            GraphicalReportHandler::new_themed(theme).with_width(width).with_links(false).with_context_lines(1);
        let report = self.miette();
        if handler.render_report(&mut out, report.as_ref()).is_err() {
            out = format!("{self}\n");
        }
        self.write_rest(&mut out);
        let lines: Vec<&str> = out.trim_matches('\n').lines().map(str::trim_end).collect();
        let indent = |line: &&str| line.len() - line.trim_start_matches(' ').len();
        let indent = lines.iter().filter(|line| !line.is_empty()).map(indent).min().unwrap_or(0);
        lines.iter().map(|line| line.get(indent..).unwrap_or_default()).collect::<Vec<_>>().join("\n")
    }

    fn miette(&self) -> Report {
        let mut diagnostic = MietteDiagnostic::new(self.failure.to_string());
        diagnostic.help.clone_from(&self.failure.hint);
        let Some(spot) = &self.spot else { return Report::new(diagnostic) };
        let at = Position::new(u16::try_from(spot.line).unwrap_or(u16::MAX), u16::try_from(spot.column).unwrap_or(0));
        if let Some(offset) = offset(&self.text, at) {
            let (start, length) = token_at(&self.text, offset);
            diagnostic = diagnostic.with_label(LabeledSpan::new(None, start, length));
        }
        Report::new(diagnostic).with_source_code(NamedSource::new(&spot.file, self.text.to_string()))
    }

    fn write_rest(&self, out: &mut String) {
        use fmt::Write;
        for frame in &self.chain {
            let verb = if frame.what.starts_with("in lane") { "started" } else { "called" };
            let verb = if frame.what.starts_with("importing") { "imported" } else { verb };
            let place = frame.spot.as_ref().map_or(String::new(), |spot| format!(", {verb} at {spot}"));
            let _ = write!(out, "\n  {}{place}", frame.what);
        }
        if let Some(output) = &self.failure.output {
            let lines: Vec<&str> = output.trim_end().lines().collect();
            let last = &lines[lines.len().saturating_sub(MAX_OUTPUT_LINES)..];
            let _ = write!(out, "\n  last output:");
            for line in last {
                let _ = write!(out, "\n    {line}");
            }
        }
        for (lane, message) in self.other_lanes.iter().take(MAX_OTHERS) {
            let _ = write!(out, "\n  lane `{lane}` failed too: {message}");
        }
        if self.other_lanes.len() > MAX_OTHERS {
            let _ = write!(out, "\n  and {} more lanes", self.other_lanes.len() - MAX_OTHERS);
        }
    }

    /// The report for a program.
    pub fn to_json(&self) -> Value {
        let mut json = serde_json::to_value(&self.failure).unwrap_or_default();
        json["kind"] = kind_name(self.failure.kind).into();
        if let Some(spot) = &self.spot {
            json["file"] = spot.file.as_str().into();
            json["line"] = spot.line.into();
            json["column"] = spot.column.into();
        }
        if !self.chain.is_empty() {
            json["chain"] = serde_json::to_value(&self.chain).unwrap_or_default();
        }
        if !self.other_lanes.is_empty() {
            let others =
                self.other_lanes.iter().map(|(lane, message)| serde_json::json!({ "lane": lane, "message": message }));
            json["other_lanes"] = others.collect();
        }
        json
    }
}
