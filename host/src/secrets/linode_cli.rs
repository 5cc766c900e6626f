//! linode-cli's configuration file: an INI file with a section a user.

use super::token::plausible;
use crate::core::{Failure, FailureKind, Secret};
use std::collections::BTreeMap;
use std::path::Path;

/// A user's token, and who it is.
pub(super) struct CliUser {
    pub(super) name: String,
    pub(super) token: Secret<String>,
}

/// The token of that user, of the default user, or of the only one. `None` if there is no file.
pub(super) fn read(path: &Path, user: Option<&str>) -> Result<Option<CliUser>, Failure> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let message = format!("linode-cli's file {} cannot be read: {error}", path.display());
            return Err(Failure::new(FailureKind::Local, message));
        }
    };
    choose(&text, user, &path.display().to_string())
}

fn choose(text: &str, user: Option<&str>, path: &str) -> Result<Option<CliUser>, Failure> {
    let sections = sections(text);
    let users: BTreeMap<&str, &str> = sections
        .iter()
        .filter(|(name, _)| **name != "DEFAULT")
        .filter_map(|(name, keys)| Some((*name, *keys.get("token")?)))
        .filter(|(_, token)| !token.is_empty())
        .collect();
    let default = sections.get("DEFAULT").and_then(|keys| keys.get("default-user")).copied();
    let names = || users.keys().copied().collect::<Vec<_>>().join(", ");
    let name = match (user, default, users.len()) {
        (Some(user), _, _) if users.contains_key(user) => user,
        (Some(user), _, _) => {
            return Err(Failure::new(FailureKind::Auth, format!("{path} has no token of a user `{user}`"))
                .hint(format!("it has tokens of: {}", names()))
                .near(user, users.keys().copied()));
        }
        (None, Some(default), _) if users.contains_key(default) => default,
        (None, _, 0) => return Ok(None),
        (None, Some(default), _) => {
            let message = format!("the default user of {path} is `{default}`, who has no token there");
            return Err(Failure::new(FailureKind::Auth, message)
                .hint(format!("it has tokens of: {}; run `linode-cli set-user NAME`, or set LINODE_TOKEN", names())));
        }
        (None, _, 1) => users.keys().next().copied().unwrap_or_default(),
        (None, _, _) => {
            let message = format!("{path} has tokens of several users and no default user: {}", names());
            return Err(
                Failure::new(FailureKind::Auth, message).hint("run `linode-cli set-user NAME`, or set LINODE_TOKEN")
            );
        }
    };
    let token = users.get(name).copied().unwrap_or_default();
    let token = plausible(token, &format!("the user {name} in {path}"))?;
    Ok(Some(CliUser { name: name.to_owned(), token }))
}

/// Sections of `key = value` lines; comments are lines that begin with `#` or `;`.
fn sections(text: &str) -> BTreeMap<&str, BTreeMap<&str, &str>> {
    let mut sections: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    let mut section = "DEFAULT";
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.trim();
        } else if let Some((key, value)) = line.split_once(['=', ':']) {
            sections.entry(section).or_default().insert(key.trim(), value.trim());
        }
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(text: &str, user: Option<&str>, expected: &Expect) {
        let said = match choose(text, user, "FILE") {
            Ok(None) => "nothing".to_owned(),
            Ok(Some(user)) => format!("{} {}", user.name, user.token.reveal()),
            Err(failure) => format!("{failure}; {}", failure.hint.as_deref().unwrap_or_default()),
        };
        expected.assert_eq(&said);
    }

    const TWO: &str = "[anna]\ntoken = aaaa1111\nregion = us-east\n\n[bert]\n; mine\ntoken=bbbb2222\n";

    #[test]
    fn chooses_a_user() {
        check(&format!("[DEFAULT]\ndefault-user = bert\n{TWO}"), None, &expect!["bert bbbb2222"]);
        check(&format!("[DEFAULT]\ndefault-user = bert\n{TWO}"), Some("anna"), &expect!["anna aaaa1111"]);
        check("[anna]\ntoken = aaaa1111\n", None, &expect!["anna aaaa1111"]);
        check(
            TWO,
            None,
            &expect![
                "FILE has tokens of several users and no default user: anna, bert; run `linode-cli set-user NAME`, or set LINODE_TOKEN"
            ],
        );
        check(TWO, Some("ann"), &expect!["FILE has no token of a user `ann`; did you mean `anna`?"]);
        check("[DEFAULT]\ndefault-user = x\n[x]\nregion = us-east\n", None, &expect!["nothing"]);
        check("", None, &expect!["nothing"]);
        check(
            "[DEFAULT]\ndefault-user = work\n[work]\nregion = us-east\n[anna]\ntoken = aaaa1111\n",
            None,
            &expect![
                "the default user of FILE is `work`, who has no token there; it has tokens of: anna; run `linode-cli set-user NAME`, or set LINODE_TOKEN"
            ],
        );
    }
}
