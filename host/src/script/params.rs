//! A recipe's parameters: their declaration, and the check of what `--set` gives for them.
//!
//! Knows neither runs nor the engine; `modules/core.rs` is the script's side.

use crate::core::{Failure, FailureKind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

/// One parameter of a recipe, as `recipe show` presents it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ParamInfo {
    pub name: String,
    pub kind: ParamKind,
    /// `None`: it must be given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    pub doc: String,
    #[serde(flatten)]
    pub limits: Limits,
}

/// The type of a parameter, that of its default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ParamKind {
    Int,
    Float,
    Bool,
    String,
    List,
}

/// What a value must keep to; the third argument of `param`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Least number; for text its length, for a list its items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Number>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub one_of: Vec<Value>,
    /// `*` stands for any text, `?` for one character.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
}

/// What the user set, and what the recipe has declared so far.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) set: Vec<(String, String)>,
    pub(crate) declared: Option<Vec<ParamInfo>>,
}

impl ParamInfo {
    /// # Errors
    /// A default of a type that no parameter can have, or one that breaks the parameter's own limits.
    pub(crate) fn new(name: &str, default: Value, doc: &str, limits: Limits) -> Result<Self, Failure> {
        let kind = match &default {
            Value::Number(n) if n.is_f64() => ParamKind::Float,
            Value::Number(_) => ParamKind::Int,
            Value::Bool(_) => ParamKind::Bool,
            Value::String(_) => ParamKind::String,
            Value::Array(_) => ParamKind::List,
            Value::Null | Value::Object(_) => {
                return Err(Failure::new(FailureKind::Script, format!("parameter `{name}` has a default of no usable type"))
                    .field(name)
                    .hint("the default is a whole number, a float, true or false, text, or an array; with `required: true` it only tells the type"));
            }
        };
        let mut param = Self { name: name.into(), kind, default: None, doc: doc.into(), limits };
        if !param.limits.required {
            param.within(&default).map_err(|failure| Failure {
                message: format!("the default breaks the parameter's own limits: {}", failure.message),
                kind: FailureKind::Script,
                ..failure
            })?;
            param.default = Some(default);
        }
        Ok(param)
    }

    /// What was written on the command line, as a value of the parameter's type.
    fn parse(&self, text: &str) -> Result<Value, Failure> {
        let wrong = |wanted: &str| {
            Err(Failure::usage(format!("`{}` must be {wanted}, but is `{text}`", self.name)).field(&self.name))
        };
        let value = match self.kind {
            ParamKind::Int => match text.trim().parse::<i64>() {
                Ok(i) => i.into(),
                Err(_) => return wrong("a whole number"),
            },
            ParamKind::Float => match text.trim().parse::<f64>() {
                Ok(f) if f.is_finite() => f.into(),
                _ => return wrong("a number"),
            },
            ParamKind::Bool => match text.trim() {
                "true" => true.into(),
                "false" => false.into(),
                _ => return wrong("true or false"),
            },
            ParamKind::String => text.into(),
            ParamKind::List if text.trim_start().starts_with('[') => match serde_json::from_str::<Vec<Value>>(text) {
                Ok(items) => items.into(),
                Err(_) => return wrong("a list such as a,b,c or a JSON array"),
            },
            ParamKind::List if text.trim().is_empty() => Value::Array(Vec::new()),
            ParamKind::List => text.split(',').map(|item| Value::from(item.trim())).collect(),
        };
        self.within(&value)?;
        Ok(value)
    }

    /// Checks the limits.
    fn within(&self, value: &Value) -> Result<(), Failure> {
        let shown = show(value);
        let fail = |text: String| {
            Err(Failure::usage(format!("`{}` must {text}, but is {shown}", self.name)).field(&self.name))
        };
        let (size, unit) = match value {
            Value::String(text) => (text.chars().count() as f64, " characters"),
            Value::Array(items) => (items.len() as f64, " items"),
            other => (other.as_f64().unwrap_or(0.0), ""),
        };
        let verb = if unit.is_empty() { "be" } else { "have" };
        if let Some(min) = self.limits.min.as_ref().filter(|min| min.as_f64().is_some_and(|min| size < min)) {
            return fail(format!("{verb} at least {min}{unit}"));
        }
        if let Some(max) = self.limits.max.as_ref().filter(|max| max.as_f64().is_some_and(|max| size > max)) {
            return fail(format!("{verb} at most {max}{unit}"));
        }
        if !self.limits.one_of.is_empty() && !self.limits.one_of.contains(value) {
            let known: Vec<String> = self.limits.one_of.iter().map(show).collect();
            return fail(format!("be one of {}", known.join(", ")))
                .map_err(|failure| failure.near(&shown, known.iter().map(String::as_str)));
        }
        match (&self.limits.pattern, value) {
            (Some(pattern), Value::String(text)) if !matches(pattern, text) => fail(format!("look like `{pattern}`")),
            _ => Ok(()),
        }
    }
}

