//! The question before something that costs or destroys.
//!
//! Owns the wording and the answer. Does not know how costs are found.

use super::output::Output;
use super::render::progress::Aside;
use super::render::rehearsal::question;
use super::render::table::{Table, dollars};
use crate::core::{Cancel, Failure, FailureKind};
use crate::rehearsal::{Made, Rehearsal};
use crate::toolkit::plan::PlannedNode;
use crate::toolkit::{Confirm, Plan};
use std::collections::HashMap;
use std::io::BufRead;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What is about to happen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Proposal {
    pub(crate) provider: String,
    pub(crate) creates: Vec<NewNode>,
    /// What will be gone for good, each in a few words: `node web-1 (us-east, 198.51.100.7)`.
    pub(crate) destroys: Vec<String>,
    /// What will be on record no more.
    pub(crate) forgets: Vec<String>,
    /// What else to know before the answer, a paragraph each.
    pub(crate) notes: Vec<String>,
}

/// A node to be made, with its price.
#[derive(Clone, Debug)]
pub(crate) struct NewNode {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) region: String,
    pub(crate) hourly: f64,
    pub(crate) monthly: f64,
}

impl Proposal {
    /// The proposal for people.
    pub(crate) fn text(&self) -> String {
        let mut parts = Vec::new();
        if !self.creates.is_empty() {
            let mut table = Table::new(["NODE", "TYPE", "REGION", "AN HOUR", "A MONTH"]);
            for node in &self.creates {
                table.row([
                    node.name.clone(),
                    node.kind.clone(),
                    node.region.clone(),
                    dollars(node.hourly),
                    dollars(node.monthly),
                ]);
            }
            let sum = |of: fn(&NewNode) -> f64| dollars(self.creates.iter().map(of).sum());
            parts.push(format!(
                "To be created on {}:\n{}\n{}: {} an hour, {} a month, until deleted",
                self.provider,
                table.plain(),
                nodes(self.creates.len()),
                sum(|n| n.hourly),
                sum(|n| n.monthly),
            ));
        }
        if !self.destroys.is_empty() {
            parts.push(format!("To be destroyed, with all data on it:\n  {}", self.destroys.join("\n  ")));
        }
        if !self.forgets.is_empty() {
            parts.push(format!("To be removed from the inventory:\n  {}", self.forgets.join("\n  ")));
        }
        parts.extend_from_slice(&self.notes);
        parts.join("\n")
    }
}

fn nodes(count: usize) -> String {
    if count == 1 { "1 node".to_owned() } else { format!("{count} nodes") }
}

/// Where answers come from: a line at a time, none at the end.
pub(crate) type Answers<'a> = &'a mut dyn FnMut() -> Result<Option<String>, Failure>;

/// Asks unless `yes`.
///
/// # Errors
/// `Declined` if the answer is no, or if there is no terminal to ask on.
pub(crate) fn confirm(out: &Output, proposal: &Proposal, yes: bool, answers: Answers<'_>) -> Result<(), Failure> {
    if proposal.creates.is_empty() && proposal.destroys.is_empty() && proposal.forgets.is_empty() {
        return Ok(());
    }
    ask(out, &proposal.text(), yes, answers)
}

/// The same about any text.
fn ask(out: &Output, text: &str, yes: bool, answers: Answers<'_>) -> Result<(), Failure> {
    if yes {
        out.note(text);
        return Ok(());
    }
    out.error(text);
    if !out.can_ask() {
        return Err(Failure::new(
            FailureKind::Declined,
            "this has to be confirmed, and there is no terminal to ask on",
        )
        .hint("look at what is proposed, then add --yes; nothing was done"));
    }
    // A person may mistype; somebody who never answers clearly is taken to mean no.
    for _ in 0..3 {
        out.prompt("Go on? [y/N] ");
        match answers()?.as_deref().map(str::trim).map(str::to_lowercase).as_deref() {
            Some("y" | "yes") => return Ok(()),
            Some("n" | "no" | "") | None => break,
            Some(_) => out.error("Please answer yes or no."),
        }
    }
    Err(Failure::new(FailureKind::Declined, "not confirmed; nothing was done"))
}

