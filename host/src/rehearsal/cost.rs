//! What the nodes of the clusters that a run deals with cost, before and after. Does not know where prices are from.

use super::report::Cost;
use crate::inventory::Node;
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
        hourly_before: sum(before, |node| node.price_hourly),
        hourly_after: sum(after, |node| node.price_hourly),
        monthly_before: sum(before, |node| node.price_monthly),
        monthly_after: sum(after, |node| node.price_monthly),
    }
}

/// Without what adding in binary leaves.
pub(super) fn cents(sum: f64) -> f64 {
    (sum * 1e6).round() / 1e6 + 0.0
}
