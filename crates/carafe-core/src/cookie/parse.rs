//! The `Cookie` header as pairs of byte slices, without a copy.
//!
//! Parses bytes: no Unicode whitespace is trimmed and no name is percent-decoded, so that no other
//! name can be taken for `__Host-…` (CVE-2020-8184; "Cookie Chaos": U+2000 before the name).
//! Cookies without a name are dropped, not reinterpreted (CVE-2023-23934). Work is linear and
//! bounded: at most [`MAX_HEADER_BYTES`] and [`MAX_PAIRS`] are read (CVE-2025-58186). Each header
//! line is parsed separately, so a quoted value never spans two lines.
//!
//! This module does not choose between cookies of the same name. `candidates.rs` reads the cookies
//! of one name, `request.rs` those of all names.

use std::fmt;

mod lenient;
mod pair;
mod strict;

pub use self::pair::Pair;
use super::Grammar;

/// Maximum number of header bytes that are read, over all `Cookie` lines of a request: 64 KiB.
///
/// Bytes beyond the limit are ignored, and a pair that crosses the limit is dropped.
pub const MAX_HEADER_BYTES: usize = 64 * 1024;
/// Maximum number of pairs that are read, over all `Cookie` lines of a request.
pub const MAX_PAIRS: usize = 200;

/// An iterator over the pairs of one `Cookie` header line; created by [`pairs`].
///
/// A `Cookie` header with more than [`MAX_PAIRS`] pairs yields the first ones:
///
/// ```
/// use carafe_core::cookie::{Grammar, MAX_PAIRS, pairs};
///
/// let header = "a=1; ".repeat(500);
/// assert_eq!(pairs(header.as_bytes(), Grammar::Strict).count(), MAX_PAIRS);
/// ```
#[derive(Clone)]
pub struct Pairs<'h> {
    line: &'h [u8],
    at: usize,
    left: usize,
    grammar: Grammar,
}

/// Returns the cookies of one `Cookie` header line, in order.
///
/// ```
/// use carafe_core::cookie::{Grammar, pairs};
/// let header = br#"a=1; b="x\073y"; =nameless; a=2"#;
/// let names: Vec<_> = pairs(header, Grammar::Strict).map(|pair| pair.name()).collect();
/// assert_eq!(names, [b"a", b"b", b"a"]);
/// assert_eq!(pairs(header, Grammar::Strict).nth(1).unwrap().value(), b"x;y".as_slice());
/// ```
#[must_use]
pub fn pairs(header: &[u8], grammar: Grammar) -> Pairs<'_> {
    Pairs {
        line: whole_pairs(header, MAX_HEADER_BYTES),
        at: 0,
        left: MAX_PAIRS,
        grammar,
    }
}

/// Passes the pairs of all lines to `see`, in order and within one budget.
// A loop instead of nested iterators, because every request with a session runs this code.
#[inline]
pub(super) fn each_pair<'h>(
    lines: impl IntoIterator<Item = &'h [u8]>,
    grammar: Grammar,
    mut see: impl FnMut(Pair<'h>),
) {
    let (mut bytes_left, mut pairs_left) = (MAX_HEADER_BYTES, MAX_PAIRS);
    for line in lines {
        let mut pairs = Pairs {
            left: pairs_left,
            ..pairs(whole_pairs(line, bytes_left), grammar)
        };
        pairs.by_ref().for_each(&mut see);
        bytes_left = bytes_left.saturating_sub(line.len());
        pairs_left = pairs.left;
    }
}

/// Returns the line, truncated at the last `;` within the limit.
///
/// A truncated value must not count as a value.
fn whole_pairs(line: &[u8], limit: usize) -> &[u8] {
    if line.len() <= limit {
        return line;
    }
    let seen = &line[..limit];
    let end = seen.iter().rposition(|&byte| byte == b';').unwrap_or(0);
    &seen[..end]
}

impl fmt::Debug for Pairs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pairs")
            .field("grammar", &self.grammar)
            .finish_non_exhaustive()
    }
}

impl<'h> Iterator for Pairs<'h> {
    type Item = Pair<'h>;

    #[inline]
    fn next(&mut self) -> Option<Pair<'h>> {
        while self.at < self.line.len() && self.left > 0 {
            let (pair, next) = match self.grammar {
                Grammar::Strict => strict::next(self.line, self.at),
                Grammar::Lenient => lenient::next(self.line, self.at),
            };
            self.at = next;
            if pair.is_some() {
                self.left -= 1;
                return pair;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
