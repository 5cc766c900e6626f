//! Making one archive with a known digest out of what a recipe wants on its nodes: jars by coordinate, a file, a folder.
//!
//! Owns: the cache of archives on this computer. Does not know nodes.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::core::digest::sha256_of;
use crate::core::ids::hex;
use crate::core::{Cancel, Failure, FailureKind};

/// Jars by coordinate, `GROUP:ARTIFACT:VERSION`, with all they depend on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jars {
    pub name: String,
    pub jars: Vec<String>,
    #[serde(default)]
    pub unpack: Vec<Unpack>,
}

/// Files taken out of a jar.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unpack {
    pub jar: String,
    /// Folder in the jar, `webapps/`; it comes to lie in `web/`.
    pub only: String,
}

/// An archive on this computer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Packed {
    pub path: PathBuf,
    pub sha256: String,
    pub bytes: u64,
}

/// Fetches with `mvn`, which verifies what it downloads, and packs `lib/` and `web/`. Made once for the same coordinates.
///
/// # Errors
/// `Usage` for a bad coordinate, `Local` without `mvn` or when it fails, with its last lines.
///
/// `fetching` is called if they are not here already.
pub fn jars(wanted: &Jars, cache: &Path, cancel: &Cancel, fetching: impl FnOnce()) -> Result<Packed, Failure> {
    for coordinate in wanted.jars.iter().chain(wanted.unpack.iter().map(|u| &u.jar)) {
        check_coordinate(coordinate)?;
    }
    let key = hex(&Sha256::digest(serde_json::to_vec(wanted).map_err(|e| Failure::internal(e.to_string()))?));
    let target = cache.join("artifacts").join(format!("{}-{}.tar", file_name(&wanted.name), &key[..16]));
    if let Some(packed) = cached(&target) {
        return Ok(packed);
    }
    fetching();
    make_private(&cache.join("artifacts"))?;
    let work = tempfile::tempdir_in(cache).map_err(|e| local("cannot make a folder in", cache, &e))?;
    let pom = work.path().join("pom.xml");
    std::fs::write(&pom, pom_of(&wanted.jars)).map_err(|e| local("cannot write", &pom, &e))?;
    let out = work.path().join("out");
    let lib = format!("-DoutputDirectory={}", out.join("lib").display());
    mvn(work.path(), &["dependency:copy-dependencies", &lib], cancel)?;
    for unpack in &wanted.unpack {
        let artifact = format!("-Dartifact={}", unpack.jar);
        let to = format!("-DoutputDirectory={}", out.join("web").display());
        let only = format!("-Dmdep.unpack.includes={}/**", unpack.only.trim_matches('/'));
        mvn(work.path(), &["dependency:unpack", &artifact, &to, &only], cancel)?;
    }
    pack(&out, &target)
}

/// An archive as it is, or a folder packed.
pub fn local_path(path: &Path, cache: &Path) -> Result<Packed, Failure> {
    let kind = std::fs::metadata(path)
        .map_err(|e| local("cannot read", path, &e).hint("give the path of a tarball or a folder that you can read"))?;
    if kind.is_dir() {
        make_private(&cache.join("artifacts"))?;
        let key = hex(&Sha256::digest(path.as_os_str().as_encoded_bytes()));
        return pack(path, &cache.join("artifacts").join(format!("folder-{}.tar", &key[..16])));
    }
    describe(path)
}

/// Digest and size of a file.
pub fn describe(path: &Path) -> Result<Packed, Failure> {
    let read = File::open(path).and_then(sha256_of);
    let (sha256, bytes) = read.map_err(|e| local("cannot read", path, &e))?;
    Ok(Packed { path: path.to_owned(), sha256, bytes })
}

/// A tar of a folder's contents that is the same bytes for the same files: sorted, no times, no owners.
fn pack(folder: &Path, target: &Path) -> Result<Packed, Failure> {
    let write = || -> io::Result<()> {
        let mut part = tempfile::NamedTempFile::new_in(target.parent().unwrap_or(Path::new(".")))?;
        let mut tar = tar::Builder::new(io::BufWriter::with_capacity(1 << 20, part.as_file_mut()));
        tar.mode(tar::HeaderMode::Deterministic);
        tar.follow_symlinks(false);
        for path in everything_below(folder)? {
            let name = path.strip_prefix(folder).unwrap_or(&path);
            tar.append_path_with_name(&path, name)?;
        }
        tar.into_inner()?.flush()?;
        part.as_file().sync_all()?;
        part.persist(target)?;
        Ok(())
    };
    write().map_err(|e| local("cannot write", target, &e))?;
    let packed = describe(target)?;
    // Beside the archive, so that the next run need not read it all: name, size and digest belong together.
    let note = serde_json::to_vec(&packed).unwrap_or_default();
    std::fs::write(note_of(target), note).map_err(|e| local("cannot write", target, &e))?;
    Ok(packed)
}

fn cached(target: &Path) -> Option<Packed> {
    let packed: Packed = serde_json::from_slice(&std::fs::read(note_of(target)).ok()?).ok()?;
    let bytes = std::fs::metadata(target).ok()?.len();
    (packed.bytes == bytes && packed.path == target).then_some(packed)
}

