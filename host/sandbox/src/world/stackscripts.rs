//! StackScripts: scripts that run when a Linode is deployed, with questions to be answered then.
//!
//! Owns: the scripts and the questions (UDFs) found in them. Does not know how one is run.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Entity, World};
use crate::clock::Time;
use crate::ledger::What;
use crate::machines::StackScript;

#[derive(Clone, Debug, Default)]
pub struct Script {
    pub id: u64,
    pub label: String,
    pub description: String,
    pub images: Vec<String>,
    pub is_public: bool,
    pub rev_note: String,
    pub script: String,
    pub created: Time,
    pub updated: Time,
    pub deployments_total: u64,
}

/// One question, written in the script as `<UDF name="..." label="..." default="...">`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserDefinedField {
    pub name: String,
    pub label: String,
    pub example: Option<String>,
    /// None: it must be answered.
    pub default: Option<String>,
    pub one_of: Option<String>,
    pub many_of: Option<String>,
}

impl Script {
    /// Whether it may be deployed with this image.
    pub fn fits(&self, image: &str) -> bool {
        self.images.iter().any(|one| one == "any/all" || one == image)
    }

    /// The script with the answers it is run with: those given, else its defaults.
    ///
    /// # Errors
    /// What is wrong with the answers.
    pub fn answered(&self, given: &Map<String, Value>) -> Result<StackScript, String> {
        let mut data = BTreeMap::new();
        for (name, value) in given {
            match value {
                Value::String(text) => data.insert(name.clone(), text.clone()),
                Value::Number(number) => data.insert(name.clone(), number.to_string()),
                _ => return Err("Must be an object of strings".to_owned()),
            };
        }
        if data.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > 65_535 {
            return Err("Must be at most 65535 characters".to_owned());
        }
        for field in self.fields() {
            if data.contains_key(&field.name) {
                continue;
            }
            match field.default {
                Some(default) => data.insert(field.name, default),
                None => return Err(format!("{} is required", field.name)),
            };
        }
        Ok(StackScript { script: self.script.clone(), data })
    }

    /// The questions, in the order they stand in the script.
    pub fn fields(&self) -> Vec<UserDefinedField> {
        let lower = self.script.to_ascii_lowercase();
        let mut fields = Vec::new();
        let mut from = 0;
        while let Some(found) = lower.get(from..).and_then(|rest| rest.find("<udf ")) {
            let begin = from + found + "<udf ".len();
            let Some(length) = self.script[begin..].find('>') else { break };
            let attributes = attributes(&self.script[begin..begin + length]);
            from = begin + length;
            let Some(name) = attributes.get("name") else { continue };
            fields.push(UserDefinedField {
                name: name.clone(),
                label: attributes.get("label").cloned().unwrap_or_default(),
                example: attributes.get("example").cloned(),
                default: attributes.get("default").cloned(),
                one_of: attributes.get("oneof").cloned(),
                many_of: attributes.get("manyof").cloned(),
            });
        }
        fields
    }
}

/// `name="value"` pairs; names in lower case. Single quotes are taken too.
fn attributes(mut text: &str) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    while let Some((name, rest)) = text.split_once('=') {
        let rest = rest.trim_start();
        let Some(quote) = rest.chars().next().filter(|quote| matches!(quote, '"' | '\'')) else { break };
        let Some((value, after)) = rest[1..].split_once(quote) else { break };
        all.insert(name.trim().to_ascii_lowercase(), value.to_owned());
        text = after;
    }
    all
}

impl World {
    /// Keeps a new script; its id, times and count are set here.
    pub fn add_stackscript(&mut self, script: Script, now: Time) -> u64 {
        let id = self.new_id("stackscript");
        self.note(now, What::Created, "stackscript", id, &script.label, &[]);
        self.events.notify("stackscript_create", entity(id, &script.label), now);
        self.stackscripts.insert(id, Script { id, created: now, updated: now, deployments_total: 0, ..script });
        id
    }

    /// False if there is none.
    pub fn remove_stackscript(&mut self, id: u64, now: Time) -> bool {
        let Some(script) = self.stackscripts.remove(&id) else { return false };
        self.note(now, What::Destroyed, "stackscript", id, &script.label, &[]);
        self.events.notify("stackscript_delete", entity(id, &script.label), now);
        true
    }
}

fn entity(id: u64, label: &str) -> Entity {
    Entity::new("stackscript", id, label, format!("/v4/linode/stackscripts/{id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_read_from_the_script() {
        let script = Script {
            script: "#!/bin/bash\n# <UDF name=\"user\" Label=\"Who?\" example='me' />\n\
                     # <udf name=\"size\" label=\"How big\" default=\"small\" oneOf=\"small,large\">\n\
                     # <UDF label=\"nameless\">\n# <UDF name=\"cut"
                .to_owned(),
            ..Script::default()
        };
        assert_eq!(
            script.fields(),
            [
                UserDefinedField {
                    name: "user".to_owned(),
                    label: "Who?".to_owned(),
                    example: Some("me".to_owned()),
                    ..UserDefinedField::default()
                },
                UserDefinedField {
                    name: "size".to_owned(),
                    label: "How big".to_owned(),
                    default: Some("small".to_owned()),
                    one_of: Some("small,large".to_owned()),
                    ..UserDefinedField::default()
                },
            ]
        );
    }
}
