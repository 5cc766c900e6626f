//! The `X-Filter` header: which rows of a list are wanted, and in which order.
//!
//! Owns: its grammar and how a row is compared. Does not know what rows there are: a list says which fields it filters by.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::error::Refused;

/// Something that stands in a list.
pub(crate) trait Row {
    /// The fields that a filter may name.
    const FILTERABLE: &'static [&'static str];

    /// The value of such a field. Only what a filter names is asked for, so a long list is cheap to filter.
    fn field(&self, name: &str) -> Field<'_>;
}

/// A value that a filter can be compared with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Field<'a> {
    Null,
    Text(Cow<'a, str>),
    Number(f64),
    Flag(bool),
    /// A filter matches if it matches one of them.
    Many(Vec<Cow<'a, str>>),
}

impl<'a> Field<'a> {
    pub(crate) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }

    /// Ids and sizes; they stay far below where a float would round them.
    pub(crate) fn number(number: u64) -> Self {
        Self::Number(number as f64)
    }

    pub(crate) fn many(all: &'a [String]) -> Self {
        Self::Many(all.iter().map(|one| Cow::Borrowed(one.as_str())).collect())
    }
}

/// A filter that has been understood.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    condition: Option<Condition>,
    order_by: Option<String>,
    descending: bool,
}

#[derive(Debug)]
enum Condition {
    All(Vec<Self>),
    Any(Vec<Self>),
    Is {
        field: String,
        operator: Operator,
        value: Value,
    },
    /// One of many whole numbers, as somebody asks who knows ids.
    OneOf {
        field: String,
        numbers: BTreeSet<u64>,
    },
}

#[derive(Clone, Copy, Debug)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Contains,
}

impl Filter {
    /// Understands a header; every field it names must be among `filterable`.
    pub(crate) fn parse(header: Option<&str>, filterable: &[&str]) -> Result<Self, Refused> {
        let Some(header) = header.filter(|header| !header.trim().is_empty()) else { return Ok(Self::default()) };
        let parsed: Value = serde_json::from_str(header).map_err(|_| refused("Filter is not valid JSON"))?;
        let Value::Object(mut object) = parsed else { return Err(refused("Filter must be an object")) };
        let order_by = object.remove("+order_by");
        let order = object.remove("+order");
        let descending = match order.as_ref().map(|order| order.as_str()) {
            None | Some(Some("asc")) => false,
            Some(Some("desc")) => true,
            Some(_) => return Err(refused("+order must be asc or desc")),
        };
        let order_by = match order_by {
            None if order.is_some() => return Err(refused("+order needs +order_by")),
            None => None,
            Some(Value::String(name)) => Some(known(&name, filterable)?.to_owned()),
            Some(_) => return Err(refused("+order_by must be a string")),
        };
        Ok(Self { condition: Some(all_of(&object, filterable)?), order_by, descending })
    }

    /// The only ids that can be among the wanted rows, if it names them.
    pub(crate) fn ids(&self) -> Option<&BTreeSet<u64>> {
        let Some(Condition::All(all)) = &self.condition else { return None };
        all.iter().find_map(|one| match one {
            Condition::OneOf { field, numbers } if field == "id" => Some(numbers),
            _ => None,
        })
    }

    /// The rows that are wanted, in the order that is wanted.
    pub(crate) fn select<R: Row>(&self, rows: impl Iterator<Item = R>) -> Vec<R> {
        let mut wanted: Vec<R> =
            rows.filter(|row| self.condition.as_ref().is_none_or(|condition| condition.holds(row))).collect();
        if let Some(field) = &self.order_by {
            wanted.sort_by(|one, other| {
                let order = order(&one.field(field), &other.field(field));
                if self.descending { order.reverse() } else { order }
            });
        }
        wanted
    }
}

fn refused(reason: &str) -> Refused {
    Refused::field("X-Filter", reason)
}

fn known<'a>(name: &'a str, filterable: &[&str]) -> Result<&'a str, Refused> {
    if filterable.contains(&name) { Ok(name) } else { Err(refused(&format!("Cannot filter on {name}"))) }
}

fn all_of(object: &Map<String, Value>, filterable: &[&str]) -> Result<Condition, Refused> {
    let mut all = Vec::with_capacity(object.len());
    for (key, value) in object {
        match key.as_str() {
            "+and" => all.push(Condition::All(each(value, filterable)?)),
            "+or" => all.push(any_of(each(value, filterable)?)),
            name => all.push(comparison(known(name, filterable)?, value)?),
        }
    }
    Ok(Condition::All(all))
}

/// Comparing a row with each of a hundred ids takes a hundred times as long as looking for its own among them.
fn any_of(conditions: Vec<Condition>) -> Condition {
    let number = |one: &Condition| match one {
        Condition::All(only) => match only.as_slice() {
            [Condition::Is { field, operator: Operator::Equal, value }] => Some((field.clone(), value.as_u64()?)),
            _ => None,
        },
        _ => None,
    };
    let numbers: Option<Vec<(String, u64)>> = conditions.iter().map(number).collect();
    match numbers.as_deref() {
        Some([(field, _), others @ ..]) if others.iter().all(|(other, _)| other == field) => {
            let numbers = numbers.iter().flatten().map(|(_, number)| *number).collect();
            Condition::OneOf { field: field.clone(), numbers }
        }
        _ => Condition::Any(conditions),
    }
}

