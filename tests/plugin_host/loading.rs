//! Files that are no plugins, or plugins of another time.

use crate::files::{copy, folder, misbehaving, wrong};
use expect_test::expect;
use linodetool::plugin_host::{PluginFile, Protection};
use std::path::Path;
use std::process::Command;

fn refusal(path: &Path) -> String {
    let error = PluginFile::load(path, &Protection::New).unwrap_err().to_string();
    error.replace(&path.parent().unwrap().display().to_string(), "DIR")
}

#[test]
fn each_refusal_says_what_was_found_what_is_needed_and_what_to_do() {
    let folder = folder();
    let mut refusals: Vec<_> = [
        "no_symbol",
        "null_table",
        "null_step",
        "small",
        "newer_abi",
        "older_abi",
        "messages_2",
        "messages_0",
        "no_manifest",
        "bad_manifest",
    ]
    .iter()
    .map(|case| refusal(&wrong(case, folder.path())))
    .collect();
    let text = copy(folder.path());
    std::fs::write(&text, "hello").unwrap();
    refusals.push(refusal(&text));
    expect![[r#"
        DIR/no_symbol.so is not a linodetool plugin: it does not export `linodetool_plugin`
        DIR/null_table.so has a broken plugin table: it is NULL; its author must rebuild it with the header for ABI 1
        DIR/null_step.so has a broken plugin table: its function `step` is NULL; its author must rebuild it with the header for ABI 1
        DIR/small.so has a broken plugin table: it has 8 bytes where ABI 1 has 48; its author must rebuild it with the header for ABI 1
        DIR/newer_abi.so speaks plugin ABI 2, this linodetool speaks ABI 1; update linodetool, or install an older build of the plugin
        DIR/older_abi.so speaks plugin ABI 0, this linodetool speaks ABI 1; install a newer build of the plugin
        DIR/messages_2.so speaks message version `2.0`, this linodetool speaks 1.0; update linodetool, or install an older build of the plugin
        DIR/messages_0.so speaks message version `0.9`, this linodetool speaks 1.0; install a newer build of the plugin
        DIR/no_manifest.so does not describe itself: it gave no manifest; ask its author
        DIR/bad_manifest.so does not describe itself: EOF while parsing a value at line 1 column 8; ask its author
        DIR/plugin.so is not a library that this computer can load (it: file too short); install the plugin's build for this computer"#]]
    .assert_eq(&refusals.join("\n"));
}

#[test]
fn a_library_that_was_cut_short_is_refused_and_does_not_kill_us() {
    let folder = folder();
    let path = copy(folder.path());
    let whole = std::fs::metadata(&path).unwrap().len();
    // Debug information at its end is not needed to load it.
    for part in [whole / 20, whole / 100] {
        std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(part).unwrap();
        assert!(refusal(&path).contains("(the file is cut short: it has "), "{}", refusal(&path));
    }
}

#[test]
fn a_missing_symbol_is_an_error_at_once_and_no_crash_later() {
    let folder = folder();
    let error = refusal(&wrong("undefined", folder.path()));
    assert!(
        error.contains("is not a library that this computer can load (it: undefined symbol: nobody_has_this"),
        "{error}"
    );
}

#[test]
fn a_newer_minor_version_with_unknown_features_is_welcome() {
    let file = PluginFile::load(&misbehaving(), &Protection::LikeExecutable(crate::exe())).unwrap();
    assert_eq!((file.manifest.messages.as_str(), file.manifest.features[0].as_str()), ("1.9", "something of tomorrow"));
}

/// Each load leaves its descriptor open; closing it would let the next file answer for this one.
#[test]
fn different_files_stay_different_and_one_file_loads_twice() {
    let folder = folder();
    let name = |path: &Path| PluginFile::load(path, &Protection::New).unwrap().manifest.name;
    let (good, c) = (copy(folder.path()), wrong("good", folder.path()));
    assert_eq!([name(&good), name(&c), name(&good)], ["misbehaving", "wrong", "misbehaving"]);
}

/// Runs in a process of its own, since a manifest has no configuration but the environment.
#[test]
fn describe_may_panic_or_name_nonsense() {
    let said: Vec<_> = ["panic", "name"]
        .iter()
        .map(|mode| {
            let child = Command::new(crate::exe())
                .args(["--exact", "loading::child_describes", "--ignored", "--nocapture"])
                .env("MISBEHAVING_DESCRIBE", mode)
                .output()
                .unwrap();
            let text = String::from_utf8(child.stdout).unwrap();
            let line =
                text.lines().find_map(|line| line.split_once("REFUSED ")).expect("the child says it").1.to_owned();
            crate::cut(&line.replace(&misbehaving().display().to_string(), "FILE"))
        })
        .collect();
    expect![[r#"
        FILE does not describe itself: the plugin panicked: describe says no at tests/misbehaving/src/
        FILE does not describe itself: its name "../evil" is not made of a-z, 0-9 and -; ask its author"#]]
    .assert_eq(&said.join("\n"));
}

#[test]
#[ignore = "run by describe_may_panic_or_name_nonsense"]
#[expect(clippy::print_stdout, reason = "the parent reads it")]
fn child_describes() {
    let error = PluginFile::load(&misbehaving(), &Protection::LikeExecutable(crate::exe())).unwrap_err();
    println!("REFUSED {error}");
}
