//! Unit files: where they lie and what they say.
//!
//! Owns: finding, reading, drop-ins, specifiers, words. Does not start anything.

use super::super::fail::{Result, fail};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// In the order in which they win.
const FOLDERS: [&str; 4] =
    ["/etc/systemd/system", "/run/systemd/system", "/lib/systemd/system", "/usr/lib/systemd/system"];
pub(crate) const ETC: &str = "/etc/systemd/system";

/// No limit, as a time that can be added to any other.
pub(crate) const FOREVER: Duration = Duration::from_secs(30 * 365 * 86400);

/// A service's name: without `.service`, with the instance of a template.
pub(crate) fn name_of(word: &str) -> String {
    word.strip_suffix(".service").unwrap_or(word).to_owned()
}

/// What a unit file says. Section names are dropped: no key we read means two things.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct UnitFile {
    pub(crate) path: PathBuf,
    entries: Vec<(String, String)>,
}

impl UnitFile {
    /// Reads a unit with its drop-ins.
    pub(crate) fn read(unit: &str) -> Result<Self> {
        let Some(path) = Self::find(unit) else { return fail(format!("Unit {unit}.service could not be found.")) };
        if fs::canonicalize(&path).is_ok_and(|p| p == Path::new("/dev/null")) {
            return fail(format!("Unit {unit}.service is masked."));
        }
        let Ok(text) = fs::read_to_string(&path) else {
            return fail(format!("Unit {unit}.service cannot be read: {}", path.display()));
        };
        let mut f = Self { path, entries: Vec::new() };
        f.parse(&text, unit);
        for folder in FOLDERS.iter().rev() {
            let mut drop_ins: Vec<PathBuf> = fs::read_dir(format!("{folder}/{unit}.service.d"))
                .into_iter()
                .flatten()
                .flatten()
                .map(|e| e.path())
                .collect();
            drop_ins.sort();
            for p in drop_ins.iter().filter(|p| p.extension().is_some_and(|e| e == "conf")) {
                f.parse(&fs::read_to_string(p).unwrap_or_default(), unit);
            }
        }
        Ok(f)
    }

    /// The file of a unit, or of the template it is an instance of.
    pub(crate) fn find(unit: &str) -> Option<PathBuf> {
        let template = unit.split_once('@').map(|(t, _)| format!("{t}@"));
        let names = [Some(unit.to_owned()), template];
        let all =
            names.iter().flatten().flat_map(|n| FOLDERS.iter().map(move |f| PathBuf::from(format!("{f}/{n}.service"))));
        all.into_iter().find(|p| fs::symlink_metadata(p).is_ok())
    }

    /// Adds what a text says: a key with an empty value forgets what came before it.
    pub(crate) fn parse(&mut self, text: &str, unit: &str) {
        for l in text.replace("\\\n", " ").lines().map(str::trim) {
            if l.starts_with(['#', ';', '[']) {
                continue;
            }
            if let Some((k, v)) = l.split_once('=') {
                let (k, v) = (k.trim(), specifiers(v.trim(), unit));
                if v.is_empty() {
                    self.entries.retain(|(old, _)| old != k);
                } else {
                    self.entries.push((k.to_owned(), v));
                }
            }
        }
    }

    pub(crate) fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.entries.iter().filter(move |(k, _)| k == key).map(|(_, v)| v.as_str())
    }

    /// The last value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.entries.iter().rev().find(|(k, _)| k == key).map(|(_, v)| v.as_str())
    }

    pub(crate) fn yes(&self, key: &str) -> bool {
        self.get(key).is_some_and(|v| matches!(v.to_ascii_lowercase().as_str(), "yes" | "true" | "on" | "1"))
    }

    pub(crate) fn duration(&self, key: &str) -> Option<Duration> {
        self.get(key).and_then(duration)
    }

    /// The limit that the first of these keys sets which is given; `0` and `infinity` are [`FOREVER`].
    pub(crate) fn limit(&self, keys: &[&str]) -> Option<Duration> {
        keys.iter().find_map(|k| self.get(k).and_then(limit))
    }

    /// The services among the values of these keys.
    pub(crate) fn services<'a>(&'a self, keys: &'a [&'a str]) -> impl Iterator<Item = String> + 'a {
        keys.iter()
            .flat_map(|k| self.all(k))
            .flat_map(str::split_whitespace)
            .filter(|w| w.ends_with(".service"))
            .map(name_of)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }
}

/// The specifiers that service files of servers use.
fn specifiers(value: &str, unit: &str) -> String {
    let (prefix, instance) = unit.split_once('@').unwrap_or((unit, ""));
    let mut out = String::with_capacity(value.len());
    let mut it = value.chars();
    while let Some(c) = it.next() {
        match (c, it.clone().next()) {
            ('%', Some(s @ ('%' | 'n' | 'N' | 'p' | 'i' | 'I' | 'H' | 't' | 'S' | 'L'))) => {
                it.next();
                match s {
                    '%' => out.push('%'),
                    'n' => out.push_str(&format!("{unit}.service")),
                    'N' => out.push_str(unit),
                    'p' => out.push_str(prefix),
                    'i' | 'I' => out.push_str(instance),
                    'H' => out.push_str(fs::read_to_string("/etc/hostname").unwrap_or_default().trim()),
                    't' => out.push_str("/run"),
                    'S' => out.push_str("/var/lib"),
                    _ => out.push_str("/var/log"),
                }
            }
            _ => out.push(c),
        }
    }
    out
}

