//! What API v3 offers.
//!
//! Owns: these lists. Does not know which number stands for what (`ids`).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::call::{Answer, Call, bit};
use super::fault::Fault;
use super::ids;
use crate::catalogue::{self, KERNELS};

/// What is said of each datacenter, whatever its plans: there is room.
const SLOTS: u64 = 500;

pub(super) fn datacenters(call: &mut Call<'_>) -> Answer {
    let there = ids::DATACENTERS.iter().filter(|(.., region)| call.world.catalogue.region(region).is_some());
    Ok(there.map(|(id, abbr, place, _)| json!({"DATACENTERID": id, "ABBR": abbr, "LOCATION": place})).collect())
}

pub(super) fn plans(call: &mut Call<'_>) -> Answer {
    let (catalogue, wanted) = (call.world.catalogue, call.number("planid"));
    let plan = |(id, one): (u64, &'static catalogue::Type)| {
        let free: BTreeMap<String, u64> = ids::DATACENTERS.iter().map(|(id, ..)| (id.to_string(), SLOTS)).collect();
        json!({
            "PLANID": id, "LABEL": format!("Linode {}", one.memory), "RAM": one.memory, "CORES": one.vcpus,
            "DISK": one.disk / 1024, "XFER": one.transfer, "PRICE": one.price.monthly, "HOURLY": one.price.hourly,
            "AVAIL": free,
        })
    };
    Ok(ids::plans(catalogue).filter(|(id, _)| wanted.is_none_or(|wanted| wanted == *id)).map(plan).collect())
}

pub(super) fn distributions(call: &mut Call<'_>) -> Answer {
    let (catalogue, wanted) = (call.world.catalogue, call.number("distributionid"));
    let mut rows = Vec::new();
    for image in catalogue.images {
        let Some(id) = ids::distribution(catalogue, image.id) else { continue };
        if wanted.is_none_or(|wanted| wanted == id) {
            rows.push(json!({
                "DISTRIBUTIONID": id, "LABEL": image.label, "IS64BIT": 1, "REQUIRESPVOPSKERNEL": 1,
                "MINIMAGESIZE": image.size, "CREATE_DT": format!("{} 00:00:00.0", image.created),
            }));
        }
    }
    if rows.is_empty() && wanted.is_some() { Err(Fault::not_found()) } else { Ok(Value::Array(rows)) }
}

/// Those for Xen are all of them too: nothing here runs on it.
pub(super) fn kernels(_: &mut Call<'_>) -> Answer {
    let row = |one: &catalogue::Kernel| json!({"KERNELID": ids::kernel(one.id), "LABEL": one.label, "ISXEN": 1, "ISKVM": 1, "ISPVOPS": bit(!one.deprecated)});
    Ok(KERNELS.iter().map(row).collect())
}

pub(super) fn nodebalancers(_: &mut Call<'_>) -> Answer {
    Ok(json!([{"MONTHLY": 10.0, "HOURLY": 0.015, "CONNECTIONS": 10_000}]))
}
