//! `linodetool doctor`: what this computer has and lacks for linodetool, with a remedy for each.

use clap::Args;

/// Check this computer, and say how to mend what is missing
#[derive(Args, Debug)]
#[command(after_help = "\
The exit code is 13 if something that is always needed is missing.

Examples:
  linodetool doctor
  linodetool --sandbox doctor              Also what the sandbox needs counts as needed")]
pub(crate) struct DoctorArgs {}
