//! The process's surroundings, read once: variables, folders, what is a terminal.
//!
//! Owns the decision where files are kept. Below the command layer nobody reads the environment.

use crate::core::{Failure, FailureKind, Paths};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What the process was started with.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    vars: BTreeMap<String, String>,
    work: PathBuf,
    exe: PathBuf,
}

impl Environment {
    /// The real one. Variables that are not UTF-8 are left out.
    pub(crate) fn of_process() -> Result<Self, Failure> {
        let vars = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let work = std::env::current_dir().map_err(|e| {
            Failure::new(FailureKind::Local, format!("the current folder cannot be used: {e}"))
                .hint("change to a folder that exists")
        })?;
        let exe = std::env::current_exe().map_err(|e| {
            Failure::new(FailureKind::Local, format!("linodetool's own file cannot be found: {e}"))
                .hint("is /proc mounted?")
        })?;
        Ok(Self { vars, work, exe })
    }

    /// One that knows nothing, for a process that cannot even find its own folder.
    pub(crate) fn empty() -> Self {
        Self { vars: BTreeMap::new(), work: PathBuf::new(), exe: PathBuf::new() }
    }

    /// A variable's value; an empty one counts as unset.
    pub(crate) fn var(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// All variables, for those who look for tokens.
    pub(crate) fn vars(&self) -> &BTreeMap<String, String> {
        &self.vars
    }

    /// Where files are kept.
    pub(crate) fn paths(&self, state_dir: Option<&Path>) -> Result<Paths, Failure> {
        let home = self.var("HOME").map(PathBuf::from).filter(|home| home.is_absolute()).ok_or_else(|| {
            Failure::new(FailureKind::Local, "the variable HOME is not set to an absolute path")
                .hint("set HOME; linodetool keeps its settings and caches below it")
        })?;
        let base = |name, below: &str| {
            // A relative path in these variables is to be ignored, says their specification.
            self.var(name).map(PathBuf::from).filter(|p| p.is_absolute()).unwrap_or_else(|| home.join(below))
        };
        let config = base("XDG_CONFIG_HOME", ".config");
        let state = match state_dir {
            Some(dir) => self.work.join(dir),
            None => base("XDG_STATE_HOME", ".local/state").join("linodetool"),
        };
        Ok(Paths {
            state,
            data: base("XDG_DATA_HOME", ".local/share").join("linodetool"),
            cache: base("XDG_CACHE_HOME", ".cache").join("linodetool"),
            linode_cli: self
                .var("LINODE_CLI_CONFIG")
                .map_or_else(|| config.join("linode-cli"), |file| self.work.join(file)),
            config: config.join("linodetool"),
            home,
            work: self.work.clone(),
            exe: self.exe.clone(),
        })
    }

    /// The file that a program's name stands for, looked up as a shell would.
    pub(crate) fn program(&self, name: &str) -> Option<PathBuf> {
        use std::os::unix::fs::PermissionsExt;
        let runs =
            |file: &PathBuf| std::fs::metadata(file).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0);
        // Firewalls and the like are in folders that an ordinary user's PATH leaves out.
        let path = self.var("PATH").unwrap_or_default().split(':');
        path.filter(|dir| !dir.is_empty())
            .chain(["/usr/sbin", "/sbin"])
            .map(|dir| self.work.join(dir).join(name))
            .find(runs)
    }
}

#[cfg(test)]
impl Environment {
    /// One for tests.
    pub(crate) fn fake(vars: &[(&str, &str)]) -> Self {
        let vars = vars.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Self { vars, work: "/work".into(), exe: "/usr/bin/linodetool".into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_follow_the_variables() {
        let paths = Environment::fake(&[("HOME", "/home/ann")]).paths(None).unwrap();
        assert_eq!(paths.state, Path::new("/home/ann/.local/state/linodetool"));
        assert_eq!(paths.linode_cli, Path::new("/home/ann/.config/linode-cli"));
        let vars = [
            ("HOME", "/home/ann"),
            ("XDG_STATE_HOME", "/s"),
            ("XDG_CONFIG_HOME", "relative"),
            ("LINODE_CLI_CONFIG", ""),
        ];
        let paths = Environment::fake(&vars).paths(None).unwrap();
        assert_eq!(paths.state, Path::new("/s/linodetool"));
        assert_eq!(paths.config, Path::new("/home/ann/.config/linodetool"));
        let paths = Environment::fake(&vars).paths(Some(Path::new("here"))).unwrap();
        assert_eq!(paths.state, Path::new("/work/here"));
    }

    #[test]
    fn no_home_is_said() {
        let failure = Environment::fake(&[]).paths(None).unwrap_err();
        assert_eq!(failure.message, "the variable HOME is not set to an absolute path");
    }
}
