//! Progress as plain lines, for logs and pipes: one line a stage when it ends.

use crate::core::Event;
use crate::core::events::Ending;
use std::collections::HashMap;
use std::time::Duration;

/// A stage that takes longer than this is mentioned while it lasts; each next time after twice as long.
const PATIENCE: Duration = Duration::from_secs(30);

/// Turns events into lines. The time is the caller's: what has passed since the start.
#[derive(Debug, Default)]
pub(crate) struct Plain {
    verbose: u8,
    /// Start, and when it is next mentioned.
    open: HashMap<(String, String), (Duration, Duration)>,
}

impl Plain {
    pub(crate) fn new(verbose: u8) -> Self {
        Self { verbose, ..Self::default() }
    }

    /// The line to show for an event, if it is worth one.
    pub(crate) fn line(&mut self, event: &Event, now: Duration) -> Option<String> {
        match event {
            Event::RunStarted { run, title } => Some(format!("run {run}: {title}")),
            Event::Stage { node, stage } => {
                self.open.insert((node.clone(), stage.clone()), (now, now + PATIENCE));
                None
            }
            Event::StageDone { node, stage, ending } => {
                let took = self.close(node, stage, now);
                Some(format!("[{node}] {stage} ... {}{took}", word_of(*ending)))
            }
            Event::StageFailed { node, stage, message } => {
                let took = self.close(node, stage, now);
                Some(format!("[{node}] {stage} ... failed{took}: {message}"))
            }
            Event::Printed { .. } | Event::Note { .. } => text_of(event),
            Event::Output { .. } | Event::OutputSet { .. } => (self.verbose > 0).then(|| text_of(event)).flatten(),
        }
    }

    /// Lines for stages that take long, in the order of their start.
    pub(crate) fn still_running(&mut self, now: Duration) -> Vec<String> {
        let mut late: Vec<_> = self.open.iter_mut().filter(|(_, (_, next))| *next <= now).collect();
        late.sort_by(|a, b| (a.1.0, a.0).cmp(&(b.1.0, b.0)));
        late.into_iter()
            .map(|((node, stage), (start, next))| {
                let age = now.saturating_sub(*start);
                *next = now + age.max(PATIENCE);
                format!("[{node}] {stage} ... still going on ({})", seconds(age))
            })
            .collect()
    }

    fn close(&mut self, node: &str, stage: &str, now: Duration) -> String {
        let start = self.open.remove(&(node.to_owned(), stage.to_owned()));
        start.map_or_else(String::new, |(start, _)| format!(" ({})", seconds(now.saturating_sub(start))))
    }
}

/// How a stage ended, in a word.
pub(crate) fn word_of(ending: Ending) -> &'static str {
    match ending {
        Ending::Changed => "ok",
        Ending::Unchanged => "unchanged",
        Ending::Waited => "ready",
    }
}

/// What events that are a text of their own say, alike on the board and in plain lines.
pub(crate) fn text_of(event: &Event) -> Option<String> {
    match event {
        Event::Printed { lane, text } if lane.is_empty() => Some(text.clone()),
        Event::Printed { lane, text } => Some(prefixed(&format!("[{lane}] "), text)),
        Event::Output { node, line } => Some(prefixed(&format!("[{node}] | "), line)),
        Event::Note { text } => Some(format!("note: {text}")),
        Event::OutputSet { name, value } => Some(format!("output {name} = {value}")),
        _ => None,
    }
}

fn prefixed(prefix: &str, text: &str) -> String {
    text.lines().map(|line| format!("{prefix}{line}")).collect::<Vec<_>>().join("\n")
}

/// The same in round numbers, `26 s`: of what is only estimated.
pub(crate) fn rounded(time: Duration) -> String {
    match time.as_secs() {
        0..10 => seconds(time),
        10..60 => format!("{} s", (time + Duration::from_millis(500)).as_secs()),
        _ => seconds(time + Duration::from_millis(500)),
    }
}

