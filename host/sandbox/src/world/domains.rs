//! Domains and their records. Nobody answers for them: they are kept, and that is all.
//!
//! Owns: the records. Does not know what makes a request valid.

use std::collections::BTreeMap;

use super::{Entity, World};
use crate::clock::Time;
use crate::ledger::What;

/// One zone.
#[derive(Clone, Debug, Default)]
pub struct Domain {
    pub id: u64,
    pub domain: String,
    /// `master` or `slave`.
    pub kind: String,
    pub soa_email: String,
    pub description: String,
    pub group: String,
    /// 0 disabled, 1 active, 2 in edit mode.
    pub status: u64,
    pub ttl: u64,
    pub retry: u64,
    pub expire: u64,
    pub refresh: u64,
    pub master_ips: Vec<String>,
    pub axfr_ips: Vec<String>,
    pub records: BTreeMap<u64, DomainRecord>,
}

/// One record.
#[derive(Clone, Debug, Default)]
pub struct DomainRecord {
    pub id: u64,
    /// `a`, `mx`, ... in lower case.
    pub kind: String,
    pub name: String,
    pub target: String,
    pub priority: u64,
    pub weight: u64,
    pub port: u64,
    pub protocol: String,
    pub ttl: u64,
    pub tag: String,
}

impl World {
    pub fn domain_named(&self, name: &str) -> Option<u64> {
        self.domains.values().find(|one| one.domain.eq_ignore_ascii_case(name)).map(|one| one.id)
    }

    pub fn add_domain(&mut self, domain: Domain, now: Time) -> u64 {
        let id = self.new_id("domain");
        self.note(now, What::Created, "domain", id, &domain.domain, &[]);
        self.events.notify("domain_create", entity(id, &domain.domain), now);
        self.domains.insert(id, Domain { id, ..domain });
        id
    }

    /// False if there is none.
    pub fn remove_domain(&mut self, id: u64, now: Time) -> bool {
        let Some(domain) = self.domains.remove(&id) else { return false };
        self.note(now, What::Destroyed, "domain", id, &domain.domain, &[]);
        self.events.notify("domain_delete", entity(id, &domain.domain), now);
        true
    }

    /// None if there is no such domain.
    pub fn add_domain_record(&mut self, domain: u64, record: DomainRecord) -> Option<u64> {
        let id = self.new_id("domain_record");
        self.domains.get_mut(&domain)?.records.insert(id, DomainRecord { id, ..record });
        Some(id)
    }
}

fn entity(id: u64, name: &str) -> Entity {
    Entity::new("domain", id, name, format!("/v4/domains/{id}"))
}
