//! What may go wrong, in words: `lost-reply:5%,boot-fail=web-2` and the profiles.
//!
//! Owns: the names, their meaning and their defaults; reading and writing a list of them. Does not know when one happens.

use std::fmt;
use std::time::Duration;

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    LostRequest,
    LostReply,
    Reset,
    Slow,
    S408,
    S429,
    S500,
    S502,
    S503,
    Maintenance,
    Nginx400,
    Busy,
    Html,
    Truncated,
    Invisible,
    EventLate,
    EventMissing,
    EventDouble,
    EventFailed,
    BootFail,
    BootHang,
    AccountLimit,
    Capacity,
    SshRefused,
    SshCut,
    Reboot,
    DiskFull,
}

/// What a fault is about, which decides what its target may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    Request,
    Linode,
    /// Its target is a number of Linodes.
    Account,
    /// Its target is a region or a type.
    Place,
}

struct Known {
    fault: Fault,
    name: &'static str,
    about: About,
    /// How long it takes unless the rule says so; zero where time means nothing.
    time: Duration,
    text: &'static str,
}

const fn known(fault: Fault, name: &'static str, about: About, millis: u64, text: &'static str) -> Known {
    Known { fault, name, about, time: Duration::from_millis(millis), text }
}

const KNOWN: &[Known] = &[
    known(
        Fault::LostRequest,
        "lost-request",
        About::Request,
        0,
        "the connection closes before the request has any effect",
    ),
    known(Fault::LostReply, "lost-reply", About::Request, 0, "the request takes effect, its answer never arrives"),
    known(Fault::Reset, "reset", About::Request, 0, "the request takes effect, the connection breaks amid its answer"),
    known(Fault::Slow, "slow", About::Request, 2000, "the answer comes late"),
    known(Fault::S408, "408", About::Request, 0, "\"Please try again\", with or without effect"),
    known(Fault::S429, "429", About::Request, 1000, "too many requests; the time is its Retry-After"),
    known(Fault::S500, "500", About::Request, 0, "internal server error, with or without effect"),
    known(Fault::S502, "502", About::Request, 0, "the front end's page, with or without effect"),
    known(Fault::S503, "503", About::Request, 1000, "unavailable; the time is its Retry-After"),
    known(Fault::Maintenance, "maintenance", About::Request, 0, "503 with X-Maintenance-Mode"),
    known(Fault::Nginx400, "nginx-400", About::Request, 0, "400 as a page of the front end"),
    known(Fault::Busy, "busy", About::Request, 0, "400 \"Linode busy.\" to what changes a Linode"),
    known(Fault::Html, "html", About::Request, 0, "200 with a page instead of JSON, after the effect"),
    known(Fault::Truncated, "truncated", About::Request, 0, "200 with half of the JSON, after the effect"),
    known(Fault::Invisible, "invisible", About::Linode, 2000, "a new Linode is in no list and not found for a while"),
    known(Fault::EventLate, "event-late", About::Linode, 2000, "an event shows only after a while"),
    known(Fault::EventMissing, "event-missing", About::Linode, 0, "an event never shows"),
    known(Fault::EventDouble, "event-double", About::Linode, 0, "an event is listed twice"),
    known(Fault::EventFailed, "event-failed", About::Linode, 0, "an event says failed although all went well"),
    known(Fault::BootFail, "boot-fail", About::Linode, 0, "a boot fails"),
    known(Fault::BootHang, "boot-hang", About::Linode, 900_000, "a boot takes that long"),
    known(Fault::AccountLimit, "account-limit", About::Account, 0, "the account holds only so many Linodes"),
    known(Fault::Capacity, "capacity", About::Place, 0, "no room in this region, or for this type"),
    known(Fault::SshRefused, "ssh-refused", About::Linode, 3000, "a machine that has booted refuses SSH for a while"),
    known(Fault::SshCut, "ssh-cut", About::Linode, 200, "a machine cuts its SSH connections while a command runs"),
    known(Fault::Reboot, "reboot", About::Linode, 5000, "a machine restarts by itself that long after its boot"),
    known(Fault::DiskFull, "disk-full", About::Linode, 0, "a machine's disk has only so much room, as 64M"),
];

