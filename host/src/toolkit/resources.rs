//! What a provider keeps for us, whatever kind it is: listed by our tags, and destroyed only while it carries them.
//!
//! Owns the table of kinds that undo, garbage collection and adoption go through. Does not know why something is to go.

use linodetool_plugin::{ErrorKind, InstanceStatus, NoArguments, Page, ProviderError};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};
use std::time::Duration;

use crate::core::events::Ending;
use crate::core::{Failure, FailureKind};
use crate::inventory::{Change, Node, Resource};
use crate::provider::Client;
use crate::runs::{Done, Kind, StepCx};
use crate::toolkit::keys::forget_nodes;
use crate::toolkit::nodes::hides_ms;
use crate::toolkit::stages::staged;
use crate::toolkit::{Repeatable, Toolkit};

/// One kind of thing that carries tags.
pub(crate) struct ThingKind {
    /// As people call it; rows of the inventory have it in lower case.
    pub word: &'static str,
    /// `instances`: the operations are `instances.list`, `.get` and `.delete`.
    operations: &'static str,
    /// The step that makes one.
    pub made_by: &'static str,
    /// Where that step's arguments name it.
    pub name_at: &'static str,
}

/// A new kind is one line here.
pub(crate) const KINDS: &[ThingKind] = &[
    kind("Linode", "instances", "nodes.ensure", "/wanted/name"),
    kind("firewall", "firewalls", "firewalls.ensure", "/cluster"),
    // No step of ours makes these: with our tags somebody else made them, or a call of the API's own.
    kind("volume", "volumes", "volumes.ensure", "/name"),
    kind("NodeBalancer", "nodebalancers", "nodebalancers.ensure", "/name"),
];

const fn kind(word: &'static str, operations: &'static str, made_by: &'static str, name_at: &'static str) -> ThingKind {
    ThingKind { word, operations, made_by, name_at }
}

/// The kind whose rows are nodes.
pub(crate) const LINODE: &str = "Linode";

/// Tags of steps begin so; those of clusters with `lt-c-`.
const STEP: &str = "lt-s-";

/// Something that the provider has. Read from any kind's own noun.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Thing {
    /// `Linode`, `firewall`, ...
    pub kind: String,
    pub id: String,
    pub label: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub region: String,
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    pub type_id: String,
    pub tags: Vec<String>,
    /// Of a firewall: ids of the instances that it guards.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub instances: Vec<String>,
    /// US dollars a month, where the price is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monthly: Option<f64>,
}

impl Thing {
    /// `Linode web-1 (us-east, g6-nanode-1, id 123)`
    pub fn described(&self) -> String {
        let known = [&self.region, &self.type_id].into_iter().filter(|word| !word.is_empty());
        let known: String = known.map(|word| format!("{word}, ")).collect();
        format!("{} {} ({known}id {})", self.kind, self.label, self.id)
    }

    /// A node's machine as its row tells of it.
    pub(crate) fn of_node(node: &Node) -> Self {
        Self {
            kind: LINODE.to_owned(),
            id: node.id.clone(),
            label: node.name.clone(),
            region: node.region.clone(),
            type_id: node.type_id.clone(),
            tags: node.tags.clone(),
            monthly: node.price_monthly,
            ..Self::default()
        }
    }

    /// Any other thing as its row tells of it; none of a kind that is not in the table.
    pub(crate) fn of_resource(row: &Resource) -> Option<Self> {
        let kind = KINDS.iter().find(|kind| kind.word.to_lowercase() == row.kind)?;
        Some(Self { kind: kind.word.to_owned(), id: row.id.clone(), label: row.name.clone(), ..Self::default() })
    }

    pub(crate) fn step_tags(&self) -> impl Iterator<Item = &String> {
        self.tags.iter().filter(|tag| tag.starts_with(STEP))
    }

    pub(crate) fn carries(&self, tag: &str) -> bool {
        self.tags.iter().any(|own| own == tag)
    }
}

impl ThingKind {
    /// Whether the provider can list and destroy these at all.
    fn is_known(&self, client: &Client) -> bool {
        ["list", "get", "delete"].iter().all(|verb| client.supports(&self.operation(verb)))
    }

    fn operation(&self, verb: &str) -> String {
        format!("{}.{verb}", self.operations)
    }
}

