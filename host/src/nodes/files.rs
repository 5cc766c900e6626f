//! Files on a node: read, written in one go, sent and fetched only if they differ. Does not know what they are for.

use super::exec::Capture;
use super::output::Stream;
use super::quote::sh_command;
use super::states::{Applied, File, file_plan};
use super::{ExecOptions, NodeError, Nodes, Output, Result, Target};
use crate::core::digest::sha256_of;
use crate::core::ids::hex;
use linodetool_sandbox::act;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io::Write;
use std::path::Path;

/// Up to here sending is cheaper than asking first whether it is needed.
const SMALL: u64 = 64 * 1024;

/// How a file on a node is to be kept; what is not given stays as it is.
#[derive(Clone, Debug, Default)]
pub struct FileOptions {
    /// Octal digits, "0644".
    pub mode: Option<String>,
    pub owner: Option<String>,
    pub group: Option<String>,
}

/// What a node says of a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stat {
    /// `file`, `directory`, `link` or `other`.
    pub kind: String,
    pub size: u64,
    /// Octal digits.
    pub mode: String,
    pub owner: String,
    pub group: String,
    /// Seconds since 1970.
    pub modified: u64,
}

impl Nodes {
    /// A file's content, if it is not larger than `limit`.
    pub async fn read(&self, target: &Target, path: &str, limit: usize) -> Result<Vec<u8>> {
        if let Some(simulation) = self.simulation() {
            let file = simulation.file(target, path).await?;
            let file = file.ok_or_else(|| on_node(target, path, "there is no such file".into()))?;
            return Ok(file.content.unwrap_or_default().into_bytes());
        }
        let command = sh_command("exec head -c \"$2\" <\"$1\"", &[path, &limit.saturating_add(1).to_string()]);
        let (mut content, mut complaint, mut over) = (Vec::new(), Vec::new(), false);
        let mut sink = |stream: Stream, bytes: &[u8]| match stream {
            Stream::Out if content.len() + bytes.len() > limit => over = true,
            Stream::Out => content.extend_from_slice(bytes),
            Stream::Err => complaint.extend_from_slice(&bytes[..bytes.len().min(4096)]),
        };
        let ended = self.stream(target, &command, &[][..], &mut sink).await?;
        if over {
            return Err(on_node(target, path, format!("it is larger than {limit} bytes: download it")));
        }
        if ended.exit_code != Some(0) {
            return Err(on_node(target, path, reason(&complaint)));
        }
        Ok(content)
    }

    /// Makes a file have this content, in one go: no reader sees half of it.
    pub async fn write(&self, target: &Target, path: &str, content: &[u8], options: &FileOptions) -> Result<Applied> {
        let file = options.of(path);
        if let Some(simulation) = self.simulation() {
            let (digest, size) = (Some(hex(&Sha256::digest(content))), content.len() as u64);
            let content = (size <= SMALL).then(|| String::from_utf8_lossy(content).into_owned());
            return simulation.put(target, path, act::File { digest, size, content }).await;
        }
        if content.len() as u64 > SMALL {
            let sum = hex(&Sha256::digest(content));
            if self.digest(target, path).await?.as_deref() == Some(&*sum) {
                return self.apply(target, &file, None, None).await;
            }
        }
        let plan = file_plan(format!("file {path}"), &file, Some(content), "content")?;
        self.apply_plan(target, &plan, None, None).await
    }

    /// Makes a file of this computer be on the node; it is not sent if it is there already.
    pub async fn upload(&self, target: &Target, local: &Path, path: &str, options: &FileOptions) -> Result<Applied> {
        let known = local_digest(local).await?;
        self.upload_known(target, local, (&known.0, known.1), path, options).await
    }

    /// The same for one whose SHA-256 and size are known; if it is another by now, the node refuses what arrives.
    pub async fn upload_known(
        &self,
        target: &Target,
        local: &Path,
        (sum, size): (&str, u64),
        path: &str,
        options: &FileOptions,
    ) -> Result<Applied> {
        let file = options.of(path);
        if let Some(simulation) = self.simulation() {
            let file = act::File { digest: Some(sum.to_owned()), size, content: None };
            return simulation.put(target, path, file).await;
        }
        if size > SMALL && self.digest(target, path).await?.as_deref() == Some(sum) {
            return self.apply(target, &file, None, None).await;
        }
        let plan = file_plan(format!("file {path}"), &file, None, "content")?.with_digest(sum);
        let content = tokio::fs::File::open(local).await.map_err(|e| here(local, e))?;
        let mut capture = Capture::default();
        let mut sink = |stream, bytes: &[u8]| capture.push(stream, bytes);
        let ended = self.stream(target, &plan.command(), content, &mut sink).await?;
        plan.read(&target.name, &capture.finish(ended))
    }

