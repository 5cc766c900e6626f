//! `linodetool api`: every operation of the provider's own API, by its name.
//!
//! Owns how it is typed and shown. What may be given is checked by `toolkit::operations`.

use super::args::{self, Globals, assignment};
use super::confirm::Proposal;
use super::environment::Environment;
use super::error::{CliError, OK};
use super::output::Output;
use super::render::table::Table;
use super::session::{self, Need, Session};
use crate::app;
use crate::core::{Failure, FailureKind, Paths};
use crate::toolkit::api::{Listing, RawSpec};
use crate::toolkit::operations;
use clap::Args;
use linodetool_plugin::{RawOperation, RawParameter, RawPlace};
use serde_json::{Map, Value, json};
use std::io::Read;
use std::path::PathBuf;

/// Call any operation of the provider's API
///
/// Without an operation, lists all that there are. What is given is checked before anything is sent; the answer is the
/// provider's own JSON. With --sandbox the sandbox answers.
#[derive(Args, Debug)]
#[command(disable_help_flag = true)]
#[command(after_help = "\
Examples:
  linodetool api                                          All operations
  linodetool api --search volume                          Those about volumes
  linodetool api get-linode-instances --help              What one takes
  linodetool api get-linode-instances --all-pages
  linodetool api get-linode-instance --set linodeId=123
  linodetool api post-linode-instance --set type=g6-nanode-1 --set region=us-east \\
      --set image=linode/debian12 --set label=web-1 --secret root_pass=web-password")]
pub(crate) struct ApiArgs {
    /// The operation, as the provider calls it: `get-linode-instances`
    pub(crate) operation: Option<String>,
    /// A parameter of the operation; lists with commas, objects as JSON
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,
    /// A parameter that is a secret of the store, by the secret's name
    #[arg(long, value_name = "NAME=SECRET", value_parser = assignment)]
    secret: Vec<(String, String)>,
    /// Take fields of the body from this JSON file; `-` is stdin
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// Show only what matches this filter of the provider's: '{"label": "web-1"}'
    #[arg(long, value_name = "JSON")]
    filter: Option<String>,
    /// Of a list in pages, all of them, as one array
    #[arg(long)]
    all_pages: bool,
    /// List only operations whose name or path holds this text
    #[arg(long, value_name = "TEXT", conflicts_with = "operation")]
    search: Option<String>,
    /// Show what the operation takes
    #[arg(long, short = 'h')]
    help: bool,
}

impl ApiArgs {
    /// Whether it asks about operations, and calls none: that needs no token, network or state directory.
    pub(crate) fn only_asks(&self) -> bool {
        self.help || self.operation.is_none()
    }

    pub(crate) fn need(&self) -> Need {
        Need::Cloud
    }

    /// Tells what there is.
    pub(crate) fn tell(
        &self,
        env: &Environment,
        paths: &Paths,
        globals: &Globals,
        out: &Output,
    ) -> Result<u8, CliError> {
        if self.help && self.operation.is_none() {
            let mut command = args::command(out.color_out());
            command.build();
            let help = command.find_subcommand_mut("api").map(|api| api.render_long_help()).unwrap_or_default();
            let text = if out.color_out() { help.ansi().to_string() } else { help.to_string() };
            out.data(&text)?;
            return Ok(OK);
        }
        if !self.set.is_empty() && self.operation.is_none() {
            return Err(Failure::usage("parameters are given, but no operation")
                .hint("linodetool api OPERATION --set NAME=VALUE")
                .into());
        }
        let all = self.known(env, paths, globals)?;
        if let Some(name) = &self.operation {
            let operation = operations::expect(&all, name)?;
            out.result(operation, || described(operation))?;
            return Ok(OK);
        }
        let wanted = self.search.as_deref().unwrap_or_default().to_lowercase();
        let holds =
            |one: &&RawOperation| one.id.to_lowercase().contains(&wanted) || one.path.to_lowercase().contains(&wanted);
        let some: Vec<&RawOperation> = all.iter().filter(holds).collect();
        out.result(&some, || table(&some).show(out, "No operation's name or path holds that."))?;
        Ok(OK)
    }

    fn known(&self, env: &Environment, paths: &Paths, globals: &Globals) -> Result<Vec<RawOperation>, Failure> {
        let runtime = app::runtime()?;
        let plugins = app::plugins(paths, &runtime, &|name| env.var(name).map(str::to_owned));
        let provider = globals.provider.as_deref().unwrap_or(session::PROVIDER);
        runtime.block_on(app::operations(&plugins, provider))
    }

    /// Whether it can be called so.
    pub(crate) fn check(&self, env: &Environment, paths: &Paths, globals: &Globals) -> Result<(), CliError> {
        // A body of stdin can be read but once.
        if self.body.as_ref().is_none_or(|path| path.as_os_str() != "-") {
            self.request(self.named(&self.known(env, paths, globals)?)?)?;
        }
        Ok(())
    }