fn note_of(target: &Path) -> PathBuf {
    target.with_extension("tar.json")
}

fn everything_below(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            }
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// Runs a program in a group of processes that ends when our end of its standard input does: when we let go of it, and also
/// when we die without a chance to end anything.
const LEASH: &str = r#"exec 3<&0 </dev/null
(read -r _ <&3; kill -KILL 0) &
"$@" 3<&-
code=$?; kill -KILL $!; exit $code"#;

/// A shell's exit code for a program that is not there.
const NOT_FOUND: i32 = 127;

fn mvn(folder: &Path, arguments: &[&str], cancel: &Cancel) -> Result<(), Failure> {
    let log = folder.join("mvn.log");
    let file = File::create(&log).map_err(|e| local("cannot write", &log, &e))?;
    let again = file.try_clone().map_err(|e| local("cannot write", &log, &e))?;
    let mut child = Command::new("/bin/sh")
        // What it downloads is run by it: tokens are none of its business.
        .env_remove("LINODE_TOKEN")
        .env_remove("LINODE_CLI_TOKEN")
        .args(["-c", LEASH, "sh", "mvn", "--batch-mode", "--quiet", "--strict-checksums", "-Dstyle.color=never"])
        .args(arguments)
        .current_dir(folder)
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(file)
        .stderr(again)
        .spawn()
        .map_err(|e| Failure::new(FailureKind::Local, format!("cannot start a shell: {e}")))?;
    let leash = child.stdin.take();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if cancel.sleep(std::time::Duration::from_millis(100)) => {}
            Ok(None) => {
                drop(leash);
                let _ = child.wait();
                return Err(Failure::new(FailureKind::Cancelled, "cancelled while Maven was fetching jars"));
            }
            Err(e) => return Err(local("cannot wait for mvn in", folder, &e)),
        }
    };
    if status.success() {
        return Ok(());
    }
    let text = std::fs::read_to_string(&log).unwrap_or_default();
    let last: Vec<_> = text.lines().rev().take(15).collect();
    let failure = if status.code() == Some(NOT_FOUND) {
        Failure::new(FailureKind::Local, "cannot run Maven (`mvn`), which fetches jars by coordinate")
            .hint("install Maven (Debian, Ubuntu: apt install maven), or give a tarball: --set hadoop_dist=/path/to/hadoop.tar.gz")
    } else {
        Failure::new(FailureKind::Local, format!("Maven failed ({status}) at {}", arguments[0]))
            .hint("check the version and that this computer reaches a Maven repository")
    };
    Err(Failure { output: Some(last.into_iter().rev().collect::<Vec<_>>().join("\n")), ..failure })
}

fn check_coordinate(text: &str) -> Result<(), Failure> {
    let ok = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    if text.split(':').count() == 3 && text.split(':').all(ok) {
        return Ok(());
    }
    Err(Failure::usage(format!("`{text}` is not a coordinate")).hint("coordinates are GROUP:ARTIFACT:VERSION"))
}

fn pom_of(coordinates: &[String]) -> String {
    let mut pom = String::from(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion>\n\
         <groupId>linodetool</groupId><artifactId>jars</artifactId><version>1</version><packaging>pom</packaging>\n<dependencies>\n",
    );
    for coordinate in coordinates {
        let mut parts = coordinate.split(':');
        let mut next = || parts.next().unwrap_or_default();
        let (group, artifact, version) = (next(), next(), next());
        pom += &format!(
            "<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version></dependency>\n"
        );
    }
    pom + "</dependencies></project>\n"
}

fn file_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect()
}

fn make_private(folder: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|e| local("cannot make", folder, &e))
}

fn local(what: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::new(FailureKind::Local, format!("{what} {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_packs_to_the_same_bytes_whatever_its_times() {
        let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::create_dir(folder.path().join("b")).unwrap();
        std::fs::write(folder.path().join("b/two"), "2").unwrap();
        std::fs::write(folder.path().join("one"), "1").unwrap();
        let first = local_path(folder.path(), cache.path()).unwrap();
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(1000);
        File::options().write(true).open(folder.path().join("one")).unwrap().set_modified(later).unwrap();
        assert_eq!(local_path(folder.path(), cache.path()).unwrap(), first);
        let mut archive = tar::Archive::new(File::open(&first.path).unwrap());
        let names: Vec<_> =
            archive.entries().unwrap().map(|e| e.unwrap().path().unwrap().display().to_string()).collect();
        assert_eq!(names, ["b", "b/two", "one"]);
    }

    #[test]
    fn a_coordinate_cannot_carry_anything_else() {
        assert!(check_coordinate("org.apache.hadoop:hadoop-common:3.4.2").is_ok());
        for bad in ["a:b", "a:b:c:d", "a:<b>:c", "a:b:1 -Dx=y", ":b:c"] {
            assert_eq!(check_coordinate(bad).unwrap_err().message, format!("`{bad}` is not a coordinate"));
        }
    }
}
