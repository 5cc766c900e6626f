//! The regions the emulator offers: the public list of 2026 and one lab site.
//!
//! Owns: ids, places and capabilities of regions. Does not know which Linodes are in them. Source: Linode API v4 docs.

/// Where Linodes can be made.
#[derive(Debug, PartialEq, Eq)]
pub struct Region {
    pub id: &'static str,
    pub label: &'static str,
    pub country: &'static str,
    /// Few services, close to users; `core` is the full set.
    pub distributed: bool,
    /// One letter per capability, see [`CAPABILITIES`].
    letters: &'static str,
    /// Capabilities by their names.
    pub(super) more: &'static [&'static str],
}

impl Region {
    /// One that is not in the table. Where its capabilities are not known it can what most can.
    pub(super) fn other(
        id: &'static str,
        label: &'static str,
        country: &'static str,
        more: Option<&'static [&'static str]>,
    ) -> Self {
        let distributed = more.is_some_and(|more| more.contains(&"Distributed Plans"));
        let letters = if more.is_some() { "" } else { "LFM" };
        Self { id, label, country, distributed, letters, more: more.unwrap_or_default() }
    }

    /// Whether `name` is among the region's capabilities.
    pub fn can(&self, name: &str) -> bool {
        self.more.contains(&name)
            || CAPABILITIES.iter().any(|(letter, known)| *known == name && self.letters.contains(*letter))
    }

    /// The capabilities, as the API writes them.
    pub fn capabilities(&self) -> Vec<&'static str> {
        let known = CAPABILITIES.iter().filter(|(letter, _)| self.letters.contains(*letter)).map(|(_, name)| *name);
        known.chain(self.more.iter().copied()).collect()
    }

    /// `core` or `distributed`.
    pub fn site_type(&self) -> &'static str {
        if self.distributed { "distributed" } else { "core" }
    }
}

/// What the letters of the table mean.
#[rustfmt::skip]
const CAPABILITIES: &[(char, &str)] = &[
    ('L', "Linodes"), ('e', "Block Storage Encryption"), ('l', "LA Disk Encryption"), ('E', "Disk Encryption"),
    ('b', "Backups"), ('N', "NodeBalancers"), ('B', "Block Storage"), ('O', "Object Storage"), ('G', "GPU Linodes"),
    ('K', "Kubernetes"), ('k', "Kubernetes Enterprise"), ('F', "Cloud Firewall"), ('V', "Vlans"), ('P', "VPCs"),
    ('p', "VPC Dual Stack"), ('m', "Block Storage Migrations"), ('D', "Managed Databases"), ('M', "Metadata"),
    ('R', "Premium Plans"), ('g', "Placement Group"), ('S', "StackScripts"), ('q', "NETINT Quadra T1U"),
    ('y', "Maintenance Policy"), ('I', "Linode Interfaces"), ('a', "ACLP Logs Datacenter LKE-E"), ('d', "Distributed Plans"),
];

const fn core(id: &'static str, label: &'static str, country: &'static str, letters: &'static str) -> Region {
    Region { id, label, country, distributed: false, letters, more: &[] }
}

const fn distributed(id: &'static str, label: &'static str, country: &'static str) -> Region {
    Region { id, label, country, distributed: true, letters: "LEFVMyd", more: &[] }
}

