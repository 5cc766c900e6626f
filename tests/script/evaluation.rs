//! Evaluation: outputs, printing, catching, imports, examples.

use super::support::{check, recipe, world};
use expect_test::expect;
use linodetool::script::{Script, index};

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
    for function in index.functions() {
        assert!(!function.summary().is_empty(), "{} has no documentation", function.signature);
        let examples = function.examples();
        assert!(!examples.is_empty(), "{} has no example", function.signature);
        for example in examples {
            if let Err(error) = world().run(&example, &[]) {
                panic!("the example of {} fails: {error}\n{example}", function.signature);
            }
        }
    }
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
        to_debug(error: ToolkitError) -> string
        to_string(error: ToolkitError) -> string
        wait(seconds: float)
        wait(seconds: int)
        wait_until(ready: Fn)
        wait_until(ready: Fn, options: map)"#]]
    .assert_eq(&list.join("\n"));
}
