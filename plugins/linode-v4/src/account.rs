//! Account, user and events.

use crate::api::{Api, Noun, object, send};
use crate::filter::Filter;
use crate::lenient::{Flag, List as Items, Part, Text, Whole};
use crate::list::List;
use linodetool_plugin::{Account, Cx, Event, EventStatus, ListEvents, NoArguments, Page, Profile, Result};
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(default)]
struct AccountWire {
    euuid: Text,
    email: Text,
    company: Text,
    capabilities: Items<Text>,
}

pub(crate) async fn account(api: &Api, cx: &Cx, _: NoArguments) -> Result<Account> {
    let wire: AccountWire = object(&send(cx, api.get("/account")).await?)?;
    Ok(Account {
        id: wire.euuid.0,
        email: wire.email.0,
        company: wire.company.0,
        capabilities: wire.capabilities.texts(),
    })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ProfileWire {
    username: Text,
    email: Text,
    restricted: Flag,
}

/// The scopes are in no body: every answer has them in a header.
pub(crate) async fn profile(api: &Api, cx: &Cx, _: NoArguments) -> Result<Profile> {
    let response = send(cx, api.get("/profile")).await?;
    let wire: ProfileWire = object(&response)?;
    let scopes = response.header("x-oauth-scopes").unwrap_or_default();
    let scopes = scopes.split([' ', ',']).filter(|scope| !scope.is_empty());
    Ok(Profile {
        username: wire.username.0,
        email: wire.email.0,
        restricted: wire.restricted.0,
        scopes: scopes.map(str::to_owned).collect(),
    })
}

/// Newest first. Events of one second are all there (`+gte`): whoever polls tells them apart by id.
pub(crate) async fn events(api: &Api, cx: &Cx, args: ListEvents) -> Result<Page<Event>> {
    let id = args.entity_id.as_ref().map(|id| match id.parse::<u64>() {
        Ok(number) => serde_json::Value::from(number),
        Err(_) => serde_json::Value::from(id.as_str()),
    });
    let filter = Filter::default()
        .equals("entity.type", args.entity_type.clone())
        .equals("entity.id", id)
        .equals("action", args.action.clone())
        .at_least("created", args.since.as_ref())
        .newest_first();
    let limit = args.limit.map_or(usize::MAX, |limit| limit as usize);
    if limit == 0 {
        return Ok(Page::whole(Vec::new()));
    }
    let mut events: Vec<Event> = List::of(api, "/account/events").filter(filter).limit(limit).read(cx).await?;
    events.retain(|event| wanted(event, &args));
    events.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| number(b).cmp(&number(a))));
    events.truncate(limit);
    Ok(Page::whole(events))
}

fn wanted(event: &Event, args: &ListEvents) -> bool {
    let is = |wanted: &Option<String>, has: &str| wanted.as_ref().is_none_or(|wanted| wanted == has);
    is(&args.entity_type, &event.entity_type)
        && is(&args.entity_id, &event.entity_id)
        && is(&args.action, &event.action)
        && args.since.as_ref().is_none_or(|since| event.created >= *since)
}

fn number(event: &Event) -> u64 {
    event.id.parse().unwrap_or_default()
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct EventWire {
    id: Text,
    action: Text,
    status: Text,
    /// `null` where there is nothing to wait for.
    percent_complete: Option<Whole>,
    created: Text,
    entity: Part<EntityWire>,
    username: Text,
    message: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct EntityWire {
    id: Text,
    #[serde(rename = "type")]
    kind: Text,
    label: Text,
}

impl Noun for Event {
    type Wire = EventWire;

    fn from_wire(wire: EventWire) -> Self {
        let status = match wire.status.0.as_str() {
            "scheduled" => EventStatus::Scheduled,
            "started" => EventStatus::Started,
            "finished" => EventStatus::Finished,
            "failed" => EventStatus::Failed,
            "notification" => EventStatus::Notification,
            _ => EventStatus::Other,
        };
        Self {
            id: wire.id.0,
            action: wire.action.0,
            status,
            percent: wire.percent_complete.map(|percent| percent.0.min(100) as u8),
            created: wire.created.0,
            entity_type: wire.entity.0.kind.0,
            entity_id: wire.entity.0.id.0,
            entity_label: wire.entity.0.label.0,
            username: wire.username.0,
            message: wire.message.0,
        }
    }

    fn id(&self) -> &str {
        &self.id
    }
}
