//! The command line as a whole, without a process: every help text, wrong usage, exit codes.

use super::error::{CliError, exit_codes};
use super::{args, guess_globals};
use crate::core::{Failure, FailureKind};
use clap::FromArgMatches;
use expect_test::{Expect, expect, expect_file};

fn parse(line: &str) -> Result<args::Cli, clap::Error> {
    let words = std::iter::once("linodetool").chain(line.split_whitespace());
    args::command(false).try_get_matches_from(words).and_then(|m| args::Cli::from_arg_matches(&m))
}

/// The error of a command line: for people, then the document.
fn wrong(line: &str, expected: &Expect) {
    let error = CliError::from(parse(line).unwrap_err());
    let text = format!("{}\n---\n{:#}\n", error.text(false).unwrap(), error.document().unwrap());
    expected.assert_eq(&text);
}

fn help(command: &mut clap::Command, path: &str, text: &mut String) {
    text.push_str(&format!("## {path}\n\n{}\n", command.render_long_help().to_string().trim_end()));
    text.push('\n');
    for sub in command.get_subcommands_mut().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help") {
        help(sub, &format!("{path} {}", sub.get_name()), text);
    }
}

#[test]
fn the_reference_is_up_to_date() {
    let mut command = args::command(false).term_width(100);
    command.build();
    let mut text = "# The commands of linodetool\n\nWritten by a test from the program itself; UPDATE_EXPECT=1 writes it anew.\n\n".to_owned();
    help(&mut command, "linodetool", &mut text);
    expect_file!["../../docs/cli.md"].assert_eq(&text);
}

#[test]
fn the_definition_is_sound() {
    args::command(false).debug_assert();
}

