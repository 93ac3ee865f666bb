//! The first line of a value, word by word, and the texts behind it whose lengths it gives.
//!
//! What is missing or cannot be read is `None`; who reads asks [`Words::reads`] at the end what that was. Nearly
//! every request comes through here.

use std::str::FromStr;

use carafe_core::{clock::Timestamp, store::Handle};

use crate::layout::NONE;

pub(crate) struct Words<'v> {
    value: &'v [u8],
    /// Where the next word begins, or what is behind the line.
    at: usize,
    /// Whether there is no more word.
    is_over: bool,
    reads: &'static str,
}

impl<'v> Words<'v> {
    pub(crate) const fn of(value: &'v [u8]) -> Self {
        Self {
            value,
            at: 0,
            is_over: false,
            reads: "first line",
        }
    }

    /// What was read last.
    pub(crate) const fn reads(&self) -> &'static str {
        self.reads
    }

    pub(crate) fn word(&mut self, what: &'static str) -> Option<&'v [u8]> {
        self.reads = what;
        if self.is_over {
            return None;
        }
        let rest = &self.value[self.at..];
        // Byte by byte: words are too short for what searches texts.
        let end = rest.iter().position(|byte| matches!(byte, b' ' | b'\n'));
        self.is_over = end.is_none_or(|end| rest[end] == b'\n');
        let end = end.unwrap_or(rest.len());
        self.at = self.value.len().min(self.at + end + 1);
        Some(&rest[..end])
    }

    pub(crate) fn number<T: FromStr>(&mut self, what: &'static str) -> Option<T> {
        number(self.word(what)?)
    }

    /// A number that need not be given.
    pub(crate) fn maybe<T: FromStr>(&mut self, what: &'static str) -> Option<Option<T>> {
        let word = self.word(what)?;
        match word == NONE.as_bytes() {
            true => Some(None),
            false => number(word).map(Some),
        }
    }

    pub(crate) fn moment(&mut self, what: &'static str) -> Option<Timestamp> {
        self.number(what).map(Timestamp::from_unix)
    }

    pub(crate) fn handle(&mut self) -> Option<Handle> {
        Handle::parse(str::from_utf8(self.word("handle")?).ok()?)
    }

    /// Whether the line is over; after that, [`Words::text`].
    pub(crate) fn end(&mut self) -> Option<()> {
        self.reads = "end of the line";
        self.is_over.then_some(())
    }

    /// The next so many bytes behind the line.
    pub(crate) fn text(
        &mut self,
        what: &'static str,
        length: Option<usize>,
    ) -> Option<Option<String>> {
        self.reads = what;
        let Some(length) = length else {
            return Some(None);
        };
        let (bytes, _) = self.value[self.at..].split_at_checked(length)?;
        self.at += length;
        Some(Some(str::from_utf8(bytes).ok()?.to_owned()))
    }

    /// Where that begins which was not read.
    pub(crate) const fn behind(&self) -> usize {
        self.at
    }
}

/// A number as this version writes it, without a plus.
pub(crate) fn number<T: FromStr>(word: &[u8]) -> Option<T> {
    let text = str::from_utf8(word).ok()?;
    text.parse().ok().filter(|_| word[0] != b'+')
}
