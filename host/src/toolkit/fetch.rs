//! Downloading to this computer: over https alone, with a digest that must match, patient with servers that fail for a while.

use reqwest::{Response, StatusCode, Url, redirect};
use sha2::{Digest, Sha512};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use crate::core::ids::hex;
use crate::core::time::Time;
use crate::core::{Failure, FailureKind};
use crate::provider::{install_crypto, is_guarded};
use crate::toolkit::packing::{Packed, describe};

/// Before each try but the first.
const PAUSES: [Duration; 3] = [Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(8)];

/// Much more than any list of digests.
const LONGEST_LIST: usize = 1 << 20;

const MOST_REDIRECTS: usize = 5;

/// An address that nobody on the way can read along or answer for: https, or http on this computer.
pub(crate) fn checked_url(text: &str, field: &str) -> Result<Url, Failure> {
    let refuse = |why: &str| Failure::usage(format!("{text} is not downloaded: {why}")).field(field);
    let url = Url::parse(text).map_err(|e| refuse(&e.to_string()).hint("give a whole https address"))?;
    if is_guarded(&url) { Ok(url) } else { Err(refuse("it is not https").hint("give its https address")) }
}

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

/// The digest that a server publishes beside an archive.
pub(crate) async fn published_sha512(url: &Url, time: &dyn Time) -> Result<String, Failure> {
    let text = patiently(time, || async {
        let (mut text, mut answer) = (Vec::new(), get(url).await?);
        while let Some(chunk) = answer.chunk().await.map_err(|e| failed(url, e))? {
            text.extend_from_slice(&chunk);
            if text.len() > LONGEST_LIST {
                return Err(Failure::new(FailureKind::Invalid, format!("{url} is too long for a SHA-512")));
            }
        }
        Ok(text)
    });
    digest_in(&String::from_utf8_lossy(&text.await?))
        .ok_or_else(|| Failure::new(FailureKind::Invalid, format!("{url} holds no SHA-512")))
}

/// Downloads into a folder under the digest's name, unless it is there.
pub(crate) async fn download(url: &Url, sha512: &str, folder: &Path, time: &dyn Time) -> Result<Packed, Failure> {
    let target = folder.join(&sha512[..32]);
    if target.exists() {
        return describe(&target);
    }
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|e| unwritten(&target, &e))?;
    patiently(time, || once(url, sha512, &target)).await?;
    describe(&target)
}

async fn once(url: &Url, sha512: &str, target: &Path) -> Result<(), Failure> {
    let local = |e: &std::io::Error| unwritten(target, e);
    let mut part = tempfile::NamedTempFile::new_in(target.parent().unwrap_or(target)).map_err(|e| local(&e))?;
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
    part.persist(target).map_err(|e| local(&e.error))?;
    Ok(())
}

/// Tries again what a server or the way to it may do better the next time.
async fn patiently<T, F>(time: &dyn Time, once: impl Fn() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    for pause in PAUSES {
        match once().await {
            Err(failure) if failure.kind == FailureKind::Unavailable => time.sleep(pause).await,
            ended => return ended,
        }
    }
    once().await
}

