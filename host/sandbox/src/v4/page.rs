//! Pages of a list.
//!
//! Owns: `page`, `page_size` and the envelope. Does not know what is listed.

use serde_json::{Value, json};

use super::error::Refused;
use super::filter::{Filter, Row};
use crate::wire::{Request, Response};

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Page {
    number: usize,
    size: usize,
}

/// The answer to a list call: the wanted page of the wanted rows.
pub(crate) fn list<R: Row>(
    request: &Request,
    rows: impl Iterator<Item = R>,
    view: impl Fn(&R) -> Value,
) -> Result<Response, Refused> {
    let page = Page::wanted(request)?;
    let rows = Filter::parse(request.header("x-filter"), R::FILTERABLE)?.select(rows);
    // An empty list has one page.
    let pages = rows.len().div_ceil(page.size).max(1);
    if page.number > pages {
        return Err(Refused::not_found());
    }
    let mut body = json!({"page": page.number, "pages": pages, "results": rows.len()});
    // Moved into its place: the macro would copy every row.
    body["data"] = rows.iter().skip((page.number - 1) * page.size).take(page.size).map(view).collect();
    Ok(Response::new(200, body))
}

/// The only ids that a list can show, if its filter names them: so many rows need be looked at.
pub(crate) fn only_ids<R: Row>(request: &Request) -> Option<Vec<u64>> {
    let filter = Filter::parse(request.header("x-filter"), R::FILTERABLE).ok()?;
    filter.ids().map(|ids| ids.iter().copied().collect())
}

impl Page {
    fn wanted(request: &Request) -> Result<Self, Refused> {
        let mut page = Self { number: 1, size: 100 };
        for (name, value) in request.parameters() {
            match name.as_str() {
                "page" => {
                    page.number = value
                        .parse()
                        .ok()
                        .filter(|number| *number >= 1)
                        .ok_or_else(|| Refused::field("page", "Must be 1 or greater"))?;
                }
                "page_size" => {
                    page.size = value
                        .parse()
                        .ok()
                        .filter(|size| (25..=500).contains(size))
                        .ok_or_else(|| Refused::field("page_size", "Must be 25-500"))?;
                }
                _ => {}
            }
        }
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::super::filter::Field;
    use super::*;

    impl Row for u64 {
        const FILTERABLE: &'static [&'static str] = &["id"];

        fn field(&self, _: &str) -> Field<'_> {
            Field::number(*self)
        }
    }

    fn check(rows: u64, query: &str, expected: &Expect) {
        let request = Request { query: query.to_owned(), ..Request::default() };
        let told = match list(&request, 1..=rows, |row| json!(row)) {
            Ok(response) => {
                let mut body = response.body.expect("a body");
                let data = body["data"].take();
                let data = data.as_array().expect("rows");
                let ends = (data.first().cloned(), data.last().cloned());
                format!("{:?} {} {} {}", ends, body["page"], body["pages"], body["results"])
            }
            Err(refused) => format!("{} {}", refused.status, refused.response().body.expect("a body")),
        };
        expected.assert_eq(&told);
    }

    #[test]
    fn pages() {
        check(0, "", &expect!["(None, None) 1 1 0"]);
        check(250, "", &expect!["(Some(Number(1)), Some(Number(100))) 1 3 250"]);
        check(250, "page=3", &expect!["(Some(Number(201)), Some(Number(250))) 3 3 250"]);
        check(250, "page=2&page_size=200", &expect!["(Some(Number(201)), Some(Number(250))) 2 2 250"]);
        check(250, "page=4", &expect![[r#"404 {"errors":[{"reason":"Not found"}]}"#]]);
        check(250, "page=0", &expect![[r#"400 {"errors":[{"field":"page","reason":"Must be 1 or greater"}]}"#]]);
        check(9, "page_size=24", &expect![[r#"400 {"errors":[{"field":"page_size","reason":"Must be 25-500"}]}"#]]);
        check(9, "page_size=501", &expect![[r#"400 {"errors":[{"field":"page_size","reason":"Must be 25-500"}]}"#]]);
    }
}
