//! What becomes of what the provider was asked to do with an instance, as far as its events tell.
//!
//! Events may come late or never, so that nothing is taken as done because of them alone: an instance must show it.
//! That something failed, though, only they tell.

use linodetool_plugin::{ById, Event, EventStatus, Instance, InstanceStatus, ListEvents};
use std::time::Duration;

use super::UP;
use crate::core::{Failure, FailureKind};
use crate::provider::{Client, Wait};
use crate::toolkit::Toolkit;

/// What brings an instance up, in the provider's words (Linode API v4, `GET /account/events`).
const BRINGS_UP: [&str; 4] = ["linode_create", "linode_boot", "linode_reboot", "lassie_reboot"];

/// More have not happened to one instance since it was asked for.
const NEWEST: u32 = 25;

/// A new instance is offline for a moment between being made and its boot.
const MOMENT: Duration = Duration::from_secs(1);

/// An event that has not come by then does not come any more.
const NO_EVENT: Duration = Duration::from_secs(30);

/// Events of one instance from some point on.
#[derive(Debug)]
pub(super) struct Watch {
    id: String,
    /// Id of the last event before what is watched.
    after: u64,
}

impl Watch {
    /// All its events: for an instance that is new.
    pub(super) fn of(id: &str) -> Self {
        Self { id: id.to_owned(), after: 0 }
    }

    /// Only those that are not there yet.
    pub(super) async fn only_new(self, client: &Client) -> Result<Self, Failure> {
        let after = self.events(client).await?.iter().map(number).max().unwrap_or(0);
        Ok(Self { after, ..self })
    }

    /// Newest first; none of a provider that has no events.
    async fn events(&self, client: &Client) -> Result<Vec<Event>, Failure> {
        if !client.supports("events.list") {
            return Ok(Vec::new());
        }
        let wanted = ListEvents {
            entity_type: Some("linode".into()),
            entity_id: Some(self.id.clone()),
            limit: Some(NEWEST),
            ..ListEvents::default()
        };
        let mut events = client.list_events(&wanted).await?.items;
        events.retain(|event| number(event) > self.after);
        Ok(events)
    }

    /// The newest event that brings it up, if there is one.
    async fn newest(&self, client: &Client) -> Result<Option<Event>, Failure> {
        let events = self.events(client).await?.into_iter();
        Ok(events.filter(|event| BRINGS_UP.contains(&event.action.as_str())).max_by_key(number))
    }

    /// It is being brought up.
    pub(super) async fn is_under_way(&self, client: &Client) -> Result<bool, Failure> {
        let newest = self.newest(client).await?;
        Ok(newest.is_some_and(|event| matches!(event.status, EventStatus::Scheduled | EventStatus::Started)))
    }

    /// Until the newest event that brings it up has ended well, or there seems to be none. Without events the state itself
    /// tells at once what an instance was asked to do.
    pub(super) async fn until_done(&self, toolkit: &Toolkit, name: &str) -> Result<(), Failure> {
        let client = &toolkit.provider().await?.client;
        if !client.supports("events.list") {
            return Ok(());
        }
        let pause = if toolkit.settings().sandbox { MOMENT / 10 } else { MOMENT * 3 };
        let (time, begun) = (toolkit.time(), toolkit.time().elapsed());
        let elapsed = || time.elapsed().saturating_sub(begun);
        while elapsed() < UP {
            match self.newest(client).await.map_err(|failure| failure.on(name))? {
                Some(event) if event.status == EventStatus::Failed => return Err(did_not_boot(name, &self.id, &event)),
                Some(event) if event.status == EventStatus::Finished => return Ok(()),
                None if elapsed() > NO_EVENT => return Ok(()),
                _ => time.sleep(pause).await,
            }
        }
        let message = format!("Linode {} has not restarted after {} s", self.id, UP.as_secs());
        Err(Failure::new(FailureKind::Timeout, message).on(name))
    }
}

/// Ids grow; one that is no number counts as old.
fn number(event: &Event) -> u64 {
    event.id.parse().unwrap_or(0)
}

/// Waits until an instance runs. One that stays offline is not waited for when its events say that its boot failed; it is
/// looked at once more, for an event alone proves nothing. `hidden`: it may be too new to be found for so long.
pub(super) async fn come_up(
    toolkit: &Toolkit,
    name: &str,
    tag: Option<String>,
    watch: &Watch,
    hidden: Duration,
) -> Result<Instance, Failure> {
    let provider = toolkit.provider().await?;
    let (time, begun) = (toolkit.time(), toolkit.time().elapsed());
    let mut failed = None;
    let mut offline = None;
    loop {
        let wait = Wait {
            id: watch.id.clone(),
            tag: tag.clone(),
            wanted: vec![InstanceStatus::Running, InstanceStatus::Offline],
            timeout: UP,
            hidden,
        };
        let instance = provider.waits.until(wait).await.map_err(|e| Failure::from(e).on(name))?;
        if instance.status == InstanceStatus::Running {
            return Ok(instance);
        }
        let since = *offline.get_or_insert_with(|| time.elapsed());
        match watch.newest(&provider.client).await.map_err(|failure| failure.on(name))? {
            Some(event) if event.status == EventStatus::Failed => match failed.replace(event.id.clone()) {
                Some(before) if before == event.id => return Err(did_not_boot(name, &watch.id, &event)),
                _ => {}
            },
            Some(event) if matches!(event.status, EventStatus::Scheduled | EventStatus::Started) => {}
            // Nothing brings it up, whatever became of the event that should have.
            _ if time.elapsed().saturating_sub(since) > NO_EVENT => {
                toolkit.events().note(format!("{name}: it is offline and nothing starts it; asking for its boot"));
                let asked = provider.client.boot_instance(&ById::new(&watch.id)).await;
                asked.map_err(|e| Failure::from(e).on(name))?;
                offline = None;
            }
            _ => {}
        }
        if time.elapsed().saturating_sub(begun) > UP {
            let message = format!("Linode {} is still offline after {} s", watch.id, UP.as_secs());
            return Err(Failure::new(FailureKind::Timeout, message).on(name));
        }
        time.sleep(MOMENT).await;
    }
}

fn did_not_boot(name: &str, id: &str, event: &Event) -> Failure {
    let why = if event.message.is_empty() { "the provider does not say why" } else { &event.message };
    Failure::new(FailureKind::Unavailable, format!("Linode {id} did not come up ({}): {why}", event.action))
        .hint(format!(
            "try again with `linodetool node start {name}`, or remove it with `linodetool node delete {name}` and \
             do the same as before"
        ))
        .on(name)
}
