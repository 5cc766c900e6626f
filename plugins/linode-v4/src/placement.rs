//! Placement groups.

use crate::api::{Api, Noun, done, number, one};
use crate::body::Body;
use crate::filter::Filter;
use crate::lenient::{Flag, List as Items, Part, Text};
use crate::list::List;
use linodetool_plugin::{
    ById, CreatePlacementGroup, Cx, ListPlacementGroups, Nothing, Page, PlacementGroup, PlacementMembers, Result,
};
use serde::Deserialize;

pub(crate) async fn list(api: &Api, cx: &Cx, args: ListPlacementGroups) -> Result<Page<PlacementGroup>> {
    let filter = Filter::default().equals("label", args.label.clone()).equals("region", args.region.clone());
    let mut groups: Vec<PlacementGroup> = List::of(api, "/placement/groups").filter(filter).read(cx).await?;
    groups.retain(|group| {
        args.label.as_ref().is_none_or(|label| *label == group.label)
            && args.region.as_ref().is_none_or(|region| *region == group.region)
    });
    Ok(Page::whole(groups))
}

/// API v4 has one sort of group: on hosts of their own.
pub(crate) async fn create(api: &Api, cx: &Cx, args: CreatePlacementGroup) -> Result<PlacementGroup> {
    let body = Body::new()
        .with("label", &args.label)
        .with("region", &args.region)
        .with("placement_group_type", "anti_affinity:local")
        .with("placement_group_policy", if args.strict { "strict" } else { "flexible" });
    one(cx, api.post("/placement/groups").json(&body)?).await
}

pub(crate) async fn delete(api: &Api, cx: &Cx, args: ById) -> Result<Nothing> {
    done(cx, api.delete(&path(&args.id)?)).await
}

pub(crate) async fn assign(api: &Api, cx: &Cx, args: PlacementMembers) -> Result<PlacementGroup> {
    members(api, cx, &args, "assign").await
}

pub(crate) async fn unassign(api: &Api, cx: &Cx, args: PlacementMembers) -> Result<PlacementGroup> {
    members(api, cx, &args, "unassign").await
}

async fn members(api: &Api, cx: &Cx, args: &PlacementMembers, action: &str) -> Result<PlacementGroup> {
    let linodes = args.instances.iter().map(|id| number("instances", id)).collect::<Result<Vec<_>>>()?;
    let body = Body::new().with("linodes", linodes);
    one(cx, api.post(&format!("{}/{action}", path(&args.id)?)).json(&body)?).await
}

fn path(id: &str) -> Result<String> {
    Ok(format!("/placement/groups/{}", number("id", id)?))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct GroupWire {
    id: Text,
    label: Text,
    region: Text,
    placement_group_policy: Text,
    is_compliant: Flag,
    members: Items<Part<MemberWire>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MemberWire {
    linode_id: Text,
}

impl Noun for PlacementGroup {
    type Wire = GroupWire;

    fn from_wire(wire: GroupWire) -> Self {
        Self {
            id: wire.id.0,
            label: wire.label.0,
            region: wire.region.0,
            strict: wire.placement_group_policy.0 == "strict",
            compliant: wire.is_compliant.0,
            instances: wire.members.0.into_iter().filter_map(|member| member.0.linode_id.some()).collect(),
        }
    }

    fn id(&self) -> &str {
        &self.id
    }
}
