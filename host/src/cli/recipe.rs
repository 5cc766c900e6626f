//! `linodetool recipe`: what recipes there are, and what they take.

use clap::{Args, Subcommand};

/// List recipes, and show what they do and take
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linodetool recipe list
  linodetool recipe show hadoop")]
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
}
