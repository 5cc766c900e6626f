//! Nodes in recipes: properties, and methods by what they are for. Every method that changes a node works on an array of nodes
//! too, each in a lane.
//!
//! Here is how a method is made of its documentation and its work. Does not know any particular method.

mod commands;
mod files;
mod properties;
mod system;
mod transfers;

use crate::inventory::Node;
use crate::runs::StepError;
use crate::script::explain::{Words, explain};
use crate::script::modules::call::{at, nodes_of, toolkit};
use crate::script::modules::handles::NodeHandle;
use crate::script::options;
use crate::script::thrown::{Result, raise};
use crate::script::value::to_dynamic;
use crate::toolkit::states::Operation;
use crate::toolkit::{At, Toolkit};
use rhai::plugin::*;
use rhai::{Array, FuncRegistration, Map};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) fn module() -> Module {
    let mut module = exported_module!(properties::properties);
    for part in [commands::module(), files::module(), system::module(), transfers::module()] {
        module.combine(part);
    }
    module
}

/// Documentation of a method: its sentence, its options, an example.
struct Doc {
    name: &'static str,
    /// The first argument, that may also be an option: `path`.
    subject: &'static str,
    text: &'static str,
}

/// What a method is asked, for one node.
struct Asked<'a> {
    call: &'a NativeCallContext<'a>,
    toolkit: &'a Toolkit,
    at: At<'a>,
    node: &'a Node,
    options: Map,
}

/// A method of nodes and of arrays of nodes, with one typed answer for each node.
type Work = fn(Asked<'_>) -> Answer;
type Answer = std::result::Result<Dynamic, Failed>;

/// A failure of a step, or of the arguments.
enum Failed {
    Step(StepError),
    Script(Box<EvalAltResult>),
}

impl From<StepError> for Failed {
    fn from(error: StepError) -> Self {
        Self::Step(error)
    }
}

impl From<Box<EvalAltResult>> for Failed {
    fn from(error: Box<EvalAltResult>) -> Self {
        Self::Script(error)
    }
}

fn one(call: &NativeCallContext, node: &Node, options: Map, work: Work) -> Result<Dynamic> {
    let toolkit = toolkit(call)?;
    at(call, |at| {
        work(Asked { call, toolkit: &toolkit, at, node, options }).map_err(|failed| match failed {
            Failed::Step(error) => raise(error, call),
            Failed::Script(error) => error,
        })
    })
}

/// Each node in a lane of its own; an array of their answers.
fn each(call: &NativeCallContext, nodes: &Array, options: &Map, doc: &'static Doc, work: Work) -> Result<Dynamic> {
    let toolkit = toolkit(call)?;
    let items: Vec<_> = nodes_of(call, nodes)?.into_iter().map(|node| (node.name.clone(), node)).collect();
    let answers = at(call, |at| {
        let lanes = at.lanes(doc.name, &items, |at, node| {
            work(Asked { call, toolkit: &toolkit, at, node, options: options.clone() }).map_err(|failed| match failed {
                Failed::Step(error) => error,
                Failed::Script(error) => StepError::Failed(explain(&error, &Words::default())),
            })
        });
        lanes.map_err(|error| raise(error, call))
    })?;
    Ok(answers.into())
}

/// Registers `name(options)`, `name(subject)` and `name(subject, options)` for nodes and arrays of nodes.
fn method(module: &mut Module, doc: &'static Doc, work: Work) {
    let registration = |params: &[&str]| {
        let comments: Vec<String> = doc.text.trim().lines().map(|line| format!("/// {}", line.trim())).collect();
        FuncRegistration::new(doc.name)
            .with_namespace(FnNamespace::Global)
            .with_purity(true)
            .with_volatility(true)
            .with_params_info(params)
            .with_comments(comments)
    };
    let with = |mut options: Map, subject: &str| {
        options.insert(doc.subject.into(), subject.into());
        options
    };
    let subject = format!("{}: string", doc.subject);
    registration(&["node: Node", &subject, "map"]).set_into_module(
        module,
        move |call: NativeCallContext, node: &mut NodeHandle, subject: &str| {
            one(&call, &node.0, with(Map::new(), subject), work)
        },
    );
    registration(&["node: Node", &subject, "options: map", "map"]).set_into_module(
        module,
        move |call: NativeCallContext, node: &mut NodeHandle, subject: &str, options: Map| {
            one(&call, &node.0, with(options, subject), work)
        },
    );
    registration(&["node: Node", "options: map", "map"])
        .set_into_module(module, move |call: NativeCallContext, node: &mut NodeHandle, options: Map| {
            one(&call, &node.0, options, work)
        });
    registration(&["nodes: array", &subject, "array"]).set_into_module(
        module,
        move |call: NativeCallContext, nodes: &mut Array, subject: &str| {
            each(&call, nodes, &with(Map::new(), subject), doc, work)
        },
    );
    registration(&["nodes: array", &subject, "options: map", "array"]).set_into_module(
        module,
        move |call: NativeCallContext, nodes: &mut Array, subject: &str, options: Map| {
            each(&call, nodes, &with(options, subject), doc, work)
        },
    );
    registration(&["nodes: array", "options: map", "array"])
        .set_into_module(module, move |call: NativeCallContext, nodes: &mut Array, options: Map| {
            each(&call, nodes, &options, doc, work)
        });
}

/// A state operation whose options are its struct.
fn state<S: Operation + DeserializeOwned>(asked: Asked<'_>) -> Answer {
    let state: S = options::read(asked.call, asked.options)?;
    Ok(plain(&asked.toolkit.apply(asked.at, asked.node, &state)?))
}

fn plain(value: &impl Serialize) -> Dynamic {
    serde_json::to_value(value).map_or(Dynamic::UNIT, |json| to_dynamic(&json))
}
