//! The live board: a line per node with its stage and the time it takes, fitted to the terminal.
//!
//! Pure: events and the time in, text out. `progress.rs` draws it.

use super::plain::seconds;
use crate::core::Event;
use crate::core::events::Ending;
use std::collections::HashMap;
use std::time::Duration;

/// What every node is doing.
#[derive(Debug, Default)]
pub(crate) struct Board {
    title: String,
    /// How long all is thought to take.
    estimate: Option<Duration>,
    nodes: Vec<Node>,
    index: HashMap<String, usize>,
}

#[derive(Debug, Default)]
struct Node {
    name: String,
    /// Stages going on, oldest first.
    open: Vec<(String, Duration)>,
    /// How its latest stage ended.
    last: Option<Ended>,
    done: usize,
    changed: usize,
}

#[derive(Debug)]
struct Ended {
    stage: String,
    failed: Option<String>,
}

impl Board {
    /// Takes note of an event.
    pub(crate) fn note(&mut self, event: &Event, now: Duration) {
        match event {
            Event::RunStarted { run, title } => self.title = format!("run {run}: {title}"),
            Event::Stage { node, stage } => self.node(node).open.push((stage.clone(), now)),
            Event::StageDone { node, stage, ending } => {
                let node = self.node(node);
                node.end(stage, None);
                node.done += 1;
                node.changed += usize::from(*ending == Ending::Changed);
            }
            Event::StageFailed { node, stage, message } => self.node(node).end(stage, Some(message.clone())),
            Event::Printed { .. } | Event::Output { .. } | Event::Note { .. } | Event::OutputSet { .. } => {}
        }
    }

    /// From now on it shows how long all is thought to take.
    pub(crate) fn estimate(&mut self, time: Duration) {
        self.estimate = Some(time);
    }

    /// The board for a terminal of this size: at most `height` lines, none wider than `width`.
    ///
    /// Where not all nodes fit, failed ones come first, then those at work; the rest is counted.
    pub(crate) fn text(&self, now: Duration, width: usize, height: usize, color: bool) -> String {
        let mut lines = Vec::new();
        if !self.title.is_empty() {
            let of = self.estimate.map_or_else(String::new, |estimate| format!(" of about {}", seconds(estimate)));
            lines.push(cut(&format!("{} ({}{of})", self.title, seconds(now)), width));
        }
        let room = height.saturating_sub(lines.len()).max(1);
        let mut shown: Vec<_> = self.nodes.iter().enumerate().collect();
        if shown.len() > room {
            shown.sort_by_key(|(place, node)| (node.rank(), *place));
            shown.truncate(room.saturating_sub(1));
            shown.sort_by_key(|(place, _)| *place);
        }
        let name_width = self.nodes.iter().map(|node| node.name.chars().count()).max().unwrap_or(0);
        lines.extend(shown.iter().map(|(_, node)| node.line(now, name_width, width, color)));
        if shown.len() < self.nodes.len() {
            lines.push(cut(&self.counted(shown.len()), width));
        }
        lines.join("\n")
    }

    fn counted(&self, shown: usize) -> String {
        let count = |wanted: fn(&Node) -> bool| self.nodes.iter().filter(|node| wanted(node)).count();
        let (failed, busy) = (count(Node::failed), count(|n| !n.failed() && !n.open.is_empty()));
        let all = self.nodes.len();
        format!("  and {} more; of {all}: {busy} at work, {failed} failed", all - shown)
    }

    fn node(&mut self, name: &str) -> &mut Node {
        let place = *self.index.entry(name.to_owned()).or_insert_with(|| {
            self.nodes.push(Node { name: name.to_owned(), ..Node::default() });
            self.nodes.len() - 1
        });
        &mut self.nodes[place]
    }
}

impl Node {
    fn end(&mut self, stage: &str, failed: Option<String>) {
        if let Some(place) = self.open.iter().position(|(open, _)| open == stage) {
            self.open.remove(place);
        }
        self.last = Some(Ended { stage: stage.to_owned(), failed });
    }

