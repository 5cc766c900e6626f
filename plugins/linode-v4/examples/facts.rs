//! Writes the table of all operations of API v4, `src/facts.tsv`, from Linode's OpenAPI file and the list of filterable fields:
//! `cargo run -p linodetool-linode-v4 --example facts -- openapi.json filterable.tsv plugins/linode-v4/src/facts.tsv`.
//!
//! Facts alone: names, types, places, bounds. No text of the file goes into the table. `facts` reads it.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

type Objects<'a> = BTreeMap<&'a str, &'a Value>;

/// `POST` whose last words are these destroy what is there or cut off who uses it.
const DESTRUCTIVE: [&str; 9] =
    ["rebuild", "cancel", "recycle", "regenerate", "reset", "reset-secret", "restore", "revoke", "suspend"];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [openapi, filterable, table] = arguments.as_slice() else {
        return Err("give openapi.json, filterable.tsv and the table to write".into());
    };
    let openapi: Value = serde_json::from_slice(&std::fs::read(openapi)?)?;
    let filterable = std::fs::read_to_string(filterable)?;
    let filterable: BTreeMap<_, _> = filterable.lines().filter_map(|line| line.split_once('\t')).collect();
    let mut lines = Vec::new();
    for (path, methods) in objects(&openapi["paths"]) {
        for (method, operation) in objects(methods) {
            if operation["operationId"].is_string() {
                let filterable = filterable.get(path).copied().filter(|_| method == "get").unwrap_or_default();
                lines.push(line(path, method, methods, operation, filterable));
            }
        }
    }
    lines.sort();
    std::fs::write(table, lines.concat())?;
    Ok(())
}

/// Id, method, path, flags, scope, parameters, filterable fields; tabs between, spaces within.
fn line(path: &str, method: &str, methods: &Value, operation: &Value, filterable: &str) -> String {
    let mut flags = String::new();
    let mut parameters = Vec::new();
    // Two operations name the parameter of their path otherwise than the path does; the path is right.
    let mut places = path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let both = [&methods["parameters"], &operation["parameters"]];
    for parameter in both.into_iter().filter_map(Value::as_array).flatten() {
        match (text(&parameter["in"]), text(&parameter["name"])) {
            // Whether it has pages is told by its answer: the list of parameters forgets a third of them.
            ("query", "page" | "page_size") | ("header", _) => {}
            ("path", name) => {
                let place = places.next().unwrap_or(name);
                parameters.push(shown("path", place, &parameter["schema"], true));
            }
            ("query", name) => {
                let required = parameter["required"].as_bool().unwrap_or_default();
                parameters.push(shown("query", name, &parameter["schema"], required));
            }
            _ => {}
        }
    }
    let mut content = objects(&operation["requestBody"]["content"]);
    if let Some(body) = content.remove("application/json") {
        let (mut fields, required) = fields(&body["schema"]);
        fields.retain(|_, field| field["readOnly"] != true);
        parameters.extend(fields.iter().map(|(name, schema)| shown("body", name, schema, required.contains(*name))));
    } else if !content.is_empty() {
        flags.push('m');
    }
    let answer = &operation["responses"]["200"]["content"]["application/json"]["schema"];
    let (answer, _) = fields(answer);
    if method == "get" && ["data", "page", "pages"].iter().all(|name| answer.contains_key(name)) {
        flags.push('p');
    }
    let last = path.rsplit('/').next().unwrap_or_default();
    if method == "delete" || (method == "post" && DESTRUCTIVE.contains(&last)) {
        flags.push('x');
    }
    if operation["x-akamai"]["status"] == "BETA" {
        flags.push('b');
    }
    if operation["deprecated"] == true {
        flags.push('d');
    }
    let columns = [
        text(&operation["operationId"]),
        &method.to_ascii_uppercase(),
        path,
        &flags,
        &scopes(operation),
        &parameters.join(" "),
        &filterable.replace(',', " "),
    ];
    columns.join("\t") + "\n"
}

/// The fields of a body, and those that must be in every variant of it.
fn fields(schema: &Value) -> (Objects<'_>, BTreeSet<&str>) {
    let mut all: Objects<'_> = objects(&schema["properties"]);
    let mut required: BTreeSet<_> = schema["required"].as_array().into_iter().flatten().map(text).collect();
    for part in schema["allOf"].as_array().into_iter().flatten() {
        let (more, needed) = fields(part);
        all.extend(more);
        required.extend(needed);
    }
    for variants in ["oneOf", "anyOf"].map(|kind| schema[kind].as_array()).into_iter().flatten() {
        let variants: Vec<_> = variants.iter().map(fields).collect();
        let in_all = variants.iter().map(|(_, needed)| needed.clone()).reduce(|a, b| &a & &b);
        required.extend(in_all.unwrap_or_default());
        all.extend(variants.into_iter().flat_map(|(more, _)| more));
    }
    required.retain(|name| all.contains_key(name));
    (all, required)
}

/// `body:size:i!=10..16384`, `body:action:s=ACCEPT|DROP`: place, name, type, `!` when required, then values or bounds.
fn shown(place: &str, name: &str, schema: &Value, required: bool) -> String {
    let mut shown = format!("{}:{name}:{}", &place[..1], kind(schema));
    if required {
        shown.push('!');
    }
    let values: Vec<_> = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let plain = |text: &&str| !text.is_empty() && !text.contains([' ', '\t', '|', '.']);
    let bound = |name: &str| schema[name].as_i64().map(|bound| bound.to_string()).unwrap_or_default();
    let (low, high) = match kind(schema) {
        "i" | "n" => (bound("minimum"), bound("maximum")),
        "s" => (bound("minLength"), bound("maxLength")),
        _ => (String::new(), String::new()),
    };
    if !values.is_empty() && values.iter().all(plain) {
        shown += &format!("={}", values.join("|"));
    } else if !low.is_empty() || !high.is_empty() {
        shown += &format!("={low}..{high}");
    }
    shown
}

fn kind(schema: &Value) -> &'static str {
    match text(&schema["type"]) {
        "integer" => "i",
        "number" => "n",
        "boolean" => "b",
        "string" => "s",
        "object" => "o",
        "array" => match text(&schema["items"]["type"]) {
            "integer" => "ai",
            "string" => "as",
            "object" => "ao",
            _ => "a",
        },
        _ => "?",
    }
}

/// What a token must be allowed.
fn scopes(operation: &Value) -> String {
    let schemes = operation["security"].as_array().into_iter().flatten();
    let scopes = schemes.filter_map(|scheme| scheme["oauth"].as_array()).flatten().filter_map(Value::as_str);
    scopes.collect::<Vec<_>>().join(" ")
}

fn objects(value: &Value) -> Objects<'_> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value)).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
