//! Which answers are worth another try, and when. Pure: what happened goes in, a pause comes out.

use crate::core::random_hex;
use linodetool_plugin::message::Headers;
use std::time::Duration;

/// Who has no network wants to hear of it in seconds.
const TRIES_TO_CONNECT: u32 = 5;

/// How patient the host is with one request.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// First pause; doubles with each try.
    pub base: Duration,
    /// Longest pause of our own choosing.
    pub cap: Duration,
    /// Longest pause that a provider may ask for; longer wishes are cut to this.
    pub longest_wish: Duration,
    /// Tries in all.
    pub tries: u32,
}

impl Default for RetryPolicy {
    /// About a minute in all: a Linode that is busy with a disk is free again after 20 to 40 s, a front end restarts in seconds.
    fn default() -> Self {
        Self {
            base: Duration::from_millis(500),
            cap: Duration::from_secs(15),
            // Retry-After values of up to 117 s have been seen, and negative ones.
            longest_wish: Duration::from_secs(120),
            tries: 8,
        }
    }
}

/// What became of one try.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome<'a> {
    Answered {
        status: u16,
        headers: &'a Headers,
        body: &'a [u8],
    },
    /// Nothing was sent: no connection came about.
    NotSent,
    /// The other side is not who it should be, or speaks no TLS that we know: no time heals that.
    Distrusted,
    /// Sent, but no whole answer came back.
    Lost,
}

/// What is wrong with an outcome, seen from whether it may be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    None,
    /// Refused before it had any effect: trying again is always safe.
    Refused,
    /// It may have had its effect.
    Unclear,
}

/// Another try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Again {
    pub(crate) pause: Duration,
    /// What a person is told.
    pub(crate) why: String,
}

impl RetryPolicy {
    /// `None`: the outcome stands. `tried` counts the tries so far.
    pub(crate) fn again(&self, tried: u32, outcome: Outcome<'_>, safe_to_repeat: bool) -> Option<Again> {
        let (trouble, why) = judge(outcome);
        let allowed = match trouble {
            Trouble::None => false,
            Trouble::Refused => true,
            Trouble::Unclear => safe_to_repeat,
        };
        let tries = if matches!(outcome, Outcome::NotSent) { self.tries.min(TRIES_TO_CONNECT) } else { self.tries };
        if !allowed || tried >= tries {
            return None;
        }
        let pause = match outcome {
            Outcome::Answered { status: 429 | 503, headers, .. } => {
                retry_after(headers, self.longest_wish).unwrap_or_else(|| self.backoff(tried))
            }
            _ => self.backoff(tried),
        };
        Some(Again { pause, why })
    }

    /// Half of it fixed, half of it random, so that lanes that failed together do not come back together.
    fn backoff(&self, tried: u32) -> Duration {
        let whole = self.base.saturating_mul(1 << tried.saturating_sub(1).min(16)).min(self.cap);
        let random = u32::from_str_radix(&random_hex(2), 16).unwrap_or(0);
        whole / 2 + whole / 2 * random / 0x1_0000
    }
}

fn judge(outcome: Outcome<'_>) -> (Trouble, String) {
    let (trouble, why) = match outcome {
        Outcome::Distrusted => (Trouble::None, ""),
        Outcome::NotSent => (Trouble::Refused, "the provider cannot be reached"),
        Outcome::Lost => (Trouble::Unclear, "the connection broke"),
        Outcome::Answered { status: 429, .. } => (Trouble::Refused, "the provider limits requests (429)"),
        Outcome::Answered { status: 408, .. } => (Trouble::Unclear, "the provider timed out (408)"),
        Outcome::Answered { status: 502, .. } => (Trouble::Unclear, "the provider's front end failed (502)"),
        Outcome::Answered { status: 503, headers, .. } if headers.contains_key("x-maintenance-mode") => {
            (Trouble::None, "maintenance")
        }
        Outcome::Answered { status: 503, .. } => (Trouble::Unclear, "the provider is unavailable (503)"),
        Outcome::Answered { status: 400, body, .. } if contains(body, b"Linode busy.") => {
            (Trouble::Refused, "the Linode is busy")
        }
        // The API's own 400s are JSON; this one comes from the web server in front of it.
        Outcome::Answered { status: 400, headers, body } if is_html(headers) && contains(body, b"nginx") => {
            (Trouble::Unclear, "the provider's front end refused the request (400)")
        }
        Outcome::Answered { status: 200..=299, headers, body } if is_html(headers) && contains(body, b"nginx") => {
            (Trouble::Unclear, "the provider's front end answered with a page of its own")
        }
        Outcome::Answered { status: 200..=299, headers, body } if is_cut(headers, body) => {
            (Trouble::Unclear, "the provider's answer was cut short")
        }
        Outcome::Answered { .. } => (Trouble::None, ""),
    };
    (trouble, why.to_owned())
}