async fn get(url: &Url) -> Result<Response, Failure> {
    install_crypto();
    let mut client = reqwest::Client::builder()
        .user_agent(concat!("linodetool/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(20))
        .read_timeout(Duration::from_secs(60))
        .redirect(redirect::Policy::custom(follow));
    if url.scheme() == "http" {
        client = client.no_proxy(); // on this computer
    }
    let client = client.build().map_err(|e| Failure::internal(format!("no HTTP client: {e}")))?;
    let answer = client.get(url.clone()).send().await.and_then(Response::error_for_status);
    answer.map_err(|e| failed(url, e))
}

/// Nothing of the internet leads to this computer's own pages, nor from https to http.
fn follow(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let here = attempt.previous().iter().all(|url| url.scheme() == "http");
    if attempt.previous().len() > MOST_REDIRECTS {
        attempt.error("it leads from one address to the next")
    } else if attempt.url().scheme() == "https" || (here && is_guarded(attempt.url())) {
        attempt.follow()
    } else {
        let to = format!("it leads to {}, which is not https", attempt.url());
        attempt.error(to)
    }
}

fn failed(url: &Url, error: reqwest::Error) -> Failure {
    let error = error.without_url();
    // The innermost cause says what happened; those around it say where, which we say ourselves.
    let mut why: &dyn std::error::Error = &error;
    while let Some(cause) = why.source() {
        why = cause;
    }
    let why = why.to_string();
    let (kind, hint) = match error.status() {
        Some(StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS) => {
            (FailureKind::Unavailable, "try again later")
        }
        Some(status) if status.is_client_error() => {
            (FailureKind::NotFound, "check the address, and that there is such a version")
        }
        Some(_) => (FailureKind::Unavailable, "try again later"),
        None if error.is_redirect() => (FailureKind::Invalid, "give the address that it leads to, if you trust it"),
        None if error.is_connect() && why.contains("certificate") => (
            FailureKind::Invalid,
            "nothing was sent to it: check the address, this computer's date and its CA certificates",
        ),
        None => (FailureKind::Unavailable, "check the address and that this computer reaches it"),
    };
    Failure::new(kind, format!("cannot download {url}: {why}")).hint(hint)
}

fn unwritten(target: &Path, error: &std::io::Error) -> Failure {
    Failure::new(FailureKind::Local, format!("cannot write {}: {error}", target.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader};

    /// Whose pauses take no time.
    struct Impatient;

    impl crate::core::clock::Clock for Impatient {
        fn now_ms(&self) -> u64 {
            0
        }
    }

    impl Time for Impatient {
        fn sleep(&self, _: Duration) -> crate::core::time::BoxFuture<'static, ()> {
            Box::pin(async {})
        }
    }

    /// A server on this computer that answers the next requests so and is gone; its address.
    fn serve(answers: Vec<String>) -> Url {
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
        checked_url(&url, "url").unwrap()
    }

    fn answer(status: &str, length: usize, body: &str) -> String {
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
    }

    fn moved(to: &str) -> String {
        format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    }

    #[tokio::test]
    async fn only_what_was_asked_for_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let sha512 = hex(&Sha512::digest("content"));
        let refusals = [
            vec![answer("404 Not Found", 2, "no")],
            vec![answer("200 OK", 5, "other")],
            vec![moved("http://example.com/x.tar.gz")],
            vec![moved("/x.tar.gz"); 6],
            vec![answer("503 Service Unavailable", 2, "no"); 4],
            vec![answer("200 OK", 7, "cont"); 4], // and hangs up
        ];
        let mut said = String::new();
        for answers in refusals {
            let url = serve(answers);
            let failure = download(&url, &sha512, folder.path(), &Impatient).await.unwrap_err();
            said += &format!("{:?}: {failure}\n", failure.kind).replace(url.as_str(), "URL");
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "half of it is left: {failure}");
        }
        expect_test::expect![[r#"
            NotFound: cannot download URL: HTTP status client error (404 Not Found)
            Invalid: URL is not what was asked for: SHA-512 e25ac3845f8cbe12... instead of b2d1d285b5199c85...
            Invalid: cannot download URL: it leads to http://example.com/x.tar.gz, which is not https
            Invalid: cannot download URL: it leads from one address to the next
            Unavailable: cannot download URL: HTTP status server error (503 Service Unavailable)
            Unavailable: cannot download URL: end of file before message length reached
        "#]]
        .assert_eq(&said);
    }

    #[tokio::test]
    async fn a_server_that_recovers_is_asked_again() {
        let folder = tempfile::tempdir().unwrap();
        let sha512 = hex(&Sha512::digest("content"));
        let published = format!("SHA512 (x.tar.gz) = {}\n", sha512.to_uppercase());
        let url = serve(vec![
            answer("429 Too Many Requests", 2, "no"),
            answer("200 OK", published.len(), &published[..100]),
            answer("200 OK", published.len(), &published),
            answer("200 OK", 7, "cont"),
            answer("500 Internal Server Error", 2, "no"),
            moved("/elsewhere"),
            answer("200 OK", 7, "content"),
        ]);
        assert_eq!(published_sha512(&url, &Impatient).await.unwrap(), sha512);
        let packed = download(&url, &sha512, folder.path(), &Impatient).await.unwrap();
        assert_eq!(std::fs::read_to_string(&packed.path).unwrap(), "content");
        // The server is gone: what is there is not asked for again.
        assert_eq!(download(&url, &sha512, folder.path(), &Impatient).await.unwrap().path, packed.path);
        let other = hex(&Sha512::digest("other"));
        let failure = download(&url, &other, folder.path(), &Impatient).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unavailable, "{failure}");
    }

    #[test]
    fn what_travels_in_clear_is_refused() {
        assert!(checked_url("http://127.0.0.1:8080/x", "url").is_ok());
        assert!(checked_url("https://example.com/x", "url").is_ok());
        let said = ["http://example.com/x", "ftp://example.com/x", "example.com/x", "file:///etc/passwd"].map(|bad| {
            let failure = checked_url(bad, "url").unwrap_err();
            format!("{failure}; {}\n", failure.hint.as_deref().unwrap())
        });
        expect_test::expect![[r#"
            http://example.com/x is not downloaded: it is not https; give its https address
            ftp://example.com/x is not downloaded: it is not https; give its https address
            example.com/x is not downloaded: relative URL without a base; give a whole https address
            file:///etc/passwd is not downloaded: it is not https; give its https address
        "#]]
        .assert_eq(&said.concat());
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
