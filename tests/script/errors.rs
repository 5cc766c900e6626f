//! How errors read. Each case is a script and its whole report.

use super::support::{check, world};
use expect_test::expect;

#[test]
fn unknown_names() {
    check(
        "let workers = 3;\nprint(wrokers);",
        expect![[r#"
              × there is no variable `wrokers`
               ╭─[main.rhai:2:7]
             1 │ let workers = 3;
             2 │ print(wrokers);
               ·       ───────
               ╰────
              help: did you mean `workers`?"#]],
    );
    check(
        "let n = nodes::crate(#{ name: \"a\" });",
        expect![[r#"
              × there is no function `nodes::crate(map)`
               ╭─[main.rhai:1:16]
             1 │ let n = nodes::crate(#{ name: "a" });
               ·                ─────
               ╰────
              help: did you mean `nodes::create(options: map)`?"#]],
    );
    check(
        "node::create(#{ name: \"a\" });",
        expect![[r#"
              × there is no module `node`
               ╭─[main.rhai:1:1]
             1 │ node::create(#{ name: "a" });
               · ────
               ╰────
              help: did you mean `nodes`?"#]],
    );
    check(
        "nodes::zzz();",
        expect![[r#"
              × there is no function `nodes::zzz()`
               ╭─[main.rhai:1:8]
             1 │ nodes::zzz();
               ·        ───
               ╰────
              help: `nodes` has: create, panic"#]],
    );
    check(
        "outptu(\"a\", 1);",
        expect![[r#"
              × there is no function `outptu(string, int)`
               ╭─[main.rhai:1:1]
             1 │ outptu("a", 1);
               · ──────
               ╰────
              help: did you mean `output(name: string, value)`?"#]],
    );
    check(
        "fn install(n) { n }\ninstal(1);",
        expect![[r#"
             × there is no function `instal(int)`
              ╭─[main.rhai:2:1]
            1 │ fn install(n) { n }
            2 │ instal(1);
              · ──────
              ╰────
             help: did you mean `install`?"#]],
    );
    check(
        "let p = #{ region: 1 };\nprint(p.regoin);",
        expect![[r#"
              × there is no property `regoin` in this map
               ╭─[main.rhai:2:9]
             1 │ let p = #{ region: 1 };
             2 │ print(p.regoin);
               ·         ──────
               ╰────
              help: did you mean `region`?"#]],
    );
    check(
        "let n = nodes::create(#{ name: \"a\" });\nprint(n.nmae);",
        expect![[r#"
              × Node has no property `nmae`
               ╭─[main.rhai:2:9]
             1 │ let n = nodes::create(#{ name: "a" });
             2 │ print(n.nmae);
               ·         ────
               ╰────
              help: did you mean `name`?"#]],
    );
    check(
        "let n = nodes::create(#{ name: \"a\" });\nn.rnu(\"x\");",
        expect![[r#"
             × there is no function `rnu(Node, string)`
              ╭─[main.rhai:2:3]
            1 │ let n = nodes::create(#{ name: "a" });
            2 │ n.rnu("x");
              ·   ───
              ╰────
             help: did you mean `Node.run(command: string)`?"#]],
    );
    check(
        "import \"lib/hadop\" as h;",
        expect![[r#"
              × there is no script `lib/hadop` to import
               ╭─[main.rhai:1:8]
             1 │ import "lib/hadop" as h;
               ·        ───────────
               ╰────
              help: did you mean `lib/hadoop`?"#]],
    );
}

#[test]
fn unknown_methods_and_circles() {
    check(
        "let list = [];\nlist.psuh(1);",
        expect![[r#"
             × there is no function `psuh(array, int)`
              ╭─[main.rhai:2:6]
            1 │ let list = [];
            2 │ list.psuh(1);
              ·      ────
              ╰────
             help: did you mean `push(array: array, item)`?"#]],
    );
    check(
        "let n = nodes::create(#{ name: \"a\" });\nn.nothing(1);",
        expect![[r#"
         × there is no function `nothing(Node, int)`
          ╭─[main.rhai:2:3]
        1 │ let n = nodes::create(#{ name: "a" });
        2 │ n.nothing(1);
          ·   ───────
          ╰────
         help: Node has: run"#]],
    );
    check(
        "import \"lib/circle_a\" as a;",
        expect![[r#"
             × scripts import each other in a circle
              ╭─[lib/circle_b.rhai:1:8]
            1 │ import "lib/circle_a" as a;
              ·        ──────────────
              ╰────
             help: lib/circle_a.rhai > lib/circle_b.rhai > lib/circle_a.rhai: move what both need into a
                   third script

             importing lib/circle_b.rhai, imported at lib/circle_a.rhai:1:8
             importing lib/circle_a.rhai, imported at main.rhai:1:8"#]],
    );
    check(
        "let n = nodes::create(#{ name: \"a\" });\nn.run(5);",
        expect![[r#"
         × `run` cannot be called with (int)
          ╭─[main.rhai:2:3]
        1 │ let n = nodes::create(#{ name: "a" });
        2 │ n.run(5);
          ·   ───
          ╰────
         help: it is `Node.run(command: string)`"#]],
    );
    check(
        "let list = [];\nlist.push();",
        expect![[r#"
             × `push` cannot be called with (array)
              ╭─[main.rhai:2:6]
            1 │ let list = [];
            2 │ list.push();
              ·      ────
              ╰────
             help: it is `push(array: array, item)`"#]],
    );
    check(
        "let a = [1];\nfor x in 5 { }",
        expect![[r#"
         × expecting an iterable value, not a number
          ╭─[main.rhai:2:10]
        1 │ let a = [1];
        2 │ for x in 5 { }
          ·          ─
          ╰────"#]],
    );
    check(
        "let x = if 1 { 2 };",
        expect![[r#"
         × expecting a boolean expression, not a number
          ╭─[main.rhai:1:12]
        1 │ let x = if 1 { 2 };
          ·            ─
          ╰────"#]],
    );
    check(
        "try { fail(\"inner\") } catch (e) { throw e }",
        expect![[r#"
         × inner
          ╭─[main.rhai:1:35]
        1 │ try { fail("inner") } catch (e) { throw e }
          ·                                   ─────
          ╰────"#]],
    );
}

#[test]
fn wrong_arguments() {
    check(
        "nodes::create(\"a\");",
        expect![[r#"
              × `nodes::create` cannot be called with (string)
               ╭─[main.rhai:1:8]
             1 │ nodes::create("a");
               ·        ──────
               ╰────
              help: it is `nodes::create(options: map)`"#]],
    );
    check(
        "fn f(a, b) { a }\nf(1);",
        expect![[r#"
              × `f` cannot be called with (int)
               ╭─[main.rhai:2:1]
             1 │ fn f(a, b) { a }
             2 │ f(1);
               · ─
               ╰────
              help: it is `f(a, b)`"#]],
    );
    check(
        "let x = 1 + #{};",
        expect![[r#"
              × `+` does not work with int and map
               ╭─[main.rhai:1:11]
             1 │ let x = 1 + #{};
               ·           ─
               ╰────"#]],
    );
    check(
        "nodes::create(#{ name: \"a\", rloe: \"b\" });",
        expect![[r#"
              × unknown option `rloe` of nodes::create
               ╭─[main.rhai:1:8]
             1 │ nodes::create(#{ name: "a", rloe: "b" });
               ·        ──────
               ╰────
              help: did you mean `role`?"#]],
    );
    check(
        "nodes::create(#{ role: \"b\" });",
        expect![[r#"
              × option `name` of nodes::create is missing
               ╭─[main.rhai:1:8]
             1 │ nodes::create(#{ role: "b" });
               ·        ──────
               ╰────"#]],
    );
    check(
        "nodes::create(#{ name: \"a\", count: -1 });",
        expect![[r#"
              × option `count` of nodes::create must be a whole number not below 0, but is -1
               ╭─[main.rhai:1:8]
             1 │ nodes::create(#{ name: "a", count: -1 });
               ·        ──────
               ╰────"#]],
    );
    check(
        "nodes::create(#{ name: |x| x });",
        expect![[r#"
              × option `name` of nodes::create cannot be used: a function at `name` is not plain data
               ╭─[main.rhai:1:8]
             1 │ nodes::create(#{ name: |x| x });
               ·        ──────
               ╰────
              help: use text, numbers, true or false, arrays, maps, or handles such as nodes"#]],
    );
    check(
        "lanes([1], |n| n, #{ on_fail: \"stop\" });",
        expect![[r#"
              × unknown option `on_fail` of lanes
               ╭─[main.rhai:1:1]
             1 │ lanes([1], |n| n, #{ on_fail: "stop" });
               · ─────
               ╰────
              help: did you mean `on_failure`?"#]],
    );
    check(
        "lanes([1], |n| n, #{ on_failure: \"halt\" });",
        expect![[r#"
              × option `on_failure` of lanes cannot be `halt`
               ╭─[main.rhai:1:1]
             1 │ lanes([1], |n| n, #{ on_failure: "halt" });
               · ─────
               ╰────
              help: it can be: stop, continue"#]],
    );
    check(
        "wait(-1);",
        expect![[r#"
              × cannot wait -1 seconds
               ╭─[main.rhai:1:1]
             1 │ wait(-1);
               · ────
               ╰────"#]],
    );
    check(
        "output(\"f\", [|x| x]);",
        expect![[r#"
              × a function at `[0]` is not plain data
               ╭─[main.rhai:1:1]
             1 │ output("f", [|x| x]);
               · ──────
               ╰────
              help: use text, numbers, true or false, arrays, maps, or handles such as nodes"#]],
    );
}

#[test]
fn syntax() {
    check(
        "let x = ;",
        expect![[r#"
              × unexpected ';'
               ╭─[main.rhai:1:9]
             1 │ let x = ;
               ·         ─
               ╰────"#]],
    );
    check(
        "if true {\n  print(1);\n",
        expect![[r#"
              × expecting '}' to terminate this block
               ╭─[main.rhai:2:11]
             1 │ if true {
             2 │   print(1);
               ·           ─
               ╰────"#]],
    );
    check(
        "print(\"abc);",
        expect![[r#"
              × open string is not terminated
               ╭─[main.rhai:1:7]
             1 │ print("abc);
               ·       ──────
               ╰────"#]],
    );
    check(
        "eval(\"1\");",
        expect![[r#"
              × `eval` cannot be used
               ╭─[main.rhai:1:1]
             1 │ eval("1");
               · ────
               ╰────
              help: put the code into a function"#]],
    );
    check(
        "import \"lib/syntax\" as s;",
        expect![[r#"
              × expecting ')' to close the parameters list of function 'bad'
               ╭─[lib/syntax.rhai:2:9]
             1 │ fn good() { 1 }
             2 │ fn bad( { 2 }
               ·         ─
               ╰────

              importing lib/syntax.rhai, imported at main.rhai:1:8"#]],
    );
}

#[test]
fn what_scripts_throw() {
    check(
        "fail(\"no workers\", \"set workers to 1\");",
        expect![[r#"
              × no workers
               ╭─[main.rhai:1:1]
             1 │ fail("no workers", "set workers to 1");
               · ────
               ╰────
              help: set workers to 1"#]],
    );
    check(
        "throw \"text\";",
        expect![[r#"
              × text
               ╭─[main.rhai:1:1]
             1 │ throw "text";
               · ─────
               ╰────"#]],
    );
    check(
        "throw #{ code: 7 };",
        expect![[r#"
              × #{"code": 7}
               ╭─[main.rhai:1:1]
             1 │ throw #{ code: 7 };
               · ─────
               ╰────"#]],
    );
    check(
        "throw;",
        expect![[r#"
              × the script threw an error without a message
               ╭─[main.rhai:1:1]
             1 │ throw;
               · ─────
               ╰────"#]],
    );
}

#[test]
fn limits() {
    check(
        "fn f(n) { f(n + 1) }\nf(1);",
        expect![[r#"
              × functions call each other more than 64 levels deep
               ╭─[main.rhai:2:1]
             1 │ fn f(n) { f(n + 1) }
             2 │ f(1);
               · ─
               ╰────
              help: is there a function that calls itself without end?"#]],
    );
    check(
        "let a = [1, 2]; a.map(|i| a.len() + i);",
        expect![[r#"
              × a value is used inside a closure that works on the value itself
              help: copy what the closure needs into a variable before the call: `let n = list.len();
                    list.map(|x| x + n)`"#]],
    );
    check(
        "const X = 1;\nX += 1;",
        expect![[r#"
              × `X` cannot be changed: it is a constant
               ╭─[main.rhai:2:1]
             1 │ const X = 1;
             2 │ X += 1;
               · ─
               ╰────"#]],
    );
    check(
        "let a = [1];\na[5]",
        expect![[r#"
              × array index 5 out of bounds: only 1 element in array
               ╭─[main.rhai:2:3]
             1 │ let a = [1];
             2 │ a[5]
               ·   ─
               ╰────"#]],
    );
    check(
        "1 / 0",
        expect![[r#"
              × division by zero: 1 / 0
               ╭─[main.rhai:1:3]
             1 │ 1 / 0
               ·   ─
               ╰────"#]],
    );
    check(
        "9223372036854775807 + 1",
        expect![[r#"
              × addition overflow: 9223372036854775807 + 1
               ╭─[main.rhai:1:21]
             1 │ 9223372036854775807 + 1
               ·                     ─
               ╰────"#]],
    );
}

#[test]
fn no_clock_random_or_escape() {
    check(
        "timestamp();",
        expect![[r#"
              × there is no function `timestamp()`
               ╭─[main.rhai:1:1]
             1 │ timestamp();
               · ─────────
               ╰────"#]],
    );
    check(
        "Fn(\"timestamp\").call();",
        expect![[r#"
              × there is no function `timestamp()`
               ╭─[main.rhai:1:17]
             1 │ Fn("timestamp").call();
               ·                 ────
               ╰────"#]],
    );
    check(
        "Fn(\"eval\").call(\"1\");",
        expect![[r#"
              × `eval` cannot be used
               ╭─[main.rhai:1:4]
             1 │ Fn("eval").call("1");
               ·    ──────
               ╰────
              help: put the code into a function"#]],
    );
    check(
        "rand();",
        expect![[r#"
              × there is no function `rand()`
               ╭─[main.rhai:1:1]
             1 │ rand();
               · ────
               ╰────"#]],
    );
    check(
        "import \"../secret\" as s;",
        expect![[r#"
              × `../secret` cannot be imported: it leads out of the script folders
               ╭─[main.rhai:1:8]
             1 │ import "../secret" as s;
               ·        ───────────
               ╰────
              help: name a script below a script folder, such as "lib/hadoop""#]],
    );
    check(
        "import \"/etc/passwd\" as s;",
        expect![[r#"
              × `/etc/passwd` cannot be imported: it leads out of the script folders
               ╭─[main.rhai:1:8]
             1 │ import "/etc/passwd" as s;
               ·        ─────────────
               ╰────
              help: name a script below a script folder, such as "lib/hadoop""#]],
    );
    check(
        "import \"lib/effects\" as e;",
        expect![[r#"
              × `create` cannot be used while a module is imported: call it in a function of the module
               ╭─[lib/effects.rhai:1:8]
             1 │ nodes::create(#{ name: "x" });
               ·        ──────
             2 │ fn late() { nodes::create(#{ name: "late" }) }
               ╰────

              importing lib/effects.rhai, imported at main.rhai:1:8"#]],
    );
}

#[test]
fn chains_go_through_imports_closures_and_lanes() {
    check(
        "import \"lib/hadoop\" as h;\nlet n = nodes::create(#{ name: \"w3\" });\nfn all(n) {\n    [n].map(|n| h::broken(n))\n}\nall(n);",
        expect![[r#"
              × w3: `false` ended with 1
                ╭─[lib/hadoop.rhai:9:11]
              8 │     if n.name.ends_with("3") {
              9 │         n.run("false");
                ·           ───
             10 │     }
                ╰────
              help: look at the output

              in `broken`, called at main.rhai:4:20
              in a closure, called at main.rhai:4:9
              in `map`, called at main.rhai:4:9
              in `all`, called at main.rhai:6:1
              last output:
                line one
                line two"#]],
    );
    check(
        "import \"lib/hadoop\" as h;\nlet ns = [];\nfor i in 0..5 { ns.push(nodes::create(#{ name: `w${i}` })); }\nns.push(nodes::create(#{ name: `x3` }));\nfn all(ns) {\n    lanes(ns, |n| h::broken(n))\n}\nall(ns);",
        expect![[r#"
              × w3: `false` ended with 1
                ╭─[lib/hadoop.rhai:9:11]
              8 │     if n.name.ends_with("3") {
              9 │         n.run("false");
                ·           ───
             10 │     }
                ╰────
              help: look at the output

              in `broken`, called at main.rhai:6:22
              in lane `w3` (2 of 6 lanes failed), started at main.rhai:6:5
              in `all`, called at main.rhai:8:1
              last output:
                line one
                line two
              lane `x3` failed too: x3: `false` ended with 1"#]],
    );
    check(
        "lanes([1, 2], |a| lanes([\"x\", \"y\"], |b| if b == \"y\" { fail(`${a}${b}`) } else { b }));",
        expect![[r#"
              × 1y
               ╭─[main.rhai:1:55]
             1 │ lanes([1, 2], |a| lanes(["x", "y"], |b| if b == "y" { fail(`${a}${b}`) } else { b }));
               ·                                                       ────
               ╰────

              in lane `y`, started at main.rhai:1:19
              in lane `0` (2 of 2 lanes failed), started at main.rhai:1:1
              lane `1` failed too: 2y"#]],
    );
    check(
        "import \"lib/hadoop\" as h;\nlet f = h::adder();\nf.call(1)",
        expect![[r#"
              × a closure that a module's function made cannot be called outside of that module
               ╭─[main.rhai:3:3]
             2 │ let f = h::adder();
             3 │ f.call(1)
               ·   ────
               ╰────
              help: wrap the call: `|x| module::function(x)`"#]],
    );
    check(
        "// ü\nlet ä = \"ö\"; fail(\"later\");",
        expect![[r#"
              × unexpected 'ä'
               ╭─[main.rhai:2:5]
             1 │ // ü
             2 │ let ä = "ö"; fail("later");
               ·     ─
               ╰────"#]],
    );
}

#[test]
fn panics_are_reported_and_do_not_end_the_program() {
    check(
        "nodes::panic();",
        expect![[r#"
              × a function of linodetool panicked: a bug in a function
              help: this is a bug: please report it together with the recipe"#]],
    );
    check(
        "lanes([1], |n| nodes::panic());",
        expect![[r#"
              × a function of linodetool panicked: a bug in a function
               ╭─[main.rhai:1:1]
             1 │ lanes([1], |n| nodes::panic());
               · ─────
               ╰────
              help: this is a bug: please report it together with the recipe

              in lane `0`, started at main.rhai:1:1"#]],
    );
}

#[test]
fn the_same_as_data() {
    let error =
        world().run("import \"lib/hadoop\" as h;\nlanes([nodes::create(#{ name: \"w3\" })], |n| h::broken(n));", &[]);
    expect![[r#"
        {
          "chain": [
            {
              "column": 48,
              "file": "main.rhai",
              "line": 2,
              "what": "in `broken`"
            },
            {
              "column": 1,
              "file": "main.rhai",
              "line": 2,
              "what": "in lane `w3`"
            }
          ],
          "column": 11,
          "exit_code": 1,
          "file": "lib/hadoop.rhai",
          "hint": "look at the output",
          "kind": "command",
          "line": 9,
          "message": "`false` ended with 1",
          "node": "w3",
          "output": "line one\nline two\n"
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&error.unwrap_err().to_json()).unwrap());
    let error = world().run("nodes::create(#{ nmae: \"a\" });", &[]).unwrap_err();
    expect![[r#"
        unknown option `nmae` of nodes::create (main.rhai:1:8)
        {"column":8,"field":"nmae","file":"main.rhai","hint":"did you mean `name`?","kind":"script","line":1,"message":"unknown option `nmae` of nodes::create"}"#]].assert_eq(&format!("{error}\n{}", error.to_json()));
}
