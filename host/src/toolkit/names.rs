//! From what people type to ids: `newark`, `1gb`, `ubuntu 16.04 lts`.
//!
//! An exact id or label wins; otherwise all words must be found in one entry. Never guesses between several.

use linodetool_plugin::{Image, Region, Type};

use crate::core::{Failure, failure::near_names};

/// An entry of a catalogue that has a name.
pub trait Named {
    const NOUN: &'static str;
    const LIST: &'static str;
    fn id(&self) -> &str;
    fn label(&self) -> &str;
    /// Lower is preferred when several fit and one is the ordinary choice.
    fn rank(&self) -> u32 {
        0
    }
}

impl Named for Region {
    const NOUN: &'static str = "region";
    const LIST: &'static str = "linodetool regions";
    fn id(&self) -> &str {
        &self.id
    }
    fn label(&self) -> &str {
        &self.label
    }
}

impl Named for Type {
    const NOUN: &'static str = "type";
    const LIST: &'static str = "linodetool types";
    fn id(&self) -> &str {
        &self.id
    }
    fn label(&self) -> &str {
        &self.label
    }
    /// `2gb` means the shared plan of that size, not the dedicated one.
    fn rank(&self) -> u32 {
        u32::from(!matches!(self.class.as_str(), "nanode" | "standard"))
    }
}

impl Named for Image {
    const NOUN: &'static str = "image";
    const LIST: &'static str = "linodetool images";
    fn id(&self) -> &str {
        &self.id
    }
    fn label(&self) -> &str {
        &self.label
    }
    fn rank(&self) -> u32 {
        u32::from(self.deprecated)
    }
}

/// The entry that is meant.
///
/// # Errors
/// `not_found` with near names, or `usage` with the candidates when several fit.
pub fn resolve<'a, T: Named>(entries: &'a [T], given: &str) -> Result<&'a T, Failure> {
    let exact = |e: &&T| e.id() == given || e.label().eq_ignore_ascii_case(given) || same(e.id(), given);
    if let Some(found) = entries.iter().find(exact) {
        return Ok(found);
    }
    let wanted = words(given);
    let mut fitting: Vec<&T> = entries.iter().filter(|e| fits(*e, &wanted)).collect();
    let best = fitting.iter().map(|e| e.rank()).min().unwrap_or(0);
    fitting.retain(|e| e.rank() == best);
    match fitting.as_slice() {
        [one] => Ok(one),
        [] => Err(unknown(entries, given)),
        many => {
            let names: Vec<_> = many.iter().take(8).map(|e| format!("{} ({})", e.id(), e.label())).collect();
            Err(Failure::usage(format!("{} `{given}` may be any of {}", T::NOUN, many.len()))
                .hint(format!("say which: {}", names.join(", ")))
                .field(T::NOUN))
        }
    }
}

fn unknown<T: Named>(entries: &[T], given: &str) -> Failure {
    let failure = Failure::not_found(format!("there is no {} `{given}`", T::NOUN)).field(T::NOUN);
    let mut near = near_names(given, entries.iter().map(T::id));
    if near.is_empty() {
        // A label is longer than what people type: compare word by word.
        let labels = entries.iter().flat_map(|e| words(e.label()).into_iter().map(move |word| (word, e.id())));
        let labels: Vec<_> = labels.collect();
        let hit = near_names(given, labels.iter().map(|(word, _)| word.as_str()));
        near = labels.iter().filter(|(word, _)| hit.contains(&word.as_str())).map(|(_, id)| *id).take(3).collect();
    }
    match near.as_slice() {
        [] => failure.hint(format!("see them with `{}`", T::LIST)),
        near => failure.hint(format!("did you mean {}? All: `{}`", near.join(" or "), T::LIST)),
    }
}

/// Same but for case and signs: `Ubuntu16.04LTS` and `linode/ubuntu16.04lts`.
fn same(id: &str, given: &str) -> bool {
    let bare =
        |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let short = id.rsplit('/').next().unwrap_or(id);
    !given.is_empty() && (bare(short) == bare(given) || bare(id) == bare(given))
}

