//! The facts of all actions of API v3, as the table `facts.tsv` holds them. The example `facts` writes the table; nothing of
//! it is read before somebody asks.

use crate::LinodeV3;
use linodetool_plugin::{Cx, NoArguments, Page, RawOperation, RawParameter, RawPlace, RawType, Result};

const TABLE: &str = include_str!("facts.tsv");

pub(crate) async fn operations(_: &LinodeV3, _: &Cx, _: NoArguments) -> Result<Page<RawOperation>> {
    Ok(Page::whole(LinodeV3::raw_operations()))
}

impl LinodeV3 {
    /// All actions of API v3, by their names.
    pub fn raw_operations() -> Vec<RawOperation> {
        TABLE.lines().map(operation).collect()
    }

    /// Whether an action is known to change nothing.
    pub(crate) fn only_reads(name: &str) -> bool {
        let columns = |line: &'static str| line.split_once('\t').zip(line.split('\t').nth(1));
        let reads = |((known, _), flags): ((&str, &str), &str)| known.eq_ignore_ascii_case(name) && flags.contains('r');
        TABLE.lines().filter_map(columns).any(reads)
    }
}

/// Name, flags, parameters. An action has but one name, so that its method says only whether it reads.
fn operation(line: &str) -> RawOperation {
    let mut columns = line.split('\t');
    let mut next = || columns.next().unwrap_or_default();
    let (name, flags) = (next(), next());
    RawOperation {
        id: name.to_owned(),
        method: if flags.contains('r') { "GET" } else { "POST" }.to_owned(),
        path: format!("/{name}"),
        parameters: next().split_whitespace().map(parameter).collect(),
        destructive: flags.contains('x'),
        ..RawOperation::default()
    }
}

/// `LinodeID:n!`: name, type, `!` when required.
fn parameter(text: &str) -> RawParameter {
    let (name, kind) = text.split_once(':').unwrap_or((text, ""));
    RawParameter {
        name: name.to_owned(),
        place: RawPlace::Body,
        kind: match kind.trim_end_matches('!') {
            "n" => RawType::Number,
            "b" => RawType::Flag,
            _ => RawType::Text,
        },
        required: kind.ends_with('!'),
        ..RawParameter::default()
    }
}
