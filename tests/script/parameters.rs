//! Parameters and where recipes are found.

use super::support::{LIBRARY, outcome_with, recipe, world};
use expect_test::{Expect, expect};
use linodetool::script::{Found, Look, Places, declared, find_recipe, list_recipes};
use std::fs;

const RECIPE: &str = r#"//! Web: a few web servers.
//!
//! And a load balancer.
let p = params(#{
    name: param("web", "cluster name", #{ max: 10 }),
    workers: param(3, "worker nodes", #{ min: 1 }),
    size: param("small", "size of nodes", #{ one_of: ["small", "large"] }),
    backups: false,
});
output("p", p);
"#;

#[expect(clippy::needless_pass_by_value, reason = "reads better in the tests")]
fn set(set: &[(&str, &str)], wanted: Expect) {
    wanted.assert_eq(&outcome_with(RECIPE, set));
}

#[test]
fn values_are_defaults_or_what_was_set() {
    set(&[], expect![[r#"{"p":{"backups":false,"name":"web","size":"small","workers":3}}"#]]);
    set(
        &[("workers", "7"), ("backups", "true")],
        expect![[r#"{"p":{"backups":true,"name":"web","size":"small","workers":7}}"#]],
    );
}

#[test]
fn wrong_settings_are_refused_before_anything_happens() {
    set(&[("workers", "abc")], expect!["× `workers` must be a whole number, but is `abc`"]);
    set(&[("workers", "0")], expect!["× `workers` must be at least 1, but is 0"]);
    set(
        &[("worker", "1")],
        expect![[r#"
              × the recipe has no parameter `worker`
              help: did you mean `workers`?"#]],
    );
    set(
        &[("size", "smal")],
        expect![[r#"
              × `size` must be one of small, large, but is smal
              help: did you mean `small`?"#]],
    );
    expect![[r#"
          × the recipe has no parameter `x`
          help: it has none"#]]
    .assert_eq(&outcome_with("print(\"ran\");", &[("x", "1")]));
    expect![[r#"
          × the recipe has no parameter `x`
          help: `params` must come before anything that has an effect"#]]
    .assert_eq(&outcome_with("nodes::create(#{ name: \"a\" });\nparams(#{ x: 1 });", &[("x", "a")]));
}

#[test]
fn wrong_declarations_have_a_place() {
    let check = |text: &str, wanted: Expect| wanted.assert_eq(&outcome_with(text, &[]));
    check(
        "params(#{ n: param(0, \"number\", #{ min: 1 }) });",
        expect![[r#"
              × the default breaks the parameter's own limits: `n` must be at least 1, but is 0
               ╭─[main.rhai:1:1]
             1 │ params(#{ n: param(0, "number", #{ min: 1 }) });
               · ──────
               ╰────"#]],
    );
    check(
        "params(#{ n: param(1, \"number\", #{ mni: 1 }) });",
        expect![[r#"
              × unknown option `mni` of param
               ╭─[main.rhai:1:14]
             1 │ params(#{ n: param(1, "number", #{ mni: 1 }) });
               ·              ─────
               ╰────
              help: the options are: min, max, one_of, pattern, required"#]],
    );
    check(
        "params(#{ n: param(#{}, \"a map\") });",
        expect![[r#"
              × parameter `n` has a default of no usable type
               ╭─[main.rhai:1:1]
             1 │ params(#{ n: param(#{}, "a map") });
               · ──────
               ╰────
              help: the default is a whole number, a float, true or false, text, or an array; with `required:
                    true` it only tells the type"#]],
    );
    check(
        "params(#{ n: 1 });\nparams(#{ m: 1 });",
        expect![[r#"
              × `params` is called twice: declare all parameters in one map
               ╭─[main.rhai:2:1]
             1 │ params(#{ n: 1 });
             2 │ params(#{ m: 1 });
               · ──────
               ╰────"#]],
    );
}

#[test]
fn declared_runs_nothing() {
    let world = world();
    let shown = declared(&recipe(RECIPE), &world.host).unwrap();
    expect![[r#"
        {
          "path": "main.rhai",
          "description": "Web: a few web servers.\n\nAnd a load balancer.",
          "params": [
            {
              "name": "backups",
              "kind": "bool",
              "default": false,
              "doc": ""
            },
            {
              "name": "name",
              "kind": "string",
              "default": "web",
              "doc": "cluster name",
              "max": 10
            },
            {
              "name": "workers",
              "kind": "int",
              "default": 3,
              "doc": "worker nodes",
              "min": 1
            },
            {
              "name": "size",
              "kind": "string",
              "default": "small",
              "doc": "size of nodes",
              "one_of": [
                "small",
                "large"
              ]
            }
          ]
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&shown).unwrap());
    let none = declared(&recipe("print(\"x\"); nodes::create(#{ name: \"a\" });"), &world.host).unwrap();
    assert!(none.params.is_empty());
    assert_eq!(world.printed(), "");
    let wrong = declared(&recipe("let x = ;"), &world.host).unwrap_err();
    expect![[r#"
          × unexpected ';'
           ╭─[main.rhai:1:9]
         1 │ let x = ;
           ·         ─
           ╰────"#]]
    .assert_eq(&wrong.report(Look::Plain(80)));
}

#[test]
fn recipes_are_found_by_path_name_and_place() {
    let folder = tempfile::tempdir().unwrap();
    let places = Places { work: folder.path().join("work"), data: folder.path().join("data"), embedded: LIBRARY };
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("work/mine.rhai", "//! Mine.\n");
    write("work/scripts/recipes/web.rhai", "//! Web of the project.\n");
    write("data/recipes/web.rhai", "//! Web of the user.\n");
    write("data/recipes/db.rhai", "//! Database.\n");
    let show = |name: &str| match find_recipe(name, &places) {
        Ok(found) => {
            format!("{name}: {:?} {}", found.origin, found.path.replace(&folder.path().display().to_string(), ""))
        }
        Err(failure) => format!("{name}: {failure}; {}", failure.hint.clone().unwrap_or_default()),
    };
    let names = [
        "mine.rhai",
        "./mine",
        "web",
        "recipes/web.rhai",
        "db",
        "hello",
        "recipes/hello.rhai",
        "scripts/recipes/hello",
        "helo",
        "nothing",
        "../data/recipes/db.rhai",
        "../etc",
    ];
    expect![[r#"
        mine.rhai: File mine.rhai
        ./mine: File mine.rhai
        web: Project /work/scripts/recipes/web.rhai
        recipes/web.rhai: Project /work/scripts/recipes/web.rhai
        db: User /data/recipes/db.rhai
        hello: Embedded recipes/hello.rhai
        recipes/hello.rhai: Embedded recipes/hello.rhai
        scripts/recipes/hello: Embedded recipes/hello.rhai
        helo: there is no recipe `helo`; did you mean `hello`?
        nothing: there is no recipe `nothing`; `linodetool recipe list` shows all; a recipe of your own is given by its path
        ../data/recipes/db.rhai: File ../data/recipes/db.rhai
        ../etc: there is no recipe `../etc`; `linodetool recipe list` shows all; a recipe of your own is given by its path"#]].assert_eq(&names.map(show).join("\n"));
    let list: Vec<_> =
        list_recipes(&places).into_iter().map(|r| format!("{} {:?} {}", r.name, r.origin, r.title)).collect();
    expect![[r#"
        db User Database.
        hello Embedded Says hello.
        web Project Web of the project."#]]
    .assert_eq(&list.join("\n"));
}

#[test]
fn imports_stay_in_the_script_folders() {
    let folder = tempfile::tempdir().unwrap();
    let (work, outside) = (folder.path().join("work"), folder.path().join("outside.rhai"));
    fs::create_dir_all(work.join("scripts/lib")).unwrap();
    fs::write(&outside, "fn secret() { 1 }").unwrap();
    fs::write(work.join("scripts/lib/own.rhai"), "fn one() { 1 }").unwrap();
    std::os::unix::fs::symlink(&outside, work.join("scripts/lib/link.rhai")).unwrap();
    let mut world = world();
    world.host.places.work = work.clone();
    let run = |text: &str| {
        fs::write(work.join("main.rhai"), text).unwrap();
        let found = find_recipe("main.rhai", &world.host.places).unwrap();
        match linodetool::script::run(&world.run, &found, &[], &world.host) {
            Ok(outputs) => outputs.to_string(),
            Err(error) => {
                let (text, hint) = (error.to_string(), error.failure.hint.unwrap_or_default());
                format!("{text}; {hint}").replace(&folder.path().canonicalize().unwrap().display().to_string(), "")
            }
        }
    };
    expect![[r#"{"one":1}"#]].assert_eq(&run("import \"lib/own\" as o;\noutput(\"one\", o::one());"));
    expect!["`lib/link.rhai` is a link to /outside.rhai, outside the script folder /work/scripts (main.rhai:1:8); copy the file into the folder"].assert_eq(&run("import \"lib/link\" as l;"));
    // What the run stored wins over the file, so that a resumed run sees the same text.
    fs::write(work.join("scripts/lib/own.rhai"), "fn one() { 2 }").unwrap();
    expect![[r#"{"one":1}"#]].assert_eq(&run("import \"lib/own\" as o;\noutput(\"one\", o::one());"));
    // Nor does it matter that the file has gone.
    fs::remove_file(work.join("scripts/lib/own.rhai")).unwrap();
    let text = "import \"lib/own\" as o;\noutput(\"one\", o::one());";
    let stored = Found::stored("main.rhai", text, &world.host.places);
    let outputs = linodetool::script::run(&world.run, &stored, &[], &world.host).unwrap();
    expect![[r#"{"one":1}"#]].assert_eq(&outputs.to_string());
}