/// All that carries a tag of ours, of every kind that the provider has.
pub(crate) async fn ours(client: &Client) -> Result<Vec<Thing>, Failure> {
    let mut all = Vec::new();
    for kind in KINDS.iter().filter(|kind| kind.is_known(client)) {
        let answer = client.call(&kind.operation("list"), to_raw_value(&json!({})).map_err(|e| broken(&e))?).await?;
        let page: Page<Thing> = serde_json::from_str(answer.get()).map_err(|e| broken(&e))?;
        let things = page.items.into_iter().map(|thing| Thing { kind: kind.word.to_owned(), ..thing });
        all.extend(things.filter(|thing| thing.tags.iter().any(|tag| tag.starts_with("lt-"))));
    }
    Ok(all)
}

/// Adds prices where the provider's catalogue has them.
pub(crate) async fn price(client: &Client, things: &mut [Thing]) -> Result<(), Failure> {
    if things.iter().all(|thing| thing.kind != LINODE) {
        return Ok(());
    }
    let types = client.list_types(&NoArguments {}).await?.items;
    for thing in things.iter_mut().filter(|thing| thing.kind == LINODE) {
        let its = types.iter().find(|r#type| r#type.id == thing.type_id);
        thing.monthly = its.map(|r#type| r#type.price_in(&thing.region).monthly);
    }
    Ok(())
}

fn broken(error: &serde_json::Error) -> Failure {
    Failure::new(FailureKind::Plugin, format!("the provider's answer cannot be read: {error}"))
}

/// What became of something that was to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    Destroyed,
    /// Somebody was faster.
    GoneAlready,
}

/// What is found under an id.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    There,
    AnotherOne,
    NotFound,
}

/// Between looks for what may not be found yet.
const LOOK: Duration = Duration::from_millis(500);

/// Something that is meant by its id and by what it carries: an id may soon be another's.
#[derive(Serialize)]
struct Target<'a> {
    kind: &'a str,
    id: &'a str,
    label: &'a str,
    /// It is the one if it carries one of these, or still has its label.
    tags: Vec<&'a String>,
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

impl<'a> Target<'a> {
    fn of(thing: &'a Thing, toolkit: &'a Toolkit) -> Self {
        let tags = thing.step_tags().collect();
        Self { kind: &thing.kind, id: &thing.id, label: &thing.label, tags, toolkit }
    }

    async fn call(&self, client: &Client, verb: &str) -> Result<Box<RawValue>, ProviderError> {
        let operation = KINDS.iter().find(|kind| kind.word == self.kind).map(|kind| kind.operation(verb));
        client.call(&operation.unwrap_or_default(), to_raw_value(&json!({ "id": self.id }))?).await
    }

