//! A directory with its mode and owner.

use super::plan::{Plan, State, absolute, mode, name, wish};
use crate::nodes::{NodeError, Result};
use linodetool_sandbox::act::Wish;
use serde::{Deserialize, Serialize};

/// A directory; its parents are made too.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Directory {
    /// Absolute path on the node.
    pub path: String,
    /// Octal digits, "0755".
    pub mode: Option<String>,
    /// Name of its user.
    pub owner: Option<String>,
    /// Name of its group.
    pub group: Option<String>,
    /// It must not exist; all that is in it is removed.
    pub absent: bool,
}

impl State for Directory {
    fn title(&self) -> String {
        format!("directory {}", self.path)
    }

    fn wish(&self) -> Wish {
        let settings = [("mode", self.mode.clone()), ("owner", self.owner.clone()), ("group", self.group.clone())];
        Wish { absent: self.absent, ..wish("directory", &self.path, settings) }
    }

    fn plan(&self) -> Result<Plan> {
        let path = absolute("path", &self.path)?;
        let parts: Vec<_> = path.split('/').filter(|p| !p.is_empty() && *p != ".").collect();
        if self.absent && (parts.len() < 2 || parts.contains(&"..")) {
            return Err(NodeError::usage("path", format!("`{path}` is not removed: it is too near the root")));
        }
        let owner = name("owner", self.owner.as_deref())?;
        let group = name("group", self.group.as_deref())?;
        let state = if self.absent { "absent" } else { "present" };
        let arguments = [path, mode(&self.mode)?, owner, group, state];
        Ok(Plan::new(self.title(), include_str!("sh/directory.sh"), &arguments))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes::states::testing::Here;

    #[test]
    fn a_directory_is_made_changed_and_removed() {
        let here = Here::new();
        let wanted = Directory { path: here.path("a/b"), mode: Some("0750".into()), ..Directory::default() };
        assert_eq!(here.apply(&wanted), "changed: created");
        assert_eq!(here.apply(&wanted), "same: ");
        let open = Directory { mode: Some("755".into()), ..wanted.clone() };
        assert_eq!(here.apply(&open), "changed: mode 750 to 755");
        let absent = Directory { absent: true, ..wanted };
        assert_eq!(here.apply(&absent), "changed: removed");
        assert_eq!(here.apply(&absent), "same: ");
    }

    #[test]
    fn nothing_near_the_root_is_removed() {
        for path in ["/", "/etc", "//usr/", "/a/../etc", "/./usr"] {
            let absent = Directory { path: path.into(), absent: true, ..Directory::default() };
            assert!(absent.plan().is_err(), "{path}");
        }
    }

    #[test]
    fn a_file_in_its_place_is_an_error() {
        let here = Here::new();
        std::fs::write(here.path("f"), "").unwrap();
        let wanted = Directory { path: here.path("f"), ..Directory::default() };
        assert_eq!(here.apply(&wanted), "failed: it exists and is no directory");
    }
}
