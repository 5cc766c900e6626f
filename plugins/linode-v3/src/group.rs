//! Tags in API v3. It has none, but a Linode and a domain each have one *display group*: all tags go into it.
//!
//! Short on purpose, since API v4 gives the same field 50 characters: `lt-` at the beginning of a tag is written `@`, and the
//! two tags of a node make 47. Does not know whose group it is.

use crate::errors::invalid;
use linodetool_plugin::Result;

/// Begins the group of a Linode whose making has not come to its end.
const UNFINISHED: char = '+';

/// The tags as one text.
pub(crate) fn join(tags: &[String]) -> Result<String> {
    let mut parts = Vec::new();
    for tag in tags {
        if tag.trim() != tag || tag.is_empty() || tag.contains(',') || tag.starts_with(['@', UNFINISHED]) {
            let message = format!(
                "`{tag}` cannot be kept: API v3 has one display group for all tags, so a tag has no comma, begins with neither \
                 `@` nor `{UNFINISHED}`, and has no space at its ends"
            );
            return Err(invalid("tags", message));
        }
        parts.push(tag.strip_prefix("lt-").map_or_else(|| tag.clone(), |rest| format!("@{rest}")));
    }
    Ok(parts.join(","))
}

/// The group of what is being made.
pub(crate) fn unfinished(group: &str) -> String {
    format!("{UNFINISHED}{group}")
}

/// The tags of a group, and whether what has it is still being made.
pub(crate) fn split(group: &str) -> (Vec<String>, bool) {
    let (group, being_made) = match group.strip_prefix(UNFINISHED) {
        Some(rest) => (rest, true),
        None => (group, false),
    };
    let parts = group.split(',').map(str::trim).filter(|part| !part.is_empty());
    let tags = parts.map(|part| part.strip_prefix('@').map_or_else(|| part.to_owned(), |rest| format!("lt-{rest}")));
    (tags.collect(), being_made)
}

#[cfg(test)]
mod tests {
    use super::{join, split, unfinished};

    #[test]
    fn tags_come_back_as_they_went() {
        let tags = ["lt-c-0123456789abcdef", "lt-s-0123456789abcdef01234567", "web", "my servers"].map(str::to_owned);
        let group = join(&tags).expect("good tags");
        assert_eq!(group, "@c-0123456789abcdef,@s-0123456789abcdef01234567,web,my servers");
        assert_eq!(split(&group), (tags.to_vec(), false));
        assert_eq!(split(&unfinished(&group)), (tags.to_vec(), true));
        assert!(unfinished(&join(&tags[..2]).expect("good tags")).len() <= 50);
        assert_eq!(split(""), (vec![], false));
        assert_eq!(split("a person's own group"), (vec!["a person's own group".to_owned()], false));
    }

    #[test]
    fn what_would_not_come_back_is_refused() {
        for tag in ["", "a,b", " a", "@a", "+a"] {
            assert_eq!(join(&[tag.to_owned()]).expect_err("a bad tag").field.as_deref(), Some("tags"), "{tag}");
        }
    }
}
