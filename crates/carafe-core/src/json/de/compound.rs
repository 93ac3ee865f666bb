//! Arrays, objects and enums.

use std::borrow::Cow;

use serde::de::{
    self, DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
    value::CowStrDeserializer,
};

use super::{DecodeError, Reader, key::KeyReader};
use crate::json::{string, tags::Tag};

impl<'de> Reader<'de> {
    pub(super) fn array<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, DecodeError> {
        self.open(b'[')?;
        let value = visitor.visit_seq(Items {
            reader: self,
            first: true,
        })?;
        self.close(b']')?;
        Ok(value)
    }

    pub(super) fn map<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, DecodeError> {
        self.open(b'{')?;
        let value = visitor.visit_map(Members {
            reader: self,
            first: true,
        })?;
        self.close(b'}')?;
        Ok(value)
    }

    fn open(&mut self, bracket: u8) -> Result<(), DecodeError> {
        self.enter()?;
        self.scanner.expect(bracket)?;
        self.scanner.blanks();
        Ok(())
    }

    fn close(&mut self, bracket: u8) -> Result<(), DecodeError> {
        self.scanner.blanks();
        if self.scanner.peek() == b',' {
            return Err(de::Error::custom("more items than expected"));
        }
        self.scanner.expect(bracket)?;
        self.depth -= 1;
        Ok(())
    }

    /// Advances to the next item of the innermost array or object. Returns `false` at its end.
    fn next_item(&mut self, first: &mut bool, bracket: u8) -> Result<bool, DecodeError> {
        self.scanner.blanks();
        if self.scanner.peek() == bracket {
            return Ok(false);
        }
        if !std::mem::take(first) {
            self.scanner.expect(b',')?;
            self.scanner.blanks();
        }
        Ok(true)
    }

    /// Reads an enum: a string, or an object with the variant as its only key.
    pub(super) fn choice<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.scanner.peek() != b'{' {
            return visitor.visit_enum(CowStrDeserializer::new(self.variant_text()?));
        }
        if let Some(mut tagged) = self.tagged()? {
            return match tagged.tag {
                Tag::Dict => tagged.reader.variant(true, visitor),
                _ => visitor.visit_enum(CowStrDeserializer::new(tagged.reader.variant_text()?)),
            };
        }
        self.variant(false, visitor)
    }

    fn variant_text(&mut self) -> Result<Cow<'de, str>, DecodeError> {
        if self.scanner.peek() == b'"' {
            return self.text();
        }
        Err(de::Error::custom(
            "expected an enum: a string or an object with one key",
        ))
    }

    fn variant<V: Visitor<'de>>(
        &mut self,
        escaped: bool,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.open(b'{')?;
        let raw = self.scanner.raw_key()?;
        let name = if escaped {
            unescaped(raw)?
        } else {
            string::decode(raw)?
        };
        let value = visitor.visit_enum(Variant { reader: self, name })?;
        self.close(b'}')?;
        Ok(value)
    }
}

/// Decodes a key inside a ` di` tag without its last two characters, as Flask does.
pub(super) fn unescaped<'de>(raw: &'de str) -> Result<Cow<'de, str>, DecodeError> {
    match raw
        .strip_suffix("__\"")
        .and_then(|key| key.strip_prefix('"'))
    {
        Some(key) if !key.contains('\\') => Ok(Cow::Borrowed(key)),
        _ => Ok(Cow::Owned(
            string::decode(&string::without_last_two(raw))?.into_owned(),
        )),
    }
}

struct Items<'r, 'de> {
    reader: &'r mut Reader<'de>,
    first: bool,
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        if !self.reader.next_item(&mut self.first, b']')? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

struct Members<'r, 'de> {
    reader: &'r mut Reader<'de>,
    first: bool,
}

impl<'de> MapAccess<'de> for Members<'_, 'de> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, DecodeError> {
        if !self.reader.next_item(&mut self.first, b'}')? {
            return Ok(None);
        }
        let key = string::decode(self.reader.scanner.raw_key()?)?;
        seed.deserialize(KeyReader(key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, DecodeError> {
        seed.deserialize(&mut *self.reader)
    }
}

struct Variant<'r, 'de> {
    reader: &'r mut Reader<'de>,
    name: Cow<'de, str>,
}

impl<'r, 'de> EnumAccess<'de> for Variant<'r, 'de> {
    type Error = DecodeError;
    type Variant = Content<'r, 'de>;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Self::Variant), DecodeError> {
        let value = seed.deserialize(CowStrDeserializer::<DecodeError>::new(self.name))?;
        Ok((value, Content(self.reader)))
    }
}

/// The content of an enum variant.
struct Content<'r, 'de>(&'r mut Reader<'de>);

impl<'de> VariantAccess<'de> for Content<'_, 'de> {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<(), DecodeError> {
        de::Deserialize::deserialize(self.0)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, DecodeError> {
        seed.deserialize(self.0)
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        de::Deserializer::deserialize_tuple(self.0, length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        de::Deserializer::deserialize_map(self.0, visitor)
    }
}
