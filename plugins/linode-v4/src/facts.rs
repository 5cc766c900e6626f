//! The facts of all operations of API v4, as the table `facts.tsv` holds them. The example `facts` writes the table; nothing of
//! it is read before somebody asks.

use crate::LinodeV4;
use crate::api::Api;
use linodetool_plugin::{Cx, NoArguments, Page, RawOperation, RawParameter, RawPlace, RawType, Result};

const TABLE: &str = include_str!("facts.tsv");

pub(crate) async fn operations(_: &Api, _: &Cx, _: NoArguments) -> Result<Page<RawOperation>> {
    Ok(Page::whole(LinodeV4::raw_operations()))
}

impl LinodeV4 {
    /// All operations of API v4, by their ids.
    pub fn raw_operations() -> Vec<RawOperation> {
        TABLE.lines().map(operation).collect()
    }
}

/// Whether a path, its parameters filled in, is one of an operation that only `/v4beta` has.
pub(crate) fn is_beta(method: &str, path: &str) -> bool {
    let matches = |template: &str| {
        let mut parts = path.split('/');
        let fits = template.split('/').all(|part| parts.next().is_some_and(|p| p == part || part.starts_with('{')));
        fits && parts.next().is_none()
    };
    let beta = |line: &str| {
        let mut columns = line.split('\t').skip(1);
        columns.next() == Some(method)
            && columns.next().is_some_and(matches)
            && columns.next().is_some_and(is_flag('b'))
    };
    TABLE.lines().any(beta)
}

fn is_flag(flag: char) -> impl Fn(&str) -> bool {
    move |flags| flags.contains(flag)
}

/// Id, method, path, flags, scopes, parameters, filterable fields.
fn operation(line: &str) -> RawOperation {
    let mut columns = line.split('\t');
    let mut next = || columns.next().unwrap_or_default();
    let words = |column: &str| column.split_whitespace().map(str::to_owned).collect();
    let (id, method, path, flags) = (next(), next(), next(), next());
    RawOperation {
        id: id.to_owned(),
        method: method.to_owned(),
        path: path.to_owned(),
        summary: String::new(),
        scopes: words(next()),
        parameters: next().split_whitespace().map(parameter).collect(),
        filterable: words(next()),
        paged: flags.contains('p'),
        destructive: flags.contains('x'),
        beta: flags.contains('b'),
        deprecated: flags.contains('d'),
        foreign_body: flags.contains('m'),
    }
}

/// `b:size:i!=10..16384`: place, name, type, `!` when required, then bounds or `A|B`.
fn parameter(text: &str) -> RawParameter {
    let mut parts = text.splitn(3, ':');
    let mut next = || parts.next().unwrap_or_default();
    let (place, name, rest) = (next(), next(), next());
    let (kind, limits) = rest.split_once('=').unwrap_or((rest, ""));
    let (kind, required) = kind.strip_suffix('!').map_or((kind, false), |kind| (kind, true));
    let (min, max) = limits.split_once("..").map_or((None, None), |(min, max)| (min.parse().ok(), max.parse().ok()));
    let values = if limits.contains("..") { "" } else { limits };
    RawParameter {
        name: name.to_owned(),
        place: match place {
            "p" => RawPlace::Path,
            "q" => RawPlace::Query,
            _ => RawPlace::Body,
        },
        kind: match kind {
            "s" => RawType::Text,
            "i" => RawType::Whole,
            "n" => RawType::Number,
            "b" => RawType::Flag,
            "o" => RawType::Object,
            "as" => RawType::Texts,
            "ai" => RawType::Wholes,
            "ao" => RawType::Objects,
            "a" => RawType::List,
            _ => RawType::Any,
        },
        required,
        values: values.split('|').filter(|value| !value.is_empty()).map(str::to_owned).collect(),
        min,
        max,
    }
}