    fn named<'a>(&self, all: &'a [RawOperation]) -> Result<&'a RawOperation, Failure> {
        operations::expect(all, self.operation.as_deref().unwrap_or_default())
    }

    /// Calls one.
    pub(crate) fn run(&self, session: &mut Session<'_>) -> Result<u8, CliError> {
        let all = session.wait(session.toolkit.operations())?;
        let operation = self.named(&all)?;
        let spec = self.request(operation)?;
        let answer = if spec.is_read() {
            session.wait(session.toolkit.look(&spec))?
        } else {
            if operation.destructive {
                let destroys = vec![format!("{} {} ({})", spec.method, spec.path, operation.id)];
                let provider = session.toolkit.settings().provider.clone();
                session.confirm(&Proposal { provider, destroys, ..Proposal::default() })?;
            }
            let toolkit = session.toolkit.clone();
            session.in_run(&format!("api {}", operation.id), |at| toolkit.change(at, &spec))?
        };
        session.end_progress();
        // An operation without an answer has nothing to show.
        if session.out.json() || !answer.is_null() {
            session.out.document(&answer)?;
        }
        Ok(OK)
    }

    fn request(&self, operation: &RawOperation) -> Result<RawSpec, Failure> {
        let mut given = self.fields()?;
        for (name, text) in &self.set {
            given.insert(name.clone(), operations::typed(operation, name, text)?);
        }
        for (name, secret) in &self.secret {
            given.insert(name.clone(), json!({ "secret": secret }));
        }
        let json = |text: &String| {
            serde_json::from_str(text).map_err(|e| Failure::usage(format!("--filter is not JSON: {e}")).field("filter"))
        };
        let filter = self.filter.as_ref().map(json).transpose()?;
        Listing { all_pages: self.all_pages, filter }.of(operation, operations::request(operation, given)?)
    }

    /// What the file of --body gives.
    fn fields(&self) -> Result<Map<String, Value>, Failure> {
        let Some(path) = &self.body else { return Ok(Map::new()) };
        let text = if path.as_os_str() == "-" {
            let mut text = String::new();
            std::io::stdin().lock().read_to_string(&mut text).map(|_| text)
        } else {
            std::fs::read_to_string(path)
        };
        let shown = path.display();
        let text =
            text.map_err(|e| Failure::new(FailureKind::Local, format!("{shown} cannot be read: {e}")).field("body"))?;
        serde_json::from_str(&text).map_err(|e| {
            Failure::usage(format!("{shown} is not a JSON object: {e}"))
                .field("body")
                .hint("it holds {\"FIELD\": VALUE}")
        })
    }
}

fn table(operations: &[&RawOperation]) -> Table {
    let mut table = Table::new(["OPERATION", "METHOD", "PATH", "NOTE"]);
    for one in operations {
        table.row([one.id.clone(), one.method.clone(), one.path.clone(), notes(one).join(", ")]);
    }
    table
}

fn notes(one: &RawOperation) -> Vec<&'static str> {
    let notes = [
        (one.destructive, "destroys"),
        (one.beta, "beta"),
        (one.deprecated, "deprecated"),
        (one.foreign_body, "not callable: no JSON"),
    ];
    notes.iter().filter(|(is, _)| *is).map(|(_, note)| *note).collect()
}

/// All that is known of one.
fn described(one: &RawOperation) -> String {
    let mut parts = vec![format!("{}: {} {}", one.id, one.method, one.path)];
    if !one.summary.is_empty() {
        parts.push(one.summary.clone());
    }
    let facts = [
        ("Needs of the token", one.scopes.join(", ")),
        ("Can be filtered by", one.filterable.join(", ")),
        ("Note", notes(one).join(", ")),
    ];
    parts.extend(facts.iter().filter(|(_, fact)| !fact.is_empty()).map(|(title, fact)| format!("{title}: {fact}")));
    if one.paged {
        parts.push("Answers in pages; --all-pages gives all.".into());
    }
    if one.parameters.is_empty() {
        parts.push("Takes no parameters.".into());
        return parts.join("\n");
    }
    let mut table = Table::new(["PARAMETER", "IN", "TYPE", "NEEDED", "ALLOWED"]);
    for parameter in &one.parameters {
        table.row([
            parameter.name.clone(),
            operations::word(parameter.place).to_owned(),
            operations::type_of(parameter).to_owned(),
            if parameter.required { "yes" } else { "" }.to_owned(),
            allowed(parameter),
        ]);
    }
    parts.push(format!("\n{}", table.plain()));
    parts.join("\n")
}

fn allowed(parameter: &RawParameter) -> String {
    if operations::is_secret(&parameter.name) && parameter.place != RawPlace::Path {
        return "a secret: --secret".into();
    }
    match (parameter.min, parameter.max) {
        _ if !parameter.values.is_empty() => parameter.values.join(", "),
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn what_an_operation_takes() {
        let operation: RawOperation = serde_json::from_value(json!({
            "id": "post-add-linode-disk", "method": "POST", "path": "/linode/instances/{linodeId}/disks",
            "scopes": ["linodes:read_write"],
            "parameters": [
                {"name": "linodeId", "place": "path", "type": "whole", "required": true},
                {"name": "size", "place": "body", "type": "whole", "required": true, "min": 1},
                {"name": "filesystem", "place": "body", "type": "text", "values": ["raw", "ext4"]},
                {"name": "root_pass", "place": "body", "type": "text"},
            ],
        }))
        .expect("an operation");
        expect![[r#"
            post-add-linode-disk: POST /linode/instances/{linodeId}/disks
            Needs of the token: linodes:read_write

            PARAMETER   IN    TYPE            NEEDED  ALLOWED
            linodeId    path  a whole number  yes
            size        body  a whole number  yes     at least 1
            filesystem  body  text                    raw, ext4
            root_pass   body  text                    a secret: --secret"#]]
        .assert_eq(&described(&operation));
    }
}
