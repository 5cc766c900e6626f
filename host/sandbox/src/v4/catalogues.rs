//! Regions, types, kernels and images.
//!
//! Owns: the views of the catalogues. Does not know the catalogues' contents.

use serde_json::{Value, json};

use super::call::{Answer, Call, PUBLIC, Route, ok};
use super::error::Refused;
use super::filter::{Field, Row};
use crate::catalogue::{self, Catalogue, Image, KERNELS, Kernel, Price, Region, Type};
use crate::limits::Class;

pub(super) const ROUTES: &[Route] = &[
    Route::list("regions", PUBLIC, |call| call.list(call.world.catalogue.regions.iter(), |region| region_view(region))),
    Route::list("regions/availability", PUBLIC, |call| {
        call.list(offers(call.world.catalogue, call.world.catalogue.regions.iter()), offer_view)
    }),
    Route::new("GET", "regions/{}", PUBLIC, |call| found(call.world.catalogue.region(call.word(0)), region_view)),
    Route::new("GET", "regions/{}/availability", PUBLIC, region_availability),
    Route::list("linode/types", PUBLIC, |call| call.list(call.world.catalogue.types.iter(), |one| type_view(one))),
    Route::new("GET", "linode/types/{}", PUBLIC, |call| {
        found(call.world.catalogue.linode_type(call.word(0)), type_view)
    }),
    Route::list("linode/kernels", PUBLIC, |call| call.list(KERNELS.iter(), |kernel| kernel_view(kernel))),
    Route::new("GET", "linode/kernels/{*}", PUBLIC, |call| found(catalogue::kernel(call.word(0)), kernel_view)),
    Route::list("images", PUBLIC, |call| call.list(call.world.catalogue.images.iter(), |image| image_view(image)))
        .counted(Class::ListImages),
    Route::new("GET", "images/{*}", PUBLIC, |call| found(call.world.catalogue.image(call.word(0)), image_view)),
];

fn found<T>(one: Option<&T>, view: impl Fn(&T) -> Value) -> Answer {
    ok(view(one.ok_or_else(Refused::not_found)?))
}

fn region_view(region: &Region) -> Value {
    let group = if region.distributed {
        json!({"maximum_pgs_per_customer": 0, "maximum_linodes_per_pg": 0, "maximum_linodes_per_flexible_pg": 0})
    } else {
        json!({"maximum_pgs_per_customer": null, "maximum_linodes_per_pg": 5, "maximum_linodes_per_flexible_pg": 5})
    };
    json!({
        "id": region.id,
        "label": region.label,
        "country": region.country,
        "capabilities": region.capabilities(),
        "monitors": {"alerts": [], "metrics": []},
        "status": "ok",
        // Addresses set aside for documentation: nobody answers there.
        "resolvers": {"ipv4": "192.0.2.53,192.0.2.54", "ipv6": "2001:db8::53,2001:db8::54"},
        "placement_group_limits": group,
        "site_type": region.site_type(),
    })
}

impl Row for &Region {
    const FILTERABLE: &'static [&'static str] = &["country", "site_type"];

    fn field(&self, name: &str) -> Field<'_> {
        Field::text(if name == "country" { self.country } else { self.site_type() })
    }
}

/// Whether a type can be had in a region.
struct Offer {
    region: &'static Region,
    plan: &'static Type,
}

/// Only types that some regions lack are listed.
fn offers(
    catalogue: &'static Catalogue,
    regions: impl Iterator<Item = &'static Region>,
) -> impl Iterator<Item = Offer> {
    regions.flat_map(|region| {
        let scarce = catalogue.types.iter().filter(|plan| matches!(plan.class, "gpu" | "premium" | "highmem"));
        scarce.map(move |plan| Offer { region, plan })
    })
}

fn region_availability(call: &mut Call<'_>) -> Answer {
    let region = call.world.catalogue.region(call.word(0)).ok_or_else(Refused::not_found)?;
    ok(offers(call.world.catalogue, std::iter::once(region)).map(|offer| offer_view(&offer)).collect())
}