fn fits<T: Named>(entry: &T, wanted: &[String]) -> bool {
    let has: Vec<String> = words(entry.label()).into_iter().chain(words(entry.id())).collect();
    !wanted.is_empty() && wanted.iter().all(|word| has.contains(word))
}

/// Lower-case words; a number and its unit are one word (`1 GB` is `1gb`).
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(|c: char| !c.is_alphanumeric() && c != '.').filter(|word| !word.is_empty()) {
        let word = word.to_lowercase();
        match words.last_mut() {
            Some(last) if word == "gb" && last.bytes().all(|b| b.is_ascii_digit()) => last.push_str("gb"),
            _ => words.push(word),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn regions() -> Vec<Region> {
        [
            ("us-east", "Newark, NJ"),
            ("us-southeast", "Atlanta, GA"),
            ("us-central", "Dallas, TX"),
            ("eu-west", "London, UK"),
        ]
        .map(|(id, label)| Region { id: id.into(), label: label.into(), ..Region::default() })
        .into()
    }

    fn types() -> Vec<Type> {
        [
            ("g6-nanode-1", "Nanode 1GB", "nanode"),
            ("g6-standard-1", "Linode 2GB", "standard"),
            ("g6-standard-2", "Linode 4GB", "standard"),
            ("g6-dedicated-2", "Dedicated 4GB", "dedicated"),
            ("g7-highmem-1", "Linode 24GB", "highmem"),
        ]
        .map(|(id, label, class)| Type { id: id.into(), label: label.into(), class: class.into(), ..Type::default() })
        .into()
    }

    fn images() -> Vec<Image> {
        [
            ("linode/ubuntu16.04lts", "Ubuntu 16.04 LTS", true),
            ("linode/ubuntu24.04", "Ubuntu 24.04 LTS", false),
            ("linode/debian12", "Debian 12", false),
        ]
        .map(|(id, label, deprecated)| Image { id: id.into(), label: label.into(), deprecated, ..Image::default() })
        .into()
    }

    fn check<T: Named>(entries: &[T], given: &[&str], expected: &Expect) {
        let lines: Vec<_> = given
            .iter()
            .map(|name| match resolve(entries, name) {
                Ok(found) => format!("{name} -> {}\n", found.id()),
                Err(e) => format!("{name} -> {e}; {}\n", e.hint.clone().unwrap_or_default()),
            })
            .collect();
        expected.assert_eq(&lines.concat());
    }

    #[test]
    fn regions_by_id_city_and_near_name() {
        check(
            &regions(),
            &["us-east", "newark", "Newark, NJ", "london", "us", "newrak", "mars"],
            &expect![[r#"
            us-east -> us-east
            newark -> us-east
            Newark, NJ -> us-east
            london -> eu-west
            us -> region `us` may be any of 3; say which: us-east (Newark, NJ), us-southeast (Atlanta, GA), us-central (Dallas, TX)
            newrak -> there is no region `newrak`; did you mean us-east? All: `linodetool regions`
            mars -> there is no region `mars`; see them with `linodetool regions`
        "#]],
        );
    }

    #[test]
    fn types_by_size_mean_the_shared_plan() {
        check(
            &types(),
            &["1gb", "4 GB", "dedicated 4gb", "g6-standard-2", "g6-standart-2", "4"],
            &expect![[r#"
                1gb -> g6-nanode-1
                4 GB -> g6-standard-2
                dedicated 4gb -> g6-dedicated-2
                g6-standard-2 -> g6-standard-2
                g6-standart-2 -> there is no type `g6-standart-2`; did you mean g6-standard-2 or g6-standard-1? All: `linodetool types`
                4 -> there is no type `4`; see them with `linodetool types`
            "#]],
        );
    }

    #[test]
    fn images_by_label_prefer_what_is_not_deprecated() {
        check(
            &images(),
            &["ubuntu 16.04 lts", "ubuntu", "Debian 12", "debian12", "debain12"],
            &expect![[r#"
            ubuntu 16.04 lts -> linode/ubuntu16.04lts
            ubuntu -> linode/ubuntu24.04
            Debian 12 -> linode/debian12
            debian12 -> linode/debian12
            debain12 -> there is no image `debain12`; did you mean linode/debian12? All: `linodetool images`
        "#]],
        );
    }
}
