//! A file with its content, mode and owner.

use super::plan::{Plan, State, absolute, digest, mode, name, wish};
use crate::nodes::{NodeError, Result};
use linodetool_sandbox::act::Wish;
use serde::{Deserialize, Serialize};

/// A file: replaced in one go if its content differs, so that no reader sees half of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct File {
    /// Absolute path on the node.
    pub path: String,
    /// The whole content; without it the file only has to exist.
    pub content: Option<String>,
    /// Octal digits, "0644"; without it, as it is, or 0644 if it is new.
    pub mode: Option<String>,
    /// Name of its user.
    pub owner: Option<String>,
    /// Name of its group.
    pub group: Option<String>,
    /// The file must not exist.
    pub absent: bool,
}

impl State for File {
    fn title(&self) -> String {
        format!("file {}", self.path)
    }

    fn wish(&self) -> Wish {
        let content = self.content.as_ref().map(|content| digest(content.as_bytes()));
        let settings = [
            ("content", content),
            ("mode", self.mode.clone()),
            ("owner", self.owner.clone()),
            ("group", self.group.clone()),
        ];
        let size = self.content.as_ref().map_or(0, |content| content.len() as u64);
        Wish { absent: self.absent, size, ..wish("file", &self.path, settings) }
    }

    fn plan(&self) -> Result<Plan> {
        if self.absent && self.content.is_some() {
            return Err(NodeError::usage("content", "a file that must not exist has no content"));
        }
        let content = self.content.as_deref().map(str::as_bytes);
        let state = if self.absent { "absent" } else { "exists" };
        plan(self.title(), self, content, state)
    }
}

/// The plan for any bytes.
pub(in crate::nodes) fn plan(title: String, file: &File, content: Option<&[u8]>, otherwise: &str) -> Result<Plan> {
    let path = absolute("path", &file.path)?;
    let owner = name("owner", file.owner.as_deref())?;
    let group = name("group", file.group.as_deref())?;
    let state = if content.is_some() { "content" } else { otherwise };
    let sum = content.map(digest).unwrap_or_default();
    let plan = Plan::new(title, include_str!("sh/file.sh"), &[path, mode(&file.mode)?, owner, group, state, &sum]);
    Ok(match content {
        Some(content) => plan.stdin(content),
        None => plan,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes::states::testing::{Here, read};
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn file(here: &Here, content: &str) -> File {
        File { path: here.path("motd"), content: Some(content.into()), ..File::default() }
    }

    #[test]
    fn a_file_is_made_changed_and_left_alone() {
        let here = Here::new();
        assert_eq!(here.apply(&file(&here, "one\n")), "changed: created");
        assert_eq!(here.apply(&file(&here, "one\n")), "same: ");
        assert_eq!(here.apply(&file(&here, "it's\n\"two\" $x\n")), "changed: content");
        assert_eq!(read(&here.path("motd")), "it's\n\"two\" $x\n");
        let private = File { mode: Some("0600".into()), ..file(&here, "it's\n\"two\" $x\n") };
        assert_eq!(here.apply(&private), "changed: mode 644 to 0600");
        assert_eq!(here.apply(&file(&here, "three")), "changed: content");
        let mode = std::fs::metadata(here.path("motd")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "a new content keeps the mode");
        assert_eq!(here.files(), ["motd"]);
    }

    #[test]
    fn a_new_content_is_never_more_open_than_it_is_to_be() {
        let here = Here::new();
        here.apply(&file(&here, "for all"));
        here.program("chmod", "echo \"$1\" >>modes; exec /bin/chmod \"$@\"");
        let private = File { mode: Some("0600".into()), ..file(&here, "for one") };
        assert_eq!(here.apply(&private), "changed: mode 644 to 0600, content");
        assert!(!here.files().contains(&"modes".into()), "its draft is private and stays so");
        assert_eq!(here.apply(&file(&here, "for one again")), "changed: content");
        assert!(!here.files().contains(&"modes".into()));
        let open = File { mode: Some("0644".into()), ..file(&here, "for all") };
        assert_eq!(here.apply(&open), "changed: mode 600 to 0644, content");
        assert_eq!(read(&here.path("modes")), "0644\n");
    }

    #[test]
    fn a_file_that_must_not_exist_is_removed() {
        let here = Here::new();
        let absent = File { absent: true, content: None, ..file(&here, "") };
        assert_eq!(here.apply(&absent), "same: ");
        here.apply(&file(&here, "x"));
        assert_eq!(here.apply(&absent), "changed: removed");
        assert!(File { absent: true, ..file(&here, "x") }.plan().is_err());
    }

    #[test]
    fn without_content_it_only_has_to_exist() {
        let here = Here::new();
        let touch = File { content: None, ..file(&here, "") };
        assert_eq!(here.apply(&touch), "changed: created");
        here.apply(&file(&here, "x"));
        assert_eq!(here.apply(&touch), "same: ");
    }

    #[test]
    fn a_symbolic_link_is_written_through() {
        let here = Here::new();
        here.apply(&file(&here, "x"));
        symlink(here.path("motd"), here.path("link")).unwrap();
        let link = File { path: here.path("link"), ..file(&here, "y") };
        assert_eq!(here.apply(&link), "changed: content");
        assert_eq!(read(&here.path("motd")), "y");
        assert!(std::fs::symlink_metadata(here.path("link")).unwrap().is_symlink());
    }

    #[test]
    fn what_goes_wrong_is_said() {
        let here = Here::new();
        let nowhere = File { path: here.path("no/such"), ..file(&here, "x") };
        assert_eq!(
            here.apply(&nowhere),
            "failed: it cannot be written (make the directory first, or room on the disk)"
        );
        let owned = File { owner: Some("no-such-user".into()), ..file(&here, "x") };
        assert_eq!(here.apply(&owned), "failed: its owner cannot be set to no-such-user (make the user first)");
        assert!(here.files().is_empty());
    }
}
