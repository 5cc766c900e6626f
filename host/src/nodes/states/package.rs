//! Packages of the distribution.

use super::plan::{Plan, State, name, wish};
use crate::nodes::{NodeError, Result};
use linodetool_sandbox::act::Wish;
use serde::{Deserialize, Serialize};

/// Packages. Satisfied when the commands they provide are there, however they came.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Package {
    /// The packages, where the distribution's own list below is empty.
    pub names: Vec<String>,
    /// Commands that are there once they are installed; without them the package manager is asked.
    pub provides: Vec<String>,
    /// Their names for apt (Debian, Ubuntu).
    pub apt: Option<Vec<String>>,
    /// For dnf (Fedora, RHEL, Alma, Rocky).
    pub dnf: Option<Vec<String>>,
    /// For apk (Alpine).
    pub apk: Option<Vec<String>>,
    /// For pacman (Arch).
    pub pacman: Option<Vec<String>>,
    /// For zypper (openSUSE).
    pub zypper: Option<Vec<String>>,
    /// The node is a sandbox machine: nothing can be installed there. Set by whoever knows, not by recipes.
    #[serde(skip)]
    pub sandbox: bool,
}

impl State for Package {
    fn title(&self) -> String {
        format!("package {}", self.names.join(" "))
    }

    fn wish(&self) -> Wish {
        wish("package", &self.names.join(" "), [])
    }

    fn plan(&self) -> Result<Plan> {
        let own = [&self.apt, &self.dnf, &self.apk, &self.pacman, &self.zypper];
        if self.names.is_empty() && own.iter().any(|o| o.is_none()) {
            return Err(NodeError::usage("names", "`names` is missing"));
        }
        let words = |field, list: &[String]| -> Result<String> {
            for word in list {
                name(field, Some(word))?;
            }
            Ok(list.join(" "))
        };
        let mut arguments = vec![
            (if self.sandbox { "sandbox" } else { "node" }).to_owned(),
            words("provides", &self.provides)?,
            words("names", &self.names)?,
        ];
        for list in own {
            arguments.push(list.as_ref().map_or(Ok("-".to_owned()), |list| words("names", list))?);
        }
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        Ok(Plan::new(self.title(), include_str!("sh/package.sh"), &arguments))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes::states::testing::{Here, read};

    fn list(words: &[&str]) -> Vec<String> {
        words.iter().map(|w| (*w).to_owned()).collect()
    }

    fn tree() -> Package {
        Package { names: list(&["tree"]), provides: list(&["lt-tree"]), ..Package::default() }
    }

    fn debian(works: &str) -> Here {
        let here = Here::new().only(&["sh", "touch", "grep", "cat", "chmod"]);
        here.program("apt-get", &format!("echo \"$*\" >>log\n{works}"));
        here.program("dpkg-query", "exit 1");
        here
    }

    #[test]
    fn nothing_is_done_when_the_commands_are_there() {
        let here = Here::new().only(&["sh"]);
        here.program("lt-tree", "");
        assert_eq!(here.apply(&tree()), "same: ");
    }

    #[test]
    fn it_is_installed_with_the_lists_fetched_if_need_be() {
        // It works only after an update.
        let here = debian("case $* in *update*) touch updated ;; *) [ -e updated ] && touch installed ;; esac");
        let mut package = tree();
        package.provides.clear();
        package.apt = Some(list(&["tree-apt"]));
        assert_eq!(here.apply(&package), "changed: installed tree-apt");
        expect_test::expect![[r"
            -o DPkg::Lock::Timeout=600 -o Dpkg::Options::=--force-confold -qq -y install tree-apt
            -o DPkg::Lock::Timeout=600 -o Dpkg::Options::=--force-confold -qq -y update
            -o DPkg::Lock::Timeout=600 -o Dpkg::Options::=--force-confold -qq -y install tree-apt
        "]]
        .assert_eq(&read(&here.path("log")));
    }

    #[test]
    fn what_goes_wrong_is_said() {
        let broken = debian("echo no such package >&2; exit 100");
        let said = broken.apply(&tree());
        assert_eq!(
            said,
            "failed: `apt-get install tree` failed (see the output; the package may have another name here)"
        );
        let other = debian("");
        let said = other.apply(&tree());
        assert!(said.starts_with("failed: tree was installed, but lt-tree is still not there"), "{said}");
    }

    #[test]
    fn a_sandbox_machine_says_what_this_computer_lacks() {
        let here = debian("");
        let said = here.apply(&Package { sandbox: true, ..tree() });
        assert_eq!(
            said,
            "failed: lt-tree is not there, and a sandbox machine has the programs of this computer and no outside network \
             (install on this computer: apt-get install tree)"
        );
        assert!(here.files().is_empty(), "apt-get was not called");
    }
}
