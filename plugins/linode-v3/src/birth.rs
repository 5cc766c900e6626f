//! A Linode comes into being: the call that API v3 gives no label and that costs money from then on, until the Linode has
//! its label and mark, by which it is found again; and its end when something goes wrong later.
//!
//! One at a time in this plugin, between a list of all Linodes before and the mark: when the answer is lost, the one new
//! Linode that is as it was asked for, and has neither label nor group of anybody's, is it. Does not know what is put into it.

use crate::LinodeV3;
use crate::action::Action;
use crate::data::Row;
use crate::group;
use crate::instances::removal;
use linodetool_plugin::{Cx, ErrorKind, Level, ProviderError, Result, Retry};
use std::collections::HashSet;

/// Pauses between looks for what a create without an answer has made, and between tries to destroy what is half made.
const PAUSES_MS: [u64; 5] = [1_000, 2_000, 4_000, 8_000, 15_000];

/// Between `linode.create` and `linode.update` of any process, with much to spare.
const NAMED_MS: u64 = 3_000;

/// A Linode to be.
pub(crate) struct Wanted<'a> {
    /// `linode.create` or `linode.clone`.
    pub(crate) action: Action,
    pub(crate) label: &'a str,
    pub(crate) tags: &'a [String],
    pub(crate) datacenter: u64,
    pub(crate) plan: u64,
    /// What was there before an earlier try, if there was one.
    pub(crate) earlier: Option<HashSet<u64>>,
}

/// A Linode that is being made, and the group that says so.
#[derive(Clone, Debug)]
pub(crate) struct Begun {
    pub(crate) id: u64,
    mark: String,
}

/// Makes it and marks it as being made.
pub(crate) async fn begin(v3: &LinodeV3, cx: &Cx, wanted: &Wanted<'_>) -> Result<Begun> {
    let mark = group::unfinished(&group::join(wanted.tags)?);
    let _one_is_made = v3.births.hold().await;
    let there = v3.api.call(cx, Action::new("linode.list")).await?.rows();
    settle_debts(v3, cx, &there).await;
    make_room(v3, cx, wanted, &there).await?;
    let earlier = match &wanted.earlier {
        Some(before) if !new_ones(&there, wanted, before).is_empty() => {
            unnamed(v3, cx, wanted, before, "an earlier try got no answer").await?
        }
        _ => None,
    };
    let id = match earlier {
        Some(id) => id,
        None => {
            let before = there.iter().map(|row| row.whole("linodeid")).collect();
            match v3.api.call(cx, wanted.action.clone()).await.and_then(|data| data.row().id("linodeid")) {
                Ok(id) => id,
                Err(error) if error.is_ambiguous() => find(v3, cx, wanted, &before, error).await?,
                Err(error) => return Err(error),
            }
        }
    };
    let begun = Begun { id, mark };
    let update = Action::new("linode.update").id("LinodeID", id).text("Label", wanted.label);
    match v3.api.call(cx, update.text("lpm_displayGroup", &begun.mark)).await {
        Ok(_) => Ok(begun),
        Err(error) => Err(undo(v3, cx, begun, error).await),
    }
}

/// Destroys what could not be destroyed when its making failed, unless somebody else has taken it up meanwhile.
async fn settle_debts(v3: &LinodeV3, cx: &Cx, there: &[Row]) {
    let debts = v3.left.borrow().clone();
    for debt in debts {
        let row = there.iter().find(|row| row.whole("linodeid") == debt.id);
        let still_ours = row.is_some_and(|row| is_bare(row) || row.text("lpm_displaygroup") == debt.mark);
        if !still_ours || remove(v3, cx, debt.id).await.is_ok() {
            v3.left.borrow_mut().retain(|other| other.id != debt.id);
        }
    }
}

/// A label is given once. What an earlier try with one of our tags has left half made under it is removed.
async fn make_room(v3: &LinodeV3, cx: &Cx, wanted: &Wanted<'_>, there: &[Row]) -> Result<()> {
    let same = |row: &&Row| !wanted.label.is_empty() && row.text("label").eq_ignore_ascii_case(wanted.label);
    let Some(row) = there.iter().find(same) else {
        return Ok(());
    };
    let (id, (tags, being_made)) = (row.id("linodeid")?, group::split(&row.text("lpm_displaygroup")));
    if being_made && tags.iter().any(|tag| wanted.tags.contains(tag)) {
        cx.progress(format!("removing Linode {id}, which an earlier try has left half made"));
        return remove(v3, cx, id).await;
    }
    let message = match being_made {
        true => format!("Linode {id} has this label: it is being made by somebody else, or was left half made"),
        false => format!("Linode {id} has this label: labels must be unique"),
    };
    let error = ProviderError::new(ErrorKind::Conflict, message);
    Err(ProviderError { field: Some("label".to_owned()), retry: Some(Retry::Never), ..error })
}

