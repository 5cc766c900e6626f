//! The reference of all script functions as Markdown, and definition files for editors.
//!
//! Made from the documentation at the functions; nothing is written twice.

use super::Register;
use super::engine::build;
use super::metadata::{Function, FunctionKind, Index};
use std::fmt::Write;

/// One page: global functions and methods first, then a chapter per namespace. Overloads with the same documentation
/// share a section.
pub fn markdown(index: &Index) -> String {
    let mut page = String::from(
        "# Script reference\n\nWhat recipes can call. Errors are thrown and can be caught: see `ToolkitError`.\n",
    );
    let mut chapter = None;
    let mut rest: Vec<&Function> = index.functions().iter().filter(|f| !f.name.starts_with("to_")).collect();
    while let Some(first) = rest.first().copied() {
        if chapter != Some(&first.namespace) {
            chapter = Some(&first.namespace);
            let title = if first.namespace.is_empty() { "Everywhere" } else { &first.namespace };
            let _ = write!(page, "\n## {title}\n");
        }
        let (same, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(|other| is_overload(first, other));
        section(&mut page, first, &same);
        rest = others;
    }
    page
}

fn is_overload(one: &Function, other: &Function) -> bool {
    let of = |function: &Function| (function.kind == FunctionKind::Property, function.doc.clone());
    one.namespace == other.namespace && one.name == other.name && of(one) == of(other)
}

fn section(page: &mut String, first: &Function, same: &[&Function]) {
    let _ = match same {
        [only] => write!(page, "\n### `{}`\n", only.signature),
        all => {
            let list: Vec<&str> = all.iter().map(|function| function.signature.as_str()).collect();
            write!(page, "\n### `{}`\n\n```text\n{}\n```\n", first.name, list.join("\n"))
        }
    };
    // Headings inside the documentation go below the function's own.
    let doc: Vec<String> = first
        .doc
        .lines()
        .map(|line| line.strip_prefix("# ").map_or_else(|| line.to_owned(), |title| format!("**{title}**")))
        .collect();
    let _ = write!(page, "\n{}\n", doc.join("\n"));
}

/// Definition files (`.d.rhai`) for editors: name and content.
pub fn definitions(registers: &[Register]) -> Vec<(String, String)> {
    let (engine, _) = build(registers);
    let mut files: Vec<_> = engine.definitions().iter_files().collect();
    files.sort();
    files
}
