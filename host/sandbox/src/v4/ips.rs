//! Addresses of the account.
//!
//! Owns: how an address is shown, the list of all, its rdns. Does not know how addresses are given out.

use serde_json::{Value, json};

use super::call::{Answer, Call, Route, ok};
use super::error::Refused;
use super::filter::{Field, Row};
use super::instances::linodes;
use crate::world::Linode;

pub(super) const ROUTES: &[Route] = &[
    Route::list("networking/ips", "ips:read_only", |call| {
        call.list(linodes(call).flat_map(addresses_of), address_view)
    }),
    Route::new("GET", "networking/ips/{}", "ips:read_only", get),
];

/// One address of a Linode.
pub(super) struct Address<'a> {
    text: String,
    pub(super) public: bool,
    linode: &'a Linode,
}

impl Address<'_> {
    fn prefix(&self) -> u64 {
        if self.public { 24 } else { 17 }
    }

    fn rdns(&self) -> Option<String> {
        if !self.public {
            return None;
        }
        let named = || format!("{}.ip.sandbox.invalid", self.text.replace('.', "-"));
        Some(self.linode.rdns.clone().unwrap_or_else(named))
    }
}

/// The IPv4 addresses of a Linode.
pub(super) fn addresses_of(linode: &Linode) -> Vec<Address<'_>> {
    let public = Address { text: linode.public_ip.to_string(), public: true, linode };
    let private = linode.private_ip.map(|address| Address { text: address.to_string(), public: false, linode });
    std::iter::once(public).chain(private).collect()
}

pub(super) fn address_view(address: &Address<'_>) -> Value {
    let gateway = address.public.then(|| address.text.rsplit_once('.').map(|(net, _)| format!("{net}.1"))).flatten();
    json!({
        "address": address.text,
        "gateway": gateway,
        "subnet_mask": if address.public { "255.255.255.0" } else { "255.255.128.0" },
        "prefix": address.prefix(),
        "type": "ipv4",
        "public": address.public,
        "rdns": address.rdns(),
        "linode_id": address.linode.id,
        "region": address.linode.region.id,
        "interface_id": null,
        "reserved": false,
        "vpc_nat_1_1": null,
    })
}

fn get(call: &mut Call<'_>) -> Answer {
    let wanted = call.word(0);
    let found =
        linodes(call).flat_map(addresses_of).find(|address| address.text == wanted).ok_or_else(Refused::not_found)?;
    ok(address_view(&found))
}

impl Row for Address<'_> {
    const FILTERABLE: &'static [&'static str] = &["address", "prefix", "rdns", "region", "type"];

    fn field(&self, name: &str) -> Field<'_> {
        match name {
            "address" => Field::text(self.text.as_str()),
            "prefix" => Field::number(self.prefix()),
            "rdns" => self.rdns().map_or(Field::Null, Field::text),
            "region" => Field::text(self.linode.region.id),
            _ => Field::text("ipv4"),
        }
    }
}