/// All regions, in the order the list has them.
#[rustfmt::skip]
pub static REGIONS: &[Region] = &[
    core("au-mel", "Melbourne, AU", "au", "LelEbNBOKFVPpDMRgSyI"),
    core("us-lax", "Los Angeles, CA", "us", "LelEbNBOGKkFVPpDMRgSqyIa"),
    distributed("nz-akl-1", "Auckland, NZ", "nz"),
    distributed("us-den-1", "Denver, CO", "us"),
    distributed("de-ham-1", "Hamburg, DE", "de"),
    distributed("za-jnb-1", "Johannesburg, ZA", "za"),
    distributed("my-kul-1", "Kuala Lumpur, MY", "my"),
    distributed("co-bog-1", "Bogotá, CO", "co"),
    distributed("mx-qro-1", "Querétaro, MX", "mx"),
    distributed("us-hou-1", "Houston, TX", "us"),
    distributed("cl-scl-1", "Santiago, CL", "cl"),
    core("gb-lon", "London 2, UK", "gb", "LelEbNBOGKkFVPpDMRgSqyIa"),
    core("id-cgk", "Jakarta, ID", "id", "LelEbNBOGKkFVPpDMRgSyI"),
    core("in-bom-2", "Mumbai 2, IN", "in", "LelEbNBGKkFVPpDMRgSyIa"),
    core("de-fra-2", "Frankfurt 2, DE", "de", "LelEbNBOGKkFVPpDMRgSqyIa"),
    core("sg-sin-2", "Singapore 2, SG", "sg", "LelEbNBOGKkFVPpDMRgSyIa"),
    core("jp-tyo-3", "Tokyo 3, JP", "jp", "LelEbNBOGKkFVPpDMRgSyIa"),
    distributed("de-ber-1", "Berlin, DE", "de"),
    core("no-osl-1", "Oslo, NO", "no", "LeEbNBOKkFVPpDMRgSyIa"),
    core("us-iad-2", "Washington 2, DC", "us", "LeEbNBOKkFVPpDMRgSyI"),
    core("fr-par-2", "Paris 2, FR", "fr", "LeEbNBGKkFVPpDMRgSyIa"),
    core("us-rno-1", "Reno, NV", "us", "LEbNGMRgSy"),
    distributed("co-bog-2", "Bogotá 2, CO", "co"),
    distributed("fr-mrs-2", "Marseille 2, FR", "fr"),
    core("us-mia", "Miami, FL", "us", "LelEbNBOGKkFVPpDMRgSqyI"),
    core("ap-west", "Mumbai, IN", "in", "LelEbNBGKFVmDMgSyI"),
    core("ca-central", "Toronto, CA", "ca", "LelEbNBGKFVmDMgSyI"),
    core("ap-southeast", "Sydney, AU", "au", "LelEbNBKFVmDMgSyI"),
    core("us-iad", "Washington, DC", "us", "LelEbNBOKkFVPpDMRgSyIa"),
    core("us-ord", "Chicago, IL", "us", "LelEbNBOGKkFVPpDMRgSyIa"),
    core("fr-par", "Paris, FR", "fr", "LelEbNBOGKkFVPpDMRgSyI"),
    core("us-sea", "Seattle, WA", "us", "LelEbNBOGKkFVPpDMRgSyIa"),
    core("br-gru", "Sao Paulo, BR", "br", "LelEbNBOKkFVPpDMRgSyI"),
    core("nl-ams", "Amsterdam, NL", "nl", "LelEbNBOGKkFVPpDMRgSyI"),
    core("se-sto", "Stockholm, SE", "se", "LelEbNBOGKkFVPpDMRgSyI"),
    core("es-mad", "Madrid, ES", "es", "LelEbNBOGKkFVPpDMRgSyI"),
    core("in-maa", "Chennai, IN", "in", "LelEbNBOGKkFVPpDMRgSqyI"),
    core("jp-osa", "Osaka, JP", "jp", "LelEbNBOGKkFVPpDMRgSyI"),
    core("it-mil", "Milan, IT", "it", "LelEbNBOGKkFVPpDMRgSyI"),
    core("us-central", "Dallas, TX", "us", "LelEbNBKFVmDMgSyI"),
    core("ap-northeast", "Tokyo 2, JP", "jp", "LelEbNBKFVmDMgSyI"),
    core("eu-central", "Frankfurt, DE", "de", "LelEbNBOGKFVmDMgSyI"),
    core("ap-south", "Singapore, SG", "sg", "LelEbNBOGKFVmMgSyI"),
    core("eu-west", "London, UK", "gb", "LelEbNBKFVmMgSyI"),
    core("us-east", "Newark, NJ", "us", "LelEbNBOGKFVmDMgSyI"),
    core("us-southeast", "Atlanta, GA", "us", "LelEbNBOGKFVmDMgSyI"),
    core("us-west", "Fremont, CA", "us", "LelEbNBKFVmDMgSyI"),
    // Not a real one: a place without user data, so that its refusal can be tried.
    core("xx-lab-1", "Sandbox Lab, without Metadata", "us", "LFby"),
];
