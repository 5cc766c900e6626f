//! A catalogue that was seen elsewhere, in place of the bundled one.
//!
//! Owns: how it is kept. The world refers to its entries for as long as the process lives, so each different one is kept
//! once; a process sees few. Does not know where it is from.

use std::sync::{Mutex, PoisonError};

use super::{Catalogue, Image, Price, Region, Type};

/// Such a catalogue as data.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing {
    pub regions: Vec<ListedRegion>,
    pub types: Vec<ListedType>,
    pub images: Vec<ListedImage>,
}

/// A region.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListedRegion {
    pub id: String,
    pub label: String,
    pub country: String,
    pub capabilities: Vec<String>,
}

/// A type, with its prices an hour and a month, and those in regions that have their own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListedType {
    pub id: String,
    pub label: String,
    pub class: String,
    pub memory: u64,
    pub disk: u64,
    pub vcpus: u64,
    pub gpus: u64,
    pub transfer: u64,
    pub network_out: u64,
    pub price: (f64, f64),
    pub elsewhere: Vec<(String, f64, f64)>,
}

/// An image.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListedImage {
    pub id: String,
    pub label: String,
    pub vendor: String,
    pub size: u64,
    pub capabilities: Vec<String>,
    pub deprecated: bool,
}

static KEPT: Mutex<Vec<(Listing, &'static Catalogue)>> = Mutex::new(Vec::new());

impl Listing {
    /// The catalogue of these entries.
    pub fn keep(self) -> &'static Catalogue {
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = kept.iter().find(|(listing, _)| *listing == self) {
            return known;
        }
        let catalogue: &'static Catalogue = Box::leak(Box::new(Catalogue {
            regions: leak(self.regions.iter().map(region)),
            types: leak(self.types.iter().map(kind)),
            images: leak(self.images.iter().map(image)),
        }));
        kept.push((self, catalogue));
        catalogue
    }
}

fn leak<T>(items: impl Iterator<Item = T>) -> &'static [T] {
    Box::leak(items.collect::<Vec<_>>().into_boxed_slice())
}

fn text(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

fn region(one: &ListedRegion) -> Region {
    let capabilities = leak(one.capabilities.iter().map(|name| text(name)));
    Region::other(text(&one.id), text(&one.label), text(&one.country), Some(capabilities))
}

fn kind(one: &ListedType) -> Type {
    let price = |(hourly, monthly)| Price { hourly, monthly };
    let free = price((0.0, 0.0));
    Type {
        id: text(&one.id),
        label: text(&one.label),
        class: text(&one.class),
        memory: one.memory,
        disk: one.disk,
        vcpus: one.vcpus,
        gpus: one.gpus,
        transfer: one.transfer,
        network_out: one.network_out,
        price: price(one.price),
        backups: free,
        elsewhere: leak(one.elsewhere.iter().map(|(id, hourly, monthly)| (text(id), price((*hourly, *monthly)), free))),
    }
}

fn image(one: &ListedImage) -> Image {
    let can = |what: &str| one.capabilities.iter().any(|name| name == what);
    Image {
        id: text(&one.id),
        label: text(&one.label),
        vendor: text(&one.vendor),
        size: one.size,
        cloud_init: can("cloud-init"),
        distributed: can("distributed-sites"),
        deprecated: one.deprecated,
        end_of_life: None,
        created: "2020-01-01",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_catalogue_is_kept_once() {
        let region = ListedRegion { id: "xx-new".into(), capabilities: vec!["Metadata".into()], ..Default::default() };
        let listing = Listing { regions: vec![region], ..Listing::default() };
        let (one, two) = (listing.clone().keep(), listing.keep());
        assert!(std::ptr::eq(one, two));
        assert!(one.region("xx-new").is_some_and(|region| region.can("Metadata") && !region.can("Backups")));
        assert!(!std::ptr::eq(one, Listing::default().keep()));
    }
}
