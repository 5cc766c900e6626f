//! What belongs to a Linode: addresses, disks, profiles, firewalls, and the empty lists of what the sandbox has none of.
//!
//! Owns: these lists. Does not know how the parts came to be.

use serde_json::json;

use super::call::{Answer, Call, Route, ok};
use super::error::Refused;
use super::filter::{Field, Row};
use super::firewalls::firewall_view;
use super::instance_view::{config_view, disk_view};
use super::instances::linode;
use super::ips::{address_view, addresses_of};

const READ: &str = "linodes:read_only";

pub(super) const ROUTES: &[Route] = &[
    Route::new("GET", "linode/instances/{}/ips", READ, ips),
    Route::list("linode/instances/{}/disks", READ, disks),
    Route::new("GET", "linode/instances/{}/disks/{}", READ, disk),
    Route::list("linode/instances/{}/configs", READ, |call| {
        call.list(linode(call)?.configs.iter(), |config| config_view(config))
    }),
    Route::new("GET", "linode/instances/{}/configs/{}", READ, config),
    Route::list("linode/instances/{}/firewalls", READ, firewalls),
    // There are none, but clients that gather everything about a Linode ask.
    Route::list("linode/instances/{}/volumes", READ, nothing),
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

fn disks(call: &mut Call<'_>) -> Answer {
    let linode = linode(call)?;
    call.list(linode.disks.iter(), |disk| disk_view(linode, disk))
}

fn disk(call: &mut Call<'_>) -> Answer {
    let (linode, id) = (linode(call)?, call.id(1)?);
    let disk = linode.disks.iter().find(|disk| disk.id == id).ok_or_else(Refused::not_found)?;
    ok(disk_view(linode, disk))
}

fn config(call: &mut Call<'_>) -> Answer {
    let (linode, id) = (linode(call)?, call.id(1)?);
    ok(config_view(linode.configs.iter().find(|config| config.id == id).ok_or_else(Refused::not_found)?))
}

fn firewalls(call: &mut Call<'_>) -> Answer {
    let id = linode(call)?.id;
    let guard = call.world.guard_of(id).and_then(|(firewall, _)| call.world.firewalls.get(&firewall));
    call.list(guard.into_iter(), |firewall| firewall_view(call.world, firewall))
}
