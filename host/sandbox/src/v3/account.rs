//! The account.
//!
//! Owns: what it says of itself. Does not know what is in it.

use serde_json::json;

use super::call::{Answer, Call};
use super::fault::Fault;
use super::{dates, ids};

pub(super) fn info(call: &mut Call<'_>) -> Answer {
    // A pool: each Linode brings its share.
    let pool: u64 = call.world.linodes.values().map(|linode| linode.linode_type.transfer).sum();
    Ok(json!({
        "ACTIVE_SINCE": dates::written(call.world.began), "BALANCE": 0.0, "BILLING_METHOD": "metered", "MANAGED": false,
        "TRANSFER_POOL": pool, "TRANSFER_USED": 0, "TRANSFER_BILLABLE": 0,
    }))
}

/// What something costs until the end of the month: all of it for a new thing, the difference for another plan.
pub(super) fn estimate_invoice(call: &mut Call<'_>) -> Answer {
    let term = call.number("paymentterm").unwrap_or(1);
    if ![1, 12, 24].contains(&term) {
        return Err(Fault::invalid("PaymentTerm must be one of 1, 12, 24"));
    }
    let plan = || {
        let plan = ids::linode_type(call.world.catalogue, call.id("planid"));
        plan.map(|plan| plan.price.monthly).ok_or_else(|| Fault::invalid("PlanID is not one of avail.linodeplans"))
    };
    let monthly = match call.text("mode") {
        "linode_new" => plan()?,
        "linode_resize" => (plan()? - call.linode()?.linode_type.price.monthly).max(0.0),
        "nodebalancer_new" => 10.0,
        _ => return Err(Fault::invalid("mode must be one of linode_new, linode_resize, nodebalancer_new")),
    };
    // Terms are few.
    Ok(json!({"PRICE": monthly * f64::from(term as u32), "INVOICE_TO": dates::last_of_month(call.now)}))
}
