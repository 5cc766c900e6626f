//! The script's side of the door to effects: which lane a call belongs to, where it stands, what it may use.
//!
//! Does not know any particular effect.

use super::params::Settings;
use super::policy::Policy;
use super::thrown::{Result, Stop, misuse, raise, stopped};
use super::value::Handles;
use crate::core::Failure;
use crate::runs::{Effect, Lane, Place, Run};
use rhai::NativeCallContext;
use std::any::Any;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

/// Lanes at work at once; each is a thread of about 60 KiB. What they ask of the world is limited elsewhere.
const MAX_LANES: usize = 4096;

/// What every evaluation carries: natives read it from their call's context. Modules are imported without one.
#[derive(Clone)]
pub(crate) enum Tag {
    Live {
        lane: Arc<Lane>,
        session: Arc<Session>,
    },
    /// Only the parameters are wanted.
    Describe(Arc<Session>),
}

/// What all lanes of one evaluation share.
pub(crate) struct Session {
    pub(crate) settings: Mutex<Settings>,
    pub(crate) services: Option<Arc<dyn Any + Send + Sync>>,
    pub(crate) handles: Handles,
    /// What the recipe said of failures in lanes.
    pub(crate) policy: OnceLock<Policy>,
    /// Lane threads that may still be started; the thread that calls `lanes` always works too.
    threads: AtomicUsize,
}

impl Session {
    pub(crate) fn new(settings: Settings, services: Option<Arc<dyn Any + Send + Sync>>, handles: Handles) -> Arc<Self> {
        let threads = AtomicUsize::new(MAX_LANES - 1);
        Arc::new(Self { settings: Mutex::new(settings), services, handles, policy: OnceLock::new(), threads })
    }

    /// Takes up to `wanted` thread permits.
    pub(crate) fn take_threads(&self, wanted: usize) -> usize {
        let mut taken = 0;
        let _ = self.threads.fetch_update(Ordering::AcqRel, Ordering::Acquire, |free| {
            taken = wanted.min(free);
            Some(free - taken)
        });
        taken
    }

    pub(crate) fn give_threads(&self, count: usize) {
        self.threads.fetch_add(count, Ordering::AcqRel);
    }
}

/// Performs an effect as a step of the call's lane.
///
/// # Errors
/// The effect's failure, which a script may catch; a stop, which it may not; or the refusal of effects while importing.
pub fn step<E: Effect>(call: &NativeCallContext, effect: &E) -> Result<E::Out> {
    lane_of(call)?.step(&place_of(call), effect).map_err(|error| raise(error, call))
}

/// The lane that a call belongs to.
///
/// # Errors
/// There is none while a module is imported or a recipe only tells its parameters.
pub fn lane_of(call: &NativeCallContext) -> Result<Arc<Lane>> {
    match tag_of(call)? {
        Tag::Live { lane, .. } => Ok(lane),
        Tag::Describe(_) => Err(stopped(Stop::Described, call)),
    }
}

/// The run that a call belongs to.
///
/// # Errors
/// As [`lane_of`].
pub fn run_of(call: &NativeCallContext) -> Result<Arc<Run>> {
    Ok(lane_of(call)?.run().clone())
}

/// The service object that the host was given, the toolkit.
///
/// # Errors
/// As [`lane_of`], and if the host has none of that type.
pub fn service<T: Any + Send + Sync>(call: &NativeCallContext) -> Result<Arc<T>> {
    lane_of(call)?;
    let services = session_of(call)?.services.clone();
    let service = services.and_then(|services| services.downcast::<T>().ok());
    service.ok_or_else(|| {
        super::thrown::throw(Failure::internal(format!("`{}` needs a toolkit and there is none", call.fn_name())), call)
    })
}

/// Where a call stands in the script.
pub fn place_of(call: &NativeCallContext) -> Place {
    let at = call.call_position();
    let number = |n: Option<usize>| n.and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
    Place {
        file: call.call_source().unwrap_or("line").to_owned(),
        line: number(at.line()),
        column: number(at.position()),
    }
}

pub(crate) fn session_of(call: &NativeCallContext) -> Result<Arc<Session>> {
    match tag_of(call)? {
        Tag::Live { session, .. } | Tag::Describe(session) => Ok(session),
    }
}

pub(crate) fn tag_of(call: &NativeCallContext) -> Result<Tag> {
    let tag = call.tag().and_then(|tag| tag.read_lock::<Tag>().map(|tag| tag.clone()));
    tag.ok_or_else(|| {
        misuse(
            format!(
                "`{}` cannot be used while a module is imported: call it in a function of the module",
                call.fn_name()
            ),
            call,
        )
    })
}