/// systemd's words: quotes group, a backslash escapes. Not a shell.
pub(crate) fn words(s: &str) -> Vec<String> {
    let (mut out, mut word, mut quote, mut any) = (Vec::new(), String::new(), None, false);
    let mut it = s.chars();
    while let Some(c) = it.next() {
        match (c, quote) {
            ('\\', _) => match it.next() {
                Some('n') => word.push('\n'),
                Some('t') => word.push('\t'),
                Some('s') => word.push(' '),
                other => word.extend(other),
            },
            (c, Some(q)) if c == q => quote = None,
            ('"' | '\'', None) => (quote, any) = (Some(c), true),
            (c, None) if c.is_whitespace() => {
                if any || !word.is_empty() {
                    out.push(std::mem::take(&mut word));
                }
                any = false;
            }
            (c, _) => word.push(c),
        }
    }
    if any || !word.is_empty() {
        out.push(word);
    }
    out
}

/// A command line with variables: `${X}` anywhere, `$X` as a word of its own, which is split; `$$` is a dollar.
pub(crate) fn expand(argv: &[String], env: &[(String, String)]) -> Vec<String> {
    let value = |k: &str| env.iter().rev().find(|(n, _)| n == k).map_or("", |(_, v)| v.as_str());
    let mut out = Vec::new();
    for w in argv {
        if let Some(name) =
            w.strip_prefix('$').filter(|n| !n.is_empty() && n.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
        {
            out.extend(value(name).split_whitespace().map(str::to_owned));
            continue;
        }
        let (mut text, mut rest) = (String::new(), w.as_str());
        while let Some(at) = rest.find('$') {
            text.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(end) = rest.strip_prefix("${").and_then(|r| r.find('}')) {
                text.push_str(value(&rest[2..end + 2]));
                rest = &rest[end + 3..];
            } else {
                text.push('$');
                rest = rest.strip_prefix("$$").unwrap_or(&rest[1..]);
            }
        }
        out.push(text + rest);
    }
    out
}

/// `5`, `1.5s`, `300ms`, `2min`, `1h 30min`; `None` for `infinity` and what is not understood.
pub(crate) fn duration(s: &str) -> Option<Duration> {
    let spaced = s.chars().fold(String::new(), |mut out, c| {
        // A number begins where letters end: `1min30s`.
        if c.is_ascii_digit() && out.chars().next_back().is_some_and(|l| l.is_ascii_alphabetic()) {
            out.push(' ');
        }
        out.push(c);
        out
    });
    let mut total = 0.0;
    for part in spaced.split_whitespace() {
        let at = part.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(part.len());
        let unit = match &part[at..] {
            "us" => 1e-6,
            "ms" | "msec" => 1e-3,
            "" | "s" | "sec" | "second" | "seconds" => 1.0,
            "m" | "min" | "minute" | "minutes" => 60.0,
            "h" | "hr" | "hour" | "hours" => 3600.0,
            "d" | "day" | "days" => 86400.0,
            _ => return None,
        };
        total += part[..at].parse::<f64>().ok()? * unit;
    }
    (!spaced.trim().is_empty()).then(|| Duration::try_from_secs_f64(total).ok()).flatten()
}

fn limit(s: &str) -> Option<Duration> {
    match duration(s) {
        None if s == "infinity" => Some(FOREVER),
        Some(d) if d.is_zero() => Some(FOREVER),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn drop_ins_forget_and_add() {
        let mut f = UnitFile::default();
        f.parse("[Service]\nExecStart=/bin/a \\\n  --x\nEnvironment=A=1\n# no\nAfter=b.service c.target\n", "u@7");
        f.parse("[Service]\nExecStart=\nExecStart=/bin/b %i %p %%\n", "u@7");
        assert_eq!(f.all("ExecStart").collect::<Vec<_>>(), ["/bin/b 7 u %"]);
        assert_eq!(f.services(&["After"]).collect::<Vec<_>>(), ["b"]);
    }

    #[test]
    fn command_lines() {
        let env = [("OPTS".to_owned(), "-a  -b".to_owned()), ("P".to_owned(), "80".to_owned())];
        let seen = expand(&words(r#"/bin/x "two words" $OPTS --port=${P} '' $$HOME a\sb $NONE"#), &env);
        expect![[r#"["/bin/x", "two words", "-a", "-b", "--port=80", "", "$HOME", "a b"]"#]]
            .assert_eq(&format!("{seen:?}"));
    }

    #[test]
    fn durations() {
        let seen: Vec<_> =
            ["5", "300ms", "1min 30s", "1min30s", "2h", "infinity", ""].iter().map(|s| duration(s)).collect();
        expect!["[Some(5s), Some(300ms), Some(90s), Some(90s), Some(7200s), None, None]"]
            .assert_eq(&format!("{seen:?}"));
    }

    #[test]
    fn limits_that_are_none() {
        let mut f = UnitFile::default();
        f.parse("A=0\nB=infinity\nC=2min\nD=soon\nE=0s\n", "u");
        let seen = [&["A"][..], &["B"], &["C"], &["D"], &["E"], &["Z"], &["D", "Z", "C"]].map(|keys| f.limit(keys));
        let none = Some(FOREVER);
        let two = Some(Duration::from_secs(120));
        assert_eq!(seen, [none, none, two, None, none, None, two]);
    }
}
