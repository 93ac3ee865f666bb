//! Reads JSON within the limits and without duplicate members, for whatever keeps the values.

use std::{cell::Cell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, de::StrRead};

use crate::{limits::DEPTH, refusal::Refusal};

/// The member in which serde_json wraps a number if a crate of the same program enables
/// `arbitrary_precision`.
pub(super) const NUMBER: &str = "$serde_json::private::Number";

pub(crate) type Object = Map<String, Value>;

/// Reads a complete text with `read`.
pub(super) fn read<T>(
    text: &[u8],
    members: usize,
    read: impl FnOnce(Limits<'_>, &mut serde_json::Deserializer<StrRead<'_>>) -> serde_json::Result<T>,
) -> Result<T, Refusal> {
    // Checked as a whole, because a check of each string takes longer.
    let text = str::from_utf8(text).map_err(|_| Refusal::Json)?;
    let refusal = Cell::new(Refusal::Json);
    let limits = Limits {
        refusal: &refusal,
        depth: 0,
        members,
    };
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = read(limits, &mut reader);
    let value = value.and_then(|value| reader.end().map(|()| value));
    value.map_err(|_| refusal.get())
}

/// The limits at one depth.
#[derive(Clone, Copy)]
pub(super) struct Limits<'r> {
    /// Set on an error, because the parser's error has no code.
    refusal: &'r Cell<Refusal>,
    depth: usize,
    members: usize,
}

impl Limits<'_> {
    pub(super) fn deeper<E: Error>(self) -> Result<Self, E> {
        match self.depth < DEPTH {
            true => Ok(Self {
                depth: self.depth + 1,
                ..self
            }),
            false => Err(self.refuse(Refusal::Depth)),
        }
    }

    pub(super) fn has_room<E: Error>(self, length: usize) -> Result<(), E> {
        match length < self.members {
            true => Ok(()),
            false => Err(self.refuse(Refusal::TooManyMembers)),
        }
    }

    pub(super) fn refuse<E: Error>(self, refusal: Refusal) -> E {
        self.refusal.set(refusal);
        E::custom(refusal.code())
    }
}

/// Keeps the values that [`Strict`] reads.
pub(super) trait Keep: Copy {
    type Kept;

    fn text(self, text: &str) -> Self::Kept;
    fn value(self, value: Value) -> Self::Kept;
}

/// Keeps every value as a [`Value`].
#[derive(Clone, Copy)]
pub(super) struct Values;

impl Keep for Values {
    type Kept = Value;

    fn text(self, text: &str) -> Value {
        text.into()
    }

    fn value(self, value: Value) -> Value {
        value
    }
}

/// Reads a value. Values inside it are always kept as [`Value`]s.
#[derive(Clone, Copy)]
pub(super) struct Strict<'r, K> {
    limits: Limits<'r>,
    keep: K,
}

impl<'r, K> Strict<'r, K> {
    pub(super) const fn new(limits: Limits<'r>, keep: K) -> Self {
        Self { limits, keep }
    }
}

impl<'r> Strict<'r, Values> {
    fn inside<E: Error>(limits: Limits<'r>) -> Result<Self, E> {
        Ok(Self::new(limits.deeper()?, Values))
    }
}

impl<'de, K: Keep> DeserializeSeed<'de> for Strict<'_, K> {
    type Value = K::Kept;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<K::Kept, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de, K: Keep> Visitor<'de> for Strict<'_, K> {
    type Value = K::Kept;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<K::Kept, E> {
        Ok(self.keep.value(Value::Null))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<K::Kept, E> {
        Ok(self.keep.value(value.into()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<K::Kept, E> {
        Ok(self.keep.value(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<K::Kept, E> {
        Ok(self.keep.value(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<K::Kept, E> {
        Ok(self.keep.value(value.into()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<K::Kept, E> {
        Ok(self.keep.text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<K::Kept, A::Error> {
        let (inner, mut list) = (Strict::inside(self.limits)?, Vec::new());
        while let Some(item) = items.next_element_seed(inner)? {
            self.limits.has_room(list.len())?;
            list.push(item);
        }
        Ok(self.keep.value(Value::Array(list)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<K::Kept, A::Error> {
        let (inner, mut object) = (Strict::inside(self.limits)?, Map::new());
        while let Some(name) = members.next_key::<String>()? {
            if name == NUMBER {
                let text: String = members.next_value()?;
                let number = serde_json::from_str(&text).map_err(Error::custom)?;
                return Ok(self.keep.value(Value::Number(number)));
            }
            self.limits.has_room(object.len())?;
            let value = members.next_value_seed(inner)?;
            if object.insert(name, value).is_some() {
                return Err(self.limits.refuse(Refusal::DuplicateMember));
            }
        }
        Ok(self.keep.value(Value::Object(object)))
    }
}
