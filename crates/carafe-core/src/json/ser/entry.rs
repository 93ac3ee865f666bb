//! The members of open maps, and the order of keys in Python.
//!
//! Python sorts the keys before it converts them to text: 2 comes before 10, and a dict that
//! contains both numbers and text cannot be sorted.

use std::cmp::Ordering;

use super::EncodeError;
use crate::json::string;

/// A member of an open map.
pub(super) struct Entry {
    start: usize,
    pub(super) key_end: usize,
    /// The end of the value.
    pub(super) end: usize,
    kind: Kind,
}

/// The type of a key before its conversion to text. Python's booleans are the numbers 0 and 1.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    None,
    Integer(i128),
    /// An integer greater than `i128::MAX`.
    Big(u128),
    Float(f64),
}

impl Entry {
    /// Returns a member without its value.
    pub(super) const fn new(start: usize, key_end: usize, kind: Kind) -> Self {
        Self {
            start,
            key_end,
            end: key_end,
            kind,
        }
    }

    pub(super) fn is_text(&self) -> bool {
        matches!(self.kind, Kind::Text)
    }

    /// Returns the raw key.
    pub(super) fn text<'o>(&self, out: &'o str) -> &'o str {
        out.get(self.start..self.key_end).unwrap_or_default()
    }
}

/// Sorts the members of a map, which are at the end of the output, in Python's order.
pub(super) fn sort(
    entries: &mut [Entry],
    out: &mut String,
    comma: &str,
) -> Result<(), EncodeError> {
    if entries
        .windows(2)
        .any(|pair| !comparable(pair[0].kind, pair[1].kind))
    {
        return Err(EncodeError::MixedKeys);
    }
    let Some(start) = entries.first().map(|entry| entry.start) else {
        return Ok(());
    };
    if !entries.is_sorted_by(|a, b| compare(a, b, out).is_le()) {
        entries.sort_by(|a, b| compare(a, b, out));
        let members: Vec<&str> = entries
            .iter()
            .filter_map(|entry| out.get(entry.start..entry.end))
            .collect();
        let ordered = members.join(comma);
        out.truncate(start);
        out.push_str(&ordered);
    }
    Ok(())
}

fn comparable(a: Kind, b: Kind) -> bool {
    match (a, b) {
        (Kind::Text, Kind::Text) => true,
        (Kind::Text | Kind::None, _) | (_, Kind::Text | Kind::None) => false,
        _ => true,
    }
}

fn compare(a: &Entry, b: &Entry, out: &str) -> Ordering {
    match (a.kind, b.kind) {
        (Kind::Integer(a), Kind::Integer(b)) => a.cmp(&b),
        (Kind::Big(a), Kind::Big(b)) => a.cmp(&b),
        (Kind::Text, _) | (Kind::None, _) => string::compare(a.text(out), b.text(out)),
        (a, b) => approximate(a).total_cmp(&approximate(b)),
    }
}

/// Compares keys of mixed number types in one map.
///
/// The order is Python's, except for adjacent numbers beyond 2⁵³.
#[expect(clippy::cast_precision_loss, reason = "only the order matters")]
fn approximate(kind: Kind) -> f64 {
    match kind {
        Kind::Integer(value) => value as f64,
        Kind::Big(value) => value as f64,
        // Python treats both zeros as equal.
        Kind::Float(value) => value + 0.0,
        Kind::Text | Kind::None => 0.0,
    }
}
