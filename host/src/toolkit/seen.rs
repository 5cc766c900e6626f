//! The catalogue that an account showed last, kept for rehearsals, which reach no network.
//!
//! Owns the file in the cache folder. What cannot be read or written there is only a cache that is missing.

use linodetool_plugin::{Image, Price, Region, Type};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

use crate::secrets::files;
use crate::toolkit::Toolkit;

/// A catalogue has some hundred KiB.
const MOST_BYTES: u64 = 16 << 20;

/// What was seen, and when last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Seen {
    /// Milliseconds since 1970.
    pub seen_ms: u64,
    pub regions: Vec<Region>,
    pub types: Vec<Type>,
    pub images: Vec<Image>,
}

impl Seen {
    /// The whole catalogue of a provider, if it was seen.
    pub fn read(cache: &Path, provider: &str) -> Option<Self> {
        let seen = Self::load(&path(cache, provider))?;
        let whole = !seen.regions.is_empty() && !seen.types.is_empty() && !seen.images.is_empty();
        whole.then_some(seen)
    }

    /// What the file holds, unless it is damaged.
    fn load(path: &Path) -> Option<Self> {
        let about = std::fs::metadata(path).ok()?;
        if !about.is_file() || about.len() > MOST_BYTES {
            return None;
        }
        let seen: Self = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
        let is_one = |price: &Price| [price.hourly, price.monthly].iter().all(|usd| (0.0..1e6).contains(usd));
        let fine = seen.types.iter().all(|kind| is_one(&kind.price) && kind.region_prices.values().all(is_one));
        fine.then_some(seen)
    }

    /// Notes a part of it.
    fn note(cache: &Path, provider: &str, now_ms: u64, part: impl FnOnce(&mut Self)) {
        let path = path(cache, provider);
        let mut seen = Self::load(&path).unwrap_or_default();
        part(&mut seen);
        seen.seen_ms = now_ms;
        if let Ok(bytes) = serde_json::to_vec(&seen) {
            let _ = files::replace_private(&path, &bytes);
        }
    }
}

fn path(cache: &Path, provider: &str) -> PathBuf {
    cache.join(format!("catalogue-{provider}.json"))
}

impl Toolkit {
    /// Keeps what an account showed; that of a sandbox is known anyway.
    pub(crate) async fn has_seen(&self, part: impl FnOnce(&mut Seen) + Send + 'static) {
        if self.settings().sandbox || self.connections().simulation().is_some() {
            return;
        }
        let (cache, provider, now) = (self.cache().to_owned(), self.settings().provider.clone(), self.time().now_ms());
        // Not written is not kept.
        let _ = self.blocking(move || Seen::note(&cache, &provider, now, part)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_catalogue_is_whole_when_all_its_parts_were_seen() {
        let dir = tempfile::tempdir().unwrap();
        let cache = dir.path().join("cache");
        let note = |part: fn(&mut Seen)| Seen::note(&cache, "linode-v4", 7, part);
        assert_eq!(Seen::read(&cache, "linode-v4"), None);
        note(|seen| seen.types = vec![Type { id: "t".into(), ..Type::default() }]);
        note(|seen| seen.regions = vec![Region { id: "r".into(), ..Region::default() }]);
        assert_eq!(Seen::read(&cache, "linode-v4"), None);
        note(|seen| seen.images = vec![Image { id: "i".into(), ..Image::default() }]);
        assert_eq!(Seen::read(&cache, "linode-v4").map(|seen| (seen.seen_ms, seen.types.len())), Some((7, 1)));
        // A damaged file is none, nor are prices that cannot be.
        let path = path(&cache, "linode-v4");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replacen("\"hourly\":0.0", "\"hourly\":-5.0", 1)).unwrap();
        assert_eq!(Seen::read(&cache, "linode-v4"), None);
        std::fs::write(&path, "{").unwrap();
        assert_eq!(Seen::read(&cache, "linode-v4"), None);
    }
}
