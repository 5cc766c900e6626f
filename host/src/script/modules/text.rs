//! Namespace `text`: what recipes need to write configuration files.
//!
//! Pure: knows neither runs nor nodes.

use crate::core::{Failure, FailureKind};
use crate::nodes::{as_text, render as fill};
use crate::script::value::Handles;
use rhai::plugin::*;
use rhai::{Dynamic, Map};
use serde_json::Value;

fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn property(out: &mut String, name: &str, value: &Value) -> Result<(), Failure> {
    let value = as_text(value).ok_or_else(|| {
        Failure::new(FailureKind::Script, format!("the property `{name}` is not a single value"))
            .hint("text::join(array, \",\") makes an array a text")
    })?;
    out.push_str(&format!("  <property><name>{}</name><value>{}</value></property>\n", xml(name), xml(&value)));
    Ok(())
}

fn plain(call: &NativeCallContext, value: Map) -> Result<Value, Failure> {
    let handles = crate::script::step::session_of(call).map(|session| session.handles.clone());
    handles.unwrap_or_else(|_| Handles::default()).to_json(&Dynamic::from(value))
}

/// Texts for files.
#[expect(unreachable_pub, reason = "the macro takes public functions")]
#[export_module]
pub(crate) mod text {
    use super::{fill, plain, property};
    use crate::core::ids::hex;
    use crate::script::thrown::{Result, throw};
    use rhai::{Array, Dynamic, Map};
    use serde_json::Value;
    use sha2::{Digest, Sha256};

    /// Fills a template: `{{ name }}` is replaced by the value of that name, `{{ a.b }}` by that of a map in the map;
    /// `\{{` stands for `{{` itself. Strings, numbers and bools are written as they are, `()` as nothing.
    ///
    /// # Example
    /// ```rhai
    /// let file = text::render("port {{ port }}\n", #{ port: 22 });
    /// ```
    ///
    /// # Errors
    /// A name that is not given, or a value that is an array or a map: `text::join` makes an array a text.
    #[rhai_fn(return_raw)]
    pub fn render(call: NativeCallContext, template: &str, values: Map) -> Result<String> {
        plain(&call, values).and_then(|values| Ok(fill(template, &values)?)).map_err(|failure| throw(failure, &call))
    }

    /// A configuration file of Hadoop and its relatives: an XML property for each entry.
    ///
    /// # Example
    /// ```rhai
    /// let file = text::hadoop_xml(#{ "fs.defaultFS": "hdfs://master:9000" });
    /// ```
    ///
    /// # Errors
    /// A value that is an array or a map: `text::join` makes an array a text.
    #[rhai_fn(return_raw)]
    pub fn hadoop_xml(call: NativeCallContext, properties: Map) -> Result<String> {
        let write = || {
            let mut out = String::from("<?xml version=\"1.0\"?>\n<configuration>\n");
            if let Value::Object(properties) = plain(&call, properties)? {
                for (name, value) in &properties {
                    property(&mut out, name, value)?;
                }
            }
            Ok(out + "</configuration>\n")
        };
        write().map_err(|failure| throw(failure, &call))
    }

    /// The items as text, with something between them.
    ///
    /// # Example
    /// ```rhai
    /// let hosts = text::join(["a", "b"], "\n");
    /// ```
    #[rhai_fn(name = "join")]
    pub fn join(items: Array, between: &str) -> String {
        items.iter().map(Dynamic::to_string).collect::<Vec<_>>().join(between)
    }

    /// Sixteen digits that are others for another text: for a line in a file that is to change whenever what it stands for does.
    ///
    /// # Example
    /// ```rhai
    /// print(text::digest("replication 3"));
    /// ```
    #[rhai_fn(name = "digest")]
    pub fn digest(text: &str) -> String {
        hex(&Sha256::digest(text))[..16].to_owned()
    }

    /// Reads a JSON text, such as a command's output.
    ///
    /// # Example
    /// ```rhai
    /// let answer = text::parse_json(`{"live": 3}`);
    /// print(answer.live);
    /// ```
    ///
    /// # Errors
    /// It is not JSON.
    #[rhai_fn(return_raw)]
    pub fn parse_json(call: NativeCallContext, json: &str) -> Result<Dynamic> {
        let value: Value = serde_json::from_str(json).map_err(|error| {
            let start: String = json.chars().take(40).collect();
            let failure =
                crate::core::Failure::new(crate::core::FailureKind::Script, format!("this is not JSON: {error}"));
            throw(failure.hint(format!("it begins with `{start}`")), &call)
        })?;
        Ok(crate::script::value::to_dynamic(&value))
    }
}
