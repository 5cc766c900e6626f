//! The emulated API, asked as a client asks: request in, status and body out.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop, also in its helpers")]

#[path = "api/support.rs"]
mod support;

#[path = "api/access.rs"]
mod access;
#[path = "api/disks.rs"]
mod disks;
#[path = "api/faults.rs"]
mod faults;
#[path = "api/firewalls.rs"]
mod firewalls;
#[path = "api/instances.rs"]
mod instances;
#[path = "api/lists.rs"]
mod lists;
#[path = "api/power.rs"]
mod power;
#[path = "api/scripts.rs"]
mod scripts;
#[path = "api/server.rs"]
mod server;
#[path = "api/v3/batches.rs"]
mod v3_batches;
#[path = "api/v3/linodes.rs"]
mod v3_linodes;
#[path = "api/v3/parts.rs"]
mod v3_parts;
#[path = "api/v3/services.rs"]
mod v3_services;
