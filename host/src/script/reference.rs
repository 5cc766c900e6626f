//! The reference of all script functions as Markdown, and definition files for editors.
//!
//! Made from the documentation at the functions; nothing is written twice.

use super::Register;
use super::engine::build;
use super::metadata::{Function, Index};
use std::fmt::Write;

/// One page: global functions and methods first, then a chapter per namespace.
pub fn markdown(index: &Index) -> String {
    let mut page = String::from(
        "# Script reference\n\nWhat recipes can call. Errors are thrown and can be caught: see `ToolkitError`.\n",
    );
    let mut chapter = None;
    for function in index.functions().iter().filter(|function| !function.name.starts_with("to_")) {
        if chapter != Some(&function.namespace) {
            chapter = Some(&function.namespace);
            let title = if function.namespace.is_empty() { "Everywhere" } else { &function.namespace };
            let _ = write!(page, "\n## {title}\n");
        }
        section(&mut page, function);
    }
    page
}

fn section(page: &mut String, function: &Function) {
    // Headings inside the documentation go below the function's own.
    let doc: Vec<String> = function
        .doc
        .lines()
        .map(|line| line.strip_prefix("# ").map_or_else(|| line.to_owned(), |title| format!("**{title}**")))
        .collect();
    let _ = write!(page, "\n### `{}`\n\n{}\n", function.signature, doc.join("\n"));
}

/// Definition files (`.d.rhai`) for editors: name and content.
pub fn definitions(registers: &[Register]) -> Vec<(String, String)> {
    let (engine, _) = build(registers);
    let mut files: Vec<_> = engine.definitions().iter_files().collect();
    files.sort();
    files
}