    async fn look(&self) -> Result<Presence, Failure> {
        match self.call(&self.toolkit.provider().await?.client, "get").await {
            Ok(answer) => {
                let there: Thing = serde_json::from_str(answer.get()).map_err(|e| broken(&e))?;
                if there.label == self.label || self.tags.iter().any(|tag| there.carries(tag)) {
                    return Ok(Presence::There);
                }
                let (kind, id, label) = (self.kind, self.id, &there.label);
                let text = format!("{} is gone already; {kind} {id} is {label} now and is left alone", self.label);
                self.toolkit.events().note(text);
                Ok(Presence::AnotherOne)
            }
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Presence::NotFound),
            Err(error) => Err(error.into()),
        }
    }

    async fn destroy(&self, cx: &StepCx) -> Result<Fate, Failure> {
        // What was made a moment ago may not be found yet, and is not destroyed then either.
        let hides_until = self.hides_until_ms()?;
        loop {
            match self.look().await? {
                Presence::AnotherOne => return Ok(Fate::GoneAlready),
                Presence::There => self.confirmed().await?,
                Presence::NotFound => {}
            }
            match self.call(&self.toolkit.provider().await?.client, "delete").await {
                Ok(_) => return Ok(Fate::Destroyed),
                Err(error) if error.kind != ErrorKind::NotFound => return Err(error.into()),
                Err(_) if cx.now_ms() < hides_until => cx.time.sleep(LOOK).await,
                Err(_) => return Ok(Fate::GoneAlready),
            }
        }
    }

    /// Until when a node that nobody has seen running yet may be there without being found.
    fn hides_until_ms(&self) -> Result<u64, Failure> {
        let node = self.toolkit.inventory().node(self.toolkit.context(), self.label)?;
        let node =
            node.filter(|node| self.kind == LINODE && node.id == self.id && node.status != InstanceStatus::Running);
        Ok(node.map_or(0, |node| node.created_ms + hides_ms(self.toolkit)))
    }

    /// Asking blocks on the terminal.
    async fn confirmed(&self) -> Result<(), Failure> {
        let (toolkit, name) = (self.toolkit.clone(), self.label.to_owned());
        let what = format!("{} {name} (id {})", self.kind, self.id);
        self.toolkit.blocking(move || toolkit.confirm().destroy(&name, &what)).await?
    }

    /// The rows that mean it, whatever they are called, and the keys that were made for it.
    async fn forget(&self) -> Result<Vec<Change>, Failure> {
        let (inventory, context) = (self.toolkit.inventory(), self.toolkit.context());
        if self.kind != LINODE {
            let kind = self.kind.to_lowercase();
            let rows = inventory.resources(context, Some(&kind))?.into_iter().filter(|row| row.id == self.id);
            return Ok(rows.map(|row| Change::remove_resource(context, &kind, row.name)).collect());
        }
        let named = inventory.node(context, self.label)?;
        // Its name may be another machine's by now, and the keys then are its.
        let taken = named.as_ref().is_some_and(|node| node.id != self.id);
        let its = match named.filter(|_| !taken) {
            Some(node) => vec![node],
            // Only what was renamed is looked for among all: nodes may be thousands, and each is destroyed once.
            None => inventory.nodes(context)?.into_iter().filter(|node| node.id == self.id).collect(),
        };
        let names = its.iter().map(|node| node.name.as_str());
        let unused: Vec<_> = names.chain(Some(self.label).filter(|_| !taken)).collect();
        forget_nodes(self.toolkit, &unused).await?;
        Ok(its.into_iter().map(|node| Change::remove_node(context, node.name)).collect())
    }
}

/// Destroys something that carries a tag of ours, and its row. With no such thing any more, only the row goes.
#[derive(Serialize)]
pub(crate) struct Destroy<'a>(Target<'a>);

impl<'a> Destroy<'a> {
    pub(crate) fn of(thing: &'a Thing, toolkit: &'a Toolkit) -> Self {
        Self(Target::of(thing, toolkit))
    }
}

/// What is gone is gone, and asked for again it is found so.
impl Repeatable for Destroy<'_> {
    const OP: &'static str = "things.destroy";
    const KIND: Kind = Kind::Write;
    type Out = Fate;

    async fn perform(&self, cx: &StepCx) -> Result<Done<Fate>, Failure> {
        let Target { label, toolkit, .. } = self.0;
        let done = staged(toolkit, label, "delete", async {
            let fate = self.0.destroy(cx).await?;
            let ending = Ending::of(fate == Fate::Destroyed);
            Ok((Done { value: fate, changes: self.0.forget().await? }, ending))
        });
        done.await.map_err(|failure| failure.on(label))
    }
}

/// Removes the row of something that the provider has no more; `false` if it is there after all.
#[derive(Serialize)]
pub(crate) struct ForgetLost<'a>(Target<'a>);

impl<'a> ForgetLost<'a> {
    pub(crate) fn of(thing: &'a Thing, toolkit: &'a Toolkit) -> Self {
        Self(Target::of(thing, toolkit))
    }
}

impl Repeatable for ForgetLost<'_> {
    const OP: &'static str = "things.forget_lost";
    const KIND: Kind = Kind::Write;
    type Out = bool;

    async fn perform(&self, _: &StepCx) -> Result<Done<bool>, Failure> {
        if self.0.look().await.map_err(|failure| failure.on(self.0.label))? == Presence::There {
            return Ok(false.into());
        }
        Ok(Done { value: true, changes: self.0.forget().await? })
    }
}

/// Whether the provider still has what a row tells of.
pub(crate) async fn is_there(thing: &Thing, toolkit: &Toolkit) -> Result<bool, Failure> {
    Ok(Target::of(thing, toolkit).look().await? == Presence::There)
}
