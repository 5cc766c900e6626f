//! Our own program, as the room keeps it and as machines see it.
//!
//! Owns: the copy in the folder, and the libraries that it needs in a system that may have others or none. Does not know
//! what it does there; see `roles.rs`.

use super::fail::{Because, Result, fail};
use super::layer::make_dir;
use super::protocol::InitConfig;
use super::rootfs::{BINARY, OURS};
use super::{layer, sys};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The name of the C library's loader among the libraries.
const LOADER: &str = "loader";

/// Our binary at `DIR/bin`, whatever becomes of its path: an upgrade or a build replaces it while the room lives, and what
/// has been removed cannot be shown to a machine any more. Answers its path where the folder allows no programs.
pub(crate) fn keep(dir: &Path) -> Result<Option<PathBuf>> {
    let (bin, exe) = (dir.join("bin"), std::env::current_exe().unwrap_or_default());
    let _ = fs::remove_file(&bin);
    if sys::is_no_exec(dir).because(|| format!("cannot look at {}", dir.display()))? {
        fs::write(&bin, "").because(|| format!("cannot write {}", bin.display()))?;
        return Ok(Some(exe));
    }
    let ours = fs::metadata("/proc/self/exe").because(|| "cannot look at our own program")?;
    // A second name costs nothing; there is none to be had on another file system, of somebody else's file, and of one
    // that has been removed already. What is at the path may be another program by now.
    let named = fs::hard_link(&exe, &bin).is_ok()
        && fs::metadata(&bin).is_ok_and(|m| (m.dev(), m.ino()) == (ours.dev(), ours.ino()));
    if named {
        return Ok(None);
    }
    let _ = fs::remove_file(&bin);
    // Of a program that has been removed /proc still has the content.
    fs::copy("/proc/self/exe", &bin)
        .and_then(|_| fs::set_permissions(&bin, fs::Permissions::from_mode(0o755)))
        .because(|| format!("cannot copy our program to {}", bin.display()))?;
    Ok(None)
}

/// Copies the libraries that our program is linked to into `DIR/lib`; for machines with a system of their own.
pub(crate) fn keep_libraries(dir: &Path) -> Result<()> {
    let lib = dir.join("lib");
    layer::remove(&lib)?;
    let maps = fs::read_to_string("/proc/self/maps").because(|| "cannot look at our own program")?;
    if !maps.contains("/ld-") {
        return Ok(()); // it needs none
    }
    if sys::is_no_exec(dir).because(|| format!("cannot look at {}", dir.display()))? {
        return fail(format!(
            "machines with a root file system of their own need a folder that allows programs; {} does not",
            dir.display()
        ));
    }
    // The loader itself says what it would load, and runs nothing.
    let out = Command::new("/proc/self/exe").env_clear().env("LD_TRACE_LOADED_OBJECTS", "1").output();
    let out = out.because(|| "cannot ask which libraries our program needs")?;
    make_dir(&lib, 0o755)?;
    for (name, path) in loaded(&String::from_utf8_lossy(&out.stdout)) {
        fs::copy(&path, lib.join(name)).because(|| format!("cannot copy {path}"))?;
    }
    Ok(())
}

/// Names and paths in what the loader says: `NAME => PATH (ADDRESS)`, and its own path alone.
fn loaded(text: &str) -> Vec<(String, String)> {
    let line = |l: &str| match l.split_whitespace().collect::<Vec<_>>()[..] {
        [name, "=>", path, _] => Some((name.to_owned(), path.to_owned())),
        [path, _] if path.starts_with('/') => Some((LOADER.to_owned(), path.to_owned())),
        _ => None,
    };
    text.lines().filter_map(line).collect()
}

/// Puts it at its place in a machine whose root is still elsewhere.
pub(crate) fn show(m: &InitConfig, root: &Path) -> Result<()> {
    let (ours, binary) = (root.join(&OURS[1..]), root.join(&BINARY[1..]));
    make_dir(&ours, 0o755)?;
    let lib = m.dir.join("lib");
    let place = if m.base != Path::new("/") && lib.is_dir() { ours.join("program") } else { binary.clone() };
    fs::write(&place, "").because(|| "cannot make the place for our program")?;
    sys::bind_flat(m.dir.join("bin"), &place).because(|| "cannot show our program to the machine")?;
    if place == binary {
        return Ok(());
    }
    make_dir(&ours.join("lib"), 0o755)?;
    sys::bind_flat(&lib, ours.join("lib")).because(|| "cannot show our libraries to the machine")?;
    let script =
        format!("#!/bin/sh\nexec {OURS}/lib/{LOADER} --argv0 \"$0\" --library-path {OURS}/lib {OURS}/program \"$@\"\n");
    fs::write(&binary, script)
        .and_then(|()| fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)))
        .because(|| "cannot show our program to the machine")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_loader_says() {
        let text = "\tlinux-vdso.so.1 (0x00007fff)\n\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f)\n\t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n";
        let seen: Vec<_> = loaded(text).into_iter().map(|(name, path)| format!("{name} {path}")).collect();
        assert_eq!(seen, ["libm.so.6 /lib/x86_64-linux-gnu/libm.so.6", "loader /lib64/ld-linux-x86-64.so.2"]);
    }
}