/// Named lists of faults.
const PROFILES: &[(&str, &str, &str)] = &[
    (
        "flaky",
        "a bad day: now and then something goes wrong",
        "lost-reply:2%,lost-request:2%,reset:1%,408:1%,429:3%,502:1%,503:2%,nginx-400:1%,busy:3%,slow:3%:500ms,\
         html:1%,truncated:1%,invisible:10%:1s,event-late:10%:1s,event-missing:5%,event-double:5%,ssh-refused:20%:2s",
    ),
    (
        "storm",
        "everything at once, often",
        "lost-reply:8%,lost-request:6%,reset:3%,408:4%,429:8%,500:1%,502:3%,503:6%,nginx-400:3%,busy:8%,slow:8%:1s,\
         html:2%,truncated:2%,invisible:40%:2s,event-late:20%:2s,event-missing:15%,event-double:15%,event-failed:5%,\
         boot-fail:5%,boot-hang:10%:5s,ssh-refused:40%:4s,ssh-cut:10%,reboot:5%:3s",
    ),
    ("limits", "an account at its limits", "429:20%,503:3%,capacity:5%,account-limit:5%,slow:5%:500ms"),
];

/// One thing that may go wrong, to what and how often.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub fault: Fault,
    /// A name with `*` for anything; what it is compared with depends on the fault.
    pub target: Option<String>,
    /// From 0 to 1.
    pub chance: f64,
    /// At most so many times.
    pub most: Option<u32>,
    pub time: Duration,
    /// Bytes.
    pub size: Option<u64>,
}

/// A list of rules; the first that applies to a request decides.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spec {
    pub(super) rules: Vec<Rule>,
    words: String,
}

/// Why a text is no list of faults.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    #[error("there is no fault `{word}`{}", near.as_ref().map(|near| format!(": did you mean `{near}`?")).unwrap_or_default())]
    Unknown { word: String, near: Option<&'static str> },
    #[error(
        "`{amount}` in `{rule}` is neither a chance (5%), a number of times (3x), a time (500ms, 2s, 5m) nor a size (64M)"
    )]
    Amount { rule: String, amount: String },
    #[error("`{rule}` needs {needs}")]
    Target { rule: String, needs: &'static str },
}

impl Fault {
    fn known(self) -> &'static Known {
        // Every fault is in the table: a test sees to it.
        KNOWN.iter().find(|known| known.fault == self).unwrap_or(&KNOWN[0])
    }

    pub fn name(self) -> &'static str {
        self.known().name
    }

    /// Whether it befalls requests, and not what they have made.
    pub(crate) fn is_of_requests(self) -> bool {
        self.known().about != About::Linode
    }
}

impl Spec {
    /// Reads faults and profiles with commas or lines between them; `#` begins a comment; `none` is nothing.
    pub fn parse(text: &str) -> Result<Self, SpecError> {
        let lines = text.lines().flat_map(|line| line.split('#').next().unwrap_or_default().split(','));
        let mut spec = Self::default();
        for word in lines.map(|word| word.replace(char::is_whitespace, "")) {
            match PROFILES.iter().find(|(name, ..)| *name == word) {
                _ if word.is_empty() || word == "none" => continue,
                Some((_, _, text)) => spec.rules.extend(Self::parse(text)?.rules),
                None => spec.rules.push(Rule::parse(&word)?),
            }
            if !spec.words.is_empty() {
                spec.words.push(',');
            }
            spec.words.push_str(&word);
        }
        Ok(spec)
    }

    /// The names of all faults and profiles, for a hint.
    pub fn names() -> String {
        let faults: Vec<_> = KNOWN.iter().map(|known| known.name).collect();
        let profiles: Vec<_> = PROFILES.iter().map(|(name, ..)| *name).collect();
        format!("faults: {}; profiles: {}", faults.join(", "), profiles.join(", "))
    }

    /// The grammar and all names, for a command's help.
    pub fn help() -> String {
        let mut text = String::from(
            "SPEC is a list of faults and profiles with commas between them, or a file of them in lines:\n\
             \x20 NAME[=TARGET][:AMOUNT]...\n\n\
             AMOUNT is a chance (5%), a number of times (3x), a time (500ms, 2s, 5m) or a size (64M).\n\
             Without a chance or a number a fault with a target happens once, one without happens with\n\
             a chance of 5%. TARGET names nodes (web-*), or for faults of requests: create, delete, boot,\n\
             reboot, shutdown, get, list, read, write, a path, or nodes. All is drawn from --seed and from\n\
             what a request is about, so the same seed gives the same faults.\n\nProfiles:\n",
        );
        for (name, about, _) in PROFILES {
            text.push_str(&format!("  {name:<14} {about}\n"));
        }
        text.push_str("\nFaults:\n");
        for known in KNOWN {
            text.push_str(&format!("  {:<14} {}\n", known.name, known.text));
        }
        text.push_str(
            "\nExamples:\n  lost-reply=create:1x,429:10%\n  flaky,boot-fail=hadoop-worker-2\n  \
             account-limit=5,capacity=us-east,slow=list:2s:50%",
        );
        text
    }
}