#[test]
fn wrong_usage_names_what_was_meant() {
    wrong(
        "rnu recipes/hadoop.rhai",
        &expect![[r#"
        error: unrecognized subcommand 'rnu'

          tip: a similar subcommand exists: 'runs'

        Usage: linodetool [OPTIONS] <COMMAND>

        For more information, try '--help'.
        ---
        {
          "error": {
            "exit": 2,
            "hint": "a similar subcommand exists: 'runs'",
            "kind": "usage",
            "message": "unrecognized subcommand 'rnu'"
          }
        }
    "#]],
    );
    wrong(
        "node create us-east",
        &expect![[r#"
        error: the following required arguments were not provided:
          <TYPE>
          <IMAGE>

        Usage: linodetool node create <REGION> <TYPE> <IMAGE>

        For more information, try '--help'.
        ---
        {
          "error": {
            "exit": 2,
            "kind": "usage",
            "message": "the following required arguments were not provided: <TYPE> <IMAGE>"
          }
        }
    "#]],
    );
    wrong(
        "run hadoop --set workers",
        &expect![[r#"
        error: invalid value 'workers' for '--set <NAME=VALUE>': it must look like NAME=VALUE

        For more information, try '--help'.
        ---
        {
          "error": {
            "exit": 2,
            "field": "--set <NAME=VALUE>",
            "kind": "usage",
            "message": "invalid value 'workers' for '--set <NAME=VALUE>': it must look like NAME=VALUE"
          }
        }
    "#]],
    );
    wrong(
        "run hadoop --sett workers=3",
        &expect![[r#"
        error: unexpected argument '--sett' found

          tip: a similar argument exists: '--set'

        Usage: linodetool run --set <NAME=VALUE> <RECIPE>

        For more information, try '--help'.
        ---
        {
          "error": {
            "exit": 2,
            "field": "--sett",
            "hint": "a similar argument exists: '--set'",
            "kind": "usage",
            "message": "unexpected argument '--sett' found"
          }
        }
    "#]],
    );
    wrong(
        "forward web-1 70000",
        &expect![[r#"
        error: invalid value '70000' for '<PORT>': 70000 is not in 1..=65535

        For more information, try '--help'.
        ---
        {
          "error": {
            "exit": 2,
            "field": "<PORT>",
            "kind": "usage",
            "message": "invalid value '70000' for '<PORT>': 70000 is not in 1..=65535"
          }
        }
    "#]],
    );
    wrong(
        "inventory export --format yaml",
        &expect![[r#"
        error: invalid value 'yaml' for '--format <FORMAT>'
          [possible values: ssh-config, ansible, json]

        For more information, try '--help'.
        ---
        {
          "error": {
            "exit": 2,
            "field": "--format <FORMAT>",
            "kind": "usage",
            "message": "invalid value 'yaml' for '--format <FORMAT>' [possible values: ssh-config, ansible, json]"
          }
        }
    "#]],
    );
    wrong(
        "exec web-1 uptime",
        &expect![[r#"
        error: unexpected argument 'uptime' found

        Usage: linodetool exec [OPTIONS] <SELECTOR> -- <COMMAND>...

        For more information, try '--help'.
        ---
        {
          "error": {
            "exit": 2,
            "field": "uptime",
            "kind": "usage",
            "message": "unexpected argument 'uptime' found"
          }
        }
    "#]],
    );
}

#[test]
fn globals_stand_before_or_after_the_command() {
    let cli = parse("--sandbox node ssh web-1 uptime --json").unwrap();
    // What follows the command for the node is not ours.
    assert!(cli.globals.sandbox && !cli.globals.json);
    let cli = parse("run hadoop --sandbox -q --set a=b=c").unwrap();
    assert!(cli.globals.sandbox && cli.globals.quiet);
    let args::Command::Run(run) = cli.command else { panic!("another command") };
    assert_eq!(run.set, [("a".to_owned(), "b=c".to_owned())]);
}

#[test]
fn a_wrong_command_line_is_answered_in_json_if_that_was_asked_for() {
    let guess = |line: &str| guess_globals(&line.split(' ').map(Into::into).collect::<Vec<_>>()).json;
    assert!(guess("linodetool rnu --json"));
    assert!(!guess("linodetool exec web-1 -- ip --json"));
}

#[test]
fn failures_are_shown_with_output_and_hint() {
    let mut failure =
        Failure::new(FailureKind::Command, "`apt-get install` ended with 100").on("web-1").hint("look at /var/log/apt");
    failure.output = Some("E: Unable to fetch\nE: giving up\n".into());
    failure.exit_code = Some(100);
    let error = CliError::from(failure.clone());
    expect![[r#"
        error: web-1: `apt-get install` ended with 100
          | E: Unable to fetch
          | E: giving up
        hint: look at /var/log/apt"#]]
    .assert_eq(&error.text(false).unwrap());
    expect![[r#"{"error":{"exit":9,"exit_code":100,"hint":"look at /var/log/apt","kind":"command","message":"`apt-get install` ended with 100","node":"web-1","output":"E: Unable to fetch\nE: giving up\n"}}"#]].assert_eq(&error.document().unwrap().to_string());
    assert_eq!(error.exit_code(), 9);
    assert!(error.text(true).unwrap().starts_with("\u{1b}[1;31merror:\u{1b}[0m web-1: "));
    let error = CliError::sandbox(failure);
    assert_eq!((error.exit_code(), error.document().unwrap()["error"]["kind"].clone()), (14, "sandbox".into()));
}

#[test]
fn every_exit_code_is_in_the_table() {
    let kinds = [
        "usage",
        "script",
        "failed",
        "not_found",
        "conflict",
        "auth",
        "limit",
        "invalid",
        "unavailable",
        "timeout",
        "unsupported",
        "command",
        "ssh",
        "plugin",
        "local",
        "state",
        "declined",
        "interrupted",
        "cancelled",
        "diverged",
        "internal",
        "other",
    ];
    let mut lines = Vec::new();
    for name in kinds {
        let kind: FailureKind = serde_json::from_value(name.into()).unwrap();
        let code = CliError::from(Failure::new(kind, "x")).exit_code();
        assert!(exit_codes().contains(&format!("\n{code:>5}  ")), "{code}");
        lines.push(format!("{name} {code}"));
    }
    expect![[r#"
        usage 2
        script 10
        failed 10
        not_found 3
        conflict 4
        auth 5
        limit 6
        invalid 6
        unavailable 7
        timeout 7
        unsupported 6
        command 9
        ssh 8
        plugin 11
        local 13
        state 12
        declined 15
        interrupted 8
        cancelled 130
        diverged 10
        internal 1
        other 1"#]]
    .assert_eq(&lines.join("\n"));
}
