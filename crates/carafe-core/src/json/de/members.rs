//! The members of an object, read into one type.

use serde::de::{
    DeserializeSeed, MapAccess,
    value::{CowStrDeserializer, MapAccessDeserializer},
};

use super::{DecodeError, Reader};
use crate::json::string;

/// Reads a value from members with keys (including quotes) and values as JSON text.
///
/// Members with keys that are not Unicode are left out.
///
/// # Errors
///
/// The reason, and the key of the member that does not fit, if one member is to blame.
pub(crate) fn from_members<'de, T: serde::Deserialize<'de>>(
    members: impl Iterator<Item = (&'de str, &'de str)>,
    tags: bool,
) -> Result<T, (Option<String>, DecodeError)> {
    let mut members = Members {
        members,
        tags,
        member: None,
        failed: None,
    };
    let value = T::deserialize(MapAccessDeserializer::new(&mut members));
    value.map_err(|error| (members.failed, error))
}

struct Members<'de, I> {
    members: I,
    tags: bool,
    /// The member of the key that was read last.
    member: Option<(&'de str, &'de str)>,
    /// The key of the member that does not fit.
    failed: Option<String>,
}

impl<'de, I: Iterator<Item = (&'de str, &'de str)>> MapAccess<'de> for Members<'de, I> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, DecodeError> {
        for member in self.members.by_ref() {
            if let Ok(key) = string::decode(member.0) {
                self.member = Some(member);
                return seed.deserialize(CowStrDeserializer::new(key)).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, DecodeError> {
        let (key, text) = self.member.take().unwrap_or_default();
        let value = read(seed, text, self.tags);
        if value.is_err() {
            self.failed = string::decode(key).ok().map(Into::into);
        }
        value
    }
}

/// Reads a member's value, which is one level deep.
fn read<'de, V: DeserializeSeed<'de>>(
    seed: V,
    text: &'de str,
    tags: bool,
) -> Result<V::Value, DecodeError> {
    let mut reader = Reader::new(text, tags, 1)?;
    let value = seed.deserialize(&mut reader)?;
    reader.scanner.end()?;
    Ok(value)
}
