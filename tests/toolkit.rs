//! The Toolkit's services against an emulator in this process whose machines are simulated: all that needs no SSH.
#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

#[path = "toolkit/adopt.rs"]
mod adopt;
#[path = "toolkit/firewalls.rs"]
mod firewalls;
#[path = "toolkit/gc.rs"]
mod gc;
#[path = "toolkit/lost.rs"]
mod lost;
#[path = "toolkit/nodes.rs"]
mod nodes;
#[path = "toolkit/small.rs"]
mod small;
#[path = "toolkit/support.rs"]
mod support;
#[path = "toolkit/undo.rs"]
mod undo;
