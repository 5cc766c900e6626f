//! Addresses of the account: those of Linodes, and reserved ones. What a Linode has is in `addresses`.

use crate::api::{Api, Noun, done, invalid, number, one};
use crate::body::Body;
use crate::filter::Filter;
use crate::instances;
use crate::lenient::{Flag, Text};
use crate::list::List;
use linodetool_plugin::{AddIp, Cx, Ip, IpOfInstance, ListIps, Nothing, OneIp, Page, ReserveIp, Result, SetRdns};
use serde::Deserialize;
use std::net::IpAddr;

pub(crate) async fn list(api: &Api, cx: &Cx, args: ListIps) -> Result<Page<Ip>> {
    let instance = args.instance.as_ref().map(|id| number("instance", id)).transpose()?.map(|id| id.to_string());
    let filter = Filter::default().equals("region", args.region.clone());
    let path = match &args.vpc {
        Some(vpc) => format!("/vpcs/{}/ips", number("vpc", vpc)?),
        None => "/networking/ips".to_owned(),
    };
    let mut ips: Vec<Ip> = List::of(api, &path).filter(filter).read(cx).await?;
    ips.retain(|ip| {
        args.region.as_ref().is_none_or(|region| *region == ip.region)
            && (instance.is_none() || instance == ip.instance)
            && args.reserved.is_none_or(|reserved| reserved == ip.reserved)
    });
    Ok(Page::whole(ips))
}

pub(crate) async fn add(api: &Api, cx: &Cx, args: AddIp) -> Result<Ip> {
    let body = Body::new().with("type", "ipv4").with("public", args.public);
    one(cx, api.post(&of_instance(&args.instance)?).json(&body)?).await
}

pub(crate) async fn remove(api: &Api, cx: &Cx, args: IpOfInstance) -> Result<Nothing> {
    done(cx, api.delete(&format!("{}/{}", of_instance(&args.instance)?, checked(&args.address)?))).await
}

pub(crate) async fn reserve(api: &Api, cx: &Cx, args: ReserveIp) -> Result<Ip> {
    one(cx, api.post("/networking/reserved/ips").json(&Body::new().with("region", &args.region))?).await
}

pub(crate) async fn release(api: &Api, cx: &Cx, args: OneIp) -> Result<Nothing> {
    done(cx, api.delete(&format!("/networking/reserved/ips/{}", checked(&args.address)?))).await
}

/// `null` brings Linode's own name back.
pub(crate) async fn set_rdns(api: &Api, cx: &Cx, args: SetRdns) -> Result<Ip> {
    let path = format!("/networking/ips/{}", checked(&args.address)?);
    one(cx, api.put(&path).json(&Body::new().with("rdns", args.rdns))?).await
}

fn of_instance(instance: &str) -> Result<String> {
    Ok(format!("{}/ips", instances::path("instance", instance)?))
}

/// Only an address gets into a path.
fn checked(address: &str) -> Result<IpAddr> {
    address.parse().map_err(|_| invalid("address", format!("`{address}` is no address: give one like 203.0.113.9")))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct IpWire {
    address: Text,
    /// In VPCs, in place of a single address.
    address_range: Text,
    ipv6_range: Text,
    subnet_id: Text,
    public: Flag,
    #[serde(rename = "type")]
    kind: Text,
    region: Text,
    linode_id: Text,
    reserved: Flag,
    rdns: Text,
}

impl Noun for Ip {
    type Wire = IpWire;

    fn from_wire(wire: IpWire) -> Self {
        let places = [wire.address, wire.address_range, wire.ipv6_range];
        let address = places.into_iter().find_map(Text::some).unwrap_or_default();
        // `ipv4`, or `ipv6` with words like `/range` behind it.
        let family = if wire.kind.0.starts_with("ipv6") || address.contains(':') { 6 } else { 4 };
        Self {
            address,
            public: wire.public.0,
            family,
            region: wire.region.0,
            subnet: wire.subnet_id.some(),
            instance: wire.linode_id.some(),
            reserved: wire.reserved.0,
            rdns: wire.rdns.some(),
        }
    }

    fn id(&self) -> &str {
        &self.address
    }
}
