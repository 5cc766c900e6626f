//! What the nodes of the clusters that a run deals with cost, before, at most, and after. Does not know where prices are from.

use super::report::Cost;
use crate::inventory::Node;
use linodetool_sandbox::ledger::{Entry, What};
use std::collections::{BTreeMap, BTreeSet};

/// Of all nodes of these clusters, and of these nodes besides.
pub(super) fn of(
    before: &BTreeMap<String, Node>,
    after: &BTreeMap<String, Node>,
    clusters: &BTreeSet<String>,
    names: &BTreeSet<String>,
) -> Cost {
    let counts = |node: &&Node| match &node.cluster {
        Some(cluster) => clusters.contains(cluster),
        None => names.contains(&node.name),
    };
    let sum = |nodes: &BTreeMap<String, Node>, price: fn(&Node) -> Option<f64>| {
        cents(nodes.values().filter(counts).filter_map(price).sum())
    };
    Cost {
        hourly_peak: 0.0,
        hourly_max: None,
        hourly_before: sum(before, |node| node.price_hourly),
        hourly_after: sum(after, |node| node.price_hourly),
        monthly_before: sum(before, |node| node.price_monthly),
        monthly_after: sum(after, |node| node.price_monthly),
    }
}

/// The most that it costs at any time, from what it cost before through all that comes and goes.
pub(super) fn peak(before: f64, ledger: &[Entry], price: impl Fn(&Entry) -> f64) -> f64 {
    let (mut now, mut peak) = (before, before);
    for entry in ledger {
        let price = price(entry);
        now += if entry.what == What::Created { price } else { -price };
        peak = peak.max(now);
    }
    cents(peak)
}

/// Without what adding in binary leaves.
pub(super) fn cents(sum: f64) -> f64 {
    (sum * 1e6).round() / 1e6 + 0.0
}
