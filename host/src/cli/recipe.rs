//! `linodetool recipe`: what recipes there are, and what they take.

use super::args::Globals;
use super::crash::TestArgs;
use super::environment::Environment;
use super::error::{CliError, OK};
use super::output::Output;
use super::render::table::Table;
use crate::app;
use crate::core::Paths;
use crate::script::{self, Declared, ParamInfo, RecipeInfo};
use clap::{Args, Subcommand};

/// List recipes, show what they do and take, and test that they survive a crash
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linodetool recipe list
  linodetool recipe show hadoop
  linodetool recipe test hadoop --crash-everywhere --points 1/20")]
pub(crate) struct RecipeArgs {
    #[command(subcommand)]
    pub(crate) command: RecipeCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RecipeCommand {
    /// List the recipes that can be run by name, and where each comes from
    List,
    /// Show a recipe's description and parameters without running anything
    Show {
        /// A recipe's path or name
        recipe: String,
    },
    Test(TestArgs),
}

impl RecipeArgs {
    pub(crate) fn run(
        &self,
        env: &Environment,
        paths: &Paths,
        globals: &Globals,
        out: &Output,
    ) -> Result<u8, CliError> {
        let scripts = app::scripts(paths);
        match &self.command {
            RecipeCommand::Test(args) => return args.run(env, paths, globals, &scripts, out),
            RecipeCommand::List => {
                let recipes = script::list_recipes(&scripts.places);
                out.result(&recipes, || list(&recipes).show(out, "There are no recipes."))?;
            }
            RecipeCommand::Show { recipe } => {
                let found = script::find_recipe(recipe, &scripts.places)?;
                let declared = script::declared(&found, &scripts).map_err(CliError::script)?;
                out.result(&declared, || show(&declared))?;
            }
        }
        Ok(OK)
    }
}

fn list(recipes: &[RecipeInfo]) -> Table {
    let mut table = Table::new(["NAME", "FROM", "WHAT IT DOES"]);
    for recipe in recipes {
        table.row([recipe.name.clone(), recipe.path.clone(), recipe.title.clone()]);
    }
    table
}

/// Description, then a line a parameter.
fn show(recipe: &Declared) -> String {
    let mut parts = vec![recipe.path.clone()];
    if !recipe.description.trim().is_empty() {
        parts.push(recipe.description.trim().to_owned());
    }
    if recipe.params.is_empty() {
        parts.push("It takes no parameters.".to_owned());
    } else {
        let mut table = Table::new(["PARAMETER", "DEFAULT", "MEANING"]);
        for param in &recipe.params {
            table.row([param.name.clone(), default(param), meaning(param)]);
        }
        parts.push(format!("{}\n\nSet one with --set NAME=VALUE.", table.plain()));
    }
    parts.join("\n\n")
}

fn default(param: &ParamInfo) -> String {
    match &param.default {
        None => "(needed)".to_owned(),
        Some(serde_json::Value::String(text)) if text.is_empty() => "-".to_owned(),
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    }
}

fn meaning(param: &ParamInfo) -> String {
    let limits = &param.limits;
    let range = match (&limits.min, &limits.max) {
        (Some(min), Some(max)) => Some(format!("{min} to {max}")),
        (Some(min), None) => Some(format!("at least {min}")),
        (None, Some(max)) => Some(format!("at most {max}")),
        (None, None) => None,
    };
    let one_of: Vec<_> =
        limits.one_of.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect();
    let one_of = (!one_of.is_empty()).then(|| format!("one of {}", one_of.join(", ")));
    let more: Vec<_> = [range, one_of].into_iter().flatten().collect();
    if more.is_empty() { param.doc.clone() } else { format!("{} ({})", param.doc, more.join("; ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::{Limits, ParamKind};
    use expect_test::expect;

    #[test]
    fn parameters_are_shown_with_their_limits() {
        let param = |name: &str, default: serde_json::Value, limits| ParamInfo {
            name: name.into(),
            kind: ParamKind::Int,
            default: Some(default).filter(|d| !d.is_null()),
            doc: format!("the {name}"),
            limits,
        };
        let declared = Declared {
            path: "recipes/hadoop.rhai".into(),
            description: "Hadoop.\n\nMakes it.\n".into(),
            params: vec![
                param("workers", 2.into(), Limits { min: Some(1.into()), max: Some(500.into()), ..Limits::default() }),
                param("input", "".into(), Limits::default()),
                param(
                    "mode",
                    serde_json::Value::Null,
                    Limits { one_of: vec!["a".into(), 7.into()], ..Limits::default() },
                ),
            ],
        };
        expect![[r#"
            recipes/hadoop.rhai

            Hadoop.

            Makes it.

            PARAMETER  DEFAULT   MEANING
            workers    2         the workers (1 to 500)
            input      -         the input
            mode       (needed)  the mode (one of a, 7)

            Set one with --set NAME=VALUE."#]]
        .assert_eq(&show(&declared));
    }
}
