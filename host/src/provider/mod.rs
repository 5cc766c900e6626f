//! Providers as the rest of the host sees them: typed calls, waiting, limits, and the HTTP that plugins ask for.
//!
//! Owns: the calling interface, credentials and their binding, redaction, retries, rate limits, the poller.
//! Does not know how a plugin is loaded or stepped (`plugin_host` implements [`Calls`]), nor runs, nodes or scripts.

mod answers;
mod calls;
mod fill;
mod http;
mod limits;
mod origin;
mod registry;
mod request;
mod retry;
mod ring;
mod secrets;
mod time;
mod transport;
mod waits;

pub use calls::{Calls, Client, Provider};
pub use http::{Exchange, HttpDesk, HttpParts, Recorder};
pub use limits::{Governor, GovernorSettings, Holdup, OnHoldup};
pub(crate) use origin::is_guarded;
pub use origin::{Credential, Origin, OriginError};
pub use registry::{Opener, Registry};
pub use retry::RetryPolicy;
pub use secrets::Secrets;
pub use time::{BoxFuture, RealTime, Time};
pub use transport::{Answer, HttpClients, NoAnswer, ProxySettings, Transport, install_crypto};
pub use waits::{Pace, Wait, Waits};
