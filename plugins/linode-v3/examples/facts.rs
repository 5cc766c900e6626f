//! Writes the table of all actions of API v3, `src/facts.tsv`, from a description of its methods:
//! `cargo run -p linodetool-linode-v3 --example facts -- methods.json plugins/linode-v3/src/facts.tsv`.
//!
//! Facts alone: names and types. No text of the file goes into the table. `facts` reads it.

use serde_json::Value;
use std::collections::BTreeMap;
use std::error::Error;

/// Last words of actions that only read; all of `avail` do.
const READS: [&str; 5] = ["list", "info", "echo", "spec", "estimateinvoice"];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [methods, table] = arguments.as_slice() else {
        return Err("give the file of methods and the table to write".into());
    };
    let methods: Value = serde_json::from_slice(&std::fs::read(methods)?)?;
    let methods: BTreeMap<_, _> = methods["methods"].as_object().into_iter().flatten().collect();
    let lines: Vec<_> = methods.into_iter().map(|(name, method)| line(name, method)).collect();
    std::fs::write(table, lines.concat())?;
    Ok(())
}

/// Name, flags, parameters; tabs between, spaces within.
fn line(name: &str, method: &Value) -> String {
    let last = name.rsplit('.').next().unwrap_or_default();
    let flag = match last {
        "delete" => "x",
        _ if name.starts_with("avail.") || READS.contains(&last) => "r",
        _ => "",
    };
    let parameters = method["parameters"].as_object().into_iter().flatten().map(|(name, facts)| {
        let kind = match facts["type"].as_str() {
            Some("numeric") => "n",
            Some("boolean") => "b",
            _ => "s",
        };
        format!("{name}:{kind}{}", if facts["required"] == true { "!" } else { "" })
    });
    format!("{name}\t{flag}\t{}\n", parameters.collect::<Vec<_>>().join(" "))
}