/// What a create without an answer has made.
async fn find(v3: &LinodeV3, cx: &Cx, wanted: &Wanted<'_>, before: &HashSet<u64>, error: ProviderError) -> Result<u64> {
    for pause in PAUSES_MS {
        cx.sleep_ms(pause).await;
        match unnamed(v3, cx, wanted, before, &error.message).await {
            Ok(Some(id)) => {
                cx.log(Level::Warn, format!("the answer of {} was lost: Linode {id} is it", wanted.action.name()));
                return Ok(id);
            }
            Err(several) if several.kind == ErrorKind::Conflict => return Err(several),
            Ok(None) | Err(_) => {}
        }
    }
    let message = format!("{error}; no new Linode has shown since");
    Err(ProviderError { message, ..error })
}

/// The one new Linode that stays without name: what another process makes has one a moment later.
async fn unnamed(v3: &LinodeV3, cx: &Cx, wanted: &Wanted<'_>, before: &HashSet<u64>, why: &str) -> Result<Option<u64>> {
    let list = || v3.api.call(cx, Action::new("linode.list"));
    let seen = new_ones(&list().await?.rows(), wanted, before);
    if seen.is_empty() {
        return Ok(None);
    }
    cx.sleep_ms(NAMED_MS).await;
    let mut still = new_ones(&list().await?.rows(), wanted, before);
    still.retain(|id| seen.contains(id));
    only(why, &still)
}

/// New, as it was asked for, and nobody has named it.
fn new_ones(there: &[Row], wanted: &Wanted<'_>, before: &HashSet<u64>) -> Vec<u64> {
    let is_it = |row: &&Row| {
        let id = row.whole("linodeid");
        id > 0
            && !before.contains(&id)
            && row.whole("datacenterid") == wanted.datacenter
            && row.whole("planid") == wanted.plan
            && is_bare(row)
    };
    there.iter().filter(is_it).map(|row| row.whole("linodeid")).collect()
}

/// As `linode.create` leaves it: it has never run, and has neither label nor group of anybody's.
fn is_bare(row: &Row) -> bool {
    matches!(row.signed("status"), Some(-1 | 0))
        && row.text("label").eq_ignore_ascii_case(&format!("linode{}", row.whole("linodeid")))
        && row.text("lpm_displaygroup").is_empty()
}

/// More than one, and a person must say.
fn only(why: &str, ids: &[u64]) -> Result<Option<u64>> {
    if ids.len() < 2 {
        return Ok(ids.first().copied());
    }
    let ids = ids.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    let message = format!("{why}; one of Linodes {ids} may be it: delete those that nobody wants");
    Err(ProviderError { retry: Some(Retry::Never), ..ProviderError::new(ErrorKind::Conflict, message) })
}

/// Destroys what is half made, and what is to be said then.
pub(crate) async fn undo(v3: &LinodeV3, cx: &Cx, begun: Begun, error: ProviderError) -> ProviderError {
    let id = begun.id;
    cx.progress(format!("removing Linode {id}, which cannot be made whole: {error}"));
    match remove(v3, cx, id).await {
        // Nothing is left, so nobody has to look for it: the same call may be made again.
        Ok(()) if error.is_ambiguous() => {
            let message = format!("{error}; what was made so far, Linode {id}, is deleted again");
            ProviderError { message, retry: Some(Retry::Backoff), ..ProviderError::new(ErrorKind::Busy, "") }
        }
        Ok(()) => error,
        Err(left) => {
            v3.left.borrow_mut().push(begun);
            let message =
                format!("{}; Linode {id} is left half made and costs money: delete it ({left})", error.message);
            ProviderError { message, ..error }
        }
    }
}

async fn remove(v3: &LinodeV3, cx: &Cx, id: u64) -> Result<()> {
    let mut pauses = PAUSES_MS.iter();
    loop {
        let error = match v3.api.call(cx, removal(id)).await {
            Ok(_) => return Ok(()),
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(()),
            Err(error) => error,
        };
        let passes = error.is_ambiguous() || matches!(error.retry, Some(Retry::Backoff | Retry::AfterMs(_)));
        let Some(&pause) = pauses.next().filter(|_| passes) else { return Err(error) };
        cx.sleep_ms(pause).await;
    }
}
