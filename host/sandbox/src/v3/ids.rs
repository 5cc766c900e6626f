//! The numbers that API v3 has for what API v4 has names for.
//!
//! Owns: datacenters, plans, distributions, kernels and addresses by number. Those that v3 knew have the numbers they had there;
//! the others have numbers by their place in the catalogue, and what v3 never sold is in no list of what can be bought.

use std::net::Ipv4Addr;

use crate::catalogue::{Catalogue, Image, KERNELS, Kernel, Region, Type};

/// Number, abbreviation, where it is, and the region of API v4.
pub(super) const DATACENTERS: &[(u64, &str, &str, &str)] = &[
    (2, "dallas", "Dallas, TX, USA", "us-central"),
    (3, "fremont", "Fremont, CA, USA", "us-west"),
    (4, "atlanta", "Atlanta, GA, USA", "us-southeast"),
    (6, "newark", "Newark, NJ, USA", "us-east"),
    (7, "london", "London, England, UK", "eu-west"),
    (9, "singapore", "Singapore, SG", "ap-south"),
    (10, "frankfurt", "Frankfurt, DE", "eu-central"),
    (11, "shinagawa1", "Tokyo 2, JP", "ap-northeast"),
];

/// Number and memory in MB. Plans are shared ones; 48 GB is no type of API v4.
const PLANS: &[(u64, u64)] =
    &[(1, 1_024), (2, 2_048), (4, 4_096), (6, 8_192), (7, 16_384), (8, 32_768), (10, 65_536), (12, 98_304)];

const KERNEL_IDS: &[(u64, &str)] =
    &[(137, "linode/latest-32bit"), (138, "linode/latest-64bit"), (210, "linode/grub2"), (213, "linode/direct-disk")];

const OTHER_DATACENTERS: u64 = 100;
const OTHER_PLANS: u64 = 100;
/// Above all that v3 ever had.
const DISTRIBUTIONS: u64 = 201;
const OTHER_KERNELS: u64 = 301;

fn place<T>(all: &[T], is_it: impl Fn(&T) -> bool) -> u64 {
    // Not listed any more: the number before the first.
    all.iter().position(is_it).map_or(0, |at| at as u64 + 1)
}

pub(super) fn datacenter(catalogue: &Catalogue, region: &str) -> u64 {
    let known = DATACENTERS.iter().find(|(.., name)| *name == region).map(|(id, ..)| *id);
    known.unwrap_or_else(|| OTHER_DATACENTERS + place(catalogue.regions, |one| one.id == region))
}

/// Where Linodes can be made.
pub(super) fn region(catalogue: &Catalogue, id: u64) -> Option<&'static Region> {
    let (.., name) = DATACENTERS.iter().find(|(known, ..)| *known == id)?;
    catalogue.region(name)
}

fn is_shared(one: &Type) -> bool {
    matches!(one.class, "nanode" | "standard")
}

pub(super) fn plan(catalogue: &Catalogue, one: &Type) -> u64 {
    let known = PLANS.iter().find(|(_, memory)| *memory == one.memory && is_shared(one)).map(|(id, _)| *id);
    known.unwrap_or_else(|| OTHER_PLANS + place(catalogue.types, |other| other.id == one.id))
}

/// What can be bought.
pub(super) fn plans(catalogue: &Catalogue) -> impl Iterator<Item = (u64, &'static Type)> {
    let of = |memory: u64| catalogue.types.iter().find(|one| one.memory == memory && is_shared(one));
    PLANS.iter().filter_map(move |(id, memory)| Some((*id, of(*memory)?)))
}

pub(super) fn linode_type(catalogue: &Catalogue, id: u64) -> Option<&'static Type> {
    plans(catalogue).find(|(known, _)| *known == id).map(|(_, one)| one)
}

pub(super) fn distribution(catalogue: &Catalogue, image: &str) -> Option<u64> {
    let at = catalogue.images.iter().position(|one| one.id == image)?;
    Some(DISTRIBUTIONS + at as u64)
}

pub(super) fn image(catalogue: &Catalogue, distribution: u64) -> Option<&'static Image> {
    catalogue.images.get(usize::try_from(distribution.checked_sub(DISTRIBUTIONS)?).ok()?)
}

pub(super) fn kernel(name: &str) -> u64 {
    let known = KERNEL_IDS.iter().find(|(_, known)| *known == name).map(|(id, _)| *id);
    known.unwrap_or_else(|| OTHER_KERNELS + place(KERNELS, |one| one.id == name))
}

pub(super) fn kernel_of(id: u64) -> Option<&'static Kernel> {
    KERNELS.iter().find(|one| kernel(one.id) == id)
}

/// An address counts from the beginning of both ranges that the sandbox gives out.
pub(super) fn address(ip: Ipv4Addr) -> u64 {
    let number = u64::from(u32::from(ip));
    let private = u64::from(u32::from(Ipv4Addr::new(192, 168, 128, 0)));
    let public = u64::from(u32::from(Ipv4Addr::new(198, 18, 0, 0)));
    match ip.is_private() {
        true => number - private.min(number) + (1 << 18),
        false => number - public.min(number),
    }
}
