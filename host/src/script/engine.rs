//! The Rhai engine of one evaluation: packages, limits, cancellation. Its lanes share it by reference.
//!
//! No clock, random numbers, environment or files: what a script sees is its text, its parameters and its steps.

use super::metadata::Index;
use super::resolver::Imports;
use super::step::Tag;
use super::thrown::Stop;
use super::value::{HandleTypes, Handles};
use super::{Register, modules, thrown};
use crate::core::{Cancel, Event, Events, Failure};
use rhai::packages::{
    ArithmeticPackage, BasicArrayPackage, BasicBlobPackage, BasicFnPackage, BasicIteratorPackage, BasicMapPackage,
    BasicMathPackage, BasicStringPackage, BitFieldPackage, LanguageCorePackage, LogicPackage, MoreStringPackage,
    Package,
};
use rhai::{Dynamic, Engine, Token};
use std::cell::{Cell, RefCell};
use std::sync::Once;

/// Enough for all call levels at the allowed depth of expressions, with room; only touched pages cost memory.
pub(crate) const LANE_STACK: usize = if cfg!(debug_assertions) { 64 << 20 } else { 8 << 20 };

/// Levels of calls that a script may nest.
pub(crate) const MAX_CALLS: usize = 64;

/// Replayed steps count as well, so this is far above what a recipe needs; it ends an endless loop.
const MAX_OPERATIONS: u64 = 50_000_000;

thread_local! {
    /// `on_print` gets no call context, so the thread says whose line it is. Nothing else may depend on it.
    static SPEAKER: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Lines printed by this thread until this is dropped come from that lane.
pub(crate) struct Speaking;

impl Speaking {
    pub(crate) fn lane(path: &str) -> Self {
        SPEAKER.with_borrow_mut(|speakers| speakers.push(path.to_owned()));
        Self
    }
}

impl Drop for Speaking {
    fn drop(&mut self) {
        SPEAKER.with_borrow_mut(Vec::pop);
    }
}

thread_local! {
    /// The token before was `::`. A thread reads one text at a time.
    static AFTER_COLONS: Cell<bool> = const { Cell::new(false) };
}

/// Lets a namespace have a function of a reserved name, `api::call`: after `::` it cannot mean anything else.
fn name_after_colons(engine: &mut Engine) {
    #[expect(deprecated, reason = "only marked as one that may change")]
    engine.on_parse_token(|token, _, _| {
        let after = AFTER_COLONS.replace(token == Token::DoubleColon);
        match token {
            Token::Reserved(name) if after && *name == "call" => Token::Identifier(name),
            other => other,
        }
    });
}

/// An engine with all functions registered, but without a lane yet.
pub(crate) fn build(registers: &[Register]) -> (Engine, Handles) {
    fix_hashing();
    let mut engine = Engine::new_raw();
    // The standard packages without the one for time: no clock exists, not even behind Fn("timestamp").
    for package in [
        LanguageCorePackage::new().as_shared_module(),
        ArithmeticPackage::new().as_shared_module(),
        BasicStringPackage::new().as_shared_module(),
        BasicIteratorPackage::new().as_shared_module(),
        BasicFnPackage::new().as_shared_module(),
        LogicPackage::new().as_shared_module(),
        BasicMathPackage::new().as_shared_module(),
        BasicArrayPackage::new().as_shared_module(),
        BasicBlobPackage::new().as_shared_module(),
        BasicMapPackage::new().as_shared_module(),
        BitFieldPackage::new().as_shared_module(),
        MoreStringPackage::new().as_shared_module(),
    ] {
        engine.register_global_module(package);
    }
    engine.disable_symbol("eval");
    name_after_colons(&mut engine);
    engine
        .set_strict_variables(true)
        .set_fail_on_invalid_map_property(true)
        // Never `Full`: that calls registered functions with constant arguments while it compiles.
        .set_optimization_level(rhai::OptimizationLevel::Simple)
        .set_max_call_levels(MAX_CALLS)
        .set_max_expr_depths(128, 64)
        .set_max_operations(MAX_OPERATIONS)
        .set_max_string_size(16 << 20)
        .set_max_array_size(1_000_000)
        .set_max_map_size(100_000)
        .set_max_modules(64)
        .set_max_variables(10_000);
    let mut types = HandleTypes::default();
    thrown::register(&mut engine);
    modules::register(&mut engine);
    for register in registers {
        register(&mut engine, &mut types);
    }
    (engine, types.done())
}

/// Gives the engine its evaluation: whose lane, from where modules come, who listens, what stops it.
pub(crate) fn attach(engine: &mut Engine, tag: Tag, imports: Imports, events: Events, cancel: Cancel) {
    engine.set_module_resolver(imports);
    engine.on_progress(move |_| cancel.is_set().then(|| Dynamic::from(Stop::Cancelled)));
    let silent = matches!(tag, Tag::Describe(_));
    let say = move |text: &str| {
        if !silent {
            let lane = SPEAKER.with_borrow(|speakers| speakers.last().cloned().unwrap_or_default());
            events.send(Event::Printed { lane, text: text.to_owned() });
        }
    };
    let debug = say.clone();
    engine.on_print(say);
    engine.on_debug(move |text, source, at| {
        debug(&format!("{}:{}: {text}", source.unwrap_or("line"), at.line().unwrap_or(0)));
    });
    engine.set_default_tag(Dynamic::from(tag));
}

/// The functions of an engine with these modules: for help, completion, the reference and the tests of examples.
pub fn index(registers: &[Register]) -> Result<Index, Failure> {
    Index::of(&build(registers).0)
}

/// Names of closures come from a hash; with a fixed seed they are the same when a run is resumed.
pub(crate) fn fix_hashing() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that a seed was set before, by whoever embeds us.
        let _ = rhai::config::hashing::set_hashing_seed(Some([0x6c69, 0x6e6f, 0x6465, 0x746f]));
    });
}
