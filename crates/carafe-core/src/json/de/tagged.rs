//! Tagged values, read as plain Rust types.

use serde::de::{self, DeserializeSeed, MapAccess, Visitor, value::SeqDeserializer};

use super::{DecodeError, Reader, compound::unescaped, key::KeyReader, visit_text};
use crate::json::{
    ScanError, Value, string, tag,
    tags::{Kind, Tag, base64_text, kind_of},
};

/// A tagged object and its content.
pub(super) struct Tagged<'de> {
    pub(super) tag: Tag,
    /// A reader at the content.
    pub(super) reader: Reader<'de>,
    content: &'de str,
    whole: &'de str,
}

impl<'de> Reader<'de> {
    /// Consumes the object at the position if it is a tag.
    #[inline]
    pub(super) fn tagged(&mut self) -> Result<Option<Tagged<'de>>, DecodeError> {
        if self.tags && self.scanner.peek() == b'{' {
            self.find_tag()
        } else {
            Ok(None)
        }
    }

    fn find_tag(&mut self) -> Result<Option<Tagged<'de>>, DecodeError> {
        let mut ahead = self.scanner.clone().at_depth(self.depth + 1);
        let start = ahead.position();
        ahead.expect(b'{')?;
        ahead.blanks();
        if ahead.peek() == b'}' {
            return Ok(None);
        }
        let key = ahead.raw_key()?;
        let Some(tag) = Tag::of_key(key) else {
            return Ok(None);
        };
        let content = loop {
            let from = ahead.position();
            ahead.value()?;
            let content = ahead.text_from(from);
            ahead.blanks();
            if ahead.take(b'}') {
                break content;
            }
            // A duplicate of the key replaces the value. Any other key makes this an ordinary
            // object.
            ahead.expect(b',')?;
            ahead.blanks();
            if string::compare(ahead.raw_key()?, key).is_ne() {
                return Ok(None);
            }
        };
        let reader = Self::new(content, self.tags, self.depth + 1)?;
        let whole = ahead.text_from(start);
        self.scanner = ahead;
        Ok(Some(Tagged {
            tag,
            reader,
            content,
            whole,
        }))
    }

    /// Returns whether there is a datetime tag at the position that Flask reads as None.
    pub(super) fn is_lost_date(&mut self) -> Result<bool, DecodeError> {
        let here = self.scanner.clone();
        let tagged = self.tagged()?;
        self.scanner = here;
        Ok(tagged.is_some_and(|tagged| {
            tagged.tag == Tag::DateTime && matches!(kind_of(tagged.whole), Ok(Kind::Null))
        }))
    }
}

impl<'de> Tagged<'de> {
    /// Reads the closest JSON type.
    pub(super) fn any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, DecodeError> {
        match (self.tag, self.content.as_bytes().first()) {
            (Tag::Tuple, Some(b'[')) => self.reader.array(visitor),
            (Tag::Dict, Some(b'{')) => self.escaped(visitor),
            (Tag::Markup, Some(b'"')) => self.reader.string(visitor),
            (Tag::Bytes | Tag::Uuid | Tag::DateTime, Some(b'"')) => self.text(visitor),
            _ => self.odd(visitor),
        }
    }

    pub(super) fn bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.tag == Tag::Bytes && self.content.starts_with('"') {
            return visitor.visit_byte_buf(self.decoded()?);
        }
        if self.tag == Tag::Bytes {
            return de::Deserializer::deserialize_byte_buf(self.value()?, visitor);
        }
        self.any(visitor)
    }

    pub(super) fn sequence<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.tag == Tag::Bytes && self.content.starts_with('"') {
            let bytes = self.decoded()?;
            return visitor.visit_seq(SeqDeserializer::<_, DecodeError>::new(bytes.into_iter()));
        }
        if self.tag == Tag::Bytes {
            return de::Deserializer::deserialize_seq(self.value()?, visitor);
        }
        self.any(visitor)
    }

    fn decoded(&self) -> Result<Vec<u8>, DecodeError> {
        base64_text(self.content).ok_or(DecodeError::Scan(ScanError::BadTag))
    }

    /// Reads the text of a tag that does not accept every text.
    fn text<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let text = string::decode(self.content)?;
        let good = match self.tag {
            Tag::Bytes => base64_text(self.content).is_some(),
            Tag::Uuid => text.parse::<tag::Uuid>().is_ok(),
            _ if text.parse::<tag::DateTime>().is_err() => return visitor.visit_unit(),
            _ => true,
        };
        if good {
            visit_text(text, visitor)
        } else {
            Err(ScanError::BadTag.into())
        }
    }

    /// Reads an escaped dict: a dict with a key that looks like a tag.
    fn escaped<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, DecodeError> {
        let odd = self.reader.scanner.clone();
        if self.reader.tagged()?.is_some() {
            return self.odd(visitor);
        }
        self.reader.scanner = odd;
        let members = first_member(self.content)?;
        visitor.visit_map(Escaped {
            member: Some(members),
            value: None,
            outer: &self.reader,
        })
    }

    fn value(&self) -> Result<Value, DecodeError> {
        Ok(Value::parse(self.whole, true)?)
    }

    /// Reads a tag through the dynamic [`Value`].
    ///
    /// Flask accepts more values in tags than it writes, and [`Value`] covers them all.
    #[cold]
    fn odd<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        de::Deserializer::deserialize_any(self.value()?, visitor)
    }
}

/// Returns the first key of an object and its last value.
fn first_member(object: &str) -> Result<(&str, &str), DecodeError> {
    let members = crate::json::payload::members_of(object);
    let first = members.as_ref().and_then(|members| members.first());
    let first = first.ok_or(DecodeError::Scan(ScanError::BadTag))?;
    Ok((first.key.of(object), first.value.of(object)))
}

struct Escaped<'r, 'de> {
    member: Option<(&'de str, &'de str)>,
    value: Option<&'de str>,
    outer: &'r Reader<'de>,
}

impl<'de> MapAccess<'de> for Escaped<'_, 'de> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, DecodeError> {
        let Some((key, value)) = self.member.take() else {
            return Ok(None);
        };
        self.value = Some(value);
        seed.deserialize(KeyReader(unescaped(key)?)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, DecodeError> {
        let value = self.value.take().unwrap_or("null");
        seed.deserialize(&mut Reader::new(
            value,
            self.outer.tags,
            self.outer.depth + 1,
        )?)
    }
}
