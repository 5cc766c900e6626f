//! What the runner's script says at the end of its output.

/// Longer than any trailer.
const LONGEST: usize = 48;
const BEGIN: &[u8] = b"\x1eLT1 ";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    Exited(i32),
    Running,
    /// Started earlier, or by another connection.
    Claimed,
    Skipped(&'static str),
    Interrupted,
    Absent,
    #[default]
    Broken,
}

/// The answer of a short call.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) state: State,
    pub(super) out: Vec<u8>,
    pub(super) err: Vec<u8>,
}

/// Holds back what may be the trailer, hands on the rest at once.
#[derive(Debug, Default)]
pub(super) struct Trailer(Vec<u8>);

impl Trailer {
    pub(super) fn push(&mut self, bytes: &[u8], mut take: impl FnMut(&[u8])) {
        self.0.extend_from_slice(bytes);
        let from = self.0.len().saturating_sub(LONGEST);
        let held = self.0[from..].iter().position(|b| *b == BEGIN[0]).map_or(self.0.len(), |i| from + i);
        // A complete trailer ends what is held; what precedes it was output that looked like one.
        let held = last_begin(&self.0).filter(|_| parse(&self.0).is_some()).unwrap_or(held);
        if held > 0 {
            take(&self.0[..held]);
            self.0.drain(..held);
        }
    }

    pub(super) fn state(&self) -> Option<State> {
        parse(&self.0)
    }
}

fn last_begin(bytes: &[u8]) -> Option<usize> {
    bytes.windows(BEGIN.len()).rposition(|w| w == BEGIN)
}

fn parse(bytes: &[u8]) -> Option<State> {
    let body = bytes[last_begin(bytes)? + BEGIN.len()..].strip_suffix(&BEGIN[..1])?;
    let (state, detail) = std::str::from_utf8(body).ok()?.split_once(' ')?;
    Some(match (state, detail) {
        ("exited", code) => State::Exited(code.parse().ok()?),
        ("running", _) => State::Running,
        ("claimed", _) => State::Claimed,
        ("skipped", "creates") => State::Skipped("creates"),
        ("skipped", _) => State::Skipped("unless"),
        ("interrupted", _) => State::Interrupted,
        ("absent", _) => State::Absent,
        _ => State::Broken,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]]) -> (String, Option<State>) {
        let (mut trailer, mut text) = (Trailer::default(), Vec::new());
        pieces.iter().for_each(|p| trailer.push(p, |b| text.extend_from_slice(b)));
        (String::from_utf8(text).unwrap(), trailer.state())
    }

    #[test]
    fn the_trailer_is_found_however_it_is_cut() {
        let whole = b"some \x1e output\n\x1eLT1 exited 3\x1e";
        for cut in 0..whole.len() {
            let (a, b) = whole.split_at(cut);
            assert_eq!(read(&[a, b]), ("some \x1e output\n".into(), Some(State::Exited(3))), "cut at {cut}");
        }
    }

    #[test]
    fn output_without_a_mark_is_not_held_back() {
        assert_eq!(read(&[b"half a li"]), ("half a li".into(), None));
        assert_eq!(read(&[b"\x1eLT1 skipped creates\x1e"]), (String::new(), Some(State::Skipped("creates"))));
    }
}
