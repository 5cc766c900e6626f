//! How long things take on a simulated machine: what a rehearsal's estimate is made of. Fitted to a Linode of 4 GB.
//!
//! Owns: the numbers. Does not know what they are for.

/// A login: TCP, key exchange, authentication.
pub(super) const LOGIN_MS: u64 = 150;
/// A command of which nothing is known.
pub(super) const COMMAND_MS: u64 = 100;
/// A state that is as it should be, or is set by writing a few bytes.
pub(super) const STATE_MS: u64 = 50;
/// A package of the distribution with what it needs.
pub(super) const PACKAGE_MS: u64 = 20_000;
/// A service that is started or restarted, until its manager has begun it.
pub(super) const SERVICE_MS: u64 = 300;
/// From then until it takes connections; a JVM takes so long.
pub(super) const LISTEN_MS: u64 = 4_000;
/// A port on which nothing that is known listens counts as open after this long.
pub(super) const PATIENCE_MS: u64 = 10_000;
/// From the user's computer: an upload of 5 MB a second.
pub(super) const UPLOAD_BYTES_MS: u64 = 5_000;
/// From machine to machine, and from disk to disk: 100 MB a second.
pub(super) const COPY_BYTES_MS: u64 = 100_000;
