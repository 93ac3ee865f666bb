//! Where the members of a payload lie in its text.

use std::{borrow::Cow, ops::Deref};

use super::string;

/// Room for a usual payload, which has two to six members.
const USUAL: usize = 8;

/// A payload that was found good: its text and its members, in the order they came.
///
/// The spans point into `text`, which is the scanned text itself unless the root was one of Flask's
/// oddities. It is a buffer, not a payload: [`write_object`](super::write_object) makes payloads.
#[derive(Clone, Debug)]
pub struct Root<'t> {
    /// What the spans point into.
    pub text: Cow<'t, str>,
    /// One per key; of members with the same key, the last value at the first position.
    pub members: Members,
}

impl<'t> Root<'t> {
    pub(super) fn borrowed(text: &'t str, members: Members) -> Self {
        Self {
            text: Cow::Borrowed(text),
            members,
        }
    }

    pub(super) fn empty() -> Self {
        Self::borrowed("{}", Members::default())
    }

    /// A root whose members stand elsewhere in the payload, copied to a text of their own.
    pub(super) fn rebuilt<'m>(pairs: impl Iterator<Item = (&'m str, &'m str)>) -> Self {
        let pairs: Vec<_> = pairs.collect();
        let text: String = pairs
            .iter()
            .flat_map(|&(key, value)| [key, value])
            .collect();
        let mut members = adjacent(pairs.iter().map(|(key, value)| (key.len(), value.len())));
        members.drop_duplicates(&text);
        Self {
            text: Cow::Owned(text),
            members,
        }
    }

    /// Key texts (with their quotes) and value texts.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.members
            .iter()
            .map(|member| (member.key.of(&self.text), member.value.of(&self.text)))
    }
}

/// Where members stand in a text that begins with them: keys and values of these lengths, one behind the other. For
/// less than 4 GiB in all.
fn adjacent(lengths: impl Iterator<Item = (usize, usize)>) -> Members {
    let (mut members, mut start) = (Members::default(), 0);
    for (key, value) in lengths {
        let end = start + key;
        members.push(Member {
            key: Span::new(start, end),
            value: Span::new(end, end + value),
        });
        start = end + value;
    }
    members
}

/// A piece of a text, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// After the last byte.
    pub end: u32,
}

impl Span {
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the scanner refuses texts beyond u32"
    )]
    pub(super) const fn new(start: usize, end: usize) -> Self {
        Self {
            start: start as u32,
            end: end as u32,
        }
    }

    /// The piece itself; empty if `text` is not the text that was scanned.
    ///
    /// ```
    /// use carafe_core::json::Span;
    /// assert_eq!(Span { start: 1, end: 3 }.of("flask"), "la");
    /// ```
    #[inline]
    #[must_use]
    pub fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }
}

/// One member of the root.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// The key, quotes included.
    pub key: Span,
    /// The value, without the blanks around it.
    pub value: Span,
}

/// A list of members; reads as a slice.
///
/// On the heap, although most sessions would fit into an array in here: a session is moved several times
/// between its scan and its slot, and moving what was just written stalls for longer than an allocation takes.
#[derive(Clone, Debug, Default)]
pub struct Members(Vec<Member>);

impl Members {
    #[inline(always)]
    pub(super) fn push(&mut self, member: Member) {
        if self.0.capacity() == 0 {
            self.0.reserve_exact(USUAL);
        }
        self.0.push(member);
    }

    /// Are all keys distinct? For few members cheaper than sorting.
    fn few_distinct(&self, text: &str) -> bool {
        let same = |a: &Member, b: &Member| string::compare(a.key.of(text), b.key.of(text)).is_eq();
        let twice = |n: usize, member| self.iter().take(n).any(|earlier| same(earlier, member));
        !self.iter().enumerate().any(|(n, member)| twice(n, member))
    }

    /// Keeps one member per key as Python's `dict` does: the first position, the last value.
    #[cold]
    pub(super) fn drop_duplicates(&mut self, text: &str) {
        let key = |member: &Member| member.key.of(text);
        if self.len() <= 2 * USUAL && self.few_distinct(text) {
            return;
        }
        let mut order: Vec<usize> = (0..self.len()).collect();
        // Sorting is stable: within one key, positions ascend.
        order.sort_by(|&a, &b| string::compare(key(&self[a]), key(&self[b])));
        let runs = order.chunk_by(|&a, &b| string::compare(key(&self[a]), key(&self[b])).is_eq());
        let mut kept: Vec<(usize, Member)> = runs
            .filter_map(|run| Some((*run.first()?, *run.last()?)))
            .map(|(first, last)| {
                (
                    first,
                    Member {
                        key: self[first].key,
                        value: self[last].value,
                    },
                )
            })
            .collect();
        if kept.len() == self.len() {
            return;
        }
        kept.sort_unstable_by_key(|&(position, _)| position);
        self.0 = kept.into_iter().map(|(_, member)| member).collect();
    }
}

impl Deref for Members {
    type Target = [Member];

    #[inline]
    fn deref(&self) -> &[Member] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::scan_root;

    fn members(text: &str) -> Vec<(String, String)> {
        let root = scan_root(text, true).expect(text);
        root.iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    }

    #[test]
    fn the_last_value_wins_at_the_first_position() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            members(r#"{"a":1,"b":2,"a":3,"\u0062":4}"#),
            [pair("\"a\"", "3"), pair("\"b\"", "4")]
        );
    }

    #[test]
    fn more_members_than_usual() {
        let text: Vec<_> = (0..30).rev().map(|n| format!("\"k{n}\":{n}")).collect();
        let found = members(&format!("{{{}}}", text.join(",")));
        assert_eq!(found.len(), 30);
        assert_eq!(found[0], ("\"k29\"".to_owned(), "29".to_owned()));
        let twice = format!("{{{},{}}}", text.join(","), text.join(","));
        assert_eq!(members(&twice), found);
    }

    #[test]
    fn a_foreign_text_gives_nothing() {
        assert_eq!(Span { start: 5, end: 9 }.of("abc"), "");
        assert_eq!(Span { start: 1, end: 2 }.of("é"), "");
    }
}
