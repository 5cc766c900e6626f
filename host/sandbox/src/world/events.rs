//! What happened and is happening.
//!
//! Owns: the list of events and their course. Does not know what they are about.

use std::time::Duration;

use crate::clock::Time;
use crate::faults::{Fault, Faults};

/// All events, oldest first. Ids have no gaps.
#[derive(Debug, Default)]
pub struct Events {
    all: Vec<Event>,
    faults: Faults,
}

/// One event.
#[derive(Clone, Debug)]
pub struct Event {
    pub id: u64,
    pub action: &'static str,
    pub created: Time,
    pub outcome: Outcome,
    pub entity: Option<Entity>,
    pub secondary: Option<Entity>,
    pub message: String,
    pub seen: bool,
    pub read: bool,
    /// What is wrong with how it is shown.
    pub twist: Option<Twist>,
}

/// What may be wrong with how an event is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Twist {
    /// Not before then.
    Late(Time),
    Missing,
    /// Twice in a list.
    Double,
    /// As failed, however it ended.
    Failed,
}

/// How far an event has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Told after the fact; it has no course.
    Notification,
    /// Runs from `starts` on, for about `expected`.
    Running {
        starts: Time,
        expected: Duration,
    },
    Finished {
        took: Duration,
    },
    Failed {
        took: Duration,
    },
}

/// What an event is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    /// `linode`, `image`, `linode_config`, `firewall`, ...
    pub kind: &'static str,
    pub id: EntityId,
    pub label: String,
    /// Its path under the API's base.
    pub url: String,
}

/// Most ids are numbers; those of images are not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntityId {
    Number(u64),
    Text(String),
}

impl Entity {
    /// An entity with a number for its id.
    pub fn new(kind: &'static str, id: u64, label: &str, url: String) -> Self {
        Self { kind, id: EntityId::Number(id), label: label.to_owned(), url }
    }

    /// The Linode of this id.
    pub fn linode(id: u64, label: &str) -> Self {
        Self::new("linode", id, label, format!("/v4/linode/instances/{id}"))
    }
}

impl Events {
    pub(super) fn set_faults(&mut self, faults: &Faults) {
        self.faults = faults.clone();
    }

    /// All events that show, newest first, as the list has them.
    pub fn newest_first(&self, now: Time) -> impl Iterator<Item = &Event> {
        let times = |event: &Event| if event.twist == Some(Twist::Double) { 2 } else { 1 };
        let shown = self.all.iter().rev().filter(move |event| event.shows(now));
        shown.flat_map(move |event| std::iter::repeat_n(event, times(event)))
    }

    /// One that shows.
    pub fn get(&self, id: u64, now: Time) -> Option<&Event> {
        self.all.get(Self::place(id)?).filter(|event| event.shows(now))
    }

    /// One, whether it shows or not.
    pub(super) fn even_hidden(&self, id: u64) -> Option<&Event> {
        self.all.get(Self::place(id)?)
    }

    /// Tells of something that has happened.
    pub fn notify(&mut self, action: &'static str, entity: Entity, now: Time) -> u64 {
        self.push(action, Some(entity), None, Outcome::Notification, now)
    }

    /// Begins one that takes time: `scheduled` until `starts`.
    pub fn begin(
        &mut self,
        action: &'static str,
        (entity, secondary): (Entity, Option<Entity>),
        (starts, expected): (Time, Duration),
        now: Time,
    ) -> u64 {
        self.push(action, Some(entity), secondary, Outcome::Running { starts, expected }, now)
    }

    pub fn finish(&mut self, id: u64, now: Time) {
        self.end(id, now, |took| Outcome::Finished { took });
    }

    pub fn fail(&mut self, id: u64, message: &str, now: Time) {
        self.end(id, now, |took| Outcome::Failed { took });
        if let Some(event) = Self::place(id).and_then(|place| self.all.get_mut(place)) {
            message.clone_into(&mut event.message);
        }
    }

    /// Marks this event and all before it as seen.
    pub fn mark_seen(&mut self, id: u64) {
        for event in self.all.iter_mut().take_while(|event| event.id <= id) {
            event.seen = true;
            event.read = true;
        }
    }

    fn end(&mut self, id: u64, now: Time, outcome: impl FnOnce(Duration) -> Outcome) {
        let Some(event) = Self::place(id).and_then(|place| self.all.get_mut(place)) else { return };
        if matches!(event.outcome, Outcome::Running { .. }) {
            event.outcome = outcome(now.since(event.created));
        }
    }