impl Rule {
    fn parse(word: &str) -> Result<Self, SpecError> {
        let mut parts = word.split(':');
        let head = parts.next().unwrap_or_default();
        let needs = |needs| SpecError::Target { rule: word.to_owned(), needs };
        let (name, target) = match head.split_once('=') {
            Some((_, "")) => return Err(needs("a target after `=`")),
            Some((name, target)) => (name, Some(target.to_owned())),
            None => (head, None),
        };
        if PROFILES.iter().any(|(profile, ..)| *profile == name) || name == "none" {
            return Err(needs("nothing more: only single faults take a target and amounts"));
        }
        let known = KNOWN.iter().find(|known| known.name == name).ok_or_else(|| unknown(name))?;
        let (mut chance, mut most, mut time, mut size) = (None, None, None, None);
        for amount in parts {
            let wrong = || SpecError::Amount { rule: word.to_owned(), amount: amount.to_owned() };
            let twice = match Amount::parse(amount).ok_or_else(wrong)? {
                Amount::Chance(share) => chance.replace(share).is_some(),
                Amount::Times(times) => most.replace(times).is_some(),
                Amount::Time(duration) => time.replace(duration).is_some(),
                Amount::Size(bytes) => size.replace(bytes).is_some(),
            };
            if twice {
                return Err(needs("one amount of a kind"));
            }
        }
        if time.is_some() && known.time.is_zero() {
            return Err(needs("no time: it means nothing there"));
        }
        let time = time.unwrap_or(known.time);
        match known.about {
            About::Account if target.as_ref().is_some_and(|target| target.parse::<usize>().is_err()) => {
                return Err(needs("a number of Linodes, as account-limit=5"));
            }
            About::Account | About::Place if target.is_some() => {}
            _ if target.is_some() && chance.is_none() && most.is_none() => most = Some(1),
            _ => {}
        }
        if known.fault == Fault::DiskFull {
            size = Some(size.unwrap_or(64 << 20));
        } else if size.is_some() {
            return Err(needs("no size: only disk-full takes one"));
        }
        let usual = if target.is_some() || most.is_some() { 1.0 } else { 0.05 };
        Ok(Self { fault: known.fault, target, chance: chance.unwrap_or(usual), most, time, size })
    }

    /// Whether its target is one of these words; `*` stands for anything.
    pub(crate) fn concerns(&self, words: &[&str]) -> bool {
        self.target.as_ref().is_none_or(|target| words.iter().any(|word| fits(target, word)))
    }
}

fn unknown(word: &str) -> SpecError {
    let names = KNOWN.iter().map(|known| known.name).chain(PROFILES.iter().map(|(name, ..)| *name));
    let near = names.map(|name| (strsim::damerau_levenshtein(name, word), name)).min();
    let near = near.filter(|(distance, _)| *distance <= 3 && *distance < word.chars().count()).map(|(_, name)| name);
    SpecError::Unknown { word: word.to_owned(), near }
}

enum Amount {
    Chance(f64),
    Times(u32),
    Time(Duration),
    Size(u64),
}

impl Amount {
    fn parse(text: &str) -> Option<Self> {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, unit) = text.split_at(end);
        let number: f64 = number.parse().ok()?;
        // A year is longer than any sandbox lives, and keeps what follows from overflowing.
        let seconds = |factor: f64| (number * factor <= 31_536_000.0).then(|| Duration::from_secs_f64(number * factor));
        let size = |shift: u32| text[..end].parse::<u64>().ok()?.checked_mul(1 << shift).map(Self::Size);
        match unit {
            "%" if number <= 100.0 => Some(Self::Chance(number / 100.0)),
            "x" => text[..end].parse().ok().map(Self::Times),
            "ms" => seconds(0.001).map(Self::Time),
            "s" => seconds(1.0).map(Self::Time),
            "m" => seconds(60.0).map(Self::Time),
            "K" => size(10),
            "M" => size(20),
            "G" => size(30),
            _ => None,
        }
    }
}

