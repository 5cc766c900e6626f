//! `linodetool cluster gc`: what is billed and belongs to nothing, what is on record and is gone.

use super::super::confirm::Proposal;
use super::super::error::{CliError, OK};
use super::super::render::table::dollars;
use super::super::runs::undo::{lefts, names, priced};
use super::super::session::Session;
use crate::core::{Failure, FailureKind};
use crate::runs::{Place, Status};
use crate::toolkit::At;
use crate::toolkit::gc::Garbage;
use crate::toolkit::undo::Undone;
use clap::Args;
use serde_json::json;

/// Find what is billed and on no record, and records of what is gone; mend both
///
/// Only what a run of this state directory has made is destroyed. What an interrupted run still needs, what other contexts
/// have and what was made elsewhere is named and left alone.
#[derive(Args, Debug)]
pub(crate) struct GcArgs {
    /// Only show what would be destroyed and removed
    #[arg(long)]
    pub(crate) dry_run: bool,
}

impl GcArgs {
    pub(crate) fn run(&self, session: &mut Session<'_>) -> Result<u8, CliError> {
        let garbage = session.wait(session.toolkit.find_garbage())?;
        if garbage.is_empty() || self.dry_run {
            session.end_progress();
            session.out.result(&garbage, || shown(&garbage))?;
            return Ok(OK);
        }
        let proposal = proposal(&garbage);
        if session.toolkit.settings().sandbox {
            session.out.note(&proposal.text());
        }
        session.confirm(&proposal)?;
        let run = session.begin("cluster gc", None, json!({ "garbage": garbage }))?;
        let lane = run.root();
        let at = At { lane: &lane, place: &Place::default() };
        let done = match session.toolkit.collect_garbage(at, &garbage).map_err(Failure::from) {
            Ok(done) => done,
            Err(failure) => {
                session.finish(&run, Some(&failure))?;
                return Err(failure.into());
            }
        };
        session.end_progress();
        let failure = incomplete(&done, session.toolkit.program());
        failure.iter().for_each(|failure| run.set_failure(failure.clone()));
        run.finish(if failure.is_some() { Status::Incomplete } else { Status::Done })?;
        let document = json!({
            "destroyed": done.destroyed, "removed_from_inventory": done.gone, "still_there": done.refused,
            "left_alone": garbage.spared,
        });
        session.out.result(&document, || result(&garbage, &done))?;
        match failure.map(CliError::from) {
            None => Ok(OK),
            Some(error) if session.out.json() => Err(CliError::Exit(error.exit_code())),
            Some(error) => Err(error),
        }
    }
}

fn proposal(garbage: &Garbage) -> Proposal {
    let orphans = garbage.orphans.iter();
    let clusters = garbage.clusters.iter().map(|name| format!("cluster {name}, of which nothing is left"));
    Proposal {
        destroys: orphans.map(|orphan| format!("{}: made by run {}", priced(&orphan.thing), orphan.made_by)).collect(),
        forgets: garbage.lost.iter().map(|thing| format!("{}: it is gone", priced(thing))).chain(clusters).collect(),
        notes: notes(garbage),
        ..Proposal::default()
    }
}

fn notes(garbage: &Garbage) -> Vec<String> {
    let monthly: f64 = garbage.orphans.iter().filter_map(|orphan| orphan.thing.monthly).sum();
    let bill = (monthly > 0.0).then(|| format!("What is on no record costs {} a month.", dollars(monthly)));
    let all = garbage.all_lost.then(|| {
        "Nothing that is on record is on this account. If it is another one's token, say no and name the right one."
            .to_owned()
    });
    bill.into_iter().chain(all).chain(lefts("Left alone:", &garbage.spared)).collect()
}

fn shown(garbage: &Garbage) -> String {
    if !garbage.is_empty() {
        return proposal(garbage).text();
    }
    let agree = garbage.spared.is_empty();
    let mut parts =
        vec![if agree { "The account and the inventory agree." } else { "There is nothing to mend." }.to_owned()];
    parts.extend(notes(garbage));
    parts.join("\n")
}

fn result(garbage: &Garbage, done: &Undone) -> String {
    let mut parts = Vec::new();
    if !done.destroyed.is_empty() {
        parts.push(format!("Destroyed: {}", names(&done.destroyed)));
    }
    if !done.gone.is_empty() {
        parts.push(format!("Gone, and on record no more: {}", names(&done.gone)));
    }
    if !garbage.clusters.is_empty() {
        parts.push(format!("Clusters on record no more: {}", garbage.clusters.join(", ")));
    }
    parts.extend(lefts("Left alone:", &garbage.spared));
    parts.join("\n")
}

fn incomplete(done: &Undone, program: &str) -> Option<Failure> {
    let first = done.refused.first()?;
    let kind = match first.failure.kind {
        FailureKind::Cancelled => FailureKind::Unavailable,
        kind => kind,
    };
    let things: Vec<_> = done.refused.iter().map(|refused| refused.thing.clone()).collect();
    let message = format!("not mended: {} ({})", names(&things), first.failure.message);
    Some(Failure::new(kind, message).hint(format!("try again: {program} cluster gc")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toolkit::undo::Left;

    #[test]
    fn what_is_left_alone_is_no_agreement() {
        let mut garbage = Garbage::default();
        let mut told = shown(&garbage);
        garbage.spared.push(Left { what: "Linode web-1".into(), why: "run 3fa9c01b2d is at work on it".into() });
        told += "\n---\n";
        told += &shown(&garbage);
        expect_test::expect![[r#"
            The account and the inventory agree.
            ---
            There is nothing to mend.
            Left alone:
              Linode web-1: run 3fa9c01b2d is at work on it"#]]
        .assert_eq(&told);
    }
}
