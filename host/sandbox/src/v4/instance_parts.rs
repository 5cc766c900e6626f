//! What belongs to a Linode: addresses, firewalls, and the empty lists of what the sandbox has none of.
//!
//! Owns: these lists. Does not know how the parts came to be.

use serde_json::json;

use super::call::{Answer, Call, Route, ok};
use super::filter::{Field, Row};
use super::firewalls::firewall_view;
use super::instances::linode;
use super::ips::{address_view, addresses_of};
use super::services::volumes_of;

const READ: &str = "linodes:read_only";

pub(super) const ROUTES: &[Route] = &[
    Route::new("GET", "linode/instances/{}/ips", READ, ips),
    Route::list("linode/instances/{}/firewalls", READ, firewalls),
    // There are none, but clients that gather everything about a Linode ask.
    Route::list("linode/instances/{}/volumes", READ, |call| {
        let id = linode(call)?.id;
        volumes_of(call, id)
    }),
    Route::list("linode/instances/{}/nodebalancers", READ, nothing),
];

/// What the sandbox has none of.
enum Nothing {}

impl Row for Nothing {
    const FILTERABLE: &'static [&'static str] = &["ipv4", "label", "region", "tags"];

    fn field(&self, _: &str) -> Field<'_> {
        match *self {}
    }
}

fn nothing(call: &mut Call<'_>) -> Answer {
    linode(call)?;
    call.list(std::iter::empty::<Nothing>(), |one| match *one {})
}

fn ips(call: &mut Call<'_>) -> Answer {
    let linode = linode(call)?;
    let (public, private): (Vec<_>, Vec<_>) = addresses_of(linode).into_iter().partition(|address| address.public);
    let views = |all: &[super::ips::Address<'_>]| all.iter().map(address_view).collect::<Vec<_>>();
    let v6 = |address: &str, public: bool| {
        json!({
            "address": address, "gateway": "fe80::1", "subnet_mask": "ffff:ffff:ffff:ffff::", "prefix": 64,
            "type": "ipv6", "public": public, "rdns": null, "linode_id": linode.id, "region": linode.region.id,
        })
    };
    let slaac = linode.ipv6();
    let local = slaac.replace("fd98:1a0d::", "fe80::");
    ok(json!({
        "ipv4": {"public": views(&public), "private": views(&private), "shared": [], "reserved": [], "vpc": []},
        "ipv6": {"slaac": v6(&slaac, true), "link_local": v6(&local, false), "global": []},
    }))
}

fn firewalls(call: &mut Call<'_>) -> Answer {
    let id = linode(call)?.id;
    let guard = call.world.guard_of(id).and_then(|(firewall, _)| call.world.firewalls.get(&firewall));
    call.list(guard.into_iter(), |firewall| firewall_view(call.world, firewall))
}
