//! `linodetool regions`, `types`, `images`: what a provider sells.

use clap::Args;

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
    /// Whether an entry with these words is wanted. Spaces and case do not count.
    pub(crate) fn wants(&self, words: &[&str]) -> bool {
        let bare = |text: &str| text.to_lowercase().replace([' ', '-', '_'], "");
        self.text.as_deref().map(bare).is_none_or(|text| words.iter().any(|word| bare(word).contains(&text)))
    }
}

#[cfg(test)]
mod tests {
    use super::Filter;

    #[test]
    fn a_filter_is_lenient() {
        let filter = |text: &str| Filter { text: Some(text.into()) };
        assert!(filter("debian 12").wants(&["linode/debian12", "Debian 12"]));
        assert!(filter("4gb").wants(&["g6-standard-2", "Linode 4GB"]));
        assert!(!filter("mars").wants(&["us-east", "Newark, NJ"]));
        assert!(Filter { text: None }.wants(&[]));
    }
}
