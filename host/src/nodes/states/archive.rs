//! An archive that is unpacked.

use super::plan::{Plan, State, absolute, name, wish};
use crate::nodes::{NodeError, Result};
use linodetool_sandbox::act::Wish;
use serde::{Deserialize, Serialize};

/// An archive (tar, compressed as `tar` knows, or zip) unpacked into a folder. A mark in the folder holds its SHA-256, so
/// that it is unpacked again only if the archive is another one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Archive {
    /// The archive, on the node.
    pub path: String,
    /// Where to; made if it is not there.
    pub dest: String,
    /// A path that is there once it is unpacked.
    pub creates: Option<String>,
    /// Leading folders to leave out of each name.
    pub strip: u32,
    /// Who owns all of the folder.
    pub owner: Option<String>,
    /// What the archive's SHA-256 must be.
    pub sha256: Option<String>,
}

impl State for Archive {
    fn title(&self) -> String {
        format!("archive {}", self.dest)
    }

    fn wish(&self) -> Wish {
        let settings =
            [("archive", Some(self.path.clone())), ("sha256", self.sha256.clone()), ("owner", self.owner.clone())];
        wish("archive", &self.dest, settings)
    }

    fn plan(&self) -> Result<Plan> {
        let creates = self.creates.as_deref().map_or(Ok(""), |c| absolute("creates", c))?;
        let sum = self.sha256.as_deref().unwrap_or_default().to_ascii_lowercase();
        if !sum.is_empty() && (sum.len() != 64 || !sum.bytes().all(|b| b.is_ascii_hexdigit())) {
            return Err(NodeError::usage("sha256", "`sha256` must be 64 hexadecimal digits"));
        }
        let arguments = [
            absolute("path", &self.path)?,
            absolute("dest", &self.dest)?,
            creates,
            &self.strip.to_string(),
            name("owner", self.owner.as_deref())?,
            &sum,
        ];
        Ok(Plan::new(self.title(), include_str!("sh/archive.sh"), &arguments))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes::states::testing::{Here, read};
    use std::process::Command;

    fn pack(here: &Here, text: &str) {
        std::fs::create_dir_all(here.path("app-1/bin")).unwrap();
        std::fs::write(here.path("app-1/bin/run"), text).unwrap();
        let made = Command::new("tar").args(["-czf", "app.tar.gz", "app-1"]).current_dir(here.root()).status();
        assert!(made.unwrap().success());
    }

    fn app(here: &Here) -> Archive {
        let creates = Some(here.path("opt/bin/run"));
        Archive { path: here.path("app.tar.gz"), dest: here.path("opt"), creates, strip: 1, ..Archive::default() }
    }

    #[test]
    fn it_is_unpacked_once_and_again_when_it_is_another() {
        let here = Here::new();
        pack(&here, "one");
        assert_eq!(here.apply(&app(&here)), "changed: unpacked");
        assert_eq!(here.apply(&app(&here)), "same: ");
        pack(&here, "another one");
        assert_eq!(here.apply(&app(&here)), "changed: unpacked");
        assert_eq!(read(&here.path("opt/bin/run")), "another one");
        std::fs::remove_file(here.path("opt/bin/run")).unwrap();
        assert_eq!(here.apply(&app(&here)), "changed: unpacked");
        std::fs::remove_file(here.path("app.tar.gz")).unwrap();
        assert_eq!(here.apply(&app(&here)), "same: ", "it is not needed any more");
    }

    #[test]
    fn a_wrong_archive_is_not_unpacked() {
        let here = Here::new();
        pack(&here, "one");
        let sha256 = Some("0".repeat(64));
        let said = here.apply(&Archive { sha256, ..app(&here) });
        assert!(said.contains("is not the archive it should be: SHA-256 is "), "{said}");
        assert!(!here.files().contains(&"opt".into()));
    }
}
