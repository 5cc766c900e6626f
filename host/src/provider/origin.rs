//! Where requests may go and what they may carry there. Compared by parsed parts, never as text.

use crate::core::Secret;
use linodetool_plugin::Manifest;
use reqwest::Url;
use std::net::IpAddr;

/// A token and the one place it is for.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The token goes to URLs at or below this one.
    pub origin: Url,
    pub token: Secret<String>,
}

/// What the host decides about a provider's origin when it opens a plugin.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// In place of all URLs of the manifest: the sandbox, a mirror. Never chosen by a recipe or a plugin.
    pub base_url: Option<Url>,
    pub credential: Option<Credential>,
}

/// An origin that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    #[error("plugin {plugin} names no base URL in its manifest and none is configured; set one for this provider")]
    None { plugin: String },
    #[error("{url} is not a URL that plugin {plugin} can use: {why}")]
    Unparsable { plugin: String, url: String, why: String },
    #[error("{url} is neither https nor on this computer; a token must not travel in clear: use https")]
    Clear { url: String },
}

impl Origin {
    /// The URLs that requests may go to; the first is the one that holds.
    pub(crate) fn allowed(&self, manifest: &Manifest) -> Result<Vec<Url>, OriginError> {
        let plugin = &manifest.name;
        let urls = match &self.base_url {
            Some(url) => vec![url.clone()],
            None => manifest.base_urls.iter().map(|text| parse(plugin, text)).collect::<Result<_, _>>()?,
        };
        if urls.is_empty() {
            return Err(OriginError::None { plugin: plugin.clone() });
        }
        for url in &urls {
            if !is_guarded(url) {
                return Err(OriginError::Clear { url: url.to_string() });
            }
        }
        Ok(urls)
    }
}

impl Credential {
    /// Whether the token may go to this URL.
    pub(crate) fn is_for(&self, url: &Url) -> bool {
        is_guarded(url) && lies_under(&self.origin, url)
    }
}

fn parse(plugin: &str, text: &str) -> Result<Url, OriginError> {
    let unparsable = |why: &str| OriginError::Unparsable { plugin: plugin.into(), url: text.into(), why: why.into() };
    let url = Url::parse(text).map_err(|why| unparsable(&why.to_string()))?;
    if url.host_str().is_none() || url.query().is_some() || url.fragment().is_some() {
        return Err(unparsable("it needs a host, and neither query nor fragment"));
    }
    Ok(url)
}

/// https, or http to this computer.
pub(crate) fn is_guarded(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url))
}

/// Addresses of this computer, and `localhost`, which the client resolves itself and never asks a name server for.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Same scheme, host and port, and the same path or one below it, by whole segments.
pub(crate) fn lies_under(base: &Url, url: &Url) -> bool {
    let base_path = base.path().trim_end_matches('/');
    let same_place = base.scheme() == url.scheme()
        && base.host_str() == url.host_str()
        && base.port_or_known_default() == url.port_or_known_default();
    let no_user = url.username().is_empty() && url.password().is_none();
    let below = url.path().strip_prefix(base_path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    // A server may decode these into further segments after we have compared.
    let path = url.path().to_ascii_lowercase();
    let no_trick = !path.contains("%2f") && !path.contains("%5c") && !path.contains("%2e");
    same_place && no_user && below && no_trick
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn urls_are_compared_by_parts() {
        let base = Url::parse("https://api.linode.com/v4").unwrap();
        let under = |url: &str| lies_under(&base, &Url::parse(url).unwrap());
        for url in ["https://api.linode.com/v4/regions?page=1", "https://API.linode.com:443/v4"] {
            assert!(under(url), "{url}");
        }
        for url in [
            "https://api.linode.com.evil.org/v4",
            "https://api.linode.com@evil.org/v4",
            "https://api.linode.com/v4x",
            "https://api.linode.com/v4/../v5",
            "https://api.linode.com/v4/%2e%2e/v5",
            "http://api.linode.com/v4",
            "https://u:p@api.linode.com/v4",
            "https://api.linode.com:8443/v4",
            "https://api.linode.com/v4/..%2fv5",
            "https://api.linode.com/v4/..%5cv5",
        ] {
            assert!(!under(url), "{url}");
        }
    }

    #[test]
    fn only_this_computer_may_be_spoken_to_in_clear() {
        for (url, guarded) in [
            ("https://api.linode.com/v4", true),
            ("http://api.linode.com/v4", false),
            ("http://127.0.0.1:80/v4", true),
            ("http://[::1]:80/v4", true),
            ("http://localhost/v4", true),
            ("http://localhost.evil.org/v4", false),
            ("http://127.0.0.1.evil.org/v4", false),
            ("ftp://127.0.0.1/", false),
        ] {
            assert_eq!(is_guarded(&Url::parse(url).unwrap()), guarded, "{url}");
        }
    }

    #[test]
    fn a_token_goes_to_its_own_origin_alone() {
        let credential =
            Credential { origin: Url::parse("https://api.linode.com/").unwrap(), token: Secret::new("hush".into()) };
        assert!(credential.is_for(&Url::parse("https://api.linode.com/v4beta/x").unwrap()));
        assert!(!credential.is_for(&Url::parse("https://evil.org/v4").unwrap()));
        assert!(!format!("{credential:?}").contains("hush"));
    }

    #[test]
    fn origins_that_cannot_be_used_say_why() {
        let says = |urls: &[&str]| {
            let base_urls = urls.iter().map(|url| (*url).to_owned()).collect();
            let manifest = Manifest { name: "acme".into(), base_urls, ..Manifest::default() };
            Origin::default().allowed(&manifest).unwrap_err().to_string()
        };
        expect!["plugin acme names no base URL in its manifest and none is configured; set one for this provider"]
            .assert_eq(&says(&[]));
        expect![
            "http://acme.example/ is neither https nor on this computer; a token must not travel in clear: use https"
        ]
        .assert_eq(&says(&["http://acme.example/"]));
        expect!["acme is not a URL that plugin acme can use: relative URL without a base"].assert_eq(&says(&["acme"]));
    }
}
