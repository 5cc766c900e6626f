//! When the last N requests of a rate class began: in memory, or in a file that all processes of the user share.
//!
//! Knows no rules. A file holds a header and a ring of N times, so that looking and noting take a few bytes whatever N is.
//! It is locked while it is used; a process that dies inside leaves at worst one time too many or too few.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

const MAGIC: u64 = 0x6c74_7269_6e67_3031; // "ltring01"
const HEADER: u64 = 32;

/// What is known of a class besides the times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// Where the oldest time stands, and the next one goes.
    pub(crate) head: u64,
    /// The provider said: nothing before this time.
    pub(crate) blocked_until: u64,
    /// The provider said: no more than this many; 0: it said nothing.
    pub(crate) limit: u64,
}

/// A ring of times, in milliseconds since 1970.
#[derive(Debug)]
pub(crate) enum Ring {
    Memory { state: State, times: Vec<u64> },
    File { file: File, slots: u64 },
}

/// A ring that nobody else uses until this is dropped.
pub(crate) struct Locked<'a>(&'a mut Ring);

impl Ring {
    pub(crate) fn memory(slots: u32) -> Self {
        Self::Memory { state: State::default(), times: vec![0; slots.max(1) as usize] }
    }

    /// The folder must be there.
    pub(crate) fn file(path: &Path, slots: u32) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        Ok(Self::File { file, slots: u64::from(slots.max(1)) })
    }

    pub(crate) fn slots(&self) -> u64 {
        match self {
            Self::Memory { times, .. } => times.len() as u64,
            Self::File { slots, .. } => *slots,
        }
    }

    /// `None`: another process has it; it is back in microseconds.
    pub(crate) fn try_lock(&mut self) -> io::Result<Option<Locked<'_>>> {
        if let Self::File { file, .. } = self {
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Ok(Some(Locked(self)))
    }
}

impl Locked<'_> {
    pub(crate) fn state(&self) -> io::Result<State> {
        match &*self.0 {
            Ring::Memory { state, .. } => Ok(*state),
            Ring::File { file, slots } => {
                let mut bytes = [0; HEADER as usize];
                let read = read_at_most(file, &mut bytes)?;
                let word = |n: usize| u64::from_le_bytes(std::array::from_fn(|i| bytes[n * 8 + i]));
                if read < bytes.len() || word(0) != MAGIC ^ slots {
                    // New, or of another size since the plugin's limits changed: begin afresh.
                    file.set_len(0)?;
                    file.set_len(HEADER + slots * 8)?;
                    let state = State::default();
                    write_state(file, *slots, state)?;
                    return Ok(state);
                }
                Ok(State { head: word(1) % slots, blocked_until: word(2), limit: word(3) })
            }
        }
    }

    pub(crate) fn set_state(&mut self, new: State) -> io::Result<()> {
        match &mut *self.0 {
            Ring::Memory { state, .. } => {
                *state = new;
                Ok(())
            }
            Ring::File { file, slots } => write_state(file, *slots, new),
        }
    }

    /// The time in a slot; slots are counted round.
    pub(crate) fn time(&self, slot: u64) -> io::Result<u64> {
        match &*self.0 {
            Ring::Memory { times, .. } => Ok(times[slot as usize % times.len()]),
            Ring::File { file, slots } => {
                let mut bytes = [0; 8];
                file.read_exact_at(&mut bytes, HEADER + slot % slots * 8)?;
                Ok(u64::from_le_bytes(bytes))
            }
        }
    }

    pub(crate) fn set_time(&mut self, slot: u64, time: u64) -> io::Result<()> {
        match &mut *self.0 {
            Ring::Memory { times, .. } => {
                let slots = times.len();
                times[slot as usize % slots] = time;
                Ok(())
            }
            Ring::File { file, slots } => file.write_all_at(&time.to_le_bytes(), HEADER + slot % *slots * 8),
        }
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        if let Ring::File { file, .. } = &*self.0 {
            // Failing to unlock means that the descriptor is gone, and the lock with it.
            let _ = file.unlock();
        }
    }
}

fn write_state(file: &File, slots: u64, state: State) -> io::Result<()> {
    let words = [MAGIC ^ slots, state.head, state.blocked_until, state.limit];
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    file.write_all_at(&bytes, 0)
}

fn read_at_most(file: &File, bytes: &mut [u8]) -> io::Result<usize> {
    let mut read = 0;
    while read < bytes.len() {
        match file.read_at(&mut bytes[read..], read as u64)? {
            0 => break,
            n => read += n,
        }
    }
    Ok(read)
}
