//! What Linode offers: regions, types, images, kernels. The first three are public, but carry the credential all the same:
//! an account sees more of them.

use crate::api::{Api, Noun, class};
use crate::lenient::{Amount, Flag, List as Items, Part, Text, Whole};
use crate::list::List;
use linodetool_plugin::{Cx, Image, Kernel, NoArguments, Page, Price, Region, Result, Type};
use serde::Deserialize;

pub(crate) async fn regions(api: &Api, cx: &Cx, _: NoArguments) -> Result<Page<Region>> {
    Ok(Page::whole(List::of(api, "/regions").read(cx).await?))
}

pub(crate) async fn types(api: &Api, cx: &Cx, _: NoArguments) -> Result<Page<Type>> {
    Ok(Page::whole(List::of(api, "/linode/types").read(cx).await?))
}

pub(crate) async fn images(api: &Api, cx: &Cx, _: NoArguments) -> Result<Page<Image>> {
    Ok(Page::whole(List::of(api, "/images").class(class::IMAGES).read(cx).await?))
}

pub(crate) async fn kernels(api: &Api, cx: &Cx, _: NoArguments) -> Result<Page<Kernel>> {
    Ok(Page::whole(List::of(api, "/linode/kernels").read(cx).await?))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct RegionWire {
    id: Text,
    label: Text,
    country: Text,
    capabilities: Items<Text>,
    status: Text,
}

impl Noun for Region {
    type Wire = RegionWire;

    fn from_wire(wire: RegionWire) -> Self {
        Self {
            id: wire.id.0,
            label: wire.label.0,
            country: wire.country.0.to_ascii_lowercase(),
            capabilities: wire.capabilities.texts(),
            status: wire.status.0,
        }
    }

    fn id(&self) -> &str {
        &self.id
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct TypeWire {
    id: Text,
    label: Text,
    class: Text,
    /// MB.
    memory: Whole,
    /// MB.
    disk: Whole,
    vcpus: Whole,
    gpus: Whole,
    /// GB a month.
    transfer: Whole,
    /// Mbit/s.
    network_out: Whole,
    price: Part<PriceWire>,
    region_prices: Items<PriceWire>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PriceWire {
    /// The region; only in `region_prices`.
    id: Text,
    hourly: Amount,
    monthly: Amount,
}

impl Noun for Type {
    type Wire = TypeWire;

    fn from_wire(wire: TypeWire) -> Self {
        let price = |wire: &PriceWire| Price { hourly: wire.hourly.0, monthly: wire.monthly.0 };
        Self {
            id: wire.id.0,
            label: wire.label.0,
            class: wire.class.0,
            memory_mb: wire.memory.0,
            disk_mb: wire.disk.0,
            vcpus: wire.vcpus.small(),
            gpus: wire.gpus.small(),
            transfer_gb: wire.transfer.0,
            network_mbps: wire.network_out.0,
            price: price(&wire.price.0),
            region_prices: wire.region_prices.0.into_iter().map(|at| (at.id.0.clone(), price(&at))).collect(),
        }
    }

    fn id(&self) -> &str {
        &self.id
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct ImageWire {
    id: Text,
    label: Text,
    vendor: Text,
    description: Text,
    /// MB.
    size: Whole,
    is_public: Flag,
    deprecated: Flag,
    capabilities: Items<Text>,
    status: Text,
}

impl Noun for Image {
    type Wire = ImageWire;

    fn from_wire(wire: ImageWire) -> Self {
        Self {
            id: wire.id.0,
            label: wire.label.0,
            vendor: wire.vendor.0,
            description: wire.description.0,
            size_mb: wire.size.0,
            public: wire.is_public.0,
            deprecated: wire.deprecated.0,
            capabilities: wire.capabilities.texts(),
            status: wire.status.0,
        }
    }

    fn id(&self) -> &str {
        &self.id
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct KernelWire {
    id: Text,
    label: Text,
    version: Text,
    architecture: Text,
    deprecated: Flag,
}

impl Noun for Kernel {
    type Wire = KernelWire;

    fn from_wire(wire: KernelWire) -> Self {
        Self {
            id: wire.id.0,
            label: wire.label.0,
            version: wire.version.0,
            architecture: wire.architecture.0,
            deprecated: wire.deprecated.0,
        }
    }

    fn id(&self) -> &str {
        &self.id
    }
}
