//! What a command wrote: kept within bounds, cut into lines. Does not know where it comes from.

use std::collections::VecDeque;

/// Half of what is kept of each stream: the beginning says what was done, the end says why it failed.
const HALF: usize = 512 * 1024;
/// A line longer than this is told in pieces.
const LINE: usize = 64 * 1024;

/// One of a command's two output streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Out,
    Err,
}

/// How a command ended and what it wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Nothing if a signal ended it.
    pub exit_code: Option<i32>,
    /// `TERM`, `KILL`, ...
    pub signal: Option<String>,
    /// The beginning and the end, at most 1 MiB together.
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// Bytes left out of the middle of `stdout`; a line there says so.
    pub stdout_omitted: u64,
    pub stderr_omitted: u64,
}

impl Output {
    pub fn success(&self) -> bool {
        self.exit_code == Some(0)
    }

    pub fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    pub fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// The last lines of what it complained about, or of what it wrote if it did not complain.
    pub fn last_lines(&self) -> String {
        const LINES: usize = 20;
        let stderr = self.stderr_text();
        let text = if stderr.trim().is_empty() { self.stdout_text() } else { stderr };
        let lines: Vec<_> = text.trim_end().lines().collect();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }
}

/// Keeps the beginning and the end of a stream.
#[derive(Debug)]
pub(super) struct Kept {
    half: usize,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    omitted: u64,
}

impl Default for Kept {
    fn default() -> Self {
        Self::of(HALF)
    }
}

impl Kept {
    fn of(half: usize) -> Self {
        Self { half, head: Vec::new(), tail: VecDeque::new(), omitted: 0 }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        let (head, rest) = bytes.split_at(bytes.len().min(self.half - self.head.len()));
        self.head.extend_from_slice(head);
        // Only the end of one large piece can stay.
        let skipped = rest.len().saturating_sub(self.half);
        self.omitted += skipped as u64;
        self.tail.extend(&rest[skipped..]);
        let over = self.tail.len().saturating_sub(self.half);
        self.tail.drain(..over);
        self.omitted += over as u64;
    }

    pub(super) fn finish(self) -> (Vec<u8>, u64) {
        let mut all = self.head;
        if self.omitted > 0 {
            all.extend_from_slice(format!("\n[... {} bytes left out ...]\n", self.omitted).as_bytes());
        }
        all.extend(self.tail);
        (all, self.omitted)
    }
}

/// Cuts a stream into lines.
#[derive(Debug, Default)]
pub(super) struct Lines(Vec<u8>);

impl Lines {
    pub(super) fn push(&mut self, mut bytes: &[u8], mut tell: impl FnMut(&str)) {
        while let Some(end) = bytes.iter().position(|b| *b == b'\n') {
            self.0.extend_from_slice(&bytes[..end]);
            self.tell(&mut tell);
            bytes = &bytes[end + 1..];
        }
        self.0.extend_from_slice(bytes);
        if self.0.len() > LINE {
            self.tell(&mut tell);
        }
    }

    pub(super) fn finish(&mut self, mut tell: impl FnMut(&str)) {
        if !self.0.is_empty() {
            self.tell(&mut tell);
        }
    }

    fn tell(&mut self, tell: &mut impl FnMut(&str)) {
        let line = std::mem::take(&mut self.0);
        tell(String::from_utf8_lossy(&line).trim_end_matches('\r'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(half: usize, pieces: &[&str]) -> String {
        let mut kept = Kept::of(half);
        pieces.iter().for_each(|p| kept.push(p.as_bytes()));
        String::from_utf8(kept.finish().0).unwrap()
    }

    #[test]
    fn the_beginning_and_the_end_are_kept() {
        assert_eq!(kept(4, &["abc", "def"]), "abcdef");
        assert_eq!(kept(4, &["abcdefgh"]), "abcdefgh");
        assert_eq!(kept(4, &["abcdefghij"]), "abcd\n[... 2 bytes left out ...]\nghij");
        assert_eq!(kept(4, &["ab", "cdef", "gh", "ijklmnopqrst", "u"]), "abcd\n[... 13 bytes left out ...]\nrstu");
    }

    #[test]
    fn lines_are_told_when_they_are_whole() {
        let (mut lines, mut told) = (Lines::default(), Vec::new());
        for piece in ["one\ntw", "o\r\n\nthr", "ee"] {
            lines.push(piece.as_bytes(), |l| told.push(l.to_owned()));
        }
        assert_eq!(told, ["one", "two", ""]);
        lines.finish(|l| told.push(l.to_owned()));
        assert_eq!(told, ["one", "two", "", "three"]);
    }

    #[test]
    fn last_lines_prefer_what_was_complained_about() {
        let output = |out: &str, err: &str| Output { stdout: out.into(), stderr: err.into(), ..Output::default() };
        assert_eq!(output("a\nb\n", "").last_lines(), "a\nb");
        assert_eq!(output("a\n", "bad\n").last_lines(), "bad");
        let many: String = (0..30).map(|i| format!("{i}\n")).collect();
        assert_eq!(output(&many, "").last_lines().lines().next(), Some("10"));
    }
}
