//! `linodetool regions`, `types`, `images`: what a provider sells.

use super::error::{CliError, OK};
use super::render::table::{Table, dollars};
use super::session::Session;
use crate::core::Failure;
use clap::Args;
use linodetool_plugin::{Image, NoArguments, Region, Type};

/// List regions and what they can do
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linodetool regions
  linodetool regions us")]
pub(crate) struct RegionsArgs {
    #[command(flatten)]
    pub(crate) filter: Filter,
}

/// List types of machines with their prices
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linodetool types
  linodetool types 4gb --region br-gru")]
pub(crate) struct TypesArgs {
    #[command(flatten)]
    pub(crate) filter: Filter,
    /// Show the prices of this region
    #[arg(long)]
    pub(crate) region: Option<String>,
}

/// List images that a node can be made from
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linodetool images debian
  linodetool images --all")]
pub(crate) struct ImagesArgs {
    #[command(flatten)]
    pub(crate) filter: Filter,
    /// Also those that are deprecated
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Filter {
    /// Only those whose id or name holds this text
    #[arg(value_name = "TEXT")]
    pub(crate) text: Option<String>,
}

impl Filter {
    /// Whether an entry with these words is wanted. Spaces and case do not count; `2gb` is not in `32GB`.
    pub(crate) fn wants(&self, words: &[&str]) -> bool {
        let bare = |text: &str| text.to_lowercase().replace([' ', '-', '_'], "");
        let Some(text) = self.text.as_deref().map(bare) else { return true };
        let number = text.starts_with(|c: char| c.is_ascii_digit());
        let holds = |word: &str| {
            let before = |at: usize| word[..at].chars().next_back().is_some_and(|c| c.is_ascii_digit());
            word.match_indices(&text).any(|(at, _)| !(number && before(at)))
        };
        words.iter().any(|word| holds(&bare(word)))
    }
}

impl RegionsArgs {
    pub(crate) fn run(&self, session: &Session<'_>) -> Result<u8, CliError> {
        let out = session.out;
        let work = async {
            session.toolkit.provider().await?.client.list_regions(&NoArguments {}).await.map_err(Failure::from)
        };
        let mut regions = session.wait(work)?.items;
        regions.retain(|r| self.filter.wants(&[&r.id, &r.label, &r.country]));
        out.result(&regions, || regions_table(&regions).show(out, NONE))?;
        Ok(OK)
    }
}

const NONE: &str = "Nothing matches.";

fn regions_table(regions: &[Region]) -> Table {
    // The whole list is long and in --json; these two decide whether a cluster can be made there.
    let mut table = Table::new(["REGION", "WHERE", "STATUS", "METADATA", "FIREWALLS"]);
    for region in regions {
        let can = |what: &str| if region.capabilities.iter().any(|c| c == what) { "yes" } else { "no" }.to_owned();
        table.row([
            region.id.clone(),
            region.label.clone(),
            region.status.clone(),
            can("Metadata"),
            can("Cloud Firewall"),
        ]);
    }
    table
}

impl TypesArgs {
    pub(crate) fn run(&self, session: &Session<'_>) -> Result<u8, CliError> {
        let out = session.out;
        let work =
            async { session.toolkit.provider().await?.client.list_types(&NoArguments {}).await.map_err(Failure::from) };
        let mut types = session.wait(work)?.items;
        types.retain(|t| self.filter.wants(&[&t.id, &t.label]));
        out.result(&types, || types_table(&types, self.region.as_deref()).show(out, NONE))?;
        Ok(OK)
    }
}

fn types_table(types: &[Type], region: Option<&str>) -> Table {
    let mut table = Table::new(["TYPE", "NAME", "CPUS", "MEMORY", "DISK", "AN HOUR", "A MONTH"]);
    for kind in types {
        let price = kind.price_in(region.unwrap_or_default());
        table.row([
            kind.id.clone(),
            kind.label.clone(),
            kind.vcpus.to_string(),
            size(kind.memory_mb),
            size(kind.disk_mb),
            dollars(price.hourly),
            dollars(price.monthly),
        ]);
    }
    table
}

fn size(mb: u64) -> String {
    if mb >= 1024 { format!("{} GB", mb / 1024) } else { format!("{mb} MB") }
}

impl ImagesArgs {
    pub(crate) fn run(&self, session: &Session<'_>) -> Result<u8, CliError> {
        let out = session.out;
        let work = async {
            session.toolkit.provider().await?.client.list_images(&NoArguments {}).await.map_err(Failure::from)
        };
        let mut images = session.wait(work)?.items;
        images.retain(|i| (self.all || !i.deprecated) && self.filter.wants(&[&i.id, &i.label]));
        out.result(&images, || images_table(&images).show(out, NONE))?;
        Ok(OK)
    }
}

fn images_table(images: &[Image]) -> Table {
    let mut table = Table::new(["IMAGE", "NAME", "VENDOR", "CAN"]);
    for image in images {
        let note = if image.deprecated { " (deprecated)" } else { "" };
        table.row([
            image.id.clone(),
            format!("{}{note}", image.label),
            image.vendor.clone(),
            image.capabilities.join(", "),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::Filter;

    #[test]
    fn a_filter_is_lenient() {
        let filter = |text: &str| Filter { text: Some(text.into()) };
        assert!(filter("debian 12").wants(&["linode/debian12", "Debian 12"]));
        assert!(filter("4gb").wants(&["g6-standard-2", "Linode 4GB"]));
        assert!(!filter("4gb").wants(&["g6-standard-16", "Linode 64GB"]));
        assert!(!filter("mars").wants(&["us-east", "Newark, NJ"]));
        assert!(Filter { text: None }.wants(&[]));
    }
}
