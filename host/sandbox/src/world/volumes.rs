//! Block storage volumes.
//!
//! Owns: which there are and what they are attached to. A machine sees nothing of them. Does not know what makes a request valid.

use std::time::Duration;

use super::{Entity, World};
use crate::catalogue::Region;
use crate::clock::Time;
use crate::ledger::What;

/// A new one can be used after this.
const MADE: Duration = Duration::from_secs(5);

/// One volume.
#[derive(Clone, Debug)]
pub struct Volume {
    pub id: u64,
    pub label: String,
    pub tags: Vec<String>,
    pub region: &'static Region,
    /// GB.
    pub size: u64,
    pub linode: Option<u64>,
    pub created: Time,
    /// Until then it is being made.
    pub ready: Time,
}

impl World {
    pub fn volume_labelled(&self, label: &str) -> Option<u64> {
        self.volumes.values().find(|volume| volume.label == label).map(|volume| volume.id)
    }

    /// Makes one, attached or not.
    pub fn add_volume(&mut self, label: &str, region: &'static Region, size: u64, to: Option<u64>, now: Time) -> u64 {
        let id = self.new_id("volume");
        self.note(now, What::Created, "volume", id, label, &[]);
        self.events.notify("volume_create", entity(id, label), now);
        let (label, ready) = (label.to_owned(), now.after(self.timing.create.min(MADE)));
        self.volumes.insert(id, Volume { id, label, tags: Vec::new(), region, size, linode: to, created: now, ready });
        id
    }

    /// False if there is none.
    pub fn remove_volume(&mut self, id: u64, now: Time) -> bool {
        let Some(volume) = self.volumes.remove(&id) else { return false };
        self.note(now, What::Destroyed, "volume", id, &volume.label, &[]);
        self.events.notify("volume_delete", entity(id, &volume.label), now);
        true
    }

    /// What is attached to a Linode that goes is free again.
    pub(super) fn detach_volumes(&mut self, linode: u64) {
        for volume in self.volumes.values_mut().filter(|volume| volume.linode == Some(linode)) {
            volume.linode = None;
        }
    }
}

fn entity(id: u64, label: &str) -> Entity {
    Entity::new("volume", id, label, format!("/v4/volumes/{id}"))
}
