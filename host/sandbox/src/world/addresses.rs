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
    by_name: bool,
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
    /// From now on names decide, where two do not fall together, and not who came first.
    pub fn give_by_name(&mut self) {
        self.by_name = true;
    }

    pub fn are_given_by_name(&self) -> bool {
        self.by_name
    }

    /// A public address nobody has, unless all are taken.
    pub fn public(&mut self, name: &str) -> Option<Ipv4Addr> {
        self.start(name);
        self.public.take(PUBLIC)
    }

    /// A private address nobody has, unless all are taken.
    pub fn private(&mut self, name: &str) -> Option<Ipv4Addr> {
        self.start(name);
        self.private.take(PRIVATE)
    }

    fn start(&mut self, name: &str) {
        if self.by_name {
            // FNV-1a: the same in every process.
            let hash = name.bytes().fold(0x811c_9dc5, |hash: u32, b| (hash ^ u32::from(b)).wrapping_mul(0x0100_0193));
            for (pool, range) in [(&mut self.public, PUBLIC), (&mut self.private, PRIVATE)] {
                pool.offset = hash % (range.last - range.first + 1);
            }
        }
    }

    /// Somebody has this address already.
    pub fn reserve(&mut self, address: Ipv4Addr) {
        let number = u32::from(address);
        self.public.used.insert(number);
        self.private.used.insert(number);
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
        let first = all.public("a").expect("one");
        assert_eq!(first, Ipv4Addr::new(198, 18, 1, 2));
        all.free(first);
        assert_eq!(all.public("a"), Some(Ipv4Addr::new(198, 18, 1, 3)));
        let mut private: Vec<_> = std::iter::from_fn(|| all.private("a")).collect();
        assert_eq!(private.len(), 127 * 253);
        assert_eq!(private[0], Ipv4Addr::new(192, 168, 129, 2));
        private.sort_unstable();
        private.dedup();
        assert_eq!(private.len(), 127 * 253);
        all.free(private[7]);
        assert_eq!(all.private("a"), Some(private[7]));
        assert_eq!(all.private("a"), None);
    }

    #[test]
    fn names_decide_whatever_their_order() {
        let given = |names: [&str; 3]| {
            let mut all = Addresses::default();
            all.give_by_name();
            let mut given: Vec<_> = names.map(|name| (name.to_owned(), all.public(name), all.private(name))).into();
            given.sort();
            given
        };
        let first = given(["web-1", "web-2", "db"]);
        assert_eq!(first, given(["db", "web-2", "web-1"]));
        assert!(first.iter().all(|(_, public, private)| public.is_some() && private.is_some()));
    }
}
