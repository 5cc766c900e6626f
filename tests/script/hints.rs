//! Hints for what surprises those who know other languages. Each case is a script and its whole report.

use super::support::check;
use expect_test::expect;

#[test]
fn what_changes_in_place_gives_nothing() {
    check(
        "let s = \" a \";\nlet x = s.trim();\nprint(x.len());",
        expect![[r#"
             × `len` cannot be called with (nothing)
              ╭─[main.rhai:3:9]
            2 │ let x = s.trim();
            3 │ print(x.len());
              ·         ───
              ╰────
             help: `x` is `()`: `trim` changes what it is called on and gives nothing back. Write it as `let
                   x = s; x.trim();`"#]],
    );
    check(
        "let x = \"b,a\".split(\",\").sort();\nprint(\"the \" + x.join(\", \"));",
        expect![[r#"
             × there is no function `join(nothing, string)`
              ╭─[main.rhai:2:18]
            1 │ let x = "b,a".split(",").sort();
            2 │ print("the " + x.join(", "));
              ·                  ────
              ╰────
             help: `x` is `()`: `sort` changes what it is called on and gives nothing back. Write it as `let
                   x = "b,a".split(","); x.sort();`"#]],
    );
    check(
        "let y = `a\nb`;\nlet x = y.replace(\"a\", text::join([1], \",\"));\nmin(x, 1);",
        expect![[r#"
         × `min` cannot be called with (nothing, int)
          ╭─[main.rhai:4:1]
        3 │ let x = y.replace("a", text::join([1], ","));
        4 │ min(x, 1);
          · ───
          ╰────
         help: `x` is `()`: `replace` changes what it is called on and gives nothing back. Write it as
               `let x = y; x.replace("a", text::join([1], ","));`"#]],
    );
    check(
        "let x = ();\nx.len();",
        expect![[r#"
         × `len` cannot be called with (nothing)
          ╭─[main.rhai:2:3]
        1 │ let x = ();
        2 │ x.len();
          ·   ───
          ╰────
         help: it is `len(array: array)` or `len(blob: blob)` or `len(map: map)` or `len(string: string)`"#]],
    );
}
