//! Images of the account's own, made from disks.
//!
//! Owns: these records. Does not know what is on a disk: a machine made from one boots as a new one does.

use super::{Entity, EntityId, World};
use crate::clock::Time;
use crate::ledger::What;

/// An image that a disk was taken into.
#[derive(Clone, Debug, Default)]
pub struct OwnImage {
    pub id: u64,
    pub label: String,
    pub description: String,
    /// MB.
    pub size: u64,
    pub filesystem: &'static str,
    /// Its disk is still being read.
    pub creating: bool,
    pub created: Time,
}

impl World {
    /// Begins one; it can be used when it is finished.
    pub fn add_image(&mut self, image: OwnImage, now: Time) -> u64 {
        let id = self.new_id("image");
        self.note(now, What::Created, "image", id, &image.label, &[]);
        self.images.insert(id, OwnImage { id, creating: true, created: now, ..image });
        id
    }

    /// The one that is gone, if it was there.
    pub fn remove_image(&mut self, id: u64, now: Time) -> Option<OwnImage> {
        let image = self.images.remove(&id)?;
        self.note(now, What::Destroyed, "image", id, &image.label, &[]);
        let (kind, text) = ("image", format!("private/{id}"));
        let url = format!("/v4/images/{text}");
        let entity = Entity { kind, id: EntityId::Text(text), label: image.label.clone(), url };
        self.events.notify("image_delete", entity, now);
        Some(image)
    }
}
