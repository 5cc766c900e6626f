//! `linodetool run`: one durable execution of a recipe.

use super::args::assignment;
use clap::Args;

/// Run a recipe: make a cluster, set it up, start what it is for
///
/// A recipe that has run before changes only what differs. On a real account the nodes and what they
/// cost are shown and confirmed first.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linodetool run recipes/hadoop.rhai --sandbox
  linodetool run recipes/hadoop.rhai --sandbox --set workers=4 --set input=notes.txt
  linodetool run ./mine.rhai --set region=eu-west --yes --json")]
pub(crate) struct RunArgs {
    /// A recipe's path, or the name of one that comes along (see `linodetool recipe list`)
    pub(crate) recipe: String,
    /// Set a parameter of the recipe (see `linodetool recipe show RECIPE`)
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    pub(crate) set: Vec<(String, String)>,
    /// With --sandbox: stop the sandbox at the end, also after a failure
    #[arg(long)]
    pub(crate) ephemeral: bool,
}
