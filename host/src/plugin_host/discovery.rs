//! Where plugins are: bundled ones beside the executable, foreign ones as recorded in the user's plugin folder.
//!
//! Looks at names alone and loads nothing: most libraries beside a fresh build are not plugins.

use crate::plugin_host::trust::{Installed, InstalledError, Protection};
use std::collections::BTreeMap;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Who brought a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Came with linodetool.
    Bundled,
    /// The user installed it.
    Installed,
}

/// A plugin that seems to be there; not yet judged.
#[derive(Clone, Debug)]
pub struct Found {
    /// As users type it. Of a bundled one from its file name, of an installed one as recorded.
    pub name: String,
    pub path: PathBuf,
    pub place: Place,
    pub protection: Protection,
}

/// All plugins, bundled ones first: a foreign one cannot take their names.
pub(crate) fn find_all(exe: &Path, user: &Path) -> Result<Vec<Found>, InstalledError> {
    let mut all = bundled(exe);
    for (name, Installed { path, sha256 }) in Installed::read(user)? {
        if all.iter().all(|found| found.name != name) {
            all.push(Found { name, path, place: Place::Installed, protection: Protection::Installed { sha256 } });
        }
    }
    Ok(all)
}

/// `liblinodetool_linode_v4.so` beside the executable; in a cargo build also in `deps/`, where cargo puts what tests need.
/// The newer of two of the same name: cargo does not renew both.
pub(crate) fn bundled(exe: &Path) -> Vec<Found> {
    let folder = exe.parent().unwrap_or(exe);
    let mut newest: BTreeMap<String, (SystemTime, PathBuf)> = BTreeMap::new();
    for folder in [folder.to_owned(), folder.join("deps")] {
        for entry in folder.read_dir().into_iter().flatten().flatten() {
            let Some(name) = entry.file_name().to_str().and_then(provider_name) else {
                continue;
            };
            let time = entry.metadata().and_then(|metadata| metadata.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
            let known = newest.get(&name);
            if known.is_none_or(|(before, _)| *before < time) {
                newest.insert(name, (time, entry.path()));
            }
        }
    }
    let protection = Protection::LikeExecutable(exe.to_owned());
    newest
        .into_iter()
        .map(|(name, (_, path))| Found { name, path, place: Place::Bundled, protection: protection.clone() })
        .collect()
}

/// `liblinodetool_linode_v4.so` is `linode-v4`.
fn provider_name(file: &str) -> Option<String> {
    let name = file.strip_prefix(DLL_PREFIX)?.strip_prefix("linodetool_")?.strip_suffix(DLL_SUFFIX)?;
    let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    plain.then(|| name.replace('_', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn bundled_plugins_are_told_by_their_file_names() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| format!("{DLL_PREFIX}{name}{DLL_SUFFIX}");
        fs::create_dir(folder.path().join("deps")).unwrap();
        for name in ["linodetool_linode_v4", "deps/x", "serde_derive-1f", "linodetool_derive-0aB", "linodetool_"] {
            fs::write(folder.path().join(file(name)), "").unwrap_or_default();
        }
        fs::write(folder.path().join("deps").join(file("linodetool_acme")), "").unwrap();
        let found = bundled(&folder.path().join("linodetool"));
        let names: Vec<_> = found.iter().map(|found| found.name.as_str()).collect();
        assert_eq!(names, ["acme", "linode-v4"]);
    }

    #[test]
    fn the_newer_of_two_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let file = format!("{DLL_PREFIX}linodetool_acme{DLL_SUFFIX}");
        let (beside, deps) = (folder.path().join(&file), folder.path().join("deps").join(&file));
        fs::create_dir(folder.path().join("deps")).unwrap();
        fs::write(&beside, "").unwrap();
        fs::write(&deps, "").unwrap();
        let old = SystemTime::UNIX_EPOCH;
        fs::File::options().write(true).open(&beside).unwrap().set_modified(old).unwrap();
        assert_eq!(bundled(&folder.path().join("linodetool"))[0].path, deps);
    }
}
