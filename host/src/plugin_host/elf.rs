//! Whether a library file is whole. Loading one that was cut short does not fail: it kills the process.
//!
//! Knows so much of ELF as tells how long a file must be, and nothing of plugins. Other formats are the loader's business.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

const HEADER: usize = 64;
const PROGRAM_HEADER: usize = 56;
/// The dynamic loader's own limit is of this order; a library has about ten.
const MAX_PROGRAM_HEADERS: usize = 512;
const LOAD: u32 = 1;

/// The reason if the file is shorter than its own headers say.
pub(crate) fn cut_short(file: &File) -> Option<String> {
    let length = file.metadata().ok()?.len();
    let needed = needed_length(file, length).unwrap_or(u64::MAX);
    (length < needed).then(|| {
        let needed = if needed == u64::MAX { "more".to_owned() } else { needed.to_string() };
        format!("the file is cut short: it has {length} bytes and needs {needed}")
    })
}

/// 0 for what is not a 64-bit little-endian ELF file.
fn needed_length(file: &File, length: u64) -> io::Result<u64> {
    let mut header = [0; HEADER];
    if length < HEADER as u64 {
        return Ok(0);
    }
    file.read_exact_at(&mut header, 0)?;
    if header[..6] != *b"\x7fELF\x02\x01" {
        return Ok(0);
    }
    let (offset, size) = (u64_at(&header, 32), usize::from(u16_at(&header, 54)));
    let count = usize::from(u16_at(&header, 56));
    if size != PROGRAM_HEADER || count > MAX_PROGRAM_HEADERS {
        return Ok(0);
    }
    let mut table = vec![0; size * count];
    file.read_exact_at(&mut table, offset)?;
    let ends = table
        .chunks_exact(size)
        .filter(|entry| u32_at(entry, 0) == LOAD)
        .map(|entry| u64_at(entry, 8).saturating_add(u64_at(entry, 32)));
    Ok(ends.max().unwrap_or(0))
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use std::io::Write;

    /// A header, one segment of 100 bytes at 120, and as many bytes as asked for.
    fn check(length: usize, expected: &Expect) {
        let mut bytes = vec![0_u8; 220];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        bytes[32] = 64;
        bytes[54] = 56;
        bytes[56] = 1;
        bytes[64] = 1;
        bytes[64 + 8] = 120;
        bytes[64 + 32] = 100;
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes[..length]).unwrap();
        expected.assert_eq(&format!("{:?}", cut_short(&file)));
    }

    #[test]
    fn a_library_must_be_as_long_as_it_says() {
        check(220, &expect!["None"]);
        check(219, &expect![[r#"Some("the file is cut short: it has 219 bytes and needs 220")"#]]);
        check(100, &expect![[r#"Some("the file is cut short: it has 100 bytes and needs more")"#]]);
        // Too short to be anything: the loader says so itself.
        check(20, &expect!["None"]);
    }
}