/// Seconds of `Retry-After`, at least a tenth of a second. Looked at on 429 and 503 only: it is sent with good answers too.
pub(crate) fn retry_after(headers: &Headers, longest: Duration) -> Option<Duration> {
    let seconds: f64 = headers.get("retry-after")?.trim().parse().ok()?;
    if !seconds.is_finite() || seconds < 0.0 {
        return None;
    }
    Some(Duration::from_secs_f64(seconds.clamp(0.1, longest.as_secs_f64())))
}

fn is_html(headers: &Headers) -> bool {
    headers.get("content-type").is_some_and(|kind| kind.starts_with("text/html"))
}

/// Said to be JSON, and none.
fn is_cut(headers: &Headers, body: &[u8]) -> bool {
    headers.get("content-type").is_some_and(|kind| kind.starts_with("application/json"))
        && !body.is_empty()
        && serde_json::from_slice::<serde::de::IgnoredAny>(body).is_err()
}

fn contains(body: &[u8], needle: &[u8]) -> bool {
    // Only the beginning: errors are short.
    body[..body.len().min(4096)].windows(needle.len()).any(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    const FIXED: RetryPolicy =
        RetryPolicy { base: Duration::ZERO, cap: Duration::ZERO, longest_wish: Duration::from_secs(120), tries: 4 };

    fn said(status: u16, headers: &[(&str, &str)], body: &str, safe: bool) -> String {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let outcome = Outcome::Answered { status, headers: &headers, body: body.as_bytes() };
        match FIXED.again(1, outcome, safe) {
            Some(again) => format!("{status} again after {:?}: {}", again.pause, again.why),
            None => format!("{status} stands"),
        }
    }

    #[test]
    fn what_is_tried_again() {
        let busy = r#"{"errors":[{"reason":"Linode busy."}]}"#;
        let html = [("content-type", "text/html")];
        let lines = [
            said(200, &[("retry-after", "117")], "", true),
            said(200, &[("content-type", "application/json")], r#"{"data":[]}"#, true),
            said(200, &[("content-type", "application/json")], r#"{"data":["#, true),
            said(200, &[("content-type", "application/json")], r#"{"data":["#, false),
            said(200, &html, "<center>nginx</center>", true),
            said(400, &[], r#"{"errors":[{"reason":"label is taken"}]}"#, true),
            said(400, &[], busy, true),
            said(400, &html, "<center>nginx</center>", true),
            said(404, &[], "", true),
            said(408, &[], "", true),
            said(429, &[("retry-after", "15")], "", true),
            said(429, &[("retry-after", "-1")], "", true),
            said(429, &[("retry-after", "86400")], "", true),
            said(500, &[], "", true),
            said(502, &[], "", true),
            said(503, &[("retry-after", "2.5")], "", true),
            said(503, &[("x-maintenance-mode", "1"), ("retry-after", "5")], "", true),
        ];
        expect![[r#"
            200 stands
            200 stands
            200 again after 0ns: the provider's answer was cut short
            200 stands
            200 again after 0ns: the provider's front end answered with a page of its own
            400 stands
            400 again after 0ns: the Linode is busy
            400 again after 0ns: the provider's front end refused the request (400)
            404 stands
            408 again after 0ns: the provider timed out (408)
            429 again after 15s: the provider limits requests (429)
            429 again after 0ns: the provider limits requests (429)
            429 again after 120s: the provider limits requests (429)
            500 stands
            502 again after 0ns: the provider's front end failed (502)
            503 again after 2.5s: the provider is unavailable (503)
            503 stands"#]]
        .assert_eq(&lines.join("\n"));
    }

    #[test]
    fn what_may_have_had_its_effect_is_not_repeated_unless_that_is_safe() {
        let busy = r#"{"errors":[{"reason":"Linode busy."}]}"#;
        let lines = [
            said(400, &[], busy, false),
            said(408, &[], "", false),
            said(429, &[("retry-after", "15")], "", false),
            said(502, &[], "", false),
            said(503, &[], "", false),
        ];
        expect![[r#"
            400 again after 0ns: the Linode is busy
            408 stands
            429 again after 15s: the provider limits requests (429)
            502 stands
            503 stands"#]]
        .assert_eq(&lines.join("\n"));
        assert_eq!(FIXED.again(1, Outcome::Lost, false), None);
        assert!(FIXED.again(1, Outcome::Lost, true).is_some());
        assert!(FIXED.again(1, Outcome::NotSent, false).is_some());
        assert_eq!(FIXED.again(1, Outcome::Distrusted, true), None);
        assert_eq!(RetryPolicy::default().again(5, Outcome::NotSent, true), None);
    }

    #[test]
    fn tries_end_and_pauses_grow_up_to_the_cap() {
        assert_eq!(FIXED.again(4, Outcome::Lost, true), None);
        let policy = RetryPolicy::default();
        for (tried, longest) in [(1, 500), (2, 1000), (3, 2000), (6, 15_000), (60, 15_000)] {
            let pause = policy.backoff(tried).as_millis();
            assert!((longest / 2..=longest).contains(&pause), "{tried}: {pause}");
        }
    }
}
