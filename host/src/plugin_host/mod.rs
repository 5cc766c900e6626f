//! Plugins: found, judged, loaded, opened, stepped.
//!
//! Owns the C border (all unsafe code of the host is in `ffi.rs`), the thread of each instance and its watchdog.
//! Does not know operations, accounts or Linode; HTTP is done by `provider`, whose calling interface this implements.

mod discovery;
mod elf;
mod ffi;
mod instance;
mod io;
mod keeper;
mod plugins;
mod trust;
mod watchdog;

pub use discovery::{Found, Place};
pub use ffi::{LoadError, PluginFile};
pub use instance::Limits;
pub use keeper::Keeper;
pub use plugins::{Dirs, Opening, PluginError, PluginInfo, Plugins};
pub use trust::{Installed, InstalledError, Protection, Untrusted};