fn each(list: &Value, filterable: &[&str]) -> Result<Vec<Condition>, Refused> {
    let Value::Array(list) = list else { return Err(refused("+and and +or need an array")) };
    list.iter()
        .map(|one| match one {
            Value::Object(object) => all_of(object, filterable),
            _ => Err(refused("+and and +or need an array of objects")),
        })
        .collect()
}

fn comparison(name: &str, value: &Value) -> Result<Condition, Refused> {
    let is = |operator, value: &Value| Condition::Is { field: name.to_owned(), operator, value: value.clone() };
    let Value::Object(operators) = value else {
        return if value.is_array() { Err(refused("Could not apply filter")) } else { Ok(is(Operator::Equal, value)) };
    };
    let mut all = Vec::with_capacity(operators.len());
    for (word, value) in operators {
        let operator = match word.as_str() {
            "+gt" => Operator::Greater,
            "+gte" => Operator::GreaterOrEqual,
            "+lt" => Operator::Less,
            "+lte" => Operator::LessOrEqual,
            "+contains" => Operator::Contains,
            "+neq" => Operator::NotEqual,
            other => return Err(refused(&format!("{other} is not an operator"))),
        };
        if matches!(name, "created" | "updated") && value.as_str().is_some_and(|text| !is_moment(text)) {
            return Err(refused("Could not apply filter"));
        }
        all.push(is(operator, value));
    }
    Ok(Condition::All(all))
}

/// `2026-01-31T12:00:00`: no zone and no fractions.
fn is_moment(text: &str) -> bool {
    text.len() == 19
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            10 => byte == b'T',
            13 | 16 => byte == b':',
            _ => byte.is_ascii_digit(),
        })
}

impl Condition {
    fn holds<R: Row>(&self, row: &R) -> bool {
        match self {
            Self::All(all) => all.iter().all(|one| one.holds(row)),
            Self::Any(any) => any.iter().any(|one| one.holds(row)),
            Self::Is { field, operator, value } => matches(&row.field(field), *operator, value),
            Self::OneOf { field, numbers } => {
                // Whole, as ids are: a cast of what is not changes it.
                matches!(row.field(field), Field::Number(n) if numbers.contains(&(n as u64)) && n.fract() == 0.0)
            }
        }
    }
}

fn matches(field: &Field<'_>, operator: Operator, value: &Value) -> bool {
    if let Field::Many(all) = field {
        let any = |operator| all.iter().any(|one| matches(&Field::Text(Cow::Borrowed(one)), operator, value));
        return match operator {
            Operator::NotEqual => !any(Operator::Equal),
            other => any(other),
        };
    }
    let compared = compare(field, value);
    match operator {
        Operator::Equal => compared == Some(Ordering::Equal),
        Operator::NotEqual => compared != Some(Ordering::Equal),
        Operator::Greater => compared == Some(Ordering::Greater),
        Operator::GreaterOrEqual => matches!(compared, Some(Ordering::Greater | Ordering::Equal)),
        Operator::Less => compared == Some(Ordering::Less),
        Operator::LessOrEqual => matches!(compared, Some(Ordering::Less | Ordering::Equal)),
        Operator::Contains => match (field, value) {
            (Field::Text(text), Value::String(part)) => text.contains(part.as_str()),
            _ => false,
        },
    }
}

/// None where the two cannot be compared.
fn compare(field: &Field<'_>, value: &Value) -> Option<Ordering> {
    match (field, value) {
        (Field::Null, Value::Null) => Some(Ordering::Equal),
        (Field::Text(text), Value::String(other)) => Some(text.as_ref().cmp(other.as_str())),
        (Field::Number(number), Value::Number(other)) => number.partial_cmp(&other.as_f64()?),
        (Field::Flag(flag), Value::Bool(other)) => Some(flag.cmp(other)),
        _ => None,
    }
}

