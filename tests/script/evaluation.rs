//! Evaluation: outputs, printing, catching, imports, examples.

use super::support::{check, recipe, world};
use expect_test::expect;
use linodetool::script::{Look, Script, declared, index};

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
        sleep(seconds: float)
        sleep(seconds: int)
        ToolkitError.to_debug() -> string
        ToolkitError.to_string() -> string
        wait(seconds: float)
        wait(seconds: int)
        wait_until(ready: Fn)
        wait_until(ready: Fn, options: map)
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
         × the template asks for `prot`, which is not given
          ╭─[main.rhai:1:7]
        1 │ text::render("{{ prot }}", #{ port: 1 });
          ·       ──────
          ╰────
         help: did you mean `port`?"#]],
    );
    check(
        "text::render(\"{{ a\", #{});",
        expect![[r#"
         × a `{{` of the template is not closed by `}}`
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