fn offer_view(offer: &Offer) -> Value {
    json!({
        "region": offer.region.id,
        "plan": offer.plan.id,
        "available": catalogue::available(offer.region, offer.plan),
    })
}

impl Row for Offer {
    const FILTERABLE: &'static [&'static str] = &["available", "plan", "region"];

    fn field(&self, name: &str) -> Field<'_> {
        match name {
            "available" => Field::Flag(catalogue::available(self.region, self.plan)),
            "plan" => Field::text(self.plan.id),
            _ => Field::text(self.region.id),
        }
    }
}

fn type_view(one: &Type) -> Value {
    let price = |price: Price| json!({"hourly": price.hourly, "monthly": price.monthly});
    let elsewhere = |which: fn(&(&'static str, Price, Price)) -> Price| -> Vec<Value> {
        one.elsewhere
            .iter()
            .map(|row| json!({"id": row.0, "hourly": which(row).hourly, "monthly": which(row).monthly}))
            .collect()
    };
    json!({
        "id": one.id,
        "label": one.label,
        "class": one.class,
        "memory": one.memory,
        "disk": one.disk,
        "vcpus": one.vcpus,
        "gpus": one.gpus,
        "accelerated_devices": 0,
        "transfer": one.transfer,
        "network_out": one.network_out,
        "price": price(one.price),
        "region_prices": elsewhere(|row| row.1),
        "addons": {"backups": {"price": price(one.backups), "region_prices": elsewhere(|row| row.2)}},
        "successor": null,
    })
}

impl Row for &Type {
    const FILTERABLE: &'static [&'static str] =
        &["class", "disk", "gpus", "label", "memory", "network_out", "transfer", "vcpus"];

    fn field(&self, name: &str) -> Field<'_> {
        match name {
            "class" => Field::text(self.class),
            "label" => Field::text(self.label),
            "disk" => Field::number(self.disk),
            "gpus" => Field::number(self.gpus),
            "memory" => Field::number(self.memory),
            "network_out" => Field::number(self.network_out),
            "transfer" => Field::number(self.transfer),
            _ => Field::number(self.vcpus),
        }
    }
}

fn kernel_view(kernel: &Kernel) -> Value {
    json!({
        "id": kernel.id,
        "label": kernel.label,
        "version": kernel.version,
        "kvm": true,
        "architecture": kernel.architecture,
        "pvops": true,
        "deprecated": kernel.deprecated,
        "built": kernel.built,
    })
}

impl Row for &Kernel {
    const FILTERABLE: &'static [&'static str] = &["architecture", "deprecated", "kvm", "label", "pvops", "version"];

    fn field(&self, name: &str) -> Field<'_> {
        match name {
            "architecture" => Field::text(self.architecture),
            "deprecated" => Field::Flag(self.deprecated),
            "label" => Field::text(self.label),
            "version" => Field::text(self.version),
            _ => Field::Flag(true),
        }
    }
}

fn image_view(image: &Image) -> Value {
    json!({
        "id": image.id,
        "label": image.label,
        "description": "",
        "created": format!("{}T00:00:00", image.created),
        "updated": format!("{}T00:00:00", image.created),
        "created_by": "linode",
        "vendor": image.vendor,
        "type": "manual",
        "size": image.size,
        "total_size": image.size,
        "tags": [],
        "is_public": true,
        "is_shared": false,
        "deprecated": image.deprecated,
        "expiry": null,
        "eol": image.end_of_life.map(|day| format!("{day}T04:00:00")),
        "status": "available",
        "capabilities": image.capabilities(),
        "regions": [],
    })
}

impl Row for &Image {
    const FILTERABLE: &'static [&'static str] =
        &["deprecated", "is_public", "label", "size", "status", "tags", "type", "vendor"];

    fn field(&self, name: &str) -> Field<'_> {
        match name {
            "deprecated" => Field::Flag(self.deprecated),
            "is_public" => Field::Flag(true),
            "label" => Field::text(self.label),
            "size" => Field::number(self.size),
            "status" => Field::text("available"),
            "tags" => Field::Many(Vec::new()),
            "type" => Field::text("manual"),
            _ => Field::text(self.vendor),
        }
    }
}
