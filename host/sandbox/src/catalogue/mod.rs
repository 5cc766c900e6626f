//! What can be bought: regions, types, images and kernels, as data.
//!
//! Owns: the tables and how to look into them. Does not know JSON, accounts or what exists in the world.

mod images;
mod kernels;
mod regions;
mod types;
mod unlisted;

pub use images::{IMAGES, Image};
pub use kernels::{KERNELS, Kernel};
pub use regions::{REGIONS, Region};
pub use types::{Price, TYPES, Type};
pub(crate) use unlisted::{unlisted_region, unlisted_type};

/// The region with this id.
pub fn region(id: &str) -> Option<&'static Region> {
    REGIONS.iter().find(|region| region.id == id)
}

/// The type with this id.
pub fn linode_type(id: &str) -> Option<&'static Type> {
    TYPES.iter().find(|one| one.id == id)
}

/// The public image with this id.
pub fn image(id: &str) -> Option<&'static Image> {
    IMAGES.iter().find(|image| image.id == id)
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
