//! Lists of API v4: the first page alone, since it says how many there are, the others side by side.
//!
//! Does not know what the items are.

use crate::api::{Api, Noun, class, no_id, object, send, wire};
use crate::filter::Filter;
use crate::lenient::Whole;
use linodetool_plugin::{Cx, ErrorKind, ProviderError, Result, try_join_lanes};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// The largest page API v4 gives; the fewest requests.
pub(crate) const PAGE_SIZE: usize = 500;

/// Pages fetched at once: enough to hide the delay of each, few enough to leave the rate limit to others.
pub(crate) const LANES: usize = 4;

/// How often a list is read again because it changed between its pages. After that, what was seen is answered.
const READS: usize = 3;

/// More pages than this are a mistake of the provider's: 2,000 pages are a million things.
pub(crate) const MAX_PAGES: u64 = 2_000;

/// A page. Without `data` and `pages` it is none: taking it for an empty or short list would make things disappear. The items
/// stay as they are, so that pages of all nouns are fetched by the same code.
#[derive(Deserialize)]
struct Envelope {
    data: Vec<Box<RawValue>>,
    pages: Whole,
    #[serde(default)]
    results: Whole,
}

/// A list to be: path, filter, rate class, how many.
pub(crate) struct List<'a> {
    api: &'a Api,
    path: &'a str,
    filter: Filter,
    class: &'static str,
    limit: usize,
}

impl<'a> List<'a> {
    pub(crate) fn of(api: &'a Api, path: &'a str) -> Self {
        Self { api, path, filter: Filter::default(), class: class::LIST, limit: usize::MAX }
    }

    pub(crate) fn filter(mut self, filter: Filter) -> Self {
        self.filter = filter;
        self
    }

    pub(crate) fn class(mut self, class: &'static str) -> Self {
        self.class = class;
        self
    }

    /// The first so many are enough; what the last page has beyond them is answered too.
    pub(crate) fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// All items, each once. A list that changed while its pages were read is read again: a thing deleted from page 1 moves
    /// one from page 2 to page 1, where it has already been looked for.
    pub(crate) async fn read<N: Noun>(&self, cx: &Cx) -> Result<Vec<N>> {
        let mut seen: Vec<N> = Vec::new();
        let mut places = HashMap::new();
        for _ in 0..READS {
            let (items, steady) = self.read_once(cx).await?;
            if steady {
                seen.clear();
                places.clear();
            }
            for item in items {
                let item = N::from_wire(wire(&item)?);
                if item.id().is_empty() {
                    return Err(no_id(200));
                }
                match places.entry(item.id().to_owned()) {
                    // What was read last is newest.
                    Entry::Occupied(place) => seen[*place.get()] = item,
                    Entry::Vacant(place) => {
                        place.insert(seen.len());
                        seen.push(item);
                    }
                }
            }
            if steady {
                break;
            }
        }
        Ok(seen)
    }

    /// One pass over the pages, and whether they belong together.
    async fn read_once(&self, cx: &Cx) -> Result<(Vec<Box<RawValue>>, bool)> {
        let first = self.page(cx, 1).await?;
        if first.pages.0 > MAX_PAGES {
            let message = format!("the provider says that {} has {} pages", self.path, first.pages.0);
            return Err(ProviderError::new(ErrorKind::Unavailable, message));
        }
        let wanted = self.limit.div_ceil(self.page_size()) as u64;
        let (pages, results) = (first.pages.0.min(wanted), first.results);
        let rest = (2..=pages).map(|page| async move {
            match self.page(cx, page).await {
                // The list has become shorter.
                Err(error) if error.kind == ErrorKind::NotFound => {
                    Ok(Envelope { data: Vec::new(), pages: Whole(0), results: Whole(0) })
                }
                other => other,
            }
        });
        let mut items = first.data;
        let mut steady = true;
        for page in try_join_lanes(LANES, rest).await? {
            steady &= page.results == results;
            items.extend(page.data);
        }
        Ok((items, steady))
    }

    async fn page(&self, cx: &Cx, page: u64) -> Result<Envelope> {
        let path = format!("{}?page={page}&page_size={}", self.path, self.page_size());
        let mut request = self.api.get(&path).class(self.class);
        if let Some(filter) = self.filter.header() {
            request = request.header("x-filter", filter);
        }
        object(&send(cx, request).await?)
    }

    /// API v4 takes 25 to 500.
    fn page_size(&self) -> usize {
        self.limit.clamp(25, PAGE_SIZE)
    }
}
