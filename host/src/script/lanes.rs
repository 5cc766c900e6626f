//! `lanes(items, |item| ...)`: a closure per item, each in a lane of its own, none waiting for the others.
//!
//! A lane is a thread, since Rhai cannot suspend an evaluation. Does not know nodes: handles say their own names.

use super::detach::{detach, detach_function};
use super::engine::{LANE_STACK, Speaking};
use super::explain::{Words, explain};
use super::policy::{OnFailure, Policy};
use super::step::{Tag, lane_of, place_of, session_of};
use super::thrown::{LaneFailure, Result, Thrown, misuse, raise};
use super::value::Handles;
use crate::core::{Failure, FailureKind};
use crate::runs::{Done, Effect, Kind, StepCx, performs_again};
use rhai::{Array, Dynamic, EvalAltResult, FnPtr, ImmutableString, Map, NativeCallContext};
use serde::Serialize;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Each lane has its name in the journal; far fewer nodes are in any account.
const MOST_LANES: usize = 100_000;

/// Whether a lane starts, decided once: a resumed run leaves out the same lanes, whatever their timing is now.
#[derive(Serialize)]
struct Start {
    #[serde(skip)]
    stopped: bool,
}

impl Effect for Start {
    const OP: &'static str = "lane.start";
    const KIND: Kind = Kind::Read;
    type Out = bool;

    async fn perform(&self, _: &StepCx) -> std::result::Result<Done<bool>, Failure> {
        Ok((!self.stopped).into())
    }

    async fn reconcile(&self, _: &StepCx) -> std::result::Result<Option<Done<bool>>, Failure> {
        performs_again().await
    }
}

/// Runs all lanes. Gives their values in item order, or with options a map per item.
pub(crate) fn lanes(call: &NativeCallContext, items: Array, body: &FnPtr, options: Option<Policy>) -> Result<Array> {
    if items.len() > MOST_LANES {
        let message = format!("`lanes` was given {} items, and takes {MOST_LANES} at most", items.len());
        return Err(misuse(message, call));
    }
    let session = session_of(call)?;
    let recipe = session.policy.get().copied().unwrap_or_default();
    let policy = options.unwrap_or_default().or(recipe, items.len());
    let quorum = policy.quorum.map(|quorum| quorum.of(items.len()));
    let names = names(&items, &session.handles, call)?;
    let results = fan_out(call, &items, &names, body, policy)?;
    // A cancel or a divergence in any lane ends the whole script: no `try` may swallow it.
    let mut results: Vec<Option<Result<Dynamic>>> = results;
    for result in &mut results {
        if let Some(Err(error)) = result
            && matches!(error.unwrap_inner(), EvalAltResult::ErrorTerminated(..))
        {
            return Err(std::mem::replace(
                error,
                EvalAltResult::ErrorRuntime(Dynamic::UNIT, call.call_position()).into(),
            ));
        }
    }
    let good = results.iter().filter(|result| matches!(result, Some(Ok(_)))).count();
    let bad = results.iter().any(|result| matches!(result, Some(Err(_))));
    let failed = match quorum {
        Some(quorum) => good < quorum,
        // With options, each item tells how it came out.
        None => bad && options.is_none(),
    };
    if failed {
        return Err(failure(&names, results, good, quorum, call));
    }
    if options.is_none() {
        // A lane that the quorum can do without has no value.
        let value = |result: Option<Result<Dynamic>>| result.and_then(Result::ok).unwrap_or(Dynamic::UNIT);
        return Ok(results.into_iter().map(value).collect());
    }
    Ok(items.into_iter().zip(names).zip(results).map(|((item, name), result)| report(item, &name, result)).collect())
}

