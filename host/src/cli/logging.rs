//! The log of what happens below: on stderr, for `-vv` and for the sandbox's server.
//!
//! Owns the filter. Secrets are kept out by those who log.

use super::environment::Environment;
use tracing_subscriber::EnvFilter;

/// Begins to log. `LINODETOOL_LOG` overrides the level, in the form of `RUST_LOG`.
pub(crate) fn start(env: &Environment, level: &str) {
    let text = env.var("LINODETOOL_LOG").unwrap_or(level);
    let filter = EnvFilter::try_new(text).or_else(|_| EnvFilter::try_new(level)).unwrap_or_default();
    // A second start in one process changes nothing, which is fine.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(std::io::stderr).try_init();
}
