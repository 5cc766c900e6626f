//! Evaluation: outputs, printing, catching, imports, examples.

use super::support::{check, recipe, world};
use expect_test::expect;
use linodetool::script::{Interactive, Look, Script, declared, definitions, index, markdown};

#[test]
fn outputs_are_json() {
    check(
        "output(\"node\", nodes::create(#{ name: \"a\" }));\noutput(\"map\", #{ b: [1, 2.5, (), true], a: 'x' });",
        expect![[r#"{"map":{"a":"x","b":[1,2.5,null,true]},"node":{"name":"a"}}"#]],
    );
}

#[test]
fn failures_can_be_caught_and_read() {
    check(
        "let n = nodes::create(#{ name: \"a\" });\ntry { n.run(\"false\"); } catch (e) {\n  print(`${e.kind} / ${e.message} / ${e.hint} / ${e.node} / ${e.exit_code} / ${e.output}`);\n  print(e);\n}",
        expect![[r#"
            command / `false` ended with 1 / look at the output / a / 1 / line one
            line two

            a: `false` ended with 1"#]],
    );
    check("try { throw \"x\" } catch (e) { print(e) }", expect!["x"]);
}

#[test]
fn printing_and_debugging_are_events() {
    check(
        "print(1);\ndebug(\"x\");\nprint(\"\");",
        expect![[r#"
        1
        main.rhai:2: "x""#]],
    );
}

#[test]
fn imports_work_in_functions_and_lanes() {
    check(
        "import \"lib/hadoop\" as h;\nlet n = nodes::create(#{ name: \"a\" });\nprint(h::install(n));",
        expect!["a: configure"],
    );
    check(
        "import \"./lib/hadoop.rhai\" as h;\nprint(lanes([nodes::create(#{ name: \"a\" })], |n| h::install(n)));",
        expect![[r#"["a: configure"]"#]],
    );
    check(
        "import \"lib/hadoop\" as h;\nimport \"lib/hadoop\" as g;\nprint(h::fan([1]) + g::fan([2]));",
        expect!["[10, 20]"],
    );
}

#[test]
fn numbers_and_texts_are_the_same_each_time() {
    check(
        "let f = |x| x + 1; print(`${0.1 + 0.2} ${1e300} ${2.0 / 3.0} ${5.0}`); print(#{ b: 1, a: 2 });",
        expect![[r#"
            0.30000000000000004 1e300 0.6666666666666666 5.0
            #{"a": 2, "b": 1}"#]],
    );
    let name = |_| {
        let world = world();
        world.run("output(\"f\", `${|x| x + 1}`);", &[]).unwrap().to_string()
    };
    assert_eq!(name(0), name(1));
}

#[test]
fn a_session_keeps_its_variables() {
    let world = world();
    let roots = recipe("").roots(&world.host.places);
    let script = Script::open(&world.run, roots, &[], &world.host);
    let mut scope = rhai::Scope::new();
    assert!(script.evaluate_in(&mut scope, "line", "let x = 41;").unwrap().is_unit());
    assert_eq!(script.evaluate_in(&mut scope, "line", "x + 1").unwrap().as_int(), Ok(42));
    let error = script.evaluate_in(&mut scope, "line", "y + 1").unwrap_err();
    expect!["there is no variable `y` (line:1:1)"].assert_eq(&error.to_string());
}

#[test]
fn every_function_has_a_doc_and_an_example_that_runs() {
    let index = index(&[]).unwrap();
    assert!(index.functions().len() > 15);
    let problems = index.problems(|example| world().run(example, &[]).map(drop).map_err(|error| error.to_string()));
    assert_eq!(problems.join("\n"), "");
}

#[test]
fn signatures_are_clean() {
    let index = index(&[]).unwrap();
    let list: Vec<_> = index.functions().iter().map(|f| f.signature.as_str()).collect();
    expect![[r#"
        ToolkitError.exit_code -> any
        fail(message: string)
        fail(message: string, hint: string)
        ToolkitError.hint -> any
        ToolkitError.kind -> string
        ToolkitError.lanes -> array
        lanes(items: array, function: Fn) -> array
        lanes(items: array, function: Fn, options: map) -> array
        ToolkitError.message -> string
        ToolkitError.node -> any
        now() -> int
        ToolkitError.output -> any
        output(name: string, value)
        param(default, doc: string) -> Param
        param(default, doc: string, options: map) -> Param
        params(declarations: map) -> map
        policy(options: map)
        sleep(seconds: float)
        sleep(seconds: int)
        ToolkitError.to_debug() -> string
        ToolkitError.to_string() -> string
        wait(seconds: float)
        wait(seconds: int)
        wait_until(ready: Fn)
        wait_until(ready: Fn, options: map)
        text::digest(text: string) -> string
        text::hadoop_xml(properties: map) -> string
        text::join(items: array, between: string) -> string
        text::parse_json(json: string) -> any
        text::render(template: string, values: map) -> string"#]]
    .assert_eq(&list.join("\n"));
}

#[test]
fn deep_recursion_is_refused_also_in_lanes() {
    // As deep as limits allow: 64 levels of calls, each with an expression nearly as deep as it may be.
    let deep = format!("{}f(n + 1){}", "(1 + ".repeat(25), ")".repeat(25));
    let text = format!("fn f(n) {{ {deep} }}\nlanes([1, 2], |n| f(n));");
    let error = world().run(&text, &[]).unwrap_err();
    expect![["functions call each other more than 64 levels deep"]].assert_eq(&error.failure.message);
}

#[test]
fn no_part_of_a_script_confuses_the_report() {
    let text = "//! Ü\nlet p = params(#{ a: param(\"ä\\\"\", \"x\") }); /* c */\nfn f(x, y) { lanes([x], |n| n.b + 'c') }\nf(`${p.a}`, 2).zz;";
    let world = world();
    for (end, _) in text.char_indices() {
        if let Err(error) = declared(&recipe(&text[..end]), &world.host) {
            assert!(!error.report(Look::Plain(80)).is_empty());
        }
    }
}

#[test]
fn texts_for_files() {
    check("print(text::render(\"{{ a }}-{{b.c}} {{n}}!\", #{ a: 1, b: #{ c: \"x\" }, n: () }));", expect!["1-x !"]);
    check(
        "text::render(\"{{ prot }}\", #{ port: 1 });",
        expect![[r#"
             × line 1 of the template: there is no variable `prot`; did you mean `port`?
              ╭─[main.rhai:1:7]
            1 │ text::render("{{ prot }}", #{ port: 1 });
              ·       ──────
              ╰────"#]],
    );
    check(
        "text::render(\"{{ a\", #{});",
        expect![[r#"
             × line 1 of the template: `{{` has no `}}`; write `\{{` for the characters themselves
              ╭─[main.rhai:1:7]
            1 │ text::render("{{ a", #{});
              ·       ──────
              ╰────"#]],
    );
    check(
        "print(text::hadoop_xml(#{ \"a.b\": \"<x>\", n: 3 }));",
        expect![[r#"
        <?xml version="1.0"?>
        <configuration>
          <property><name>a.b</name><value>&lt;x&gt;</value></property>
          <property><name>n</name><value>3</value></property>
        </configuration>"#]],
    );
    check(
        "print(text::join([1, \"b\"], \", \")); print(text::parse_json(`{\"a\": [1]}`).a[0]);",
        expect![[r#"
        1, b
        1"#]],
    );
    check(
        "text::parse_json(\"nope\");",
        expect![[r#"
         × this is not JSON: expected ident at line 1 column 2
          ╭─[main.rhai:1:7]
        1 │ text::parse_json("nope");
          ·       ──────────
          ╰────
         help: it begins with `nope`"#]],
    );
}

#[test]
fn lines_of_a_session() {
    let world = world();
    let roots = recipe("").roots(&world.host.places);
    let mut session = Interactive::new(Script::open(&world.run, roots, &[], &world.host));
    let lines = [
        "let a = 1;",
        "fn twice(x) { x * 2 }",
        "twice(a)",
        "fn twice(x) { x * 3 }",
        "twice(a)",
        "a += 41; a",
        "import \"lib/hadoop\" as h;",
        "h::fan([1, 2])",
        "fn g(x) { h::fan([twice(x)]) }",
        "g(4)",
        "let f = |x| x + a;",
        "f.call(1)",
        "lanes([1, 2], |i| twice(i) + a)",
        "let q = nodes::create(#{ name: \"line\" });",
        "q.run(\"x\")",
        "fn bad(n) {\n  n.run(\"false\")\n}",
        "let gone = 1; bad(q)",
        "gone",
        "unknown(1)",
        "a",
    ];
    let show = |text: &str| {
        let answer = match session.line(text) {
            Ok(value) => value.to_string(),
            Err(error) => format!("{error} {:?}", error.source_line().unwrap_or_default()),
        };
        format!("> {text}\n{answer}")
    };
    expect![[r#"
        > let a = 1;

        > fn twice(x) { x * 2 }

        > twice(a)
        2
        > fn twice(x) { x * 3 }

        > twice(a)
        3
        > a += 41; a
        42
        > import "lib/hadoop" as h;

        > h::fan([1, 2])
        [10, 20]
        > fn g(x) { h::fan([twice(x)]) }

        > g(4)
        [120]
        > let f = |x| x + a;

        > f.call(1)
        43
        > lanes([1, 2], |i| twice(i) + a)
        [45, 48]
        > let q = nodes::create(#{ name: "line" });

        > q.run("x")
        line: x
        > fn bad(n) {
          n.run("false")
        }

        > let gone = 1; bad(q)
        line: `false` ended with 1 (line 16:2:5) "  n.run(\"false\")"
        > gone
        there is no variable `gone` (line 18:1:1) "gone"
        > unknown(1)
        there is no function `unknown(int)` (line 19:1:1) "unknown(1)"
        > a
        42"#]]
    .assert_eq(&lines.map(show).join("\n"));
    assert_eq!(session.variables(), ["a", "f", "q"]);
}

#[test]
fn the_reference_is_made_from_the_functions() {
    let page = markdown(&index(&[]).unwrap());
    let wait: Vec<&str> = page.split("\n### ").filter(|part| part.starts_with("`wait(seconds: int)`")).collect();
    expect![[r#"
        `wait(seconds: int)`

        Waits some seconds; a resumed run does not wait again.

        **Example**
        ```rhai
        wait(0);
        ```

        **Errors**
        A negative time.
    "#]]
    .assert_eq(wait[0]);
    let files: Vec<String> = definitions(&[]).into_iter().map(|(name, _)| name).collect();
    expect!["__builtin-operators__.d.rhai __builtin__.d.rhai __static__.d.rhai text.d.rhai"]
        .assert_eq(&files.join(" "));
}

#[test]
fn maps_grow_and_are_asked() {
    check(
        "let m = #{ a: 1 };\nm.b = 2; m[\"c\"] = 3; m.d = #{}; m.d.e = 5;\nprint(m); print(\"z\" in m); print(m.get(\"z\") == ()); print(m.contains(\"a\"));",
        expect![[r##"
            #{"a": 1, "b": 2, "c": 3, "d": #{"e": 5}}
            false
            true
            true"##]],
    );
    check(
        "let m = #{ a: 1 };\nprint(m[\"z\"]);",
        expect![[r#"
         × there is no property `z` in this map
          ╭─[main.rhai:2:9]
        1 │ let m = #{ a: 1 };
        2 │ print(m["z"]);
          ·         ───
          ╰────
         help: `map.get("z")` gives `()` where a property may be absent"#]],
    );
    check(
        "let m = #{ a: 1 };\nm.z += 1;",
        expect![[r#"
         × `+` does not work with nothing and int
          ╭─[main.rhai:2:5]
        1 │ let m = #{ a: 1 };
        2 │ m.z += 1;
          ·     ─
          ╰────"#]],
    );
    check("let m = #{ a: 1 };\nprint(m.get(\"z\") ?? 7);", expect!["7"]);
}

#[test]
fn the_language_as_recipes_use_it() {
    check(
        r#"
const PORT = 9000;
fn url(host) { `hdfs://${host}:${global::PORT}` }
fn describe(x) { switch x { 0 => "none", 1 => "one", 10..100 => "many", _ => `${x}` } }
import "lib/constants" as c;
let hosts = [];
for i in 1..=3 { hosts.push(`w${i}`); }
for (h, i) in hosts { if i == 1 { continue; } print(`${i} ${h}`); }
print(hosts.filter(|h| h != "w2").map(|h| url(h)));
print(hosts.reduce(|sum, h| sum + h.len(), 0));
print([0, 1, 5, 10].map(|n| describe(n)));
let text = "  a=1, b=2 ";
text.trim();
print(text.split(", ").map(|p| p.split("=")[1].parse_int()));
let sorted = [3, 1, 2]; sorted.sort(); print(sorted);
let m = #{}; for h in hosts { m[h] = #{ role: "worker" }; }
print(m.keys()); print(m.w1.role); print(m.values().len());
let i = 0; while i < 10 { i += 1; if i == 5 { break; } } print(i);
let r = try_it(|x| x * 2); print(r);
fn try_it(f) { let r = 0; try { r = f.call(21); } catch { r = -1; } r }
let add = |a, b| a + b; print(add.call(1, 2));
print(c::VERSION); print(c::double(4));
print("abc".contains("b") && "x" in ["x"] && !("y" in m));
print(if hosts.is_empty() { "none" } else { hosts[-1] });
let copy = hosts; copy.push("w4"); print(`${hosts.len()} ${copy.len()}`);
print(7 / 2); print(7.0 / 2.0); print(7 % 3); print((3.7).to_int()); print("5".parse_int() + 1);
print("a,b".split(",")); print("Abc".to_lower()); print("x".len()); print("a-b".sub_string(0, 1));
"#,
        expect![[r#"
            0 w1
            2 w3
            ["hdfs://w1:9000", "hdfs://w3:9000"]
            6
            ["none", "one", "5", "many"]
            [1, 2]
            [1, 2, 3]
            ["w1", "w2", "w3"]
            worker
            3
            5
            42
            3
            3.4
            8
            true
            w3
            3 4
            3
            3.5
            1
            3
            6
            ["a", "b"]
            abc
            1
            a"#]],
    );
}