    fn failed(&self) -> bool {
        self.open.is_empty() && self.last.as_ref().is_some_and(|last| last.failed.is_some())
    }

    fn rank(&self) -> u8 {
        match (self.failed(), self.open.is_empty()) {
            (true, _) => 0,
            (_, false) => 1,
            _ => 2,
        }
    }

    fn line(&self, now: Duration, name_width: usize, width: usize, color: bool) -> String {
        let (mark, paint, what) = match (self.open.last(), &self.last) {
            (Some((stage, start)), _) => ('>', "36", format!("{stage} ... {}", seconds(now.saturating_sub(*start)))),
            (None, Some(Ended { failed: Some(message), stage })) => ('x', "31", format!("{stage} failed: {message}")),
            (None, Some(_)) => ('+', "32", format!("{} done, {} changed", self.done, self.changed)),
            (None, None) => (' ', "0", String::new()),
        };
        let line = cut(&format!("{mark} {:<name_width$}  {what}", self.name), width);
        match (color, line.strip_prefix(mark)) {
            (true, Some(rest)) => format!("\x1b[{paint}m{mark}\x1b[0m{rest}"),
            _ => line,
        }
    }
}

/// At most that many characters, without the control characters that a message may bring along.
fn cut(text: &str, width: usize) -> String {
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let line: String = clean.clone().take(width).collect();
    if clean.count() > width && width > 3 {
        format!("{}...", line.chars().take(width - 3).collect::<String>())
    } else {
        line
    }
}

#[cfg(test)]
mod tests {
    use super::super::plain::tests::events;
    use super::*;
    use expect_test::expect;

    fn board(until: u64) -> Board {
        let mut board = Board::default();
        for (tenths, event) in events().iter().filter(|(tenths, _)| *tenths <= until) {
            board.note(event, Duration::from_millis(tenths * 100));
        }
        board
    }

    #[test]
    fn every_node_has_a_line() {
        let at = |tenths: u64| board(tenths).text(Duration::from_millis(tenths * 100), 80, 24, false);
        expect![[r#"
            run 3fa9c01b2d: recipes/hadoop.rhai (1.0 s)
            > hadoop-master-1  package java ... 0.3 s
            > hadoop-worker-1  package java ... 0.4 s"#]]
        .assert_eq(&at(10));
        expect![[r#"
            run 3fa9c01b2d: recipes/hadoop.rhai (1 min 20 s)
            x hadoop-master-1  package java failed: no room on the disk
            + hadoop-worker-1  3 done, 1 changed"#]]
        .assert_eq(&at(800));
        let mut estimated = board(10);
        estimated.estimate(Duration::from_secs(360));
        let text = estimated.text(Duration::from_secs(130), 80, 24, false);
        expect!["run 3fa9c01b2d: recipes/hadoop.rhai (2 min 10 s of about 6 min 0 s)"]
            .assert_eq(text.lines().next().unwrap());
        assert!(board(800).text(Duration::ZERO, 80, 24, true).contains("\x1b[31mx\x1b[0m hadoop-master-1"));
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let mut board = Board::default();
        for n in 0..100 {
            let (node, stage) = (format!("n{n}"), "boot".to_owned());
            board.note(&Event::Stage { node: node.clone(), stage: stage.clone() }, Duration::ZERO);
            if n % 2 == 0 {
                board.note(&Event::StageDone { node, stage, ending: Ending::Changed }, Duration::ZERO);
            } else if n == 77 {
                board.note(
                    &Event::StageFailed { node, stage, message: "a long message\nin two lines".into() },
                    Duration::ZERO,
                );
            }
        }
        expect![[r#"
            > n1   boot ... 3.0 s
            > n3   boot ... 3.0 s
            > n5   boot ... 3.0 s
            > n7   boot ... 3.0 s
            x n77  boot failed: a long ...
              and 95 more; of 100: 49 a..."#]]
        .assert_eq(&board.text(Duration::from_secs(3), 30, 6, false));
    }
}