    /// Makes a file of the node be on this computer; says whether it was fetched.
    pub async fn download(&self, target: &Target, path: &str, local: &Path) -> Result<bool> {
        let Some(sum) = self.digest(target, path).await? else {
            return Err(on_node(target, path, "there is no such file".into()));
        };
        if self.simulation().is_some() {
            return Ok(true); // nothing is written on this computer
        }
        if local.exists() && local_digest(local).await?.0 == sum {
            return Ok(false);
        }
        let folder = local.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Private until it is complete, and afterwards too unless it replaces a file that was not.
        let mut new = tempfile::NamedTempFile::new_in(folder).map_err(|e| here(folder, e))?;
        if let Ok(old) = std::fs::metadata(local) {
            new.as_file().set_permissions(old.permissions()).map_err(|e| here(local, e))?;
        }
        let (mut hash, mut failed, mut complaint) = (Sha256::new(), None, Vec::new());
        let mut sink = |stream: Stream, bytes: &[u8]| match stream {
            // Into the page cache, which is faster than any network this comes from.
            Stream::Out => {
                hash.update(bytes);
                if failed.is_none() {
                    failed = new.write_all(bytes).err();
                }
            }
            Stream::Err => complaint.extend_from_slice(&bytes[..bytes.len().min(4096)]),
        };
        let command = sh_command("exec cat <\"$1\"", &[path]);
        let ended = self.stream(target, &command, &[][..], &mut sink).await?;
        if let Some(error) = failed {
            return Err(here(local, error));
        }
        if ended.exit_code != Some(0) {
            return Err(on_node(target, path, reason(&complaint)));
        }
        if hex(&hash.finalize()) != sum {
            return Err(on_node(target, path, "it changed while it was fetched: try again".into()));
        }
        new.persist(local).map_err(|e| here(local, e.error))?;
        Ok(true)
    }

    /// What is at a path; nothing if there is nothing.
    pub async fn stat(&self, target: &Target, path: &str) -> Result<Option<Stat>> {
        if let Some(simulation) = self.simulation() {
            return simulation.stat(target, path).await;
        }
        const SCRIPT: &str = "[ -e \"$1\" ] || [ -L \"$1\" ] || exit 3; exec stat -c '%f %s %a %U %G %Y' \"$1\"";
        let output = self.exec(target, &sh_command(SCRIPT, &[path]), ExecOptions::default()).await?;
        if output.exit_code == Some(3) {
            return Ok(None);
        }
        match output.success().then(|| parse_stat(&output.stdout_text())).flatten() {
            Some(stat) => Ok(Some(stat)),
            None => Err(on_node(target, path, reason(&output.stderr))),
        }
    }

    /// SHA-256 of a file on the node; nothing if it is none.
    pub async fn digest(&self, target: &Target, path: &str) -> Result<Option<String>> {
        if let Some(simulation) = self.simulation() {
            let file = simulation.file(target, path).await?;
            // Of a file that a command has made, nobody knows what is in it.
            return Ok(file.map(|file| file.digest.unwrap_or_else(|| "0".repeat(64))));
        }
        const SCRIPT: &str = "[ -f \"$1\" ] || exit 3; exec sha256sum <\"$1\"";
        let output: Output = self.exec(target, &sh_command(SCRIPT, &[path]), ExecOptions::default()).await?;
        if output.exit_code == Some(3) {
            return Ok(None);
        }
        match output.stdout_text().get(..64) {
            Some(sum) if output.success() => Ok(Some(sum.to_owned())),
            _ => Err(on_node(target, path, reason(&output.stderr))),
        }
    }
}

impl FileOptions {
    fn of(&self, path: &str) -> File {
        let (mode, owner, group) = (self.mode.clone(), self.owner.clone(), self.group.clone());
        File { path: path.to_owned(), mode, owner, group, ..File::default() }
    }
}

/// SHA-256 and size of a file of this computer.
pub(super) async fn local_digest(path: &Path) -> Result<(String, u64)> {
    let owned = path.to_owned();
    let work = move || std::fs::File::open(owned).and_then(sha256_of);
    let done = tokio::task::spawn_blocking(work).await.map_err(|e| here(path, std::io::Error::other(e)))?;
    done.map_err(|e| here(path, e))
}

fn parse_stat(text: &str) -> Option<Stat> {
    let mut words = text.split_whitespace();
    let raw = u32::from_str_radix(words.next()?, 16).ok()?;
    let kind = match raw & 0o170_000 {
        0o100_000 => "file",
        0o040_000 => "directory",
        0o120_000 => "link",
        _ => "other",
    };
    Some(Stat {
        kind: kind.into(),
        size: words.next()?.parse().ok()?,
        mode: format!("{:04o}", raw & 0o7777),
        owner: words.nth(1)?.into(),
        group: words.next()?.into(),
        modified: words.next()?.parse().ok()?,
    })
}

fn reason(complaint: &[u8]) -> String {
    let text = String::from_utf8_lossy(complaint);
    match text.trim() {
        "" => "it cannot be read".into(),
        // `lt: 1: cannot open /x: No such file`: what comes before the path is the shell's own.
        text => text.rsplit_once(": ").map_or(text, |(_, why)| why).to_owned(),
    }
}

fn on_node(target: &Target, path: &str, message: String) -> NodeError {
    NodeError::File { node: target.name.clone(), path: path.to_owned(), message }
}

fn here(path: &Path, source: std::io::Error) -> NodeError {
    NodeError::Local { path: path.display().to_string(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stat_says_is_read() {
        let stat = parse_stat("81a4 12 644 root adm 1700000000\n").unwrap();
        assert_eq!((stat.kind.as_str(), stat.size, stat.mode.as_str()), ("file", 12, "0644"));
        assert_eq!((stat.owner.as_str(), stat.group.as_str(), stat.modified), ("root", "adm", 1_700_000_000));
        assert_eq!(parse_stat("nonsense"), None);
    }
}