/// A line from the terminal. Ctrl-C ends the wait; the thread that reads ends with the process.
pub(crate) fn line_of_terminal(cancel: &Cancel) -> Result<Option<String>, Failure> {
    /// How often a Ctrl-C is looked for: faster than a person notices.
    const GLANCE: Duration = Duration::from_millis(20);
    let (sender, lines) = channel();
    let read = move || {
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        let _ = sender.send(read.ok().filter(|bytes| *bytes > 0).map(|_| line));
    };
    let thread = std::thread::Builder::new().name("answer".into()).spawn(read);
    thread.map_err(|e| Failure::new(FailureKind::Local, format!("the terminal cannot be read: {e}")))?;
    loop {
        match lines.recv_timeout(GLANCE) {
            Ok(line) => return Ok(line),
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
            Err(RecvTimeoutError::Timeout) if cancel.is_set() => {
                return Err(Failure::new(FailureKind::Cancelled, "interrupted; nothing was done"));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// Asks on the terminal what the Toolkit wants to know before it makes nodes.
pub(crate) struct Asker {
    pub(crate) out: Output,
    pub(crate) provider: String,
    pub(crate) yes: bool,
    /// Puts the board out of the way while somebody is asked.
    pub(crate) aside: Aside,
    pub(crate) cancel: Cancel,
    pub(crate) outlook: Mutex<Outlook>,
}

/// What is known beforehand of what will be asked.
#[derive(Clone, Debug, Default)]
pub(crate) enum Outlook {
    /// A command asks about what it destroys before it begins.
    #[default]
    Command,
    /// A recipe that could not be rehearsed.
    Unknown,
    /// A rehearsed recipe, and whether its rehearsal was agreed to.
    Rehearsed { rehearsal: Box<Rehearsal>, agreed: bool },
}

impl Asker {
    /// What a recipe is about to do is known, or not.
    pub(crate) fn expect(&self, rehearsal: Option<&Rehearsal>) {
        *self.outlook() = match rehearsal {
            Some(rehearsal) => Outlook::Rehearsed { rehearsal: Box::new(rehearsal.clone()), agreed: false },
            None => Outlook::Unknown,
        };
    }

    /// It is a recipe that is about to go on, whatever is known of it.
    pub(crate) fn expect_recipe(&self) {
        let mut outlook = self.outlook();
        if matches!(*outlook, Outlook::Command) {
            *outlook = Outlook::Unknown;
        }
    }

    /// Held while somebody is asked: lanes ask one after the other.
    fn outlook(&self) -> MutexGuard<'_, Outlook> {
        self.outlook.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, text: &str) -> Result<(), Failure> {
        self.aside.run(|| ask(&self.out, text, self.yes, &mut || line_of_terminal(&self.cancel)))
    }

    /// Asks about the whole rehearsal if it was to be expected, and about this alone, again, if not.
    fn ask_about(&self, is_shown: impl Fn(&Rehearsal) -> bool, alone: &Proposal) -> Result<(), Failure> {
        let mut outlook = self.outlook();
        match &mut *outlook {
            Outlook::Rehearsed { rehearsal, agreed } if is_shown(rehearsal) => {
                if !*agreed {
                    self.ask(&question(rehearsal, &self.provider))?;
                    *agreed = true;
                }
                Ok(())
            }
            Outlook::Rehearsed { .. } => {
                self.ask(&format!("This is not in what was expected beforehand.\n{}", alone.text()))
            }
            Outlook::Unknown | Outlook::Command => self.ask(&alone.text()),
        }
    }
}

impl Confirm for Asker {
    fn destroy(&self, name: &str, what: &str) -> Result<(), Failure> {
        if matches!(*self.outlook(), Outlook::Command) {
            return Ok(());
        }
        let alone = Proposal { destroys: vec![what.to_owned()], ..Proposal::default() };
        self.ask_about(
            |rehearsal| {
                let passing = rehearsal.passing.iter().map(|made| &made.name);
                rehearsal.destroy.iter().map(|gone| &gone.name).chain(passing).any(|gone| gone == name)
            },
            &alone,
        )
    }

    fn confirm(&self, plan: &Plan) -> Result<(), Failure> {
        let creates = plan.create.iter().map(|node| NewNode {
            name: node.name.clone(),
            kind: node.type_id.clone(),
            region: node.region.clone(),
            hourly: node.hourly,
            monthly: node.monthly,
        });
        let proposal = Proposal { provider: self.provider.clone(), creates: creates.collect(), ..Proposal::default() };
        let as_shown = |node: &PlannedNode, shown: &Made| {
            let (is, was) = ((&node.name, &node.type_id, &node.region), (&shown.name, &shown.type_id, &shown.region));
            is == was && node.hourly <= shown.hourly + 1e-9
        };
        let is_shown = |rehearsal: &Rehearsal| {
            let mut shown: HashMap<_, Vec<_>> = HashMap::new();
            for made in rehearsal.create.iter().chain(&rehearsal.passing) {
                shown.entry(made.name.as_str()).or_default().push(made);
            }
            let is_one = |node: &PlannedNode| {
                shown.get(node.name.as_str()).is_some_and(|all| all.iter().any(|one| as_shown(node, one)))
            };
            plan.create.iter().all(is_one)
        };
        self.ask_about(is_shown, &proposal)
    }
}

#[cfg(test)]
mod tests {
    use super::super::args::Globals;
    use super::super::render::progress::Progress;
    use super::*;
    use crate::toolkit::plan::PlannedNode;
    use expect_test::expect;

    fn proposal() -> Proposal {
        let node = |name: &str| NewNode {
            name: name.into(),
            kind: "g6-standard-2".into(),
            region: "us-east".into(),
            hourly: 0.036,
            monthly: 24.0,
        };
        Proposal {
            provider: "linode-v4".into(),
            creates: vec![node("hadoop-master-1"), node("hadoop-worker-1")],
            destroys: vec!["node web-1 (us-east, 198.51.100.7)".into()],
            forgets: vec!["node web-3: it is gone".into()],
            notes: vec!["Left alone:\n  node web-2: it was there before".into()],
        }
    }

    fn ask(out: &Output, yes: bool, answer: &str) -> Result<(), String> {
        let mut lines = answer.split_inclusive('\n').map(str::to_owned);
        confirm(out, &proposal(), yes, &mut || Ok(lines.next())).map_err(|f| f.message)
    }

    #[test]
    fn the_proposal_shows_what_it_costs_and_destroys() {
        expect![[r#"
            To be created on linode-v4:
            NODE             TYPE           REGION   AN HOUR  A MONTH
            hadoop-master-1  g6-standard-2  us-east  $0.0360  $24.00
            hadoop-worker-1  g6-standard-2  us-east  $0.0360  $24.00
            2 nodes: $0.0720 an hour, $48.00 a month, until deleted
            To be destroyed, with all data on it:
              node web-1 (us-east, 198.51.100.7)
            To be removed from the inventory:
              node web-3: it is gone
            Left alone:
              node web-2: it was there before"#]]
        .assert_eq(&proposal().text());
    }

    #[test]
    fn without_a_terminal_only_yes_goes_on() {
        let out = Output::plain(&Globals { quiet: true, ..Globals::default() });
        assert_eq!(ask(&out, true, ""), Ok(()));
        expect!["this has to be confirmed, and there is no terminal to ask on"]
            .assert_eq(&ask(&out, false, "y\n").unwrap_err());
        let nothing = Proposal::default();
        assert!(confirm(&out, &nothing, false, &mut || Ok(None)).is_ok());
    }

    #[test]
    fn the_toolkit_gets_the_answer_of_whoever_is_there() {
        let out = Output::plain(&Globals { quiet: true, ..Globals::default() });
        let progress = Progress::start(&out);
        let node = PlannedNode {
            name: "web-1".into(),
            region: "us-east".into(),
            type_id: "g6-nanode-1".into(),
            image: "linode/debian12".into(),
            hourly: 0.0075,
            monthly: 5.0,
        };
        let plan = Plan { title: "node web-1".into(), create: vec![node], ..Plan::default() };
        let mut asker = Asker {
            out,
            provider: "linode-v4".into(),
            yes: false,
            aside: progress.aside(),
            cancel: Cancel::default(),
            outlook: Mutex::default(),
        };
        assert_eq!(asker.confirm(&plan).unwrap_err().kind, FailureKind::Declined);
        // A command has asked already.
        asker.destroy("web-0", "node web-0").unwrap();
        asker.expect(None);
        assert_eq!(asker.destroy("web-0", "node web-0").unwrap_err().kind, FailureKind::Declined);
        asker.yes = true;
        asker.confirm(&plan).unwrap();
    }

    /// What was agreed to is not asked about again; more than that is.
    #[test]
    fn a_rehearsal_is_agreed_to_once() {
        let out = Output::plain(&Globals { quiet: true, ..Globals::default() });
        let progress = Progress::start(&out);
        let made = |name: &str| Made {
            kind: "linode".into(),
            name: name.into(),
            type_id: "g6-nanode-1".into(),
            region: "us-east".into(),
            hourly: 0.0075,
            ..Made::default()
        };
        let rehearsal = Rehearsal { create: vec![made("web-1"), made("web-2")], ..Rehearsal::default() };
        let agreed = Outlook::Rehearsed { rehearsal: Box::new(rehearsal), agreed: true };
        let asker = Asker {
            out,
            provider: "linode-v4".into(),
            yes: false,
            aside: progress.aside(),
            cancel: Cancel::default(),
            outlook: Mutex::new(agreed),
        };
        let plan = |name: &str, hourly: f64| {
            let (region, type_id) = ("us-east".into(), "g6-nanode-1".into());
            let node = PlannedNode { name: name.into(), region, type_id, hourly, ..PlannedNode::default() };
            asker.confirm(&Plan { create: vec![node], ..Plan::default() }).map_err(|failure| failure.kind)
        };
        assert_eq!(plan("web-1", 0.0075), Ok(()));
        assert_eq!(plan("web-2", 0.0075), Ok(()));
        assert_eq!(plan("web-2", 0.009), Err(FailureKind::Declined), "a higher price");
        assert_eq!(plan("web-3", 0.0075), Err(FailureKind::Declined), "one more");
        assert_eq!(asker.destroy("db-1", "node db-1").unwrap_err().kind, FailureKind::Declined);
    }

    #[test]
    fn on_a_terminal_the_answer_decides() {
        let out = Output::asking();
        assert_eq!(ask(&out, false, "Yes\n"), Ok(()));
        assert_eq!(ask(&out, false, "maybe\ny\n"), Ok(()));
        for no in ["n\n", "\n", "", "a\nb\nc\ny\n"] {
            assert_eq!(ask(&out, false, no).unwrap_err(), "not confirmed; nothing was done", "{no:?}");
        }
    }
}
