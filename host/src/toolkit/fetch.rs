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
    let text = get(url).await?.text().await.map_err(|e| failed(url, e))?;
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
    while let Some(chunk) = answer.chunk().await.map_err(|e| failed(url, e))? {
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
    answer.map_err(|e| failed(url, e))
}

fn failed(url: &str, error: reqwest::Error) -> Failure {
    let error = error.without_url();
    // The innermost cause says what happened; those around it say where, which we say ourselves.
    let mut why: &dyn std::error::Error = &error;
    while let Some(cause) = why.source() {
        why = cause;
    }
    Failure::new(FailureKind::Unavailable, format!("cannot download {url}: {why}"))
        .hint("check the address and that this computer reaches it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader};

    /// A server on this computer that answers the next requests so and is gone; its address.
    fn serve(answers: Vec<String>) -> String {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/x.tar.gz", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        url
    }

    fn answer(status: &str, length: usize, body: &str) -> String {
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
    }

    #[tokio::test]
    async fn only_what_was_asked_for_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let sha512 = hex(&Sha512::digest("content"));
        let url = serve(vec![
            answer("404 Not Found", 2, "no"),
            answer("200 OK", 5, "other"),
            answer("200 OK", 7, "cont"), // and hangs up
            answer("200 OK", 128, &sha512),
            answer("200 OK", 7, "content"),
        ]);
        let mut said = String::new();
        for _ in 0..3 {
            let failure = download(&url, &sha512, folder.path()).await.unwrap_err();
            said += &format!("{failure}\n").replace(&url, "URL");
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "half of it is left: {failure}");
        }
        expect_test::expect![[r#"
            cannot download URL: HTTP status client error (404 Not Found)
            URL is not what was asked for: SHA-512 e25ac3845f8cbe12... instead of b2d1d285b5199c85...
            cannot download URL: end of file before message length reached
        "#]]
        .assert_eq(&said);
        assert_eq!(published_sha512(&url).await.unwrap(), sha512);
        let packed = download(&url, &sha512, folder.path()).await.unwrap();
        assert_eq!(std::fs::read_to_string(&packed.path).unwrap(), "content");
        // The server is gone: what is there is not asked for again.
        assert_eq!(download(&url, &sha512, folder.path()).await.unwrap().path, packed.path);
    }

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
