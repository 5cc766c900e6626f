//! The effective settings: read-only for recipes.

/// Settings of this process, decided at the top from flags, environment and files.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Scopes everything stored.
    pub context: String,
    /// Name of the provider, `linode-v4`.
    pub provider: String,
    /// Whether the provider is the sandbox's emulator.
    pub sandbox: bool,
}
