//! A route, and a call that has found its route.
//!
//! Owns: how a path is matched and what a handler is given. Does not know any resource.

use serde_json::{Value, json};

use super::error::Refused;
use super::filter::Row;
use super::input::Input;
use super::page;
use crate::clock::Time;
use crate::limits::Class;
use crate::wire::{Request, Response, decode};
use crate::world::World;

/// The scope of what anybody may read.
pub(crate) const PUBLIC: &str = "public";

pub(crate) type Answer = Result<Response, Refused>;

/// One operation.
pub(crate) struct Route {
    pub(crate) method: &'static str,
    /// Segments; `{}` takes one, a last `{*}` takes all that is left (ids with a slash in them).
    pub(crate) path: &'static str,
    /// What a token must hold; empty: any token will do; [`PUBLIC`]: none is needed.
    pub(crate) scope: &'static str,
    pub(crate) class: Class,
    pub(crate) run: fn(&mut Call<'_>) -> Answer,
}

impl Route {
    pub(crate) const fn new(
        method: &'static str,
        path: &'static str,
        scope: &'static str,
        run: fn(&mut Call<'_>) -> Answer,
    ) -> Self {
        Self { method, path, scope, class: Class::Other, run }
    }

    /// A GET that answers a page.
    pub(crate) const fn list(path: &'static str, scope: &'static str, run: fn(&mut Call<'_>) -> Answer) -> Self {
        Self { method: "GET", path, scope, class: Class::Lists, run }
    }

    /// The same, counted otherwise.
    pub(crate) const fn counted(self, class: Class) -> Self {
        Self { class, ..self }
    }

    /// What the path's holes were filled with, decoded, if it is this route.
    pub(crate) fn captures(&self, method: &str, segments: &[&str]) -> Option<Vec<String>> {
        if self.method != method {
            return None;
        }
        let mut captures = Vec::new();
        let mut rest = segments;
        for wanted in self.path.split('/') {
            let (first, others) = rest.split_first()?;
            match wanted {
                "{*}" => {
                    captures.push(decode(&rest.join("/")));
                    return Some(captures);
                }
                "{}" if !first.is_empty() => captures.push(decode(first)),
                literal if literal == *first => {}
                _ => return None,
            }
            rest = others;
        }
        rest.is_empty().then_some(captures)
    }
}

/// What a handler works with.
pub(crate) struct Call<'a> {
    pub(crate) world: &'a mut World,
    pub(crate) now: Time,
    pub(crate) request: &'a Request,
    pub(super) captures: Vec<String>,
}

impl Call<'_> {
    /// What a hole of the path was filled with.
    pub(crate) fn word(&self, hole: usize) -> &str {
        self.captures.get(hole).map_or("", String::as_str)
    }

    /// The same as an id; there is nothing with an id that is no number.
    pub(crate) fn id(&self, hole: usize) -> Result<u64, Refused> {
        self.word(hole).parse().map_err(|_| Refused::not_found())
    }

    pub(crate) fn input(&self) -> Result<Input, Refused> {
        Input::of(self.request)
    }

    /// The wanted page of some rows.
    pub(crate) fn list<R: Row>(&self, rows: impl Iterator<Item = R>, view: impl Fn(&R) -> Value) -> Answer {
        page::list(self.request, rows, view)
    }
}

/// 200 with a body.
pub(crate) fn ok(body: Value) -> Answer {
    Ok(Response::new(200, body))
}

/// 200 `{}`: done, or begun.
pub(crate) fn done() -> Answer {
    ok(json!({}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_matched_by_segments() {
        let captures = |pattern: &'static str, path: &str| {
            let route = Route::new("GET", pattern, PUBLIC, |_| done());
            route.captures("GET", &path.split('/').collect::<Vec<_>>())
        };
        let some = |all: &[&str]| Some(all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>());
        assert_eq!(captures("regions", "regions"), some(&[]));
        assert_eq!(captures("regions", "regions/us-east"), None);
        assert_eq!(captures("regions/{}", "regions"), None);
        assert_eq!(captures("regions/{}", "regions/"), None);
        assert_eq!(captures("linode/instances/{}/boot", "linode/instances/7/boot"), some(&["7"]));
        assert_eq!(captures("images/{*}", "images/linode%2Fdebian12"), some(&["linode/debian12"]));
        assert_eq!(captures("images/{*}", "images/linode/debian12"), some(&["linode/debian12"]));
        let post = Route::new("POST", "regions", PUBLIC, |_| done());
        assert_eq!(post.captures("GET", &["regions"]), None);
    }
}
