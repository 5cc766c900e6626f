//! `linodetool completions`: words for the shell's Tab key.

use super::error::{CliError, OK};
use super::output::Output;
use clap::Args;
use clap_complete::Shell;

/// Write a completion script for a shell
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linodetool completions bash > ~/.local/share/bash-completion/completions/linodetool
  linodetool completions zsh > \"${fpath[1]}/_linodetool\"
  linodetool completions fish > ~/.config/fish/completions/linodetool.fish")]
pub(crate) struct CompletionsArgs {
    /// Which shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

impl CompletionsArgs {
    pub(crate) fn run(&self, out: &Output) -> Result<u8, CliError> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut super::args::command(false), "linodetool", &mut script);
        out.raw(&script)?;
        Ok(OK)
    }
}
