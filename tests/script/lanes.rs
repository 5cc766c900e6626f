//! Lanes: order, names, what they may touch, how they fail.

use super::support::{check, world};
use expect_test::expect;
use linodetool::core::FailureKind;

#[test]
fn values_come_in_item_order() {
    check("output(\"v\", lanes([1, 2, 3], |n| n * 2));", expect![[r#"{"v":[2,4,6]}"#]]);
    check("output(\"v\", lanes([], |n| n));", expect![[r#"{"v":[]}"#]]);
    check("import \"lib/hadoop\" as h;\noutput(\"v\", h::fan([1, 2]));", expect![[r#"{"v":[10,20]}"#]]);
    check(
        "output(\"v\", lanes([\"a\", \"b\"], |o| lanes([1, 2], |i| `${o}${i}`)));",
        expect![[r#"{"v":[["a1","a2"],["b1","b2"]]}"#]],
    );
    check("output(\"v\", lanes([1, 2], |n| { if n == 1 { exit(7); } n }));", expect![[r#"{"v":[7,2]}"#]]);
}

#[test]
fn lanes_are_named_by_their_items() {
    check(
        "lanes([\"a.b\", 7, #{ name: \"m\" }, nodes::create(#{ name: \"web-1\" })], |x| print(\"hi\"));",
        expect![[r#"
            [1.1] hi
            [1.a_b] hi
            [1.m] hi
            [1.web-1] hi"#]],
    );
    check(
        "lanes([\"a\", \"a\"], |x| x);",
        expect![[r#"
              × two items of `lanes` are both named `a`: each lane needs a name of its own
               ╭─[main.rhai:1:1]
             1 │ lanes(["a", "a"], |x| x);
               · ─────
               ╰────"#]],
    );
}

#[test]
fn captures_are_read_only_copies() {
    check("let x = 5; output(\"v\", lanes([1, 2], |n| n + x));", expect![[r#"{"v":[6,7]}"#]]);
    check(
        "let m = nodes::create(#{ name: \"m\" });\noutput(\"v\", lanes([1, 2], |n| m.run(`x ${n}`)));",
        expect![[r#"{"v":["m: x 1","m: x 2"]}"#]],
    );
    check(
        "let x = 5;\nlanes([1, 2], |n| { x += n; x });",
        expect![[r#"
              × a lane cannot change `x`: return a value instead
               ╭─[main.rhai:2:21]
             1 │ let x = 5;
             2 │ lanes([1, 2], |n| { x += n; x });
               ·                     ─
               ╰────
              help: what a lane captures is a copy for reading; `lanes` gives the lanes' values as an array

              in lane `0` (2 of 2 lanes failed), started at main.rhai:2:1
              lane `1` failed too: a lane cannot change `x`: return a value instead"#]],
    );
    check(
        "let list = [];\nlanes([1, 2], |n| list.push(n));",
        expect![[r#"
              × a lane cannot change `list`: return a value instead
               ╭─[main.rhai:2:24]
             1 │ let list = [];
             2 │ lanes([1, 2], |n| list.push(n));
               ·                        ────
               ╰────
              help: what a lane captures is a copy for reading; `lanes` gives the lanes' values as an array

              in lane `0` (2 of 2 lanes failed), started at main.rhai:2:1
              lane `1` failed too: a lane cannot change `list`: return a value instead"#]],
    );
    check(
        "let m = #{ a: 1 };\nlanes([1, 2], |n| { m.a = n; });",
        expect![[r#"
              × a lane cannot change `m`: return a value instead
               ╭─[main.rhai:2:21]
             1 │ let m = #{ a: 1 };
             2 │ lanes([1, 2], |n| { m.a = n; });
               ·                     ─
               ╰────
              help: what a lane captures is a copy for reading; `lanes` gives the lanes' values as an array

              in lane `0` (2 of 2 lanes failed), started at main.rhai:2:1
              lane `1` failed too: a lane cannot change `m`: return a value instead"#]],
    );
    check(
        "let m = #{ a: [1] };\nlanes([1, 2], |n| { m.a.push(n); });",
        expect![[r#"
              × a lane cannot change `m`: return a value instead
               ╭─[main.rhai:2:25]
             1 │ let m = #{ a: [1] };
             2 │ lanes([1, 2], |n| { m.a.push(n); });
               ·                         ────
               ╰────
              help: what a lane captures is a copy for reading; `lanes` gives the lanes' values as an array

              in lane `0` (2 of 2 lanes failed), started at main.rhai:2:1
              lane `1` failed too: a lane cannot change `m`: return a value instead"#]],
    );
    check(
        "let x = 5; let f = || { x += 1; x };\nlanes([1, 2], |n| f.call());",
        expect![[r#"
              × a lane cannot change `x`: return a value instead
               ╭─[main.rhai:1:25]
             1 │ let x = 5; let f = || { x += 1; x };
               ·                         ─
             2 │ lanes([1, 2], |n| f.call());
               ╰────
              help: what a lane captures is a copy for reading; `lanes` gives the lanes' values as an array

              in a closure, called at main.rhai:2:21
              in lane `0` (2 of 2 lanes failed), started at main.rhai:2:1
              lane `1` failed too: a lane cannot change `x`: return a value instead"#]],
    );
    check(
        "output(\"v\", lanes([[1], [2]], |n| { let t = n; t.push(5); n.push(1); t }));",
        expect![[r#"{"v":[[1,5],[2,5]]}"#]],
    );
}

#[test]
fn failures_with_options_are_reported_per_item() {
    check(
        "let r = lanes([\"a\", \"b\"], |x| if x == \"a\" { fail(\"no\", \"try b\") } else { 1 }, #{});\nfor x in r { print(`${x.name} ${x.node} ${x.ok}`); }\nprint(r[0].error.message); print(r[0].error.hint); print(r[0].error.kind); print(r[1].value);",
        expect![[r#"
            a a false
            b b true
            no
            try b
            failed
            1"#]],
    );
    check(
        "let r = lanes([1, 2], |x| 1 + #{}, #{});\nprint(r[0].error.message); print(r[0].error.kind);",
        expect![[r#"
            `+` does not work with int and map
            script"#]],
    );
}

#[test]
fn quorum() {
    let script = |quorum: u32| {
        format!(
            "let r = lanes([1, 2, 3], |x| if x == 1 {{ fail(\"no\") }} else {{ x }}, #{{ quorum: {quorum} }});\nprint(r.len());"
        )
    };
    check(&script(2), expect!["3"]);
    check(
        &script(3),
        expect![[r#"
              × no
               ╭─[main.rhai:1:42]
             1 │ let r = lanes([1, 2, 3], |x| if x == 1 { fail("no") } else { x }, #{ quorum: 3 });
               ·                                          ────
             2 │ print(r.len());
               ╰────

              in lane `0` (2 of 3 lanes ended well, the quorum is 3), started at main.rhai:1:9"#]],
    );
}

#[test]
fn stop_starts_no_more_lanes() {
    // All lanes have started before the first fails, or not: either way each item is reported once.
    check(
        "let r = lanes([0, 1, 2, 3], |n| if n == 0 { fail(\"first\") } else { n }, #{ on_failure: \"stop\" });\nprint(r.len()); print(r[0].ok);",
        expect![[r#"
            4
            false"#]],
    );
}

#[test]
fn failures_can_be_caught_with_the_names_of_the_lanes() {
    check(
        "try { lanes([\"a\", \"b\", \"c\"], |x| if x != \"b\" { fail(`bad ${x}`) }); } catch (e) { print(e); print(e.lanes); print(e.kind); }",
        expect![[r#"
            bad a (2 of 3 lanes failed, the first is `a`)
            ["a", "c"]
            failed"#]],
    );
}

#[test]
fn nothing_swallows_a_cancel() {
    for text in [
        "wait(60)",
        "loop { let x = 1; }",
        "lanes([1, 2, 3], |n| wait(60))",
        "lanes([1, 2], |n| loop { let x = 1; })",
        "try { wait(60) } catch { wait(60) }",
        "lanes([1], |n| wait(60), #{})",
        "wait_until(|| false)",
    ] {
        let world = world();
        let cancel = world.run.cancel().clone();
        let canceller = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(30));
            cancel.set();
        });
        let error = world.run(text, &[]).unwrap_err();
        canceller.join().unwrap();
        assert_eq!(error.kind(), FailureKind::Cancelled, "{text}: {error}");
    }
}

#[test]
fn a_thousand_lanes_at_once() {
    check(
        "let items = []; for i in 0..1000 { items.push(i); }\nlet r = lanes(items, |n| { wait(0.05); n });\nprint(r.len()); print(r[999]);",
        expect![[r#"
            1000
            999"#]],
    );
}

#[test]
fn wait_until_ends_in_time_however_long_a_try_takes() {
    let text = "wait_until(|| { wait(0.2); print(\"a try\"); false }, #{ every: 0.01, timeout: 0.1 });";
    let world = world();
    assert_eq!(world.run(text, &[]).unwrap_err().kind(), FailureKind::Timeout);
    // Once, and once more when the time is up.
    assert!(world.printed().lines().count() <= 2, "{}", world.printed());
}

#[test]
fn wait_until_reads_only() {
    check("let t = now(); wait_until(|| now() > t, #{ every: 0.01 }); print(\"done\");", expect!["done"]);
    check(
        "wait_until(|| { nodes::create(#{ name: \"x\" }); true });",
        expect![[r#"
             × `nodes.create` changes something, which is not possible while waiting for a condition
              ╭─[main.rhai:1:24]
            1 │ wait_until(|| { nodes::create(#{ name: "x" }); true });
              ·                        ──────
              ╰────
             help: what is waited for is asked again and again, so it may only look: `wait_until(||
                   n.check("COMMAND"))` asks whether a command succeeds that changes nothing; do whatever
                   changes something before the wait or after it"#]],
    );
    check(
        "wait_until(|| false, #{ every: 0.01, timeout: 0.05 });",
        expect![[r#"
              × still not so after 0.05 s
               ╭─[main.rhai:1:1]
             1 │ wait_until(|| false, #{ every: 0.01, timeout: 0.05 });
               · ──────────
               ╰────
              help: give wait_until a longer `timeout`, or look at what it waits for"#]],
    );
    check(
        "wait_until(|| 1);",
        expect![[r#"
              × this is int, but must be bool
               ╭─[main.rhai:1:1]
             1 │ wait_until(|| 1);
               · ──────────
               ╰────"#]],
    );
}

#[test]
fn a_recipe_says_what_failed_lanes_mean() {
    let lanes = "lanes([1, 2, 3], |n| if n == 1 { fail(\"no\") } else { n }";
    check(&format!("policy(#{{ quorum: \"60%\" }});\noutput(\"v\", {lanes}));"), expect![[r#"{"v":[null,2,3]}"#]]);
    // A call says more than the recipe.
    check(
        &format!("policy(#{{ quorum: 1 }});\nlet r = {lanes}, #{{ quorum: \"100%\" }});"),
        expect![[r#"
         × no
          ╭─[main.rhai:2:42]
        1 │ policy(#{ quorum: 1 });
        2 │ let r = lanes([1, 2, 3], |n| if n == 1 { fail("no") } else { n }, #{ quorum: "100%" });
          ·                                          ────
          ╰────

         in lane `0` (2 of 3 lanes ended well, the quorum is 3), started at main.rhai:2:9"#]],
    );
    check(
        &format!("policy(#{{ quorum: 5 }});\nlet r = {lanes});"),
        expect![[r#"
         × no
          ╭─[main.rhai:2:42]
        1 │ policy(#{ quorum: 5 });
        2 │ let r = lanes([1, 2, 3], |n| if n == 1 { fail("no") } else { n });
          ·                                          ────
          ╰────

         in lane `0` (2 of 3 lanes ended well, the quorum is 3), started at main.rhai:2:9"#]],
    );
    check("policy(#{ on_failure: \"stop\" });\noutput(\"v\", lanes([1, 2], |n| n));", expect![[r#"{"v":[1,2]}"#]]);
    check(
        "policy(#{ on_failure: \"stop\" });\npolicy(#{ quorum: 1 });",
        expect![[r#"
         × `policy` is called twice: give all its options in one call
          ╭─[main.rhai:2:1]
        1 │ policy(#{ on_failure: "stop" });
        2 │ policy(#{ quorum: 1 });
          · ──────
          ╰────"#]],
    );
    check(
        "lanes([1], |n| policy(#{ quorum: 1 }));",
        expect![[r#"
         × `policy` is for the whole recipe: call it outside of lanes
          ╭─[main.rhai:1:16]
        1 │ lanes([1], |n| policy(#{ quorum: 1 }));
          ·                ──────
          ╰────

         in lane `0`, started at main.rhai:1:1"#]],
    );
    check(
        "policy(#{ quorum: \"most\" });",
        expect![[r#"
         × option `quorum` of policy must be a number of lanes, or a share of them such as "80%", but is
         │ "most"
          ╭─[main.rhai:1:1]
        1 │ policy(#{ quorum: "most" });
          · ──────
          ╰────"#]],
    );
    check(
        "policy(#{ qourum: 1 });",
        expect![[r#"
         × unknown option `qourum` of policy
          ╭─[main.rhai:1:1]
        1 │ policy(#{ qourum: 1 });
          · ──────
          ╰────
         help: did you mean `quorum`?"#]],
    );
}
