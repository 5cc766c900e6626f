//! The public images the emulator offers.
//!
//! Owns: ids, sizes and abilities of images. Does not know what a machine is really made of: in the sandbox every image
//! boots this computer's own programs. Source: Linode API v4 docs.

/// A distribution that a disk can be made from.
#[derive(Debug, PartialEq, Eq)]
pub struct Image {
    pub id: &'static str,
    pub label: &'static str,
    pub vendor: &'static str,
    /// MB.
    pub size: u64,
    /// Reads user data at first boot.
    pub cloud_init: bool,
    /// May be used in distributed regions.
    pub distributed: bool,
    /// On its way out, yet still deployable.
    pub deprecated: bool,
    /// The first day it gets no more updates, where its vendor names one.
    pub end_of_life: Option<&'static str>,
    /// The day it was first offered.
    pub created: &'static str,
}

impl Image {
    /// The capabilities, as the API writes them.
    pub fn capabilities(&self) -> Vec<&'static str> {
        let mut all = Vec::new();
        if self.cloud_init {
            all.push("cloud-init");
        }
        if self.distributed {
            all.push("distributed-sites");
        }
        all
    }
}

/// Abilities: c = cloud-init, d = distributed sites, x = deprecated.
const fn image(
    id: &'static str,
    label: &'static str,
    vendor: &'static str,
    size: u64,
    letters: &'static str,
    end_of_life: Option<&'static str>,
    created: &'static str,
) -> Image {
    let (mut cloud_init, mut distributed, mut deprecated) = (false, false, false);
    let bytes = letters.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'c' => cloud_init = true,
            b'd' => distributed = true,
            _ => deprecated = true,
        }
        at += 1;
    }
    Image { id, label, vendor, size, cloud_init, distributed, deprecated, end_of_life, created }
}

/// All public images, in the order the list has them.
#[rustfmt::skip]
pub static IMAGES: &[Image] = &[
    image("linode/almalinux10", "AlmaLinux 10", "AlmaLinux", 3500, "c", Some("2035-05-31"), "2025-06-26"),
    image("linode/almalinux8", "AlmaLinux 8", "AlmaLinux", 4000, "cd", Some("2029-03-01"), "2021-08-05"),
    image("linode/almalinux9", "AlmaLinux 9", "AlmaLinux", 2500, "cd", Some("2032-05-31"), "2022-07-13"),
    image("linode/alpine3.21", "Alpine 3.21", "Alpine", 500, "c", Some("2026-11-01"), "2025-01-09"),
    image("linode/alpine3.22", "Alpine 3.22", "Alpine", 500, "c", Some("2027-05-01"), "2025-06-12"),
    image("linode/alpine3.23", "Alpine 3.23", "Alpine", 500, "c", Some("2027-11-01"), "2025-12-11"),
    image("linode/arch", "Arch Linux", "Arch", 2500, "c", None, "2016-06-13"),
    image("linode/centos-stream10", "CentOS Stream 10", "CentOS", 3500, "c", Some("2030-01-01"), "2025-02-12"),
    image("linode/centos-stream9", "CentOS Stream 9", "CentOS", 2400, "cd", Some("2027-05-31"), "2022-01-31"),
    image("linode/debian11", "Debian 11", "Debian", 1500, "cd", Some("2026-08-31"), "2021-08-14"),
    image("linode/debian12", "Debian 12", "Debian", 1800, "cd", Some("2028-06-30"), "2023-06-11"),
    image("linode/debian13", "Debian 13", "Debian", 1800, "cd", Some("2030-06-30"), "2025-08-14"),
    image("linode/fedora43", "Fedora 43", "Fedora", 3000, "c", Some("2026-12-02"), "2025-11-04"),
    image("linode/gentoo", "Gentoo", "Gentoo", 7000, "c", None, "2017-05-18"),
    image("linode/kali", "Kali Linux", "Kali", 1536, "c", None, "2020-10-08"),
    image("linode/opensuse15.6", "openSUSE Leap 15.6", "openSUSE", 1200, "cx", Some("2025-12-31"), "2024-07-09"),
    image("linode/rocky10", "Rocky Linux 10", "Rocky", 3500, "c", Some("2035-05-31"), "2025-06-26"),
    image("linode/rocky8", "Rocky Linux 8", "Rocky", 4000, "cd", Some("2029-05-31"), "2021-06-23"),
    image("linode/rocky9", "Rocky Linux 9", "Rocky", 2500, "cd", Some("2032-05-31"), "2022-08-01"),
    image("linode/slackware15.0", "Slackware 15.0", "Slackware", 11600, "", None, "2022-03-23"),
    image("linode/ubuntu22.04", "Ubuntu 22.04 LTS", "Ubuntu", 3500, "cd", Some("2027-04-01"), "2022-04-21"),
    image("linode/ubuntu24.04", "Ubuntu 24.04 LTS", "Ubuntu", 3500, "cd", Some("2029-04-25"), "2024-05-08"),
    image("linode/alpine3.20", "Alpine 3.20", "Alpine", 400, "cx", Some("2026-04-01"), "2024-06-26"),
    image("linode/centos7", "CentOS 7", "CentOS", 2800, "dx", Some("2024-06-30"), "2014-07-08"),
    image("linode/fedora42", "Fedora 42", "Fedora", 3000, "cx", Some("2026-05-13"), "2025-04-17"),
    image("linode/ubuntu16.04lts", "Ubuntu 16.04 LTS", "Ubuntu", 2700, "x", Some("2021-04-01"), "2016-04-22"),
    image("linode/ubuntu20.04", "Ubuntu 20.04 LTS", "Ubuntu", 3500, "cdx", Some("2025-05-31"), "2020-04-23"),
];
