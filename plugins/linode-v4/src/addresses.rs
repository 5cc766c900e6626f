//! The addresses of a Linode, as `GET /linode/instances/{id}/ips` sorts them.
//!
//! Left out: link-local and IPv6 pools and ranges, by which a machine cannot be reached before it is set up for them, and
//! addresses in VPCs, which belong to a subnet and not to the region's private network.

use crate::api::{Api, object, send};
use crate::instances;
use crate::lenient::{List as Items, Part, Text, Whole};
use linodetool_plugin::{Address, ById, Cx, Page, Result};
use serde::Deserialize;
use std::collections::HashSet;

#[derive(Default, Deserialize)]
#[serde(default)]
struct AddressesWire {
    ipv4: Part<V4>,
    ipv6: Part<V6>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct V4 {
    public: Items<AddressWire>,
    shared: Items<AddressWire>,
    reserved: Items<AddressWire>,
    private: Items<AddressWire>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct V6 {
    slaac: Part<AddressWire>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AddressWire {
    address: Text,
    prefix: Whole,
    gateway: Text,
    rdns: Text,
}

pub(crate) async fn list(api: &Api, cx: &Cx, args: ById) -> Result<Page<Address>> {
    let path = format!("{}/ips", instances::path("id", &args.id)?);
    let wire: AddressesWire = object(&send(cx, api.get(&path)).await?)?;
    let (v4, v6) = (wire.ipv4.0, wire.ipv6.0);
    let public = v4.public.0.into_iter().chain(v4.shared.0).chain(v4.reserved.0).map(|wire| address(wire, true, 4));
    let private = v4.private.0.into_iter().map(|wire| address(wire, false, 4));
    let slaac = std::iter::once(address(v6.slaac.0, true, 6));
    let mut seen = HashSet::new();
    let items = public.chain(private).chain(slaac);
    let items = items.filter(|item| !item.address.is_empty() && seen.insert(item.address.clone())).collect();
    Ok(Page::whole(items))
}

fn address(wire: AddressWire, public: bool, family: u8) -> Address {
    Address {
        address: wire.address.0,
        public,
        family,
        prefix: u8::try_from(wire.prefix.0).unwrap_or_default(),
        gateway: wire.gateway.some(),
        rdns: wire.rdns.some(),
    }
}
