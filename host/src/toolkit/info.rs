//! info: what the provider offers, and what is meant by a name.

use linodetool_plugin::{BEFORE_IDS, Image, Kernel, NoArguments, Region, Type};
use serde::{Deserialize, Serialize};

use crate::core::{Failure, FailureKind};
use crate::provider::Client;
use crate::runs::{Done, Kind, StepCx, StepError};
use crate::toolkit::names::resolve;
use crate::toolkit::{At, Repeatable, Toolkit};

macro_rules! catalogue {
    ($($(#[doc = $doc:literal])+ $service:ident $effect:ident $op:literal $client:ident $item:ty;)+) => {
        impl Toolkit {
            $($(#[doc = $doc])+
            ///
            /// # Errors
            /// What the provider says.
            pub fn $service(&self, at: At<'_>) -> Result<Vec<$item>, StepError> {
                at.step(&$effect { toolkit: self })
            })+
        }

        $(#[derive(Serialize)]
        struct $effect<'a> {
            #[serde(skip)]
            toolkit: &'a Toolkit,
        }

        impl Repeatable for $effect<'_> {
            const OP: &'static str = $op;
            const KIND: Kind = Kind::Read;
            type Out = Vec<$item>;

            async fn perform(&self, _: &StepCx) -> Result<Done<Self::Out>, Failure> {
                let page = self.toolkit.provider().await?.client.$client(&NoArguments {}).await?;
                Ok(page.items.into())
            }
        })+
    };
}

catalogue! {
    /// Regions of the provider.
    regions Regions "info.regions" list_regions Region;
    /// Types of instances, with prices.
    types Types "info.types" list_types Type;
    /// Images that nodes can be made from.
    images Images "info.images" list_images Image;
    /// Kernels.
    kernels Kernels "info.kernels" list_kernels Kernel;
}

/// Loose names made exact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resolved {
    pub region: Region,
    /// In the order asked for.
    pub types: Vec<Type>,
    pub image: Image,
    /// How a new node comes to its host key, and is known for ours.
    #[serde(default)]
    pub birth: Birth,
}

/// What a provider makes of the making of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Birth {
    /// It has no user data: a StackScript carries what the first boot needs.
    pub by_script: bool,
    /// A new node has neither label nor tags for a moment, and is known by what was there before.
    pub nameless: bool,
}

/// Finds region, types and image, and checks that nodes made of them can be known by their host keys.
pub(crate) async fn resolved(
    toolkit: &Toolkit,
    region: &str,
    types: &[String],
    image: &str,
) -> Result<Resolved, Failure> {
    let client = &toolkit.provider().await?.client;
    let none = NoArguments {};
    let (regions, all_types, images) =
        tokio::try_join!(client.list_regions(&none), client.list_types(&none), client.list_images(&none))?;
    let seen = (regions.items.clone(), all_types.items.clone(), images.items.clone());
    toolkit.has_seen(move |kept| (kept.regions, kept.types, kept.images) = seen).await;
    let region = resolve(&regions.items, region)?.clone();
    let image = resolve(&images.items, image)?.clone();
    let types = types.iter().map(|name| resolve(&all_types.items, name).cloned()).collect::<Result<Vec<_>, _>>()?;
    let nameless = client.manifest().features.iter().any(|feature| feature == BEFORE_IDS);
    let birth = Birth { by_script: !client.has("user_data"), nameless };
    if birth.by_script {
        check_scripts(toolkit, client)?;
    } else {
        check_user_data(&region, &regions.items, &image, &images.items)?;
    }
    Ok(Resolved { region, types, image, birth })
}

/// Without user data a StackScript is the only way into a new node.
fn check_scripts(toolkit: &Toolkit, client: &Client) -> Result<(), Failure> {
    if client.supports("stackscripts.list") && client.supports("stackscripts.create") {
        return Ok(());
    }
    let provider = &toolkit.settings().provider;
    let message = format!(
        "provider {provider} has neither user data nor StackScripts, so a new node's host key would have to be trusted blindly"
    );
    Err(Failure::new(FailureKind::Unsupported, message).hint("use another provider, such as linode-v4"))
}

/// A node's host key reaches it in user data: where that does not work, nobody could tell the node from another machine.
fn check_user_data(region: &Region, regions: &[Region], image: &Image, images: &[Image]) -> Result<(), Failure> {
    let can = |r: &Region| r.capabilities.iter().any(|c| c == "Metadata");
    if !can(region) {
        let near = regions.iter().filter(|r| can(r) && r.country == region.country).map(|r| r.id.as_str());
        let message = format!(
            "region {} has no Metadata service, so a new node's host key would have to be trusted blindly",
            region.id
        );
        return Err(Failure::usage(message).hint(instead("regions", near)).field("region"));
    }
    let can = |i: &Image| i.capabilities.iter().any(|c| c == "cloud-init");
    if !can(image) {
        let near = images.iter().filter(|i| can(i) && i.vendor == image.vendor).map(|i| i.id.as_str());
        let message =
            format!("image {} has no cloud-init, so a new node's host key would have to be trusted blindly", image.id);
        return Err(Failure::usage(message).hint(instead("images", near)).field("image"));
    }
    Ok(())
}

fn instead<'a>(noun: &str, near: impl Iterator<Item = &'a str>) -> String {
    match near.take(4).collect::<Vec<_>>().as_slice() {
        [] => format!("see `linodetool {noun}`"),
        near => format!("take one of the {noun} that have it: {}", near.join(", ")),
    }
}