fn order(one: &Field<'_>, other: &Field<'_>) -> Ordering {
    match (one, other) {
        (Field::Text(one), Field::Text(other)) => one.cmp(other),
        (Field::Number(one), Field::Number(other)) => one.total_cmp(other),
        (Field::Flag(one), Field::Flag(other)) => one.cmp(other),
        (Field::Many(one), Field::Many(other)) => one.cmp(other),
        (Field::Null, Field::Null) => Ordering::Equal,
        (Field::Null, _) => Ordering::Less,
        (_, Field::Null) => Ordering::Greater,
        _ => Ordering::Equal,
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    struct Pet(u64, &'static str, &'static [&'static str], Option<&'static str>);

    impl Row for &Pet {
        const FILTERABLE: &'static [&'static str] = &["id", "name", "tags", "created", "old"];

        fn field(&self, name: &str) -> Field<'_> {
            match name {
                "id" => Field::number(self.0),
                "name" => Field::text(self.1),
                "tags" => Field::Many(self.2.iter().map(|tag| Cow::Borrowed(*tag)).collect()),
                "created" => self.3.map_or(Field::Null, Field::text),
                _ => Field::Flag(self.0 > 2),
            }
        }
    }

    const PETS: &[Pet] = &[
        Pet(1, "cat", &["soft", "quick"], Some("2026-01-01T00:00:00")),
        Pet(2, "dog", &["soft"], Some("2026-01-02T00:00:00")),
        Pet(3, "caiman", &[], None),
    ];

    fn check(filter: &str, expected: &Expect) {
        let told = match Filter::parse(Some(filter), <&Pet>::FILTERABLE) {
            Ok(filter) => filter.select(PETS.iter()).iter().map(|pet| pet.1).collect::<Vec<_>>().join(" "),
            Err(refused) => format!("{} {}", refused.status, refused.response().body.expect("a body")),
        };
        expected.assert_eq(&told);
    }

    #[test]
    fn values_and_operators() {
        check("", &expect!["cat dog caiman"]);
        check("{}", &expect!["cat dog caiman"]);
        check(r#"{"name":"dog"}"#, &expect!["dog"]);
        check(r#"{"name":"dog","id":1}"#, &expect![""]);
        check(r#"{"id":"1"}"#, &expect![""]);
        check(r#"{"name":{"+contains":"ca"}}"#, &expect!["cat caiman"]);
        check(r#"{"name":{"+neq":"cat"}}"#, &expect!["dog caiman"]);
        check(r#"{"id":{"+gt":1,"+lte":2}}"#, &expect!["dog"]);
        check(r#"{"id":{"+gte":2}}"#, &expect!["dog caiman"]);
        check(r#"{"id":{"+lt":2}}"#, &expect!["cat"]);
        check(r#"{"old":true}"#, &expect!["caiman"]);
        check(r#"{"created":null}"#, &expect!["caiman"]);
        check(r#"{"created":{"+gte":"2026-01-02T00:00:00"}}"#, &expect!["dog"]);
    }

    #[test]
    fn tags_match_by_membership() {
        check(r#"{"tags":"soft"}"#, &expect!["cat dog"]);
        check(r#"{"tags":{"+contains":"qui"}}"#, &expect!["cat"]);
        check(r#"{"tags":{"+neq":"quick"}}"#, &expect!["dog caiman"]);
        check(r#"{"+and":[{"tags":"soft"},{"tags":"quick"}]}"#, &expect!["cat"]);
    }

    #[test]
    fn nesting_and_order() {
        check(r#"{"+or":[{"name":"dog"},{"+and":[{"id":{"+gt":2}},{"old":true}]}]}"#, &expect!["dog caiman"]);
        check(r#"{"+or":[{"name":"dog"},{"name":"cat"}],"tags":"quick"}"#, &expect!["cat"]);
        check(r#"{"+or":[{"id":1},{"id":3},{"id":9}]}"#, &expect!["cat caiman"]);
        check(r#"{"+or":[{"id":1},{"id":2.5},{"id":-1}]}"#, &expect!["cat"]);
        check(r#"{"+or":[{"id":1},{"name":"dog"}]}"#, &expect!["cat dog"]);
        check(r#"{"+order_by":"name"}"#, &expect!["caiman cat dog"]);
        check(r#"{"+order_by":"id","+order":"desc"}"#, &expect!["caiman dog cat"]);
        check(r#"{"+order_by":"created"}"#, &expect!["caiman cat dog"]);
    }

    #[test]
    fn what_cannot_be_understood_is_refused() {
        check(r#"{"foo":1}"#, &expect![[r#"400 {"errors":[{"field":"X-Filter","reason":"Cannot filter on foo"}]}"#]]);
        check(
            r#"{"+or":[{"foo":1}]}"#,
            &expect![[r#"400 {"errors":[{"field":"X-Filter","reason":"Cannot filter on foo"}]}"#]],
        );
        check(
            r#"{"+order_by":"foo"}"#,
            &expect![[r#"400 {"errors":[{"field":"X-Filter","reason":"Cannot filter on foo"}]}"#]],
        );
        check("{", &expect![[r#"400 {"errors":[{"field":"X-Filter","reason":"Filter is not valid JSON"}]}"#]]);
        check("[]", &expect![[r#"400 {"errors":[{"field":"X-Filter","reason":"Filter must be an object"}]}"#]]);
        check(
            r#"{"+order":"desc"}"#,
            &expect![[r#"400 {"errors":[{"field":"X-Filter","reason":"+order needs +order_by"}]}"#]],
        );
        check(
            r#"{"id":{"+not":1}}"#,
            &expect![[r#"400 {"errors":[{"field":"X-Filter","reason":"+not is not an operator"}]}"#]],
        );
        check(
            r#"{"created":{"+gte":"2026-01-02T00:00:00Z"}}"#,
            &expect![[r#"400 {"errors":[{"field":"X-Filter","reason":"Could not apply filter"}]}"#]],
        );
    }
}
