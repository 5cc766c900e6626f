//! Reading a request's body field by field, and the rules that many fields share.
//!
//! Owns: types, lengths, labels, tags, keys and passwords. Does not know what is done with them. Keys it does not know are
//! ignored, as by the API.

use serde_json::{Map, Value};

use super::error::{Problems, Refused};
use crate::wire::Request;

/// A body, and what is wrong with it so far.
pub(crate) struct Input {
    body: Map<String, Value>,
    pub(crate) problems: Problems,
}

impl Input {
    /// The body of a request; none counts as `{}`.
    pub(crate) fn of(request: &Request) -> Result<Self, Refused> {
        if request.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::from(Map::new()));
        }
        match serde_json::from_slice(&request.body) {
            Ok(Value::Object(body)) => Ok(Self::from(body)),
            Ok(Value::Null) => Ok(Self::from(Map::new())),
            _ => Err(Refused::new(400, "Invalid JSON")),
        }
    }

    /// An object inside a body.
    pub(crate) fn from(body: Map<String, Value>) -> Self {
        Self { body, problems: Problems::default() }
    }

    /// All of it.
    pub(crate) fn whole(&self) -> Map<String, Value> {
        self.body.clone()
    }

    /// Whether it is there and not null.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.body.get(field).is_some_and(|value| !value.is_null())
    }

    pub(crate) fn text(&mut self, field: &str) -> Option<String> {
        match self.body.get(field)? {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            _ => self.wrong(field, "Must be of type string"),
        }
    }

    /// A problem if it is not there.
    pub(crate) fn required_text(&mut self, field: &str) -> Option<String> {
        if !self.has(field) {
            return self.wrong(field, &format!("{field} is required"));
        }
        self.text(field)
    }

    pub(crate) fn flag(&mut self, field: &str) -> Option<bool> {
        match self.body.get(field)? {
            Value::Null => None,
            Value::Bool(flag) => Some(*flag),
            _ => self.wrong(field, "Must be of type boolean"),
        }
    }

    pub(crate) fn number(&mut self, field: &str) -> Option<u64> {
        match self.body.get(field)? {
            Value::Null => None,
            value => match value.as_u64() {
                Some(number) => Some(number),
                None => self.wrong(field, "Must be of type integer"),
            },
        }
    }

    pub(crate) fn texts(&mut self, field: &str) -> Option<Vec<String>> {
        match self.body.get(field)? {
            Value::Null => None,
            Value::Array(all) => {
                let texts: Option<Vec<String>> = all.iter().map(|one| one.as_str().map(str::to_owned)).collect();
                if texts.is_none() { self.wrong(field, "Must be an array of strings") } else { texts }
            }
            _ => self.wrong(field, "Must be of type array"),
        }
    }

    pub(crate) fn object(&mut self, field: &str) -> Option<Map<String, Value>> {
        match self.body.get(field)? {
            Value::Null => None,
            Value::Object(object) => Some(object.clone()),
            _ => self.wrong(field, "Must be of type object"),
        }
    }

    pub(crate) fn array(&mut self, field: &str) -> Option<Vec<Value>> {
        match self.body.get(field)? {
            Value::Null => None,
            Value::Array(all) => Some(all.clone()),
            _ => self.wrong(field, "Must be of type array"),
        }
    }

    /// Tags: 3 to 50 characters each; the same one twice is one.
    pub(crate) fn tags(&mut self) -> Option<Vec<String>> {
        let mut tags = self.texts("tags")?;
        for (at, tag) in tags.iter().enumerate() {
            if !(3..=50).contains(&tag.chars().count()) {
                self.problems.add(format!("tags[{at}]"), "Must be 3-50 characters");
            }
        }
        tags.sort();
        tags.dedup();
        Some(tags)
    }

    /// Everything was right, or all that was not.
    pub(crate) fn done(self) -> Result<(), Refused> {
        self.problems.none()
    }

    /// Notes what is wrong with a field; gives none, for its reader to give on.
    pub(crate) fn wrong<T>(&mut self, field: &str, reason: &str) -> Option<T> {
        self.problems.add(field, reason);
        None
    }
}

