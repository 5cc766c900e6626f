//! Which addresses are whose.
//!
//! Owns: giving out and taking back IPv4 addresses of the two ranges. Does not know Linodes.

use std::collections::HashSet;
use std::net::Ipv4Addr;

/// 198.18.0.0/15 is set aside for such uses (RFC 2544): no real host can be meant.
const PUBLIC: Range =
    Range { first: u32::from_be_bytes([198, 18, 1, 0]), last: u32::from_be_bytes([198, 19, 255, 255]) };
/// The cloud's private range, of which the first /24 is left to the room itself.
const PRIVATE: Range =
    Range { first: u32::from_be_bytes([192, 168, 129, 0]), last: u32::from_be_bytes([192, 168, 255, 255]) };

/// The addresses in use.
#[derive(Debug, Default)]
pub struct Addresses {
    public: Pool,
    private: Pool,
}

#[derive(Clone, Copy, Debug)]
struct Range {
    first: u32,
    last: u32,
}

/// Goes round its range, so that an address is used again as late as possible: a freed one may still be in the caches
/// of those that knew it, and its machine may still be on its way out.
#[derive(Debug, Default)]
struct Pool {
    used: HashSet<u32>,
    offset: u32,
}

impl Addresses {
    /// A public address nobody has, unless all are taken.
    pub fn public(&mut self) -> Option<Ipv4Addr> {
        self.public.take(PUBLIC)
    }

    /// A private address nobody has, unless all are taken.
    pub fn private(&mut self) -> Option<Ipv4Addr> {
        self.private.take(PRIVATE)
    }

    /// Nobody has this address any more.
    pub fn free(&mut self, address: Ipv4Addr) {
        let number = u32::from(address);
        self.public.used.remove(&number);
        self.private.used.remove(&number);
    }
}

impl Pool {
    fn take(&mut self, range: Range) -> Option<Ipv4Addr> {
        let size = range.last - range.first + 1;
        for _ in 0..size {
            let number = range.first + self.offset;
            self.offset = (self.offset + 1) % size;
            // .0, .1 (the gateway) and .255 are nobody's.
            if !matches!(number & 0xff, 0 | 1 | 255) && self.used.insert(number) {
                return Some(Ipv4Addr::from(number));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_unique_and_come_back_late() {
        let mut all = Addresses::default();
        let first = all.public().expect("one");
        assert_eq!(first, Ipv4Addr::new(198, 18, 1, 2));
        all.free(first);
        assert_eq!(all.public(), Some(Ipv4Addr::new(198, 18, 1, 3)));
        let mut private: Vec<_> = std::iter::from_fn(|| all.private()).collect();
        assert_eq!(private.len(), 127 * 253);
        assert_eq!(private[0], Ipv4Addr::new(192, 168, 129, 2));
        private.sort_unstable();
        private.dedup();
        assert_eq!(private.len(), 127 * 253);
        all.free(private[7]);
        assert_eq!(all.private(), Some(private[7]));
        assert_eq!(all.private(), None);
    }
}
