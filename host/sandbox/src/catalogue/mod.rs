//! What can be bought: regions, types, images and kernels, as data.
//!
//! Owns: the tables and how to look into them. Does not know JSON, accounts or what exists in the world.

mod images;
mod kernels;
mod listing;
mod regions;
mod types;
mod unlisted;

pub use images::{IMAGES, Image};
pub use kernels::{KERNELS, Kernel};
pub use listing::{ListedImage, ListedRegion, ListedType, Listing};
pub use regions::{REGIONS, Region};
pub use types::{Price, TYPES, Type};
pub(crate) use unlisted::{unlisted_region, unlisted_type};

/// What can be bought, but for kernels.
#[derive(Debug)]
pub struct Catalogue {
    pub regions: &'static [Region],
    pub types: &'static [Type],
    pub images: &'static [Image],
}

/// The one that comes with the emulator.
pub static BUNDLED: Catalogue = Catalogue { regions: REGIONS, types: TYPES, images: IMAGES };

impl Catalogue {
    /// The region with this id.
    pub fn region(&self, id: &str) -> Option<&'static Region> {
        self.regions.iter().find(|region| region.id == id)
    }

    /// The type with this id.
    pub fn linode_type(&self, id: &str) -> Option<&'static Type> {
        self.types.iter().find(|one| one.id == id)
    }

    /// The image with this id.
    pub fn image(&self, id: &str) -> Option<&'static Image> {
        self.images.iter().find(|image| image.id == id)
    }
}

/// The region with this id in the bundled catalogue.
pub fn region(id: &str) -> Option<&'static Region> {
    BUNDLED.region(id)
}

/// The type with this id in the bundled catalogue.
pub fn linode_type(id: &str) -> Option<&'static Type> {
    BUNDLED.linode_type(id)
}

/// The public image with this id in the bundled catalogue.
pub fn image(id: &str) -> Option<&'static Image> {
    BUNDLED.image(id)
}

/// The kernel with this id.
pub fn kernel(id: &str) -> Option<&'static Kernel> {
    KERNELS.iter().find(|kernel| kernel.id == id)
}

/// Whether a type can be had in a region: some need hardware that only some regions have.
pub fn available(region: &Region, one: &Type) -> bool {
    match one.class {
        "gpu" => region.can("GPU Linodes"),
        "premium" => region.can("Premium Plans"),
        "highmem" => !region.distributed,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_found() {
        for region in REGIONS {
            assert!(std::ptr::eq(super::region(region.id).expect(region.id), region));
        }
        for one in TYPES {
            assert!(std::ptr::eq(linode_type(one.id).expect(one.id), one));
        }
        for image in IMAGES {
            assert!(std::ptr::eq(super::image(image.id).expect(image.id), image));
        }
        for kernel in KERNELS {
            assert!(std::ptr::eq(super::kernel(kernel.id).expect(kernel.id), kernel));
        }
    }

    #[test]
    fn capabilities_decide() {
        let east = region("us-east").expect("us-east");
        let lab = region("xx-lab-1").expect("xx-lab-1");
        let gpu = linode_type("g1-gpu-rtx6000-1").expect("gpu");
        assert!(east.can("Metadata") && !lab.can("Metadata"));
        assert!(available(east, gpu) && !available(lab, gpu));
        assert_eq!(lab.capabilities(), ["Linodes", "Backups", "Cloud Firewall", "Maintenance Policy"]);
    }
}
