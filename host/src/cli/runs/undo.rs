//! `linodetool runs undo`: takes back what a run made.

use super::super::confirm::Proposal;
use super::super::error::{CliError, OK};
use super::super::render::table::dollars;
use super::super::session::Session;
use crate::core::clock::utc;
use crate::core::{Failure, RunId};
use crate::runs::{Place, Status};
use crate::toolkit::At;
use crate::toolkit::resources::Thing;
use crate::toolkit::undo::{Left, UndoPlan, Undone, incomplete};
use clap::Args;
use serde_json::{Value, json};

/// Destroy what a run made, newest first
///
/// Left alone, and listed with the reason, is what was there before the run, what a later run changed, and a node on which a
/// later run ran a command or wrote a file; with such a node stay the firewall that guards it and the record of its cluster.
/// What cannot be taken back, such as a command on a node that stays, is listed too. While it is not known whether a create
/// took effect, the undo ends as incomplete; it is simply begun again, as is one that was cut short.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linodetool runs undo last --dry-run
  linodetool runs undo 3fa9c01b2d")]
pub(crate) struct UndoArgs {
    /// The run's id, its first letters, or `last`
    pub(crate) run: String,
    /// Only show what would be destroyed
    #[arg(long)]
    pub(crate) dry_run: bool,
}

impl UndoArgs {
    pub(crate) fn run(&self, session: &mut Session<'_>) -> Result<u8, CliError> {
        let runs = session.toolkit.runs();
        let id = runs.find(&self.run)?;
        // In another account nothing of it is found, and that would look as if it were gone.
        session.wait(session.toolkit.check_account(&runs.stored(&id)?))?;
        // From here on nobody resumes it.
        let held = runs.hold(&id)?;
        let plan = session.wait(session.toolkit.undo_plan(&id))?;
        let nothing = plan.is_empty() && (!plan.made || plan.stays || held.status() == Status::Undone);
        if self.dry_run || nothing {
            session.end_progress();
            session.out.result(&document(&id, &plan, None), || shown(&id, &plan))?;
            return Ok(OK);
        }
        let proposal = proposal(&plan);
        if session.toolkit.settings().sandbox {
            session.out.note(&proposal.text());
        }
        session.confirm(&proposal)?;
        let run = session.begin(&format!("runs undo {id}"), None, json!({ "run": id, "plan": plan }))?;
        let lane = run.root();
        let outcome = session.toolkit.undo(At { lane: &lane, place: &Place::default() }, &plan).map_err(Failure::from);
        let undone = match outcome {
            Ok(undone) => undone,
            Err(failure) => {
                session.finish(&run, Some(&failure))?;
                return Err(failure.into());
            }
        };
        session.end_progress();
        let document = document(&id, &plan, Some(&undone));
        if undone.is_complete() {
            run.finish(Status::Done)?;
            held.undone_by(run.id())?;
            session.out.result(&document, || result(&id, &plan, &undone))?;
            return Ok(OK);
        }
        let failure = incomplete(&id, &undone);
        run.set_failure(failure.clone());
        run.finish(Status::Incomplete)?;
        let error = CliError::from(failure);
        session.out.result(&document, || result(&id, &plan, &undone))?;
        if session.out.json() { Err(CliError::Exit(error.exit_code())) } else { Err(error) }
    }
}

fn proposal(plan: &UndoPlan) -> Proposal {
    let doubts = plan
        .doubts
        .iter()
        .map(|doubt| format!("{} {}, if it appears: the answer of its create is lost", doubt.kind, doubt.name));
    let clusters = plan.clusters.iter().map(|name| format!("the record of cluster {name}"));
    Proposal {
        destroys: plan.destroy.iter().map(priced).chain(doubts).chain(clusters).collect(),
        notes: notes(plan),
        ..Proposal::default()
    }
}

/// `Linode web-1 (us-east, g6-nanode-1, id 123), $5.00 a month`
pub(crate) fn priced(thing: &Thing) -> String {
    let price = thing.monthly.map(|monthly| format!(", {} a month", dollars(monthly)));
    format!("{}{}", thing.described(), price.unwrap_or_default())
}

fn notes(plan: &UndoPlan) -> Vec<String> {
    let all = [("Left alone:", &plan.kept), ("Cannot be undone:", &plan.beyond)];
    all.into_iter().filter_map(|(title, left)| lefts(title, left)).collect()
}

/// A paragraph of what stays as it is; none if nothing does.
pub(crate) fn lefts(title: &str, left: &[Left]) -> Option<String> {
    let lines: String = left.iter().map(|left| format!("\n  {}: {}", left.what, left.why)).collect();
    (!left.is_empty()).then(|| format!("{title}{lines}"))
}

/// `Linode web-1, firewall lt-c`
pub(crate) fn names(things: &[Thing]) -> String {
    things.iter().map(|thing| format!("{} {}", thing.kind, thing.label)).collect::<Vec<_>>().join(", ")
}

/// Without a question: for a plan that does nothing, and for one that shall not be carried out.
fn shown(id: &RunId, plan: &UndoPlan) -> String {
    if !plan.is_empty() {
        return proposal(plan).text();
    }
    let mut parts = vec![match plan.stays {
        true => format!("Nothing that run {id} made is destroyed."),
        false => format!("Nothing that run {id} made is left."),
    }];
    parts.extend(notes(plan));
    parts.join("\n")
}

fn result(id: &RunId, plan: &UndoPlan, undone: &Undone) -> String {
    let mut parts = Vec::new();
    if undone.is_complete() {
        parts.push(format!("Run {id} is undone."));
    }
    if !undone.destroyed.is_empty() {
        parts.push(format!("Destroyed: {}", names(&undone.destroyed)));
    }
    if !undone.gone.is_empty() {
        parts.push(format!("Gone already: {}", names(&undone.gone)));
    }
    for doubt in &undone.doubts {
        let when = utc(doubt.until_ms);
        parts.push(format!("In doubt: {} {}, which may still appear until {when}", doubt.kind, doubt.name));
    }
    parts.extend(notes(plan));
    parts.join("\n")
}

fn document(id: &RunId, plan: &UndoPlan, undone: Option<&Undone>) -> Value {
    let mut document = json!({ "run": id, "left_alone": plan.kept, "cannot_be_undone": plan.beyond });
    match undone {
        None => {
            document["would_destroy"] = json!(plan.destroy);
            document["in_doubt"] = json!(plan.doubts);
        }
        Some(undone) => {
            document["complete"] = json!(undone.is_complete());
            document["destroyed"] = json!(undone.destroyed);
            document["gone_already"] = json!(undone.gone);
            document["still_there"] = json!(undone.refused);
            document["in_doubt"] = json!(undone.doubts);
        }
    }
    document
}
