//! Positions of a payload's members in its text.

use std::{borrow::Cow, ops::Deref};

use super::string;

/// Capacity for a typical payload, which has two to six members.
const USUAL: usize = 8;

/// A validated payload: its text and its members, in the order of the text.
///
/// The spans index `text`, which is the scanned text itself unless Flask would convert the root
/// (for example a list of pairs). `text` need not be a payload, because
/// [`write_object`](super::write_object) creates payloads.
#[derive(Clone, Debug)]
pub struct Root<'t> {
    /// The text that the spans index.
    pub text: Cow<'t, str>,
    /// One member per key. Of members with the same key, the last value is at the first position.
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

    /// Creates a root by copying the members into a new text.
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

    /// Iterates over key texts (quotes included) and value texts.
    ///
    /// ```
    /// use carafe_core::json::scan_root;
    /// let root = scan_root(r#"{"n": 7}"#, true)?;
    /// assert_eq!(root.iter().collect::<Vec<_>>(), [(r#""n""#, "7")]);
    /// # Ok::<(), carafe_core::json::ScanError>(())
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.members
            .iter()
            .map(|member| (member.key.of(&self.text), member.value.of(&self.text)))
    }
}

/// Returns the members of a text that consists of keys and values of these lengths without gaps.
///
/// The sum of the lengths must be less than 4 GiB.
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

/// A range of bytes in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
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

    /// Returns the part of `text` that the span covers, or `""` if the span does not fit `text`.
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

/// A member of the root object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// The span of the key, quotes included.
    pub key: Span,
    /// The span of the value, without the whitespace around it.
    pub value: Span,
}

/// A list of members, which dereferences to a slice.
///
/// The list is on the heap although most sessions would fit into an inline array: a session is
/// moved several times between its scan and its slot, and moving freshly written memory stalls for
/// longer than an allocation takes.
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

    /// Returns whether all keys are distinct. Cheaper than sorting for a small number of members.
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
        // The sort is stable, so positions ascend within one key.
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