/// What is wrong with a label of a Linode or a firewall, if anything is.
pub(crate) fn label_problem(label: &str, least: usize, most: usize) -> Option<String> {
    if !(least..=most).contains(&label.chars().count()) {
        return Some(format!("Must be {least}-{most} characters"));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !label.chars().all(allowed) {
        return Some("Must only use ASCII letters, numbers, underscores, dashes, and periods".to_owned());
    }
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    if !edge(label.chars().next()) || !edge(label.chars().next_back()) {
        return Some("Must begin and end with a letter or number".to_owned());
    }
    let double = ["--", "__", ".."].into_iter().find(|double| label.contains(double));
    double.map(|double| format!("Must not have {double} in it"))
}

/// Whether a line is a public key as `authorized_keys` wants it. Its numbers are not checked.
pub(crate) fn is_public_key(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let (Some(kind), Some(blob)) = (words.next(), words.next()) else { return false };
    let known = kind.starts_with("ecdsa-sha2-nistp")
        || matches!(
            kind,
            "ssh-rsa" | "ssh-dss" | "ssh-ed25519" | "sk-ssh-ed25519@openssh.com" | "sk-ecdsa-sha2-nistp256@openssh.com"
        );
    known
        && !line.trim().contains(['\n', '\r'])
        && blob.len() >= 16
        && blob.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
}

/// What is wrong with a root password, if anything is. The API weighs it by a score it does not publish; here letters,
/// digits and the rest count.
pub(crate) fn password_problem(password: &str) -> Option<&'static str> {
    if !(7..=128).contains(&password.chars().count()) {
        return Some("Must be 7-128 characters");
    }
    let kinds: [fn(&char) -> bool; 4] =
        [|c| c.is_lowercase(), |c| c.is_uppercase(), |c| c.is_ascii_digit(), |c| !c.is_alphanumeric()];
    let present = kinds.into_iter().filter(|kind| password.chars().any(|c| kind(&c))).count();
    (present < 2).then_some("Password does not meet strength requirement")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels() {
        let problem = |label: &str| label_problem(label, 3, 64).unwrap_or_default();
        for good in ["abc", "web-1", "1.a_b-c", "A.b.C-9", &"x".repeat(64)] {
            assert_eq!(problem(good), "", "{good}");
        }
        assert_eq!(problem("ab"), "Must be 3-64 characters");
        assert_eq!(problem(&"x".repeat(65)), "Must be 3-64 characters");
        assert_eq!(problem("web 1"), "Must only use ASCII letters, numbers, underscores, dashes, and periods");
        assert_eq!(problem("wéb"), "Must only use ASCII letters, numbers, underscores, dashes, and periods");
        assert_eq!(problem("web-"), "Must begin and end with a letter or number");
        assert_eq!(problem("_web"), "Must begin and end with a letter or number");
        assert_eq!(problem("we--b"), "Must not have -- in it");
        assert_eq!(problem("we..b"), "Must not have .. in it");
    }

    #[test]
    fn keys_and_passwords() {
        assert!(is_public_key("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBg me@here"));
        assert!(is_public_key("ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY="));
        assert!(!is_public_key("ssh-ed25519"));
        assert!(!is_public_key("-----BEGIN OPENSSH PRIVATE KEY-----"));
        assert!(!is_public_key("ssh-rsa not!base64!at!all"));
        assert!(!is_public_key("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBg\nssh-rsa AAAAB3NzaC1yc2EAAAADAQAB"));
        assert_eq!(password_problem("short1"), Some("Must be 7-128 characters"));
        assert_eq!(password_problem("passwordpassword"), Some("Password does not meet strength requirement"));
        assert_eq!(password_problem("thisIsYourRootPassword"), None);
    }
}
