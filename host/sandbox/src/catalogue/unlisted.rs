//! Types and regions that Linodes have and that the catalogue does not list (any more).
//!
//! Owns: what was ever met of them, kept until the process ends, since they are few.

use std::sync::{Mutex, PoisonError};

use super::{Price, Region, Type};

static MET: Mutex<Met> = Mutex::new(Met { types: Vec::new(), regions: Vec::new() });

struct Met {
    types: Vec<&'static Type>,
    regions: Vec<&'static Region>,
}

/// A type of which only this is known.
pub(crate) fn unlisted_type(id: &str, memory: u64, vcpus: u64, price: Price) -> &'static Type {
    let mut met = MET.lock().unwrap_or_else(PoisonError::into_inner);
    let same =
        |known: &&&'static Type| (known.id, known.memory, known.vcpus, known.price) == (id, memory, vcpus, price);
    if let Some(known) = met.types.iter().find(same) {
        return known;
    }
    let name: &'static str = Box::leak(id.to_owned().into_boxed_str());
    let kind: &'static Type = Box::leak(Box::new(Type {
        id: name,
        label: name,
        class: "standard",
        memory,
        disk: 0,
        vcpus,
        gpus: 0,
        transfer: 0,
        network_out: 0,
        price,
        backups: Price { hourly: 0.0, monthly: 0.0 },
        elsewhere: &[],
    }));
    met.types.push(kind);
    kind
}

/// A region of which only its id is known.
pub(crate) fn unlisted_region(id: &str) -> &'static Region {
    let mut met = MET.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = met.regions.iter().find(|known| known.id == id) {
        return known;
    }
    let name: &'static str = Box::leak(id.to_owned().into_boxed_str());
    let region: &'static Region = Box::leak(Box::new(Region::other(name, name, "", None)));
    met.regions.push(region);
    region
}
