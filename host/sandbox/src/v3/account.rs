//! The account.
//!
//! Owns: what it says of itself. Does not know what is in it.

use serde_json::json;

use super::call::{Answer, Call};
use super::dates;

pub(super) fn info(call: &mut Call<'_>) -> Answer {
    // A pool: each Linode brings its share.
    let pool: u64 = call.world.linodes.values().map(|linode| linode.linode_type.transfer).sum();
    Ok(json!({
        "ACTIVE_SINCE": dates::written(call.world.began), "BALANCE": 0.0, "BILLING_METHOD": "metered", "MANAGED": false,
        "TRANSFER_POOL": pool, "TRANSFER_USED": 0, "TRANSFER_BILLABLE": 0,
    }))
}
