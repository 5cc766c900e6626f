//! A recipe's present text against the journal of a run: whether it takes the same path as far as that is done.
//!
//! Does nothing and keeps nothing. Does not decide which text a run goes on with.

use super::diagnostic::{ScriptError, Spot};
use super::evaluate::{Ended, Script, describe, met};
use super::params::check;
use super::recipes::{Found, Places};
use super::{Host, explain};
use crate::core::{Events, Failure};
use crate::runs::Run;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Follows a journal with a recipe. `run` must be one that only follows ([`crate::runs::Runs::follow`]). Gives the texts
/// that were used, by path.
///
/// # Errors
/// The first step that differs, at its place in the text; or what is wrong with the text itself.
pub fn follow(
    run: &Arc<Run>,
    recipe: &Found,
    set: &[(String, String)],
    host: &Host,
) -> Result<BTreeMap<String, String>, ScriptError> {
    let params = describe(recipe, host, Some(run))?.params;
    check(&params, set).map_err(|failure| failure.hint("the recipe does not take the run's parameters any more"))?;
    // What is only gone through again is not said again.
    let host = Host { events: Events::none(), ..host.clone() };
    let script = Script::open(run, recipe.roots(&host.places), set, &host);
    let ended = script.evaluate(&recipe.path, &recipe.text);
    if let Some(difference) = run.difference() {
        let spot = spot(&difference.is_at);
        let text = spot.as_ref().and_then(|spot| script.text(&spot.file));
        return Err(ScriptError::at(explain::diverged(&difference), spot, text));
    }
    match ended {
        Ok(_) => met(run)?,
        Err(Ended::Error(error)) if !error.is_not_yet() => return Err(*error),
        Err(_) => {}
    }
    let mut texts = run.stored_sources();
    texts.insert(recipe.path.clone(), recipe.text.clone());
    Ok(texts)
}

/// `file:line:column`
fn spot(place: &str) -> Option<Spot> {
    let mut parts = place.rsplitn(3, ':');
    let (column, line) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Some(Spot { file: parts.next()?.to_owned(), line, column })
}

/// Which of a run's texts are others by now, or gone.
pub fn changed_since(texts: &BTreeMap<String, String>, recipe: &str, places: &Places) -> Vec<String> {
    let now = super::find_recipe(recipe, places).ok();
    let text_now = |path: &str| -> Result<String, Failure> {
        match &now {
            Some(found) if path == recipe => Ok(found.text.clone()),
            Some(found) => found.roots(places).read(path),
            None => Err(Failure::not_found(path)),
        }
    };
    let differs = |(path, text): &(&String, &String)| text_now(path).ok().as_ref() != Some(*text);
    texts.iter().filter(differs).map(|(path, _)| path.clone()).collect()
}
