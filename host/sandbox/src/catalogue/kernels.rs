//! The kernels a configuration profile can name.
//!
//! Owns: ids and versions of kernels. Does not know what runs: the sandbox's machines share this computer's kernel.
//! Source: Linode API v4 docs.

/// A kernel, or a boot loader that finds one on the disk.
#[derive(Debug, PartialEq, Eq)]
pub struct Kernel {
    pub id: &'static str,
    pub label: &'static str,
    pub version: &'static str,
    /// `x86_64` or `i386`.
    pub architecture: &'static str,
    pub deprecated: bool,
    /// When it was built; boot loaders have no such day.
    pub built: Option<&'static str>,
}

#[rustfmt::skip]
pub static KERNELS: &[Kernel] = &[
    Kernel { id: "linode/latest-64bit", label: "Latest 64 bit (6.15.7-x86_64-linode169)", version: "6.15.7", architecture: "x86_64", deprecated: false, built: Some("2025-07-21T14:26:12") },
    Kernel { id: "linode/latest-32bit", label: "Latest 32 bit (6.8.9-x86-linode184)", version: "6.8.9", architecture: "i386", deprecated: false, built: Some("2024-05-07T18:03:20") },
    Kernel { id: "linode/grub2", label: "GRUB 2", version: "2.06", architecture: "x86_64", deprecated: false, built: None },
    Kernel { id: "linode/direct-disk", label: "Direct Disk", version: "", architecture: "x86_64", deprecated: false, built: None },
    Kernel { id: "linode/6.15.7-x86_64-linode169", label: "6.15.7-x86_64-linode169", version: "6.15.7", architecture: "x86_64", deprecated: false, built: Some("2025-07-21T14:26:12") },
    Kernel { id: "linode/6.8.9-x86_64-linode164", label: "6.8.9-x86_64-linode164", version: "6.8.9", architecture: "x86_64", deprecated: false, built: Some("2024-05-07T17:31:44") },
    Kernel { id: "linode/6.8.9-x86-linode184", label: "6.8.9-x86-linode184", version: "6.8.9", architecture: "i386", deprecated: false, built: Some("2024-05-07T18:03:20") },
    Kernel { id: "linode/6.1.10-x86_64-linode159", label: "6.1.10-x86_64-linode159", version: "6.1.10", architecture: "x86_64", deprecated: false, built: Some("2023-02-08T16:10:05") },
    Kernel { id: "linode/5.15.10-x86_64-linode151", label: "5.15.10-x86_64-linode151", version: "5.15.10", architecture: "x86_64", deprecated: false, built: Some("2021-12-21T15:08:51") },
    Kernel { id: "linode/latest-2.6-32bit", label: "Latest 2.6 (2.6.39.1-linode34)", version: "2.6.39", architecture: "i386", deprecated: true, built: Some("2011-06-21T10:59:00") },
];
