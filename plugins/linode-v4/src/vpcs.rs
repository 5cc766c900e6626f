//! VPCs and their subnets.

use crate::api::{Api, Noun, done, number, one};
use crate::body::Body;
use crate::filter::Filter;
use crate::lenient::{List as Items, Part, Text};
use crate::list::List;
use linodetool_plugin::{
    ById, CreateSubnet, CreateVpc, Cx, ListVpcs, Nothing, OfVpc, OneSubnet, Page, Result, Subnet, Vpc,
};
use serde::Deserialize;

pub(crate) async fn list(api: &Api, cx: &Cx, args: ListVpcs) -> Result<Page<Vpc>> {
    let filter = Filter::default().equals("label", args.label.clone()).equals("region", args.region.clone());
    let mut vpcs: Vec<Vpc> = List::of(api, "/vpcs").filter(filter).read(cx).await?;
    vpcs.retain(|vpc| {
        args.label.as_ref().is_none_or(|label| *label == vpc.label)
            && args.region.as_ref().is_none_or(|region| *region == vpc.region)
    });
    Ok(Page::whole(vpcs))
}

pub(crate) async fn create(api: &Api, cx: &Cx, args: CreateVpc) -> Result<Vpc> {
    let body =
        Body::new().with("label", &args.label).with("region", &args.region).filled("description", &args.description);
    one(cx, api.post("/vpcs").json(&body)?).await
}

pub(crate) async fn delete(api: &Api, cx: &Cx, args: ById) -> Result<Nothing> {
    done(cx, api.delete(&format!("/vpcs/{}", number("id", &args.id)?))).await
}

pub(crate) async fn list_subnets(api: &Api, cx: &Cx, args: OfVpc) -> Result<Page<Subnet>> {
    Ok(Page::whole(List::of(api, &subnets(&args.vpc)?).read(cx).await?))
}

pub(crate) async fn create_subnet(api: &Api, cx: &Cx, args: CreateSubnet) -> Result<Subnet> {
    let body = Body::new().with("label", &args.label).with("ipv4", &args.ipv4);
    one(cx, api.post(&subnets(&args.vpc)?).json(&body)?).await
}

pub(crate) async fn delete_subnet(api: &Api, cx: &Cx, args: OneSubnet) -> Result<Nothing> {
    done(cx, api.delete(&format!("{}/{}", subnets(&args.vpc)?, number("id", &args.id)?))).await
}

fn subnets(vpc: &str) -> Result<String> {
    Ok(format!("/vpcs/{}/subnets", number("vpc", vpc)?))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct VpcWire {
    id: Text,
    label: Text,
    region: Text,
    description: Text,
    subnets: Items<Part<SubnetWire>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct SubnetWire {
    id: Text,
    label: Text,
    ipv4: Text,
    linodes: Items<Part<MemberWire>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MemberWire {
    id: Text,
}

impl Noun for Vpc {
    type Wire = VpcWire;

    fn from_wire(wire: VpcWire) -> Self {
        Self {
            id: wire.id.0,
            label: wire.label.0,
            region: wire.region.0,
            description: wire.description.0,
            subnets: wire.subnets.0.into_iter().map(|subnet| Subnet::from_wire(subnet.0)).collect(),
        }
    }

    fn id(&self) -> &str {
        &self.id
    }
}

impl Noun for Subnet {
    type Wire = SubnetWire;

    fn from_wire(wire: SubnetWire) -> Self {
        let instances = wire.linodes.0.into_iter().filter_map(|member| member.0.id.some()).collect();
        Self { id: wire.id.0, label: wire.label.0, ipv4: wire.ipv4.0, instances }
    }

    fn id(&self) -> &str {
        &self.id
    }
}
