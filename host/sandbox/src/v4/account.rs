//! The account and its settings.
//!
//! Owns: what the emulated account says of itself. Does not know what is in it.

use serde_json::{Value, json};

use super::call::{Answer, Call, Route, ok};
use super::error::Refused;
use super::filter::{Field, Row};
use crate::catalogue::Region;

pub(super) const ROUTES: &[Route] = &[
    Route::new("GET", "account", "account:read_only", account),
    Route::new("GET", "account/settings", "account:read_only", settings),
    Route::list("account/availability", "account:read_only", |call| {
        call.list(call.world.catalogue.regions.iter().map(Availability), |one| availability_view(one.0))
    }),
    Route::new("GET", "account/availability/{}", "account:read_only", |call| {
        ok(availability_view(call.world.catalogue.region(call.word(0)).ok_or_else(Refused::not_found)?))
    }),
];

/// What the account may use in a region: all that it has.
struct Availability(&'static Region);

impl Row for Availability {
    const FILTERABLE: &'static [&'static str] = &[];

    fn field(&self, _: &str) -> Field<'_> {
        Field::Null
    }
}

fn availability_view(region: &Region) -> Value {
    json!({"region": region.id, "available": region.capabilities(), "unavailable": []})
}

fn account(call: &mut Call<'_>) -> Answer {
    ok(json!({
        "company": "Sandbox",
        "email": "sandbox@example.invalid",
        "first_name": "",
        "last_name": "",
        "address_1": "",
        "address_2": "",
        "city": "",
        "state": "",
        "zip": "",
        "country": "US",
        "phone": "",
        "balance": 0.0,
        "balance_uninvoiced": 0.0,
        "tax_id": "",
        "billing_source": "linode",
        "credit_card": {"last_four": null, "expiry": null},
        "active_since": call.world.began.wire(),
        "active_promotions": [],
        "capabilities": ["Linodes", "Cloud Firewall", "Disk Encryption"],
        "euuid": format!("00000000-0000-4000-8000-{:012x}", call.world.account >> 16),
    }))
}

fn settings(_: &mut Call<'_>) -> Answer {
    ok(json!({
        "managed": false,
        "longview_subscription": null,
        "network_helper": true,
        "backups_enabled": false,
        "object_storage": "disabled",
        "interfaces_for_new_linodes": "legacy_config_only",
        "maintenance_policy": "linode/migrate",
    }))
}
