//! How a finished request leaves and its answer arrives: over the network, or to an emulator in this process.
//!
//! Does not know who asks, what is secret, or whether to try again.

use crate::provider::answers::headers_of;
use crate::provider::origin::is_loopback;
use crate::provider::time::BoxFuture;
use linodetool_plugin::message::Headers;
use reqwest::{Client, NoProxy, Proxy, Request, Url};
use std::sync::{Arc, Once, OnceLock};
use std::time::Duration;

/// Some calls hang for minutes when a Linode is busy; one that has said nothing for so long is given up and reconciled.
const TIMEOUT: Duration = Duration::from_secs(90);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections kept per host: lanes create at most some dozens at once, the rest wait for limits.
const IDLE_CONNECTIONS: usize = 64;

/// The largest answer of a provider that is read; the largest real ones, pages of 500, are below 1 MiB.
const MAX_BODY: usize = 32 << 20;

/// Sends requests that are allowed, filled and limited.
pub trait Transport: Send + Sync {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Answer, NoAnswer>>;
}

/// An answer as it came.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    /// Lower-case names; repeated ones are joined.
    pub headers: Headers,
    pub bytes: Vec<u8>,
}

/// Why there is no answer. The texts name no URL, which may carry a credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// No connection came about, so nothing was asked.
    #[error("{0}")]
    NotSent(String),
    /// The other side is not who it should be, or https cannot be used here: no time heals that.
    #[error("{0}")]
    Distrusted(String),
    /// It may have had its effect.
    #[error("{0}")]
    TimedOut(String),
    /// It may have had its effect.
    #[error("{0}")]
    Lost(String),
}

/// The environment's wish for a proxy, `https_proxy` and `no_proxy`; never used for this computer itself.
#[derive(Clone, Default)]
pub struct ProxySettings {
    /// Its URL, which may hold a password.
    pub https: Option<String>,
    /// Hosts that are reached without it, separated by commas.
    pub except: Option<String>,
}

impl std::fmt::Debug for ProxySettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.https.is_some() { "ProxySettings(one)" } else { "ProxySettings(none)" })
    }
}

/// The network: one pool of connections for all providers of a process. Clones share it.
#[derive(Clone, Debug)]
pub struct HttpClients {
    proxy: ProxySettings,
    /// Made when first needed: reading this computer's certificates takes tens of milliseconds, and the sandbox needs none.
    outside: Arc<OnceLock<Result<Client, String>>>,
    local: Client,
}

impl HttpClients {
    /// # Errors
    /// If there is no client at all; that https cannot be used is only said by those who need it.
    pub fn new(proxy: ProxySettings) -> reqwest::Result<Self> {
        install_crypto();
        Ok(Self { proxy, outside: Arc::default(), local: builder().tls_certs_only([]).build()? })
    }

    fn for_url(&self, url: &Url) -> Result<&Client, NoAnswer> {
        if url.scheme() == "http" && is_loopback(url) {
            return Ok(&self.local);
        }
        let outside = self.outside.get_or_init(|| outside(&self.proxy).map_err(|why| chain(&why)));
        outside.as_ref().map_err(|why| NoAnswer::Distrusted(format!("https cannot be used on this computer: {why}")))
    }
}

impl Transport for HttpClients {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Answer, NoAnswer>> {
        Box::pin(async move {
            let client = self.for_url(request.url())?;
            let mut response = client.execute(request).await.map_err(no_answer)?;
            let (status, headers) = (response.status().as_u16(), headers_of(response.headers()));
            let mut bytes = Vec::new();
            while let Some(chunk) = response.chunk().await.map_err(no_answer)? {
                if bytes.len() + chunk.len() > MAX_BODY {
                    return Err(NoAnswer::Lost("the provider's answer is over 32 MiB".into()));
                }
                bytes.extend_from_slice(&chunk);
            }
            Ok(Answer { status, headers, bytes })
        })
    }
}

fn builder() -> reqwest::ClientBuilder {
    let here = [([127, 0, 0, 1], 0).into()];
    Client::builder()
        .user_agent(concat!("linodetool/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none()) // a redirect would leave the allow-list, and take the token along
        .no_proxy()
        .resolve_to_addrs("localhost", &here)
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .retry(reqwest::retry::never()) // ours knows what is safe to repeat
}

fn outside(proxy: &ProxySettings) -> reqwest::Result<Client> {
    let mut outside = builder();
    if let Some(url) = &proxy.https {
        let except = proxy.except.as_deref().and_then(NoProxy::from_string);
        outside = outside.proxy(Proxy::https(url)?.no_proxy(except));
    }
    outside.build()
}

/// The process's TLS arithmetic; the first one stays.
pub fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
}

fn no_answer(error: reqwest::Error) -> NoAnswer {
    let (connect, timeout) = (error.is_connect(), error.is_timeout());
    let text = chain(&error.without_url());
    match (connect, timeout) {
        (true, _) if text.contains("certificate") => NoAnswer::Distrusted(text),
        (true, _) => NoAnswer::NotSent(text),
        (false, true) => NoAnswer::TimedOut(text),
        (false, false) => NoAnswer::Lost(text),
    }
}

/// An error and all that caused it.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}
