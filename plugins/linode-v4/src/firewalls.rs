//! Cloud Firewalls and their rules.

use crate::api::{Api, Noun, done, number, one, send};
use crate::body::Body;
use crate::filter::Filter;
use crate::lenient::{List as Items, Part, Text};
use crate::list::List;
use linodetool_plugin::{
    ById, CreateFirewall, Cx, Firewall, FirewallRule, FirewallRules, ListFirewalls, Nothing, Page, Result,
    SetFirewallRules, UpdateFirewall, Verdict,
};
use serde::{Deserialize, Serialize};

pub(crate) async fn list(api: &Api, cx: &Cx, args: ListFirewalls) -> Result<Page<Firewall>> {
    let filter = Filter::default().equals("label", args.label.clone()).equals("tags", args.tag.clone());
    let mut firewalls: Vec<Firewall> = List::of(api, "/networking/firewalls").filter(filter).read(cx).await?;
    firewalls.retain(|firewall| {
        args.label.as_ref().is_none_or(|label| *label == firewall.label)
            && args.tag.as_ref().is_none_or(|tag| firewall.tags.contains(tag))
    });
    Ok(Page::whole(firewalls))
}

pub(crate) async fn get(api: &Api, cx: &Cx, args: ById) -> Result<Firewall> {
    one(cx, api.get(&path(&args.id)?)).await
}

#[derive(Serialize)]
struct CreateBody<'a> {
    label: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    tags: &'a [String],
    rules: RulesBody<'a>,
}

pub(crate) async fn create(api: &Api, cx: &Cx, args: CreateFirewall) -> Result<Firewall> {
    let body = CreateBody { label: &args.label, tags: &args.tags, rules: RulesBody::of(&args.rules) };
    one(cx, api.post("/networking/firewalls").json(&body)?).await
}

pub(crate) async fn delete(api: &Api, cx: &Cx, args: ById) -> Result<Nothing> {
    done(cx, api.delete(&path(&args.id)?)).await
}

/// Two requests: `PUT .../rules` answers with the rules alone.
pub(crate) async fn set_rules(api: &Api, cx: &Cx, args: SetFirewallRules) -> Result<Firewall> {
    let path = path(&args.id)?;
    send(cx, api.put(&format!("{path}/rules")).json(&RulesBody::of(&args.rules))?).await?;
    one(cx, api.get(&path)).await
}

/// Nothing to change is a read.
pub(crate) async fn update(api: &Api, cx: &Cx, args: UpdateFirewall) -> Result<Firewall> {
    let path = path(&args.id)?;
    let status = args.enabled.map(|enabled| if enabled { "enabled" } else { "disabled" });
    let body = Body::new().some("label", args.label).some("tags", args.tags).some("status", status);
    one(cx, if body.is_empty() { api.get(&path) } else { api.put(&path).json(&body)? }).await
}

pub(crate) fn path(id: &str) -> Result<String> {
    Ok(format!("/networking/firewalls/{}", number("id", id)?))
}

/// All of it is always written: what is left out of a `PUT` might stay as it was.
#[derive(Serialize)]
struct RulesBody<'a> {
    inbound: Vec<RuleBody<'a>>,
    inbound_policy: &'static str,
    outbound: Vec<RuleBody<'a>>,
    outbound_policy: &'static str,
}

#[derive(Serialize)]
struct RuleBody<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    label: &'a str,
    action: &'static str,
    protocol: &'a str,
    /// ICMP and IPENCAP have none, and an empty one is refused.
    #[serde(skip_serializing_if = "str::is_empty")]
    ports: &'a str,
    addresses: AddressesBody<'a>,
}

#[derive(Serialize)]
struct AddressesBody<'a> {
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    ipv4: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    ipv6: &'a [String],
}

impl<'a> RulesBody<'a> {
    fn of(rules: &'a FirewallRules) -> Self {
        Self {
            inbound: rules.inbound.iter().map(RuleBody::of).collect(),
            inbound_policy: word(rules.inbound_policy),
            outbound: rules.outbound.iter().map(RuleBody::of).collect(),
            outbound_policy: word(rules.outbound_policy),
        }
    }
}

impl<'a> RuleBody<'a> {
    fn of(rule: &'a FirewallRule) -> Self {
        let addresses = AddressesBody { ipv4: &rule.ipv4, ipv6: &rule.ipv6 };
        Self { label: &rule.label, action: word(rule.action), protocol: &rule.protocol, ports: &rule.ports, addresses }
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Accept => "ACCEPT",
        // No argument holds another: readers refuse it. Closed is the safe side.
        Verdict::Drop | Verdict::Other => "DROP",
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct FirewallWire {
    id: Text,
    label: Text,
    status: Text,
    tags: Items<Text>,
    rules: Part<RulesWire>,
    entities: Items<Entity>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RulesWire {
    inbound: Items<RuleWire>,
    inbound_policy: Text,
    outbound: Items<RuleWire>,
    outbound_policy: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RuleWire {
    label: Text,
    action: Text,
    protocol: Text,
    ports: Text,
    addresses: Part<AddressesWire>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AddressesWire {
    ipv4: Items<Text>,
    ipv6: Items<Text>,
}

/// What the firewall guards: a Linode, a NodeBalancer, or an interface whose parent is a Linode.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Entity {
    id: Text,
    #[serde(rename = "type")]
    kind: Text,
    parent_entity: Part<Parent>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Parent {
    id: Text,
    #[serde(rename = "type")]
    kind: Text,
}

impl Entity {
    fn instance(self) -> Option<String> {
        match (self.kind.0.as_str(), self.parent_entity.0.kind.0.as_str()) {
            ("linode", _) => self.id.some(),
            (_, "linode") => self.parent_entity.0.id.some(),
            _ => None,
        }
    }
}

impl Noun for Firewall {
    type Wire = FirewallWire;

    fn from_wire(wire: FirewallWire) -> Self {
        let rules = wire.rules.0;
        let mut instances: Vec<_> = wire.entities.0.into_iter().filter_map(Entity::instance).collect();
        instances.dedup();
        Self {
            id: wire.id.0,
            label: wire.label.0,
            status: wire.status.0,
            tags: wire.tags.texts(),
            rules: FirewallRules {
                inbound: rules.inbound.0.into_iter().map(rule).collect(),
                outbound: rules.outbound.0.into_iter().map(rule).collect(),
                inbound_policy: verdict(&rules.inbound_policy),
                outbound_policy: verdict(&rules.outbound_policy),
            },
            instances,
        }
    }

    fn id(&self) -> &str {
        &self.id
    }
}

fn rule(wire: RuleWire) -> FirewallRule {
    FirewallRule {
        label: wire.label.0,
        action: verdict(&wire.action),
        protocol: wire.protocol.0.to_ascii_uppercase(),
        ports: wire.ports.0,
        ipv4: wire.addresses.0.ipv4.texts(),
        ipv6: wire.addresses.0.ipv6.texts(),
    }
}

fn verdict(word: &Text) -> Verdict {
    match word.0.to_ascii_lowercase().as_str() {
        "accept" | "" => Verdict::Accept,
        "drop" => Verdict::Drop,
        _ => Verdict::Other,
    }
}
