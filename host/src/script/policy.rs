//! What a failed lane means: for one call of `lanes`, and by default for all of a recipe's.
//!
//! Does not know how lanes run.

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// The options of `lanes`, and of `policy` for the calls that do not say.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Policy {
    #[serde(default)]
    pub(crate) on_failure: Option<OnFailure>,
    /// How many lanes must end well, or the call fails.
    #[serde(default)]
    pub(crate) quorum: Option<Quorum>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OnFailure {
    /// No further lane is started; those at work finish.
    Stop,
    Continue,
}

/// A number of lanes, or a share of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Quorum {
    Lanes(usize),
    Percent(usize),
}

impl Policy {
    /// These options, and the recipe's policy where they are silent. A recipe does not know how many lanes each call has:
    /// its number of lanes means all of them where there are fewer.
    pub(crate) fn or(self, recipe: Self, total: usize) -> Self {
        let usual = recipe.quorum.map(|quorum| Quorum::Lanes(quorum.of(total).min(total)));
        Self { on_failure: self.on_failure.or(recipe.on_failure), quorum: self.quorum.or(usual) }
    }
}

impl Quorum {
    /// Lanes out of so many.
    pub(crate) fn of(self, total: usize) -> usize {
        match self {
            Self::Lanes(lanes) => lanes,
            Self::Percent(percent) => (total * percent).div_ceil(100),
        }
    }
}

impl<'de> Deserialize<'de> for Quorum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(QuorumVisitor)
    }
}

struct QuorumVisitor;

impl Visitor<'_> for QuorumVisitor {
    type Value = Quorum;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of lanes, or a share of them such as \"80%\"")
    }

    fn visit_u64<E: Error>(self, lanes: u64) -> Result<Quorum, E> {
        Ok(Quorum::Lanes(usize::try_from(lanes).unwrap_or(usize::MAX)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Quorum, E> {
        let percent = text.strip_suffix('%').and_then(|percent| percent.trim().parse::<u8>().ok());
        let percent = percent.filter(|percent| *percent <= 100).map(|percent| Quorum::Percent(percent.into()));
        percent.ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn policy(json: serde_json::Value) -> Policy {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_call_says_more_than_the_recipe() {
        let recipe = policy(json!({ "on_failure": "stop", "quorum": 2 }));
        let call = policy(json!({ "quorum": "50%" }));
        let both = |total| {
            let of = call.or(recipe, total);
            (of.on_failure, of.quorum.map(|quorum| quorum.of(total)))
        };
        assert_eq!(both(5), (Some(OnFailure::Stop), Some(3)));
        assert_eq!(both(0), (Some(OnFailure::Stop), Some(0)));
        let silent = |total| Policy::default().or(recipe, total).quorum.map(|quorum| quorum.of(total));
        assert_eq!([silent(1), silent(2), silent(9)], [Some(1), Some(2), Some(2)]);
    }

    #[test]
    fn a_quorum_is_a_number_or_a_share() {
        let wrong = |json| serde_json::from_value::<Quorum>(json).unwrap_err().to_string();
        let wanted = "expected a number of lanes, or a share of them such as \"80%\"";
        for json in [json!("most"), json!("101%"), json!(-1), json!(1.5), json!(true)] {
            assert!(wrong(json.clone()).ends_with(wanted), "{json}");
        }
        assert_eq!(serde_json::from_value::<Quorum>(json!("75%")).unwrap().of(3), 3);
    }
}
