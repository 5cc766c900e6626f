//! What comes along: the recipes tell their parameters, and the script reference is the one of the functions.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

use expect_test::{expect, expect_file};
use linodetool::app;
use linodetool::core::Paths;
use linodetool::script;
use std::path::Path;

fn host(folder: &Path) -> script::Host {
    let at = |name: &str| folder.join(name);
    app::scripts(&Paths {
        state: at("state"),
        config: at("config"),
        data: at("data"),
        cache: at("cache"),
        linode_cli: at("linode-cli"),
        home: at("home"),
        work: at("work"),
        exe: at("linodetool"),
    })
}

/// `UPDATE_EXPECT=1` writes it anew.
#[test]
fn the_reference_is_that_of_the_functions() {
    let folder = tempfile::tempdir().unwrap();
    let index = script::index(&host(folder.path()).registers).unwrap();
    expect_file!["../host/docs/script.md"].assert_eq(&script::markdown(&index));
}

#[test]
fn the_recipes_that_come_along_tell_their_parameters() {
    let folder = tempfile::tempdir().unwrap();
    let host = host(folder.path());
    let mut told = String::new();
    for recipe in script::list_recipes(&host.places) {
        let found = script::find_recipe(&recipe.path, &host.places).unwrap();
        let declared = script::declared(&found, &host).unwrap();
        assert!(!declared.description.is_empty());
        told += &format!("{}\n", declared.path);
        for param in declared.params {
            told += &format!("  {} = {}\n", param.name, param.default.unwrap_or_default());
        }
    }
    expect![[r#"
        recipes/hadoop.rhai
          name = "hadoop"
          region = "us-east"
          type = "g6-standard-2"
          image = "linode/debian12"
          workers = 2
          replication = 0
          hadoop_dist = ""
          input = ""
          result = ""
          insecure = false
    "#]]
    .assert_eq(&told);
}
