//! Values as API v4 may write them: a number as text, text as a number, `null` for nothing, a value of tomorrow.
//!
//! A field that is only shown must never make a whole list unreadable, so what cannot be understood is read as the default.
//! Does not know which fields there are; what must be there (ids) is checked where it is used.

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// Text, or a number written as text; anything else is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text(pub(crate) String);

/// A whole number of at least 0; fractions are cut off; anything else is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Whole(pub(crate) u64);

/// A number; anything else is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Amount(pub(crate) f64);

/// `true`, `1`, `"true"` or `"1"`; anything else is false.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flag(pub(crate) bool);

/// An array; anything else is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct List<T>(pub(crate) Vec<T>);

/// An object; `null` and anything else is the default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Part<T>(pub(crate) T);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl Text {
    /// Absent, `null` and empty are the same.
    pub(crate) fn some(self) -> Option<String> {
        Some(self.0).filter(|text| !text.is_empty())
    }
}

impl Whole {
    /// As much of it as 32 bits hold.
    pub(crate) fn small(self) -> u32 {
        u32::try_from(self.0).unwrap_or(u32::MAX)
    }
}

impl List<Text> {
    pub(crate) fn texts(self) -> Vec<String> {
        self.0.into_iter().map(|text| text.0).collect()
    }
}

/// What JSON can hold where one value is expected.
enum Scalar {
    Nothing,
    Flag(bool),
    Whole(u64),
    Amount(f64),
    Text(String),
}

struct AnyScalar;

impl<'de> Visitor<'de> for AnyScalar {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::Nothing)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Scalar, E> {
        Ok(Scalar::Flag(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Scalar, E> {
        Ok(Scalar::Whole(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Scalar, E> {
        Ok(u64::try_from(value).map_or(Scalar::Amount(value as f64), Scalar::Whole))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Scalar, E> {
        Ok(Scalar::Amount(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Scalar, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Nothing)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Scalar, A::Error> {
        while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Nothing)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self(match from.deserialize_any(AnyScalar)? {
            Scalar::Text(text) => text,
            Scalar::Whole(number) => number.to_string(),
            Scalar::Amount(number) => number.to_string(),
            Scalar::Nothing | Scalar::Flag(_) => String::new(),
        }))
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = match from.deserialize_any(AnyScalar)? {
            Scalar::Whole(number) => number as f64,
            Scalar::Amount(number) => number,
            Scalar::Text(text) => text.trim().parse().unwrap_or_default(),
            Scalar::Nothing | Scalar::Flag(_) => 0.0,
        };
        Ok(Self(if number.is_finite() { number } else { 0.0 }))
    }
}

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self(match from.deserialize_any(AnyScalar)? {
            Scalar::Whole(number) => number,
            Scalar::Amount(number) => number as u64, // saturates, and is 0 below 0
            Scalar::Text(text) => text.trim().parse::<f64>().unwrap_or_default() as u64,
            Scalar::Nothing | Scalar::Flag(_) => 0,
        }))
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self(match from.deserialize_any(AnyScalar)? {
            Scalar::Flag(flag) => flag,
            Scalar::Whole(number) => number == 1,
            Scalar::Text(text) => text == "true" || text == "1",
            Scalar::Amount(_) | Scalar::Nothing => false,
        }))
    }
}

struct AnyList<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for AnyList<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_unit<E>(self) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_str<E>(self, _: &str) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element()? {
            all.push(item);
        }
        Ok(all)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Vec<T>, A::Error> {
        while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyList(PhantomData)).map(Self)
    }
}

struct AnyPart<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for AnyPart<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<T, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(T::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<T, A::Error> {
        T::deserialize(serde::de::value::MapAccessDeserializer::new(fields))
    }
}

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Part<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyPart(PhantomData)).map(Self)
    }
}
