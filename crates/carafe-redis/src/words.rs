//! The first line of a value, word by word, and the texts behind it whose lengths it gives.
//!
//! What is missing or cannot be read is `None`; who reads asks [`Words::reads`] at the end what that was. Nearly
//! every request comes through here.

use std::str::FromStr;

use carafe_core::{clock::Timestamp, store::Handle};

use crate::layout::NONE;

pub(crate) struct Words<'v> {
    value: &'v str,
    /// Where the next word begins, or what is behind the line.
    at: usize,
    /// Whether there is no more word.
    is_over: bool,
    reads: &'static str,
}

impl<'v> Words<'v> {
    pub(crate) const fn of(value: &'v str) -> Self {
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

    pub(crate) fn word(&mut self, what: &'static str) -> Option<&'v str> {
        self.reads = what;
        if self.is_over {
            return None;
        }
        let rest = self.value.get(self.at..)?;
        // Byte by byte: words are too short for what searches texts.
        let end = rest.bytes().position(|byte| matches!(byte, b' ' | b'\n'));
        self.is_over = end.is_none_or(|end| rest.as_bytes()[end] == b'\n');
        let end = end.unwrap_or(rest.len());
        self.at = self.value.len().min(self.at + end + 1);
        rest.get(..end)
    }

    pub(crate) fn number<T: FromStr>(&mut self, what: &'static str) -> Option<T> {
        number(self.word(what)?)
    }

    /// A number that need not be given.
    pub(crate) fn maybe<T: FromStr>(&mut self, what: &'static str) -> Option<Option<T>> {
        match self.word(what)? {
            NONE => Some(None),
            word => number(word).map(Some),
        }
    }

    pub(crate) fn moment(&mut self, what: &'static str) -> Option<Timestamp> {
        self.number(what).map(Timestamp::from_unix)
    }

    pub(crate) fn handle(&mut self) -> Option<Handle> {
        Handle::parse(self.word("handle")?)
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
        let end = self.at.checked_add(length)?;
        let text = self.value.get(self.at..end)?;
        self.at = end;
        Some(Some(text.to_owned()))
    }

    /// Where that begins which was not read.
    pub(crate) const fn behind(&self) -> usize {
        self.at
    }
}

/// A number as this version writes it, without a plus.
pub(crate) fn number<T: FromStr>(word: &str) -> Option<T> {
    word.parse().ok().filter(|_| !word.starts_with('+'))
}
