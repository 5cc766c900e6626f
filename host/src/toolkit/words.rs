//! Counting words exactly as Hadoop's `wordcount` example does, to judge its results.
//!
//! Owns: the count and the reading of result files. Does not know clusters or nodes.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use crate::core::ids::hex;

/// What a count found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// All words.
    pub words: u64,
    /// Different words.
    pub distinct: u64,
    /// SHA-256 of the sorted lines `word TAB count`.
    pub digest: String,
    /// The commonest words, most first, then by name.
    pub top: Vec<(String, u64)>,
}

/// How many of the commonest words are kept.
const TOP: usize = 10;

/// Words are what lies between blanks, tabs, line ends and form feeds, as in Java's `StringTokenizer`.
const BETWEEN: [char; 5] = [' ', '\t', '\n', '\r', '\u{c}'];

/// Counts by word while text arrives in lines.
#[derive(Default)]
pub struct Counter(HashMap<String, u64>);

impl Counter {
    pub fn read(&mut self, mut text: impl BufRead) -> io::Result<()> {
        let mut line = Vec::new();
        while text.read_until(b'\n', &mut line)? > 0 {
            self.line(&String::from_utf8_lossy(&line));
            line.clear();
        }
        Ok(())
    }

    fn line(&mut self, line: &str) {
        for word in line.split(BETWEEN).filter(|word| !word.is_empty()) {
            match self.0.get_mut(word) {
                Some(count) => *count += 1,
                None => drop(self.0.insert(word.to_owned(), 1)),
            }
        }
    }

    pub fn counts(self) -> Counts {
        summary(self.0.into_iter().collect())
    }
}

/// Reads `word TAB count` lines, in any order.
pub fn read_counts(text: impl BufRead) -> io::Result<Counts> {
    let mut counts = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line?;
        let entry = line.rsplit_once('\t').and_then(|(word, count)| Some((word.to_owned(), count.parse().ok()?)));
        let bad = || io::Error::new(io::ErrorKind::InvalidData, format!("line {}: not `word TAB count`", number + 1));
        counts.push(entry.ok_or_else(bad)?);
    }
    Ok(summary(counts))
}

fn summary(mut counts: Vec<(String, u64)>) -> Counts {
    counts.sort_unstable();
    let mut digest = Sha256::new();
    for (word, count) in &counts {
        digest.update(format!("{word}\t{count}\n"));
    }
    let (words, distinct) = (counts.iter().map(|(_, count)| count).sum(), counts.len() as u64);
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts.truncate(TOP);
    Counts { words, distinct, digest: hex(&digest.finalize()), top: counts }
}

/// The regular files of an input in a stable order: itself, or all below a folder but hidden ones.
pub fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    let kind = std::fs::metadata(path)?;
    if kind.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            let (kind, hidden) = (entry.file_type()?, entry.file_name().as_encoded_bytes().starts_with(b"."));
            if kind.is_dir() && !hidden {
                folders.push(entry.path());
            } else if kind.is_file() && !hidden {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_as_a_string_tokenizer_does() {
        let mut counter = Counter::default();
        counter.read(&b"a b\ta\r\nc\x0cb a\xa0d\n\n a"[..]).unwrap();
        let counts = counter.counts();
        assert_eq!((counts.words, counts.distinct), (7, 4));
        assert_eq!(counts.top, [("a".into(), 3), ("b".into(), 2), ("a\u{fffd}d".into(), 1), ("c".into(), 1)]);
    }

    #[test]
    fn a_result_file_has_the_digest_of_the_text_it_counts() {
        let mut counter = Counter::default();
        counter.read(&b"one two two\nthree three three"[..]).unwrap();
        assert_eq!(read_counts(&b"two\t2\none\t1\nthree\t3\n"[..]).unwrap(), counter.counts());
    }

    #[test]
    fn a_broken_result_file_is_refused() {
        let error = read_counts(&b"two\t2\none"[..]).unwrap_err();
        assert_eq!(error.to_string(), "line 2: not `word TAB count`");
    }
}