/// The values that a recipe gets: what was set, checked, and the defaults of the rest.
///
/// # Errors
/// An unknown name (with near ones), one that is set twice, a wrong type, a broken limit, a required one that is absent.
pub fn check(params: &[ParamInfo], set: &[(String, String)]) -> Result<Map<String, Value>, Failure> {
    for (i, (name, _)) in set.iter().enumerate() {
        if set[..i].iter().any(|(other, _)| other == name) {
            return Err(Failure::usage(format!("`{name}` is set twice")).field(name));
        }
        if !params.iter().any(|param| param.name == *name) {
            return Err(unknown(name, params));
        }
    }
    let mut values = Map::new();
    for param in params {
        let value = match set.iter().find(|(name, _)| *name == param.name) {
            Some((_, text)) => param.parse(text)?,
            None => param.default.clone().ok_or_else(|| {
                Failure::usage(format!("`{}` must be given: {}", param.name, param.doc))
                    .field(&param.name)
                    .hint(format!("add --set {}=VALUE", param.name))
            })?,
        };
        values.insert(param.name.clone(), value);
    }
    Ok(values)
}

fn unknown(name: &str, params: &[ParamInfo]) -> Failure {
    let failure = Failure::usage(format!("the recipe has no parameter `{name}`")).field(name);
    let failure = failure.near(name, params.iter().map(|param| param.name.as_str()));
    if failure.hint.is_some() {
        return failure;
    }
    let names: Vec<_> = params.iter().map(|param| param.name.as_str()).collect();
    failure.hint(if names.is_empty() { "it has none".into() } else { format!("it has: {}", names.join(", ")) })
}

