//! Addresses of Linodes.
//!
//! Owns: these methods. Does not know how addresses are given out. A machine has its new addresses after its next boot.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::call::{Answer, Call, bit};
use super::fault::Fault;
use super::ids;
use crate::world::{Linode, World};

pub(super) fn list(call: &mut Call<'_>) -> Answer {
    let (of, wanted) = (call.number("linodeid"), call.number("ipaddressid"));
    if of.is_some() {
        call.linode()?;
    }
    let seen = call.world.linodes.values().filter(|linode| linode.visible <= call.now || of == Some(linode.id));
    let linodes = seen.filter(|linode| of.is_none_or(|of| of == linode.id));
    let all = linodes.flat_map(|linode| linode.ipv4().map(move |address| (linode, address)));
    let rows: Vec<_> = all
        .filter(|(_, address)| wanted.is_none_or(|wanted| wanted == ids::address(*address)))
        .map(|(linode, address)| row(linode, address))
        .collect();
    if rows.is_empty() && wanted.is_some() { Err(Fault::not_found()) } else { Ok(Value::Array(rows)) }
}

fn row(linode: &Linode, address: Ipv4Addr) -> Value {
    let public = address == linode.public_ip;
    let named = || format!("{}.ip.sandbox.invalid", address.to_string().replace('.', "-"));
    let rdns = if public { linode.rdns.clone().unwrap_or_else(named) } else { String::new() };
    json!({
        "IPADDRESSID": ids::address(address), "IPADDRESS": address.to_string(), "LINODEID": linode.id,
        "ISPUBLIC": bit(public), "RDNS_NAME": rdns,
    })
}

pub(super) fn add_private(call: &mut Call<'_>) -> Answer {
    let id = call.linode()?.id;
    if call.linode()?.private_ip.is_some() {
        return Err(Fault::invalid("This Linode already has a private IP address"));
    }
    let limit = || Fault::new(15, "Account Limit reached. Please open a support ticket.");
    let address = call.world.add_private_ip(id).ok_or_else(limit)?;
    Ok(json!({"IPADDRESSID": ids::address(address), "IPADDRESS": address.to_string()}))
}

/// More than one was never given without asking.
pub(super) fn add_public(call: &mut Call<'_>) -> Answer {
    call.linode()?;
    Err(Fault::invalid("Additional IPv4 addresses require technical justification. Please open a support ticket."))
}

/// The Linode whose public address this is.
fn holder(world: &World, address: u64) -> Result<u64, Fault> {
    let has = |linode: &&Linode| ids::address(linode.public_ip) == address;
    world.linodes.values().find(has).map(|linode| linode.id).ok_or_else(Fault::not_found)
}

pub(super) fn set_rdns(call: &mut Call<'_>) -> Answer {
    let (address, name) = (call.id("ipaddressid"), call.text("hostname"));
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    if !name.contains('.') || !name.chars().all(plain) {
        return Err(Fault::invalid("Hostname is not a domain name"));
    }
    let holder = holder(call.world, address)?;
    let linode = call.world.linodes.get_mut(&holder).ok_or_else(Fault::not_found)?;
    linode.rdns = Some(name.to_owned());
    Ok(json!({"HOSTNAME": name, "IPADDRESSID": address, "IPADDRESS": linode.public_ip.to_string()}))
}

/// Two public addresses of one datacenter change places, or one moves to a Linode, which gives its own for it.
pub(super) fn swap(call: &mut Call<'_>) -> Answer {
    let one = holder(call.world, call.id("ipaddressid"))?;
    let other = match (call.number("withipaddressid"), call.number("tolinodeid")) {
        (Some(address), None) => holder(call.world, address)?,
        (None, Some(linode)) => linode,
        _ => return Err(Fault::invalid("One of withIPAddressID and toLinodeID is required")),
    };
    let of = |id: u64| call.world.linodes.get(&id).ok_or_else(Fault::not_found);
    let (a, b) = (of(one)?, of(other)?);
    if one == other || a.region.id != b.region.id {
        return Err(Fault::invalid("The addresses must be of two Linodes in one datacenter"));
    }
    let (mine, theirs) = (a.public_ip, b.public_ip);
    for (id, address) in [(one, theirs), (other, mine)] {
        if let Some(linode) = call.world.linodes.get_mut(&id) {
            linode.public_ip = address;
            linode.rdns = None;
        }
    }
    let row = |id: u64, address: Ipv4Addr| json!({"LINODEID": id, "IPADDRESS": address.to_string(), "IPADDRESSID": ids::address(address)});
    Ok(json!([row(other, mine), row(one, theirs)]))
}
