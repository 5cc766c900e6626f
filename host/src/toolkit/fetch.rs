//! Downloading to this computer, with a digest that must match.

use sha2::{Digest, Sha512};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use crate::core::ids::hex;
use crate::core::{Failure, FailureKind};
use crate::toolkit::packing::{Packed, describe};

/// 128 hexadecimal digits, in lower case.
pub(crate) fn checked_sha512(text: &str) -> Result<String, Failure> {
    let text = text.trim().to_ascii_lowercase();
    if text.len() == 128 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(text);
    }
    Err(Failure::usage("a SHA-512 has 128 hexadecimal digits")
        .field("sha512")
        .hint("take it from where the archive is published"))
}

/// The digest in a file of any of the usual forms: `sha512sum`'s, BSD's, GnuPG's in groups over several lines.
pub(crate) fn digest_in(text: &str) -> Option<String> {
    let words = text.split(|c: char| c.is_whitespace() || c == '=' || c == ':');
    if let Some(whole) = words.clone().find_map(|word| checked_sha512(word).ok()) {
        return Some(whole);
    }
    let groups: String = words.filter(|w| w.len() >= 4 && w.bytes().all(|b| b.is_ascii_hexdigit())).collect();
    checked_sha512(&groups).ok()
}

pub(crate) async fn published_sha512(url: &str) -> Result<String, Failure> {
    let text = get(url).await?.text().await.map_err(|e| failed(url, &e))?;
    digest_in(&text).ok_or_else(|| Failure::new(FailureKind::Invalid, format!("{url} holds no SHA-512")))
}

/// Downloads into a folder under the digest's name, unless it is there.
pub(crate) async fn download(url: &str, sha512: &str, folder: &Path) -> Result<Packed, Failure> {
    let target = folder.join(&sha512[..32]);
    if target.exists() {
        return describe(&target);
    }
    let local =
        |e: &std::io::Error| Failure::new(FailureKind::Local, format!("cannot write {}: {e}", target.display()));
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|e| local(&e))?;
    let mut part = tempfile::NamedTempFile::new_in(folder).map_err(|e| local(&e))?;
    let mut digest = Sha512::new();
    let mut answer = get(url).await?;
    while let Some(chunk) = answer.chunk().await.map_err(|e| failed(url, &e))? {
        digest.update(&chunk);
        part.write_all(&chunk).map_err(|e| local(&e))?;
    }
    let found = hex(&digest.finalize());
    if found != sha512 {
        let message =
            format!("{url} is not what was asked for: SHA-512 {}... instead of {}...", &found[..16], &sha512[..16]);
        return Err(
            Failure::new(FailureKind::Invalid, message).hint("try again, or look at the digest where it is published")
        );
    }
    part.as_file().sync_all().map_err(|e| local(&e))?;
    part.persist(&target).map_err(|e| local(&e.error))?;
    describe(&target)
}

async fn get(url: &str) -> Result<reqwest::Response, Failure> {
    crate::provider::install_crypto();
    let client =
        reqwest::Client::builder().connect_timeout(Duration::from_secs(20)).read_timeout(Duration::from_secs(60));
    let client = client.build().map_err(|e| Failure::internal(format!("no HTTP client: {e}")))?;
    let answer = client.get(url).send().await.and_then(reqwest::Response::error_for_status);
    answer.map_err(|e| failed(url, &e))
}

fn failed(url: &str, error: &reqwest::Error) -> Failure {
    let why = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    Failure::new(FailureKind::Unavailable, format!("cannot download {url}: {why}"))
        .hint("check the address and that this computer reaches it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_found_in_the_usual_forms() {
        let digest = "0123456789abcdef".repeat(8);
        assert_eq!(digest_in(&format!("{digest}  x.tar.gz\n")).as_ref(), Some(&digest));
        assert_eq!(digest_in(&format!("SHA512 (x.tar.gz) = {}\n", digest.to_uppercase())).as_ref(), Some(&digest));
        let groups: Vec<_> = digest.as_bytes().chunks(8).map(|g| String::from_utf8_lossy(g)).collect();
        assert_eq!(
            digest_in(&format!("x.tar.gz: {}\n  {}\n", groups[..8].join(" "), groups[8..].join(" "))).as_ref(),
            Some(&digest)
        );
        assert_eq!(digest_in("no digest here"), None);
    }
}