/// Text as it is, anything else as JSON.
fn show(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Wildcards `*` and `?`, over the whole text.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    // Where the last `*` stood and how much of the text it has swallowed: one point to go back to is enough.
    let (mut p, mut t, mut back) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                back = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => (p, t) = (p + 1, t + 1),
            _ => match back {
                Some((star, swallowed)) => {
                    back = Some((star, swallowed + 1));
                    (p, t) = (star + 1, swallowed + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use serde_json::json;

    fn params() -> Vec<ParamInfo> {
        let limits = |json: Value| serde_json::from_value::<Limits>(json).unwrap();
        vec![
            ParamInfo::new("name", json!("hadoop"), "cluster name", limits(json!({ "max": 12 }))).unwrap(),
            ParamInfo::new("workers", json!(3), "worker nodes", limits(json!({ "min": 1, "max": 100 }))).unwrap(),
            ParamInfo::new("ratio", json!(0.5), "share", limits(json!({ "max": 1 }))).unwrap(),
            ParamInfo::new("backups", json!(false), "backups", Limits::default()).unwrap(),
            ParamInfo::new("region", json!("us-east"), "region", limits(json!({ "one_of": ["us-east", "eu-west"] })))
                .unwrap(),
            ParamInfo::new("image", json!("linode/debian12"), "image", limits(json!({ "pattern": "linode/*" })))
                .unwrap(),
            ParamInfo::new("zones", json!([]), "zones", limits(json!({ "max": 2 }))).unwrap(),
        ]
    }

    #[expect(clippy::needless_pass_by_value, reason = "reads better in the tests")]
    fn set(text: &str, wanted: Expect) {
        let set: Vec<(String, String)> = text
            .split_terminator(';')
            .map(|one| one.split_once('=').map(|(k, v)| (k.into(), v.into())).unwrap())
            .collect();
        wanted.assert_eq(&match check(&params(), &set) {
            Ok(values) => Value::Object(values).to_string(),
            Err(Failure { message, hint: Some(hint), .. }) => format!("{message}\nhint: {hint}"),
            Err(failure) => failure.message,
        });
    }

    #[test]
    fn defaults_and_settings_are_merged() {
        set(
            "",
            expect![[
                r#"{"backups":false,"image":"linode/debian12","name":"hadoop","ratio":0.5,"region":"us-east","workers":3,"zones":[]}"#
            ]],
        );
        set(
            "workers=7;ratio=1;backups=true;name=a=b;zones=x, y;image=linode/x",
            expect![[
                r#"{"backups":true,"image":"linode/x","name":"a=b","ratio":1.0,"region":"us-east","workers":7,"zones":["x","y"]}"#
            ]],
        );
        set(
            "zones=[\"x\",\"y\"]",
            expect![[
                r#"{"backups":false,"image":"linode/debian12","name":"hadoop","ratio":0.5,"region":"us-east","workers":3,"zones":["x","y"]}"#
            ]],
        );
    }

    #[test]
    fn wrong_values_are_explained() {
        set("workers=abc", expect!["`workers` must be a whole number, but is `abc`"]);
        set("workers=2.5", expect!["`workers` must be a whole number, but is `2.5`"]);
        set("workers=0", expect!["`workers` must be at least 1, but is 0"]);
        set("workers=101", expect!["`workers` must be at most 100, but is 101"]);
        set("ratio=x", expect!["`ratio` must be a number, but is `x`"]);
        set("ratio=1.5", expect!["`ratio` must be at most 1, but is 1.5"]);
        set("backups=yes", expect!["`backups` must be true or false, but is `yes`"]);
        set(
            "region=us-esat",
            expect![[r#"
            `region` must be one of us-east, eu-west, but is us-esat
            hint: did you mean `us-east`?"#]],
        );
        set("image=debian", expect!["`image` must look like `linode/*`, but is debian"]);
        set("name=much-too-long-name", expect!["`name` must have at most 12 characters, but is much-too-long-name"]);
        set("zones=a,b,c", expect![[r#"`zones` must have at most 2 items, but is ["a","b","c"]"#]]);
        set("zones=[a", expect!["`zones` must be a list such as a,b,c or a JSON array, but is `[a`"]);
    }

    #[test]
    fn wrong_names_are_explained() {
        set(
            "worker=3",
            expect![[r#"
            the recipe has no parameter `worker`
            hint: did you mean `workers`?"#]],
        );
        set(
            "colour=red",
            expect![[r#"
            the recipe has no parameter `colour`
            hint: it has: name, workers, ratio, backups, region, image, zones"#]],
        );
        set("workers=3;workers=4", expect!["`workers` is set twice"]);
    }

    #[test]
    fn required_ones_must_be_given() {
        let limits = Limits { required: true, ..Limits::default() };
        let param = ParamInfo::new("domain", json!(""), "DNS domain", limits).unwrap();
        assert_eq!(param.default, None);
        let failure = check(&[param], &[]).unwrap_err();
        expect!["`domain` must be given: DNS domain / add --set domain=VALUE"]
            .assert_eq(&format!("{failure} / {}", failure.hint.clone().unwrap()));
    }

    #[test]
    fn defaults_must_keep_to_the_limits() {
        let limits = Limits { min: Some(1.into()), ..Limits::default() };
        expect!["the default breaks the parameter's own limits: `n` must be at least 1, but is 0"]
            .assert_eq(&ParamInfo::new("n", json!(0), "", limits).unwrap_err().message);
        expect!["parameter `m` has a default of no usable type"]
            .assert_eq(&ParamInfo::new("m", json!({}), "", Limits::default()).unwrap_err().message);
    }

    #[test]
    fn wildcards() {
        for (pattern, text, wanted) in [
            ("*", "", true),
            ("a*b", "ab", true),
            ("a*b", "axxb", true),
            ("a*b", "axxbc", false),
            ("*a*a", "banana", true),
            ("?", "x", true),
            ("?", "", false),
            ("web-?", "web-12", false),
        ] {
            assert_eq!(matches(pattern, text), wanted, "{pattern} {text}");
        }
    }
}
