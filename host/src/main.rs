//! The `linodetool` command.

fn main() -> std::process::ExitCode {
    linodetool::cli::main()
}