/// A glob of which only `*` is special.
fn fits(glob: &str, word: &str) -> bool {
    match glob.split_once('*') {
        None => glob == word,
        Some((before, rest)) => word.strip_prefix(before).is_some_and(|word| {
            (0..=word.len()).filter(|at| word.is_char_boundary(*at)).any(|at| fits(rest, &word[at..]))
        }),
    }
}

impl fmt::Display for Spec {
    /// In the words that it was given in, which `parse` reads as the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.words.is_empty() { "none" } else { &self.words })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn texts_are_read() {
        let read = |text: &str| match Spec::parse(text) {
            Ok(spec) => {
                assert_eq!(Spec::parse(&spec.to_string()).as_ref(), Ok(&spec), "{spec}");
                let rule = |rule: &Rule| {
                    let Rule { fault, target, chance, most, time, size } = rule;
                    let (name, target) = (fault.name(), target.as_deref().unwrap_or("-"));
                    format!("\n  {name} {target} {chance} {most:?} {time:?} {size:?}")
                };
                format!("{spec}{}", spec.rules.iter().map(rule).collect::<String>())
            }
            Err(error) => format!("error: {error}"),
        };
        let texts = [
            "",
            "none",
            "lost-reply:5%,429:10%,boot-fail=web-2",
            "# a comment\nlost-reply\n  slow=list : 2s : 50%, # more\n\nboot-hang=web-*:2x:1m",
            "account-limit=5,capacity=us-east,disk-full=web-1:20M,limits",
            "lost-replay:5%",
            "xyzzy",
            "429:often",
            "429:120%",
            "account-limit=many",
            "slow:5M",
            "flaky:50%",
            "boot-fail=",
            "slow:2s:3s",
            "boot-fail:5s",
        ];
        let lines: Vec<_> = texts.map(read).into();
        expect![[r#"
            none
            none
            lost-reply:5%,429:10%,boot-fail=web-2
              lost-reply - 0.05 None 0ns None
              429 - 0.1 None 1s None
              boot-fail web-2 1 Some(1) 0ns None
            lost-reply,slow=list:2s:50%,boot-hang=web-*:2x:1m
              lost-reply - 0.05 None 0ns None
              slow list 0.5 None 2s None
              boot-hang web-* 1 Some(2) 60s None
            account-limit=5,capacity=us-east,disk-full=web-1:20M,limits
              account-limit 5 1 None 0ns None
              capacity us-east 1 None 0ns None
              disk-full web-1 1 Some(1) 0ns Some(20971520)
              429 - 0.2 None 1s None
              503 - 0.03 None 1s None
              capacity - 0.05 None 0ns None
              account-limit - 0.05 None 0ns None
              slow - 0.05 None 500ms None
            error: there is no fault `lost-replay`: did you mean `lost-reply`?
            error: there is no fault `xyzzy`
            error: `often` in `429:often` is neither a chance (5%), a number of times (3x), a time (500ms, 2s, 5m) nor a size (64M)
            error: `120%` in `429:120%` is neither a chance (5%), a number of times (3x), a time (500ms, 2s, 5m) nor a size (64M)
            error: `account-limit=many` needs a number of Linodes, as account-limit=5
            error: `slow:5M` needs no size: only disk-full takes one
            error: `flaky:50%` needs nothing more: only single faults take a target and amounts
            error: `boot-fail=` needs a target after `=`
            error: `slow:2s:3s` needs one amount of a kind
            error: `boot-fail:5s` needs no time: it means nothing there"#]].assert_eq(&lines.join("\n"));
    }

    #[test]
    fn every_fault_and_profile_is_known() {
        for known in KNOWN {
            assert_eq!(known.fault.name(), known.name);
        }
        for (name, ..) in PROFILES {
            assert!(Spec::parse(name).is_ok_and(|spec| !spec.rules.is_empty()), "{name}");
        }
    }

    #[test]
    fn stars_stand_for_anything() {
        for (glob, word, wanted) in
            [("web-*", "web-2", true), ("web-*", "db-2", false), ("*b*2", "web-2", true), ("web", "web-2", false)]
        {
            assert_eq!(fits(glob, word), wanted, "{glob} {word}");
        }
    }
}