/// `1.2 s`, `3 min 20 s`.
pub(crate) fn seconds(time: Duration) -> String {
    match time.as_secs() {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        s if s < 3600 => format!("{} min {} s", s / 60, s % 60),
        s => format!("{} h {} min", s / 3600, s / 60 % 60),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    /// `(tenths of a second, event)`
    pub(crate) fn events() -> Vec<(u64, Event)> {
        let stage = |node: &str, stage: &str| Event::Stage { node: node.into(), stage: stage.into() };
        let done =
            |node: &str, stage: &str, ending| Event::StageDone { node: node.into(), stage: stage.into(), ending };
        vec![
            (0, Event::RunStarted { run: "3fa9c01b2d".into(), title: "recipes/hadoop.rhai".into() }),
            (1, stage("hadoop-master-1", "create")),
            (1, stage("hadoop-worker-1", "create")),
            (5, done("hadoop-master-1", "create", Ending::Changed)),
            (6, done("hadoop-worker-1", "create", Ending::Changed)),
            (6, stage("hadoop-worker-1", "boot")),
            (6, done("hadoop-worker-1", "boot", Ending::Waited)),
            (6, stage("hadoop-worker-1", "package java")),
            (7, stage("hadoop-master-1", "package java")),
            (9, Event::Printed { lane: "hadoop-worker-1".into(), text: "one\ntwo".into() }),
            (9, Event::Printed { lane: String::new(), text: "hello".into() }),
            (18, done("hadoop-worker-1", "package java", Ending::Unchanged)),
            (19, Event::Output { node: "hadoop-master-1".into(), line: "Reading package lists".into() }),
            (20, Event::Note { text: "the create limit holds the run back for 12 s".into() }),
            (
                731,
                Event::StageFailed {
                    node: "hadoop-master-1".into(),
                    stage: "package java".into(),
                    message: "no room on the disk".into(),
                },
            ),
            (732, Event::OutputSet { name: "words".into(), value: 12.into() }),
        ]
    }

    fn check(verbose: u8, expected: &Expect) {
        let mut plain = Plain::new(verbose);
        let mut lines = Vec::new();
        for (tenths, event) in events() {
            let now = Duration::from_millis(tenths * 100);
            lines.extend(plain.still_running(now));
            lines.extend(plain.line(&event, now));
        }
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn a_stage_is_one_line_when_it_ends() {
        check(
            0,
            &expect![[r#"
            run 3fa9c01b2d: recipes/hadoop.rhai
            [hadoop-master-1] create ... ok (0.4 s)
            [hadoop-worker-1] create ... ok (0.5 s)
            [hadoop-worker-1] boot ... ready (0.0 s)
            [hadoop-worker-1] one
            [hadoop-worker-1] two
            hello
            [hadoop-worker-1] package java ... unchanged (1.2 s)
            note: the create limit holds the run back for 12 s
            [hadoop-master-1] package java ... still going on (1 min 12 s)
            [hadoop-master-1] package java ... failed (1 min 12 s): no room on the disk"#]],
        );
        check(
            1,
            &expect![[r#"
            run 3fa9c01b2d: recipes/hadoop.rhai
            [hadoop-master-1] create ... ok (0.4 s)
            [hadoop-worker-1] create ... ok (0.5 s)
            [hadoop-worker-1] boot ... ready (0.0 s)
            [hadoop-worker-1] one
            [hadoop-worker-1] two
            hello
            [hadoop-worker-1] package java ... unchanged (1.2 s)
            [hadoop-master-1] | Reading package lists
            note: the create limit holds the run back for 12 s
            [hadoop-master-1] package java ... still going on (1 min 12 s)
            [hadoop-master-1] package java ... failed (1 min 12 s): no room on the disk
            output words = 12"#]],
        );
    }

    #[test]
    fn a_long_stage_is_mentioned_less_and_less_often() {
        let mut plain = Plain::default();
        plain.line(&Event::Stage { node: "web-1".into(), stage: "boot".into() }, Duration::ZERO);
        let said: Vec<_> = (0..600).flat_map(|s| plain.still_running(Duration::from_secs(s))).collect();
        expect![[r#"
            [web-1] boot ... still going on (30.0 s)
            [web-1] boot ... still going on (1 min 0 s)
            [web-1] boot ... still going on (2 min 0 s)
            [web-1] boot ... still going on (4 min 0 s)
            [web-1] boot ... still going on (8 min 0 s)"#]]
        .assert_eq(&said.join("\n"));
    }

    #[test]
    fn times_are_short() {
        assert_eq!(
            [0, 1_249, 59_900, 200_000, 7_320_000].map(|ms| seconds(Duration::from_millis(ms))),
            ["0.0 s", "1.2 s", "59.9 s", "3 min 20 s", "2 h 2 min"]
        );
    }
}
