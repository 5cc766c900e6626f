//! How long things take on a simulated machine: what a rehearsal's estimate is made of.
//!
//! Owns: the numbers. Does not know what they are for.

/// Milliseconds, and bytes that take one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// A login: TCP, key exchange, authentication.
    pub(super) login: u64,
    /// A command of which nothing is known.
    pub(super) command: u64,
    /// A state that is as it should be, or is set by writing a few bytes.
    pub(super) state: u64,
    /// A package of the distribution with what it needs.
    pub(super) package: u64,
    /// A service that is started or restarted, until its manager has begun it.
    pub(super) service: u64,
    /// From then until it takes connections; a JVM takes so long.
    pub(super) listen: u64,
    /// A port on which nothing that is known listens counts as open after this long.
    pub(super) patience: u64,
    /// From the user's computer.
    pub(super) upload_bytes: u64,
    /// From machine to machine, and from disk to disk.
    pub(super) copy_bytes: u64,
}

impl Pace {
    /// Fitted to a Linode of 4 GB, with uploads of 5 MB a second.
    pub const LINODE: Self = Self {
        login: 150,
        command: 100,
        state: 50,
        package: 20_000,
        service: 300,
        listen: 4_000,
        patience: 10_000,
        upload_bytes: 5_000,
        copy_bytes: 100_000,
    };

    /// Fitted to machines of namespaces, whose programs are this computer's and to which nothing goes over a network.
    pub const SANDBOX: Self = Self {
        login: 20,
        command: 50,
        state: 30,
        package: 30,
        service: 100,
        listen: 2_500,
        patience: 5_000,
        upload_bytes: 100_000,
        copy_bytes: 200_000,
    };
}

impl Default for Pace {
    fn default() -> Self {
        Self::LINODE
    }
}
