//! Settings of the kernel.

use super::plan::{Plan, State, absolute, digest, name, wish};
use crate::nodes::{NodeError, Result};
use linodetool_sandbox::act::Wish;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Kernel settings: in a file for the next boot, and at once. Where the kernel's settings are read-only, as in a
/// container, a note says so.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sysctl {
    /// `vm.swappiness` to `1`.
    pub settings: BTreeMap<String, String>,
    /// Name of the file, without its folder.
    pub file: String,
    /// Where such files lie.
    pub folder: String,
    /// Where the kernel shows its settings.
    pub proc: String,
}

impl Default for Sysctl {
    fn default() -> Self {
        let (folder, proc) = ("/etc/sysctl.d".into(), "/proc/sys".into());
        Self { settings: BTreeMap::new(), file: "90-linodetool.conf".into(), folder, proc }
    }
}

impl State for Sysctl {
    fn title(&self) -> String {
        format!("sysctl {}", self.settings.keys().cloned().collect::<Vec<_>>().join(" "))
    }

    fn wish(&self) -> Wish {
        wish("sysctl", &self.file, self.settings.iter().map(|(key, value)| (key.as_str(), Some(value.clone()))))
    }

    fn plan(&self) -> Result<Plan> {
        let path = format!("{}/{}", absolute("folder", &self.folder)?, name("file", Some(&self.file))?);
        let mut text = String::new();
        let mut pairs = Vec::new();
        for (key, value) in &self.settings {
            let key = name("settings", Some(key))?;
            if key.contains("..") || value.contains('\n') || value.trim().is_empty() {
                return Err(NodeError::usage("settings", format!("`{key}` cannot be set to `{value}`")));
            }
            text.push_str(&format!("{key} = {value}\n"));
            pairs.extend([key, value]);
        }
        let sum = digest(text.as_bytes());
        let arguments = [vec![path.as_str(), &sum, absolute("proc", &self.proc)?], pairs].concat();
        Ok(Plan::new(self.title(), include_str!("sh/sysctl.sh"), &arguments).stdin(text.into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes::states::testing::{Here, read};

    fn wanted(here: &Here, settings: &[(&str, &str)]) -> Sysctl {
        let settings = settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Sysctl { settings, folder: here.root(), proc: here.root(), ..Sysctl::default() }
    }

    #[test]
    fn settings_are_written_and_applied() {
        let here = Here::new();
        std::fs::create_dir_all(here.path("vm")).unwrap();
        std::fs::write(here.path("vm/swappiness"), "60\n").unwrap();
        std::fs::write(here.path("vm/range"), "1\t2\t3\n").unwrap();
        let two = wanted(&here, &[("vm.swappiness", "1"), ("vm.range", "1 2 3")]);
        assert_eq!(here.apply(&two), "changed: created, vm.swappiness = 1");
        assert_eq!(here.apply(&two), "same: ");
        assert_eq!(read(&here.path("90-linodetool.conf")), "vm.range = 1 2 3\nvm.swappiness = 1\n");
        assert_eq!(read(&here.path("vm/swappiness")), "1\n");
    }

    #[test]
    fn an_unknown_setting_is_an_error() {
        let here = Here::new();
        let unknown = wanted(&here, &[("vm.nothing", "1")]);
        assert_eq!(
            here.apply(&unknown),
            "failed: this kernel has no setting vm.nothing (see the names with: sysctl -a)"
        );
        assert!(here.files().is_empty(), "the file was not written");
    }
}
