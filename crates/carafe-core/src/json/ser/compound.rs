//! Arrays and objects while they are being written.

use serde::ser::{self, Serialize};

use super::{EncodeError, entry, key, serializer::Serializer};
use crate::json::tags::Tag;

/// An open array.
pub(in crate::json) struct Sequence<'a, 'o> {
    serializer: &'a mut Serializer<'o>,
    first: bool,
    /// The closing bracket, and the braces of a variant around it.
    close: &'static str,
}

impl<'a, 'o> Sequence<'a, 'o> {
    pub(super) fn open(
        serializer: &'a mut Serializer<'o>,
        close: &'static str,
    ) -> Result<Self, EncodeError> {
        serializer.enter(1)?;
        serializer.out.push('[');
        Ok(Self {
            serializer,
            first: true,
            close,
        })
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        if !std::mem::take(&mut self.first) {
            self.serializer.style.push_comma(self.serializer.out);
        }
        value.serialize(&mut *self.serializer)
    }

    fn finish(self) {
        self.serializer.out.push_str(self.close);
        self.serializer.depth -= if self.close == "]" { 1 } else { 2 };
    }
}

macro_rules! sequence {
    ($($trait:ident $method:ident,)*) => {
        $(impl ser::$trait for Sequence<'_, '_> {
            type Ok = ();
            type Error = EncodeError;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
                self.item(value)
            }

            fn end(self) -> Result<(), EncodeError> {
                self.finish();
                Ok(())
            }
        })*
    };
}

sequence! {
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field,
}

/// An open object.
pub(in crate::json) struct Map<'a, 'o> {
    serializer: &'a mut Serializer<'o>,
    /// Position of the object's brace in the output.
    start: usize,
    /// Index of the first member in the serializer's list.
    base: usize,
    /// The braces of a variant around the object.
    close: &'static str,
}

impl<'a, 'o> Map<'a, 'o> {
    pub(super) fn open(
        serializer: &'a mut Serializer<'o>,
        close: &'static str,
    ) -> Result<Self, EncodeError> {
        serializer.enter(1)?;
        let (start, base) = (serializer.out.len(), serializer.entries.len());
        serializer.out.push('{');
        Ok(Self {
            serializer,
            start,
            base,
            close,
        })
    }

    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), EncodeError> {
        if self.serializer.entries.len() > self.base {
            self.serializer.style.push_comma(self.serializer.out);
        }
        let entry = key::write(key, self.serializer)?;
        self.serializer.style.push_colon(self.serializer.out);
        self.serializer.entries.push(entry);
        Ok(())
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        value.serialize(&mut *self.serializer)?;
        let end = self.serializer.out.len();
        if let Some(entry) = self.serializer.entries.last_mut() {
            entry.end = end;
        }
        Ok(())
    }

    fn finish(self) -> Result<(), EncodeError> {
        let Serializer {
            out,
            style,
            entries,
            ..
        } = self.serializer;
        let members = entries.get_mut(self.base..).unwrap_or_default();
        if style.sort_keys {
            entry::sort(members, out, style.comma())?;
        }
        out.push('}');
        if let [only] = members
            && style.tags
            && only.is_text()
            && Tag::of_key(only.text(out)).is_some()
        {
            escape(out, self.start, only.key_end, style.colon());
            self.serializer.deepened = true;
        }
        self.serializer.entries.truncate(self.base);
        self.serializer.out.push_str(self.close);
        self.serializer.depth -= if self.close.is_empty() { 1 } else { 2 };
        Ok(())
    }
}

/// Rewrites `{" t":1}` at `start` to `{" di":{" t__":1}}`, because an ordinary dict would look like
/// a tag.
#[cold]
fn escape(out: &mut String, start: usize, key_end: usize, colon: &str) {
    out.insert_str(key_end - 1, "__");
    out.insert_str(start, &format!("{{\" di\"{colon}"));
    out.push('}');
}

impl ser::SerializeMap for Map<'_, '_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), EncodeError> {
        self.key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.value(value)
    }

    fn end(self) -> Result<(), EncodeError> {
        self.finish()
    }
}

macro_rules! fields {
    ($($trait:ident)*) => {
        $(impl ser::$trait for Map<'_, '_> {
            type Ok = ();
            type Error = EncodeError;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), EncodeError> {
                self.key(name)?;
                self.value(value)
            }

            fn end(self) -> Result<(), EncodeError> {
                self.finish()
            }
        })*
    };
}

fields! { SerializeStruct SerializeStructVariant }
