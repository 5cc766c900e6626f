//! Where the plugins under test are.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A cdylib of a package that this one names as dev-dependency: cargo has just built it beside this test, in `deps/`.
pub(crate) fn built(library: &str) -> PathBuf {
    let file = format!("{}{library}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let path = crate::exe().with_file_name(file);
    assert!(path.exists(), "{} is missing: is its package a dev-dependency, cdylib and rlib?", path.display());
    path
}

pub(crate) fn misbehaving() -> PathBuf {
    built("misbehaving")
}

/// A plugin in C, compiled on the spot from `wrong.c`.
pub(crate) fn wrong(case: &str, folder: &Path) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let out = folder.join(format!("{case}.so"));
    let compiled = Command::new("cc")
        .args(["-std=c99", "-Wall", "-Wextra", "-Wno-unused-function", "-Wno-unused-variable", "-Werror", "-shared"])
        .args(["-fPIC", "-fvisibility=hidden"])
        .arg(format!("-DCASE_{case}"))
        .arg("-I")
        .arg(root.join("plugin-api/include"))
        .args([&root.join("tests/misbehaving/wrong.c"), Path::new("-o"), &out])
        .output()
        .expect("cc runs");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    set_mode(&out, 0o644);
    out
}

/// A copy of the good file that only its owner may write.
pub(crate) fn copy(folder: &Path) -> PathBuf {
    let copy = folder.join("plugin.so");
    std::fs::copy(misbehaving(), &copy).unwrap();
    set_mode(&copy, 0o644);
    copy
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

pub(crate) fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    set_mode(folder.path(), 0o755);
    folder
}
