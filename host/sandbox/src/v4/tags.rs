//! Tags: the words that objects of the account carry.
//!
//! Owns: these lists. A tag exists as long as something carries it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::call::{Answer, Call, Route};
use super::filter::{Field, Row};
use super::firewalls::firewall_view;
use super::instance_view::linode_view;
use super::instances::linodes;
use crate::world::{Firewall, Linode, World};

const READ: &str = "account:read_only";

pub(super) const ROUTES: &[Route] = &[Route::list("tags", READ, tags), Route::list("tags/{*}", READ, tagged)];

struct Tag<'a>(&'a str);

impl Row for Tag<'_> {
    const FILTERABLE: &'static [&'static str] = &[];

    fn field(&self, _: &str) -> Field<'_> {
        Field::text(self.0)
    }
}

fn tags(call: &mut Call<'_>) -> Answer {
    let linodes = linodes(call).flat_map(|linode| linode.tags.iter());
    let firewalls = call.world.firewalls.values().flat_map(|firewall| firewall.tags.iter());
    let all: BTreeSet<&str> = linodes.chain(firewalls).map(String::as_str).collect();
    call.list(all.into_iter().map(Tag), |tag| json!({"label": tag.0}))
}

/// Something that carries a tag.
enum Tagged<'a> {
    Linode(&'a Linode),
    Firewall(&'a Firewall),
}

impl Row for Tagged<'_> {
    const FILTERABLE: &'static [&'static str] =
        &["data.group", "data.id", "data.image", "data.ipv4", "data.label", "data.region", "data.tags"];

    fn field(&self, name: &str) -> Field<'_> {
        let name = name.trim_start_matches("data.");
        match self {
            Self::Linode(linode) => linode.field(name),
            Self::Firewall(firewall) if matches!(name, "id" | "label" | "tags") => firewall.field(name),
            Self::Firewall(_) => Field::Null,
        }
    }
}

fn tagged(call: &mut Call<'_>) -> Answer {
    let tag = call.word(0);
    let linodes = linodes(call).filter(|linode| linode.tags.iter().any(|one| one == tag));
    let firewalls = call.world.firewalls.values().filter(|firewall| firewall.tags.iter().any(|one| one == tag));
    let rows = linodes.map(Tagged::Linode).chain(firewalls.map(Tagged::Firewall));
    call.list(rows, |one| tagged_view(call.world, one))
}

fn tagged_view(world: &World, one: &Tagged<'_>) -> Value {
    match one {
        Tagged::Linode(linode) => json!({"type": "linode", "data": linode_view(linode)}),
        Tagged::Firewall(firewall) => json!({"type": "firewall", "data": firewall_view(world, firewall)}),
    }
}
