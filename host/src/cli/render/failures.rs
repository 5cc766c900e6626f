//! The steps of a run that failed, for people: at its end and in `runs show`.

use crate::runs::FailedStep;

/// More are counted; `runs show --json` has them all.
const STEPS: usize = 20;
/// Of what a failed command wrote last.
const LINES: usize = 5;

/// `2 steps failed:`, then each with its node, operation, error and last output.
pub(crate) fn listing(steps: &[FailedStep]) -> String {
    let count = if steps.len() == 1 { "1 step".to_owned() } else { format!("{} steps", steps.len()) };
    let mut lines = vec![format!("{count} failed:")];
    for step in steps.iter().take(STEPS) {
        let node = step.failure.node.as_deref().map_or_else(String::new, |node| format!("{node}: "));
        let attempt = if step.attempt > 1 { format!(", attempt {}", step.attempt) } else { String::new() };
        let place = if step.place.is_empty() { String::new() } else { format!(", {}", step.place) };
        lines.push(format!("  {node}{} (step {}{attempt}{place})", step.op, step.step));
        lines.push(format!("    {}", step.failure.message.replace('\n', "\n    ")));
        let output: Vec<_> = step.failure.output.iter().flat_map(|output| output.trim_end().lines()).collect();
        lines.extend(output[output.len().saturating_sub(LINES)..].iter().map(|line| format!("    | {line}")));
    }
    if steps.len() > STEPS {
        lines.push(format!("  and {} more", steps.len() - STEPS));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{Failure, FailureKind};

    fn step(node: Option<&str>, output: Option<&str>, attempt: u32) -> FailedStep {
        let message = "`make` ended with exit code 2";
        let failure = Failure { output: output.map(str::to_owned), ..Failure::new(FailureKind::Command, message) };
        FailedStep {
            step: "1.web-2.0".into(),
            op: "node.run".into(),
            attempt,
            place: "web.rhai:7:12".into(),
            failure: Failure { node: node.map(str::to_owned), ..failure },
        }
    }

    #[test]
    fn each_step_says_where_what_and_why() {
        let output = "1\n2\n3\n4\n5\nmake: *** no rule\n";
        expect_test::expect![[r#"
            2 steps failed:
              web-2: node.run (step 1.web-2.0, web.rhai:7:12)
                `make` ended with exit code 2
                | 2
                | 3
                | 4
                | 5
                | make: *** no rule
              node.run (step 1.web-2.0, attempt 3, web.rhai:7:12)
                `make` ended with exit code 2"#]]
        .assert_eq(&listing(&[step(Some("web-2"), Some(output), 1), step(None, None, 3)]));
        expect_test::expect!["  and 2 more"].assert_eq(listing(&vec![step(None, None, 1); 22]).lines().last().unwrap());
    }

    #[test]
    fn a_program_finds_the_same() {
        expect_test::expect![[r#"
            {
              "step": "1.web-2.0",
              "op": "node.run",
              "attempt": 2,
              "place": "web.rhai:7:12",
              "kind": "command",
              "message": "`make` ended with exit code 2",
              "node": "web-2",
              "output": "why"
            }"#]]
        .assert_eq(&serde_json::to_string_pretty(&step(Some("web-2"), Some("why"), 2)).unwrap());
    }
}
