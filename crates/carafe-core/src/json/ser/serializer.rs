//! The state of a serialization, and the fragments of tags.

use std::fmt::{Display, Write as _};

use serde::Serialize;

use super::{EncodeError, entry::Entry};
use crate::json::{JsonDialect, MAX_DEPTH, number, string, tags::Tag};

/// A value is inside the root, which may itself need the escape of a tag, so two levels are
/// reserved.
pub(super) const VALUE_DEPTH: usize = MAX_DEPTH - 2;

/// Appends a value to a text.
pub(super) struct Serializer<'o> {
    pub(super) out: &'o mut String,
    pub(super) style: JsonDialect,
    pub(super) depth: usize,
    /// The members of all open maps, innermost last.
    pub(super) entries: Vec<Entry>,
    /// Whether the next string is a [`Piece`](crate::json::tag::Piece), which must write its JSON
    /// text.
    pub(super) verbatim: bool,
    /// Whether levels were added that `depth` does not count.
    pub(super) deepened: bool,
}

impl<'o> Serializer<'o> {
    pub(super) const fn new(style: JsonDialect, out: &'o mut String) -> Self {
        Self {
            out,
            style,
            depth: 0,
            entries: Vec::new(),
            verbatim: false,
            deepened: false,
        }
    }

    pub(super) fn enter(&mut self, levels: usize) -> Result<(), EncodeError> {
        self.depth += levels;
        if self.depth > VALUE_DEPTH {
            Err(EncodeError::TooDeep)
        } else {
            Ok(())
        }
    }

    pub(super) fn float(&mut self, value: f64) {
        number::write_float(value, self.out);
    }

    pub(super) fn display(&mut self, value: impl Display) {
        // Writing to a `String` does not fail.
        let _ = write!(self.out, "{value}");
    }

    pub(super) fn open_tag(&mut self, key: &str) -> Result<(), EncodeError> {
        self.enter(1)?;
        let colon = self.style.colon();
        self.out.extend(["{\"", key, "\"", colon]);
        Ok(())
    }

    pub(super) fn close_tag(&mut self) {
        self.out.push('}');
        self.depth -= 1;
    }

    pub(super) fn tagged<T: Serialize + ?Sized>(
        &mut self,
        key: &str,
        value: &T,
    ) -> Result<(), EncodeError> {
        self.open_tag(key)?;
        value.serialize(&mut *self)?;
        self.close_tag();
        Ok(())
    }

    pub(super) fn tuple<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        let start = self.out.len() + "{\" t\"".len() + self.style.colon().len();
        self.tagged(" t", value)?;
        let sequence = self.out.as_bytes().get(start) == Some(&b'[');
        if sequence {
            Ok(())
        } else {
            Err(EncodeError::NotASequence)
        }
    }

    pub(super) fn piece<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.verbatim = true;
        let written = value.serialize(&mut *self);
        self.verbatim = false;
        written
    }

    pub(super) fn tagged_piece<T: Serialize + ?Sized>(
        &mut self,
        key: &str,
        value: &T,
    ) -> Result<(), EncodeError> {
        self.open_tag(key)?;
        self.piece(value)?;
        self.close_tag();
        Ok(())
    }

    /// Appends a fragment of JSON text, with its strings in the dialect's format.
    pub(super) fn raw(&mut self, text: &str) {
        if text.starts_with('"') {
            return string::rewrite(text, self.style.ascii, self.out);
        }
        self.deepened = true;
        if self.style.ascii {
            string::append_ascii(text, self.out);
        } else {
            self.out.push_str(text);
        }
    }

    /// Appends `{"variant":` and returns the brackets that close it.
    pub(super) fn open_variant(&mut self, variant: &str) -> Result<&'static str, EncodeError> {
        let mut key = String::new();
        string::write(variant, self.style.ascii, &mut key);
        if self.style.tags && Tag::of_key(&key).is_some() {
            self.open_tag(" di")?;
            self.open_tag(&format!("{variant}__"))?;
            self.depth -= 2;
            return Ok("}}");
        }
        self.out.extend(["{", &key, self.style.colon()]);
        Ok("}")
    }
}
