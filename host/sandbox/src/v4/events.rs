//! Events of the account.
//!
//! Owns: how an event is shown and marked as seen. Does not know what makes one.

use serde_json::{Value, json};

use super::call::{Answer, Call, Route, done, ok};
use super::error::Refused;
use super::filter::{Field, Row};
use crate::clock::Time;
use crate::world::{Entity, EntityId, Event, USERNAME};

const READ: &str = "events:read_only";

pub(super) const ROUTES: &[Route] = &[
    Route::list("account/events", READ, |call| {
        call.list(call.world.events.newest_first(call.now), |event| event_view(event, call.now))
    }),
    Route::new("GET", "account/events/{}", READ, get),
    Route::new("POST", "account/events/{}/seen", READ, seen),
];

fn get(call: &mut Call<'_>) -> Answer {
    let event = call.world.events.get(call.id(0)?, call.now).ok_or_else(Refused::not_found)?;
    ok(event_view(event, call.now))
}

fn seen(call: &mut Call<'_>) -> Answer {
    let id = call.id(0)?;
    call.world.events.get(id, call.now).ok_or_else(Refused::not_found)?;
    call.world.events.mark_seen(id);
    done()
}

fn event_view(event: &Event, now: Time) -> Value {
    let percent = event.percent(now);
    json!({
        "id": event.id,
        "action": event.action,
        "created": event.created.wire(),
        "duration": event.duration(now),
        "entity": event.entity.as_ref().map(entity_view),
        "secondary_entity": event.secondary.as_ref().map(entity_view),
        "message": event.message,
        "percent_complete": percent,
        "rate": null,
        "read": event.read,
        "seen": event.seen,
        "status": event.status(now),
        "time_remaining": (percent == Some(100)).then_some(0),
        "username": USERNAME,
    })
}

fn entity_view(entity: &Entity) -> Value {
    let id = match &entity.id {
        EntityId::Number(id) => json!(id),
        EntityId::Text(id) => json!(id),
    };
    json!({"id": id, "type": entity.kind, "label": entity.label, "url": entity.url})
}

impl Row for &Event {
    const FILTERABLE: &'static [&'static str] =
        &["action", "created", "entity.id", "entity.type", "id", "read", "seen"];

    fn field(&self, name: &str) -> Field<'_> {
        match name {
            "action" => Field::text(self.action),
            "created" => Field::text(self.created.wire()),
            "id" => Field::number(self.id),
            "read" => Field::Flag(self.read),
            "seen" => Field::Flag(self.seen),
            "entity.type" => self.entity.as_ref().map_or(Field::Null, |entity| Field::text(entity.kind)),
            _ => match self.entity.as_ref().map(|entity| &entity.id) {
                None => Field::Null,
                Some(EntityId::Number(id)) => Field::number(*id),
                Some(EntityId::Text(id)) => Field::text(id.as_str()),
            },
        }
    }
}