    fn push(
        &mut self,
        action: &'static str,
        entity: Option<Entity>,
        secondary: Option<Entity>,
        outcome: Outcome,
        now: Time,
    ) -> u64 {
        let id = self.all.len() as u64 + 1;
        let label = entity.as_ref().map(|entity| entity.label.as_str()).unwrap_or_default();
        let twist = self.faults.twist(label, now, outcome != Outcome::Notification);
        self.all.push(Event {
            id,
            action,
            created: now,
            outcome,
            entity,
            secondary,
            message: String::new(),
            seen: false,
            read: false,
            twist,
        });
        id
    }

    fn place(id: u64) -> Option<usize> {
        usize::try_from(id).ok()?.checked_sub(1)
    }
}

impl Faults {
    /// What goes wrong with an event of this Linode, or firewall; one without a course cannot fail.
    fn twist(&self, label: &str, now: Time, has_course: bool) -> Option<Twist> {
        let late = |hit: crate::faults::Hit| Twist::Late(now.after(hit.time));
        let failed = || has_course.then(|| self.befalls(Fault::EventFailed, label, now)).flatten();
        (self.befalls(Fault::EventMissing, label, now).map(|_| Twist::Missing))
            .or_else(|| self.befalls(Fault::EventLate, label, now).map(late))
            .or_else(|| self.befalls(Fault::EventDouble, label, now).map(|_| Twist::Double))
            .or_else(|| failed().map(|_| Twist::Failed))
    }
}

impl Event {
    fn shows(&self, now: Time) -> bool {
        match self.twist {
            Some(Twist::Late(then)) => now >= then,
            Some(Twist::Missing) => false,
            _ => true,
        }
    }

    /// The status the API shows at this moment.
    pub fn status(&self, now: Time) -> &'static str {
        match self.outcome {
            Outcome::Finished { .. } if self.twist == Some(Twist::Failed) => "failed",
            Outcome::Notification => "notification",
            Outcome::Running { starts, .. } if now < starts => "scheduled",
            Outcome::Running { .. } => "started",
            Outcome::Finished { .. } => "finished",
            Outcome::Failed { .. } => "failed",
        }
    }

    /// Percent complete; none for a notification. A running event never claims to be nearly done, whatever its clock says.
    pub fn percent(&self, now: Time) -> Option<u64> {
        match self.outcome {
            Outcome::Notification => None,
            Outcome::Running { starts, expected } => {
                let share = now.since(starts).as_secs_f64() / expected.as_secs_f64().max(0.001);
                // Truncation is meant: a whole percent is shown when it is reached.
                Some((share.min(1.0) * 95.0) as u64)
            }
            Outcome::Finished { .. } | Outcome::Failed { .. } => Some(100),
        }
    }

    /// Seconds it has taken so far; none while it has not begun.
    pub fn duration(&self, now: Time) -> Option<f64> {
        match self.outcome {
            Outcome::Notification => None,
            Outcome::Running { starts, .. } => (now >= starts).then(|| now.since(self.created).as_secs_f64()),
            Outcome::Finished { took } | Outcome::Failed { took } => Some(took.as_secs_f64()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_runs_its_course() {
        let mut events = Events::default();
        let at = |seconds: u64| Time(seconds * 1000);
        let id = events.begin(
            "linode_create",
            (Entity::linode(7, "web"), None),
            (at(103), Duration::from_secs(62)),
            at(100),
        );
        let told = |events: &Events, seconds: u64| {
            let event = events.get(id, at(seconds)).expect("it exists");
            (event.status(at(seconds)), event.percent(at(seconds)), event.duration(at(seconds)))
        };
        assert_eq!(told(&events, 101), ("scheduled", Some(0), None));
        assert_eq!(told(&events, 134), ("started", Some(47), Some(34.0)));
        assert_eq!(told(&events, 900), ("started", Some(95), Some(800.0)));
        events.finish(id, at(165));
        assert_eq!(told(&events, 900), ("finished", Some(100), Some(65.0)));
        events.fail(id, "too late", at(166));
        assert_eq!(events.get(id, at(900)).expect("it exists").status(at(900)), "finished", "an end is final");
        assert!(events.get(0, at(900)).is_none() && events.get(2, at(900)).is_none());
    }
}