fn fan_out(
    call: &NativeCallContext,
    items: &Array,
    names: &[String],
    body: &FnPtr,
    policy: Policy,
) -> Result<Vec<Option<Result<Dynamic>>>> {
    let (lane, session) = (lane_of(call)?, session_of(call)?);
    let fan_out = lane.mark(&place_of(call), "lanes", &names).map_err(|error| raise(error, call))?;
    let total = items.len();
    let items: Vec<_> = items.iter().map(|item| Mutex::new(Some(detach(item.clone())))).collect();
    let results: Vec<Mutex<Option<Result<Dynamic>>>> = (0..total).map(|_| Mutex::new(None)).collect();
    let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (engine, global) = (call.engine(), call.global_runtime_state());
    let (name, source, at) = (call.fn_name(), call.fn_source(), call.call_position());
    let stop_on_failure = policy.on_failure == Some(OnFailure::Stop);

    let work = || {
        while let i = next.fetch_add(1, Ordering::Relaxed)
            && i < total
        {
            let Some(item) = items[i].lock().unwrap_or_else(PoisonError::into_inner).take() else { continue };
            let child = lane.child(fan_out, &names[i]);
            if stop_on_failure {
                match child.step(&place_of(call), &Start { stopped: stopped.load(Ordering::Relaxed) }) {
                    Ok(true) => {}
                    Ok(false) => continue,
                    Err(error) => {
                        *results[i].lock().unwrap_or_else(PoisonError::into_inner) = Some(Err(raise(error, call)));
                        continue;
                    }
                }
            }
            let _speaking = Speaking::lane(child.path());
            let mut global = global.clone();
            global.tag = Dynamic::from(Tag::Live { lane: child, session: session.clone() });
            global.num_operations = 0;
            let lane_call = NativeCallContext::new_with_all_fields(engine, name, source, &global, at);
            let body = detach_function(body.clone());
            let result = catch_unwind(AssertUnwindSafe(|| body.call_raw(&lane_call, None, [item])));
            let result = match result {
                Ok(Err(error)) => match *error {
                    EvalAltResult::Exit(value, _) => Ok(value), // `exit` ends this lane only
                    other => Err(other.into()),
                },
                Ok(value) => value,
                Err(panic) => Err(Thrown::from(super::evaluate::panicked(&*panic)).at(at)),
            };
            if result.is_err() && stop_on_failure {
                stopped.store(true, Ordering::Relaxed);
            }
            *results[i].lock().unwrap_or_else(PoisonError::into_inner) = Some(result.map(detach));
        }
    };
    // The caller works as well, so nested lanes never wait for a thread that never comes.
    let crew = lane.run().crew();
    let extra = session.take_threads(total.saturating_sub(1));
    std::thread::scope(|scope| {
        for i in 0..extra {
            let thread = std::thread::Builder::new().stack_size(LANE_STACK).name(format!("lane-{fan_out}.{i}"));
            let (hand, work) = (crew.hand(), &work);
            let at_work = move || {
                let _hand = hand;
                work();
            };
            if thread.spawn_scoped(scope, at_work).is_err() {
                break; // no more threads to be had: fewer work
            }
        }
        let _me = crew.me();
        work();
    });
    session.give_threads(extra);
    Ok(results.into_iter().map(|result| result.into_inner().unwrap_or_else(PoisonError::into_inner)).collect())
}

/// What the call fails with: the first failure in item order decides kind and words.
fn failure(
    names: &[String],
    results: Vec<Option<Result<Dynamic>>>,
    good: usize,
    quorum: Option<usize>,
    call: &NativeCallContext,
) -> Box<EvalAltResult> {
    let total = names.len();
    let failures = names.iter().zip(results).filter_map(|(name, result)| match result {
        Some(Err(error)) => Some(LaneFailure { lane: name.clone(), error: Arc::from(error) }),
        _ => None,
    });
    let failures: Vec<_> = failures.collect();
    let mut failure = match failures.first() {
        Some(first) => explain(&first.error, &Words::of_lane()),
        None => Failure::new(FailureKind::Failed, "no lane was started"),
    };
    let (summary, first) = match (quorum, failures.as_slice()) {
        (Some(quorum), _) => (format!("{good} of {total} lanes ended well, the quorum is {quorum}"), String::new()),
        (None, [one]) if total > 1 => (String::new(), format!("lane `{}`", one.lane)),
        (None, [first, _, ..]) => {
            (format!("{} of {total} lanes failed", failures.len()), format!(", the first is `{}`", first.lane))
        }
        _ => Default::default(),
    };
    if !summary.is_empty() || !first.is_empty() {
        failure.message = format!("{} ({summary}{first})", failure.message);
    }
    Thrown { failure: Arc::new(failure), lanes: failures.into(), summary: summary.into() }.at(call.call_position())
}

/// `#{ ok, value | error, node, name }`
fn report(item: Dynamic, name: &str, result: Option<Result<Dynamic>>) -> Dynamic {
    let mut map = Map::new();
    map.insert("ok".into(), matches!(result, Some(Ok(_))).into());
    match result {
        Some(Ok(value)) => map.insert("value".into(), value),
        Some(Err(error)) => map.insert("error".into(), Dynamic::from(as_thrown(&error))),
        None => {
            let skipped = Failure::new(FailureKind::Cancelled, "not started, because another lane failed");
            map.insert("error".into(), Dynamic::from(Thrown::from(skipped)))
        }
    };
    map.insert("node".into(), item);
    map.insert("name".into(), name.into());
    map.into()
}

fn as_thrown(error: &EvalAltResult) -> Thrown {
    if let EvalAltResult::ErrorRuntime(value, _) = error.unwrap_inner()
        && let Some(thrown) = value.read_lock::<Thrown>()
    {
        return thrown.clone();
    }
    explain(error, &Words::of_lane()).into()
}

/// A lane is named by its item, so that its place in the journal does not depend on order alone.
fn names(items: &Array, handles: &Handles, call: &NativeCallContext) -> Result<Vec<String>> {
    let mut seen = HashSet::new();
    items
        .iter()
        .enumerate()
        .map(|(i, item)| {
            let name = handles.name_of(item).or_else(|| text(item)).or_else(|| {
                let map = item.read_lock::<Map>()?;
                ["name", "label"].iter().find_map(|key| map.get(*key).and_then(text))
            });
            // A dot separates the parts of a lane's path.
            let name = name.map_or_else(|| i.to_string(), |name| name.replace('.', "_"));
            if seen.insert(name.clone()) {
                return Ok(name);
            }
            Err(misuse(
                format!("two items of `lanes` are both named `{name}`: each lane needs a name of its own"),
                call,
            ))
        })
        .collect()
}

fn text(value: &Dynamic) -> Option<String> {
    value.read_lock::<ImmutableString>().map(|text| text.to_string()).filter(|text| !text.is_empty())
}
