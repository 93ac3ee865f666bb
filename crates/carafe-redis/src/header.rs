//! Parser of the first line of a value, word by word, and of the texts that follow the line.
//!
//! A word that is missing or cannot be parsed gives `None`; [`Header::field`] then names it. Nearly
//! every request uses this parser.

use std::str::FromStr;

use carafe_core::{clock::Timestamp, store::PublicId};

use crate::layout::NONE;

pub(crate) struct Header<'v> {
    value: &'v str,
    /// Offset of the next word, or of the first byte after the line.
    at: usize,
    /// Whether the line is exhausted.
    is_over: bool,
    field: &'static str,
}

impl<'v> Header<'v> {
    pub(crate) const fn of(value: &'v str) -> Self {
        Self {
            value,
            at: 0,
            is_over: false,
            field: "first line",
        }
    }

    /// Returns the name of the field that was read last.
    pub(crate) const fn field(&self) -> &'static str {
        self.field
    }

    pub(crate) fn word(&mut self, what: &'static str) -> Option<&'v str> {
        self.field = what;
        if self.is_over {
            return None;
        }
        let rest = self.value.get(self.at..)?;
        // Byte by byte, because words are too short for a substring search to pay off.
        let end = rest.bytes().position(|byte| matches!(byte, b' ' | b'\n'));
        self.is_over = end.is_none_or(|end| rest.as_bytes()[end] == b'\n');
        let end = end.unwrap_or(rest.len());
        self.at = self.value.len().min(self.at + end + 1);
        rest.get(..end)
    }

    pub(crate) fn number<T: FromStr>(&mut self, what: &'static str) -> Option<T> {
        number(self.word(what)?)
    }

    /// Parses a number that may be absent.
    pub(crate) fn optional<T: FromStr>(&mut self, what: &'static str) -> Option<Option<T>> {
        match self.word(what)? {
            NONE => Some(None),
            word => number(word).map(Some),
        }
    }

    pub(crate) fn timestamp(&mut self, what: &'static str) -> Option<Timestamp> {
        self.number(what).map(Timestamp::from_unix)
    }

    pub(crate) fn public_id(&mut self) -> Option<PublicId> {
        self.word("public id")?.parse().ok()
    }

    /// Returns the word of `SessionMeta::opaque`, if there is one.
    pub(crate) fn opaque(&mut self) -> Option<Option<&'v str>> {
        self.word("renewal")
            .map(|word| Some(word).filter(|word| *word != NONE))
    }

    /// Checks that the line is exhausted. Then [`Header::text`] reads what follows.
    pub(crate) fn end(&mut self) -> Option<()> {
        self.field = "end of the line";
        self.is_over.then_some(())
    }

    /// Returns the next `length` bytes after the line.
    pub(crate) fn text(
        &mut self,
        what: &'static str,
        length: Option<usize>,
    ) -> Option<Option<String>> {
        self.field = what;
        let Some(length) = length else {
            return Some(None);
        };
        let end = self.at.checked_add(length)?;
        let text = self.value.get(self.at..end)?;
        self.at = end;
        Some(Some(text.to_owned()))
    }

    /// Returns the offset of the first byte that was not read.
    pub(crate) const fn offset(&self) -> usize {
        self.at
    }
}

/// Parses a number as this version writes it, without a plus sign.
pub(crate) fn number<T: FromStr>(word: &str) -> Option<T> {
    word.parse().ok().filter(|_| !word.starts_with('+'))
}
