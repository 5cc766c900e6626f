//! Texts on this computer and word counts on nodes: what a recipe needs to prove that a cluster counts right.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};

use crate::core::ids::hex;
use crate::core::{Failure, FailureKind};
use crate::inventory::Node;
use crate::runs::{Done, Kind, StepCx, StepError};
use crate::toolkit::words::{Counter, Counts, files, read_counts};
use crate::toolkit::{At, Repeatable, Toolkit};

/// The text that comes with linodetool.
const BUNDLED: &str = include_str!("../../../scripts/lib/bundled.txt");

/// A text as one file on this computer, and what is in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Text {
    /// One file, whatever the text came from.
    pub path: PathBuf,
    /// The first 16 digits of its SHA-256.
    pub digest: String,
    pub bytes: u64,
    pub counts: Counts,
}

impl Toolkit {
    /// A file, or all files below a folder as one, with its words counted; the bundled text if no path is given.
    ///
    /// # Errors
    /// `Local` if it cannot be read.
    pub fn open_text(&self, at: At<'_>, path: Option<&str>) -> Result<Text, StepError> {
        at.step(&Open { path, toolkit: self })
    }

    /// Reads a file of `word TAB count` lines on a node; in a rehearsal, what is said to be in it.
    pub fn read_counts(
        &self,
        at: At<'_>,
        node: &Node,
        path: &str,
        rehearse: Option<&Counts>,
    ) -> Result<Counts, StepError> {
        at.step(&ReadCounts { node: &node.name, path, rehearse, at_node: node, toolkit: self })
    }
}

#[derive(Serialize)]
struct Open<'a> {
    path: Option<&'a str>,
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

impl Repeatable for Open<'_> {
    const OP: &'static str = "text.open";
    const KIND: Kind = Kind::Read;
    type Out = Text;

    async fn perform(&self, _: &StepCx) -> Result<Done<Text>, Failure> {
        let (path, cache) = (self.path.map(|path| self.toolkit.here(path)), self.toolkit.cache().join("texts"));
        let opened = self.toolkit.blocking(move || match path {
            Some(path) => open(&path, &cache),
            None => bundled(&cache),
        });
        Ok(opened.await??.into())
    }
}

fn bundled(cache: &Path) -> Result<Text, Failure> {
    let written = OneFile::new(cache).and_then(|mut all| {
        all.add(BUNDLED.as_bytes())?;
        all.finish(cache)
    });
    written.map_err(|e| unwritable(cache, &e))
}

fn open(path: &Path, cache: &Path) -> Result<Text, Failure> {
    let found = files(path).map_err(|e| unreadable(path, &e))?;
    if found.is_empty() {
        return Err(Failure::new(FailureKind::Local, format!("{} holds no files", path.display()))
            .hint("give a file, or a folder with files, whose words are to be counted")
            .field("input"));
    }
    let mut all = OneFile::new(cache).map_err(|e| unwritable(cache, &e))?;
    // One after another: a folder may hold more files than a process may have open.
    for file in &found {
        std::fs::File::open(file).and_then(|part| all.add(part)).map_err(|e| unreadable(file, &e))?;
    }
    all.finish(cache).map_err(|e| unwritable(cache, &e))
}

/// All parts of a text in one file of the cache, whose name is its digest.
struct OneFile {
    file: tempfile::NamedTempFile,
    digest: Sha256,
    bytes: u64,
    buffer: Vec<u8>,
}

impl OneFile {
    fn new(cache: &Path) -> std::io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt;
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(cache)?;
        let file = tempfile::NamedTempFile::new_in(cache)?;
        Ok(Self { file, digest: Sha256::new(), bytes: 0, buffer: vec![0; 1 << 20] })
    }

    fn add(&mut self, mut part: impl Read) -> std::io::Result<()> {
        let mut last = b'\n';
        loop {
            let n = part.read(&mut self.buffer)?;
            let Some(end) = self.buffer[..n].last() else { break };
            last = *end;
            self.digest.update(&self.buffer[..n]);
            self.file.write_all(&self.buffer[..n])?;
            self.bytes += n as u64;
        }
        // The last word of one file and the first of the next are two words.
        if last != b'\n' {
            self.digest.update(b"\n");
            self.file.write_all(b"\n")?;
            self.bytes += 1;
        }
        Ok(())
    }

    fn finish(self, cache: &Path) -> std::io::Result<Text> {
        let digest = hex(&self.digest.finalize())[..16].to_owned();
        let path = cache.join(format!("{digest}.txt"));
        // By its name it is taken for whole.
        self.file.as_file().sync_all()?;
        self.file.persist(&path)?;
        let mut counter = Counter::default();
        counter.read(BufReader::with_capacity(1 << 20, std::fs::File::open(&path)?))?;
        Ok(Text { path, digest, bytes: self.bytes, counts: counter.counts() })
    }
}

fn unwritable(cache: &Path, error: &std::io::Error) -> Failure {
    Failure::new(FailureKind::Local, format!("cannot put a text into {}: {error}", cache.display()))
        .hint("is there room on the disk, and may you write there?")
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(FailureKind::Local, format!("cannot read {}: {error}", path.display()))
        .field("input")
        .hint("give a file or folder that you can read")
}

#[derive(Serialize)]
struct ReadCounts<'a> {
    node: &'a str,
    path: &'a str,
    #[serde(skip)]
    rehearse: Option<&'a Counts>,
    #[serde(skip)]
    at_node: &'a Node,
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

impl Repeatable for ReadCounts<'_> {
    const OP: &'static str = "text.counts";
    const KIND: Kind = Kind::Read;
    type Out = Counts;

    async fn perform(&self, _: &StepCx) -> Result<Done<Counts>, Failure> {
        let connections = self.toolkit.connections();
        if connections.simulation().is_some()
            && let Some(counts) = self.rehearse
        {
            let target = self.toolkit.target(self.at_node)?;
            connections.read(&target, self.path, usize::MAX).await?;
            return Ok(counts.clone().into());
        }
        let folder = tempfile::tempdir().map_err(|e| unreadable(Path::new("a temporary folder"), &e))?;
        let local = folder.path().join("counts");
        let target = self.toolkit.target(self.at_node)?;
        connections.download(&target, self.path, &local).await?;
        let file = std::fs::File::open(&local).map_err(|e| unreadable(&local, &e))?;
        let counts = read_counts(BufReader::new(file));
        let bad = |e: std::io::Error| {
            Failure::new(FailureKind::Command, format!("{} is no list of counts: {e}", self.path)).on(self.node)
        };
        Ok(counts.map_err(bad)?.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_one_text_whose_files_end_in_lines() {
        let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(folder.path().join("a"), "one two").unwrap();
        std::fs::write(folder.path().join("b"), "two").unwrap();
        let text = open(folder.path(), cache.path()).unwrap();
        assert_eq!(std::fs::read_to_string(&text.path).unwrap(), "one two\ntwo\n");
        assert_eq!((text.bytes, text.counts.words, text.counts.distinct), (12, 3, 2));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let error = open(Path::new("/no/such/file"), Path::new("/no/cache")).unwrap_err();
        assert_eq!(error.message, "cannot read /no/such/file: No such file or directory (os error 2)");
    }
}
