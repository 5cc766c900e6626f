//! The names under which things of API v3 are known here. v3 counts; the neutral names are those of API v4 where both mean the
//! same thing, so that one recipe runs with either.
//!
//! A thing is recognised by what it is (a region by its abbreviation, a type by its memory, an image and a kernel by label),
//! never by its number, and a name that would fit two things is given to neither. Does not know how the lists are read.

use crate::errors::invalid;
use linodetool_plugin::Result;
use std::collections::HashMap;

/// Numbers and names of one kind of thing, one name each.
#[derive(Debug, Default)]
pub(crate) struct Names {
    of: HashMap<u64, String>,
}

impl Names {
    /// Of each its number, the name it would like, and the name nobody else can have.
    pub(crate) fn new(things: impl IntoIterator<Item = (u64, Option<String>, String)>) -> Self {
        let things: Vec<_> = things.into_iter().collect();
        let mut wanted: HashMap<String, usize> = HashMap::new();
        for name in things.iter().filter_map(|(_, name, _)| name.as_ref()) {
            *wanted.entry(name.clone()).or_default() += 1;
        }
        let pick = |name: Option<String>, own: String| name.filter(|name| wanted[name] == 1).unwrap_or(own);
        Self { of: things.into_iter().map(|(id, name, own)| (id, pick(name, own))).collect() }
    }

    /// A number that no list has is its own name.
    pub(crate) fn name(&self, id: u64) -> String {
        match self.of.get(&id) {
            Some(name) => name.clone(),
            None if id == 0 => String::new(),
            None => id.to_string(),
        }
    }

    /// By name, or by the number of API v3.
    pub(crate) fn id(&self, field: &str, name: &str) -> Result<u64> {
        let number = name.parse::<u64>().ok().filter(|id| self.of.contains_key(id));
        let named = || self.of.iter().find(|(_, own)| *own == name).map(|(&id, _)| id);
        number.or_else(named).ok_or_else(|| {
            let mut names: Vec<_> = self.of.values().map(String::as_str).collect();
            names.sort_unstable();
            let known = if names.len() > 12 {
                format!("{} and {} more", names[..12].join(", "), names.len() - 12)
            } else {
                names.join(", ")
            };
            invalid(field, format!("`{name}` is nothing that API v3 offers as {field}: it has {known}"))
        })
    }
}

/// The region of API v4 that is this datacenter.
pub(crate) fn region(abbreviation: &str) -> Option<&'static str> {
    Some(match abbreviation {
        "dallas" => "us-central",
        "fremont" => "us-west",
        "atlanta" => "us-southeast",
        "newark" => "us-east",
        "london" => "eu-west",
        "singapore" => "ap-south",
        "frankfurt" => "eu-central",
        "shinagawa1" => "ap-northeast",
        _ => return None,
    })
}

/// The type of API v4 that has as much memory. 48 GB, which v3 had, is none of them.
pub(crate) fn plan(memory_mb: u64) -> Option<&'static str> {
    Some(match memory_mb {
        1_024 => "g6-nanode-1",
        2_048 => "g6-standard-1",
        4_096 => "g6-standard-2",
        8_192 => "g6-standard-4",
        16_384 => "g6-standard-6",
        32_768 => "g6-standard-8",
        65_536 => "g6-standard-16",
        98_304 => "g6-standard-20",
        131_072 => "g6-standard-24",
        196_608 => "g6-standard-32",
        _ => return None,
    })
}

/// Beginnings of labels and what API v4 makes of them; the longer first.
const FAMILIES: &[(&str, &str)] = &[
    ("CoreOS Container Linux", "containerlinux"),
    ("CentOS Stream", "centos-stream"),
    ("Rocky Linux", "rocky"),
    ("Arch Linux", "arch"),
    ("Kali Linux", "kali"),
    ("openSUSE Leap", "opensuse"),
];

/// `Debian 12` as API v4 writes it: `linode/debian12`; `Ubuntu 14.04 LTS`: `linode/ubuntu14.04lts`, without `lts` since 18.04.
pub(crate) fn image(label: &str) -> Option<String> {
    let label = label.trim();
    let (family, rest) = match FAMILIES.iter().find_map(|(start, family)| Some((*family, label.strip_prefix(start)?))) {
        Some((family, rest)) => (family.to_owned(), rest),
        None => {
            let (first, rest) = label.split_once(' ').unwrap_or((label, ""));
            (first.to_ascii_lowercase(), rest)
        }
    };
    let mut words: Vec<_> = rest.split_whitespace().map(str::to_ascii_lowercase).collect();
    let year = words.first().and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    if family == "ubuntu" && year.is_some_and(|year| year >= 18) {
        words.retain(|word| word != "lts");
    }
    let name = family + &words.concat();
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'-';
    (!name.is_empty() && name.bytes().all(plain)).then(|| format!("linode/{name}"))
}

/// `Latest 64 bit (4.1.5-x86_64-linode61)` is `linode/latest-64bit`; `4.1.5-x86-linode80` is `linode/4.1.5-x86-linode80`.
pub(crate) fn kernel(label: &str) -> Option<String> {
    let label = label.trim();
    let known = match label {
        "GRUB 2" => "grub2",
        "GRUB (Legacy)" => "grub-legacy",
        "Direct Disk" => "direct-disk",
        "Recovery - Finnix (kernel)" => "finnix",
        _ if label.starts_with("Latest 64 bit") => "latest-64bit",
        _ if label.starts_with("Latest 32 bit") => "latest-32bit",
        _ => label,
    };
    let plain = |b: u8| b.is_ascii_alphanumeric() || b".-_".contains(&b);
    (!known.is_empty() && known.bytes().all(plain)).then(|| format!("linode/{known}"))
}
