//! The `Cookie` header as pairs of bytes, without a copy.
//!
//! Works on bytes: no Unicode white space is trimmed and no name is percent-decoded, so that nothing can
//! pose as `__Host-…` (CVE-2020-8184; "Cookie Chaos": U+2000 before the name). Nameless cookies are
//! dropped, not read again (CVE-2023-23934). Work is linear and bounded: at most [`MAX_HEADER_BYTES`]
//! and [`MAX_PAIRS`] are looked at (CVE-2025-58186). Each header line is read for itself; a
//! quotation never spans two.
//!
//! Never decides which cookie to believe. Next: `candidates.rs` (one name), `request.rs` (all).

use std::{borrow::Cow, fmt};

mod lenient;
mod strict;

use super::{Grammar, value::unescape};

/// The most header bytes that are looked at, over all `Cookie` lines of a request: 64 KiB. What stands
/// behind is as if it had not been sent; a pair that the limit cuts through is dropped.
pub const MAX_HEADER_BYTES: usize = 64 * 1024;
/// The most pairs that are looked at, over all `Cookie` lines of a request.
pub const MAX_PAIRS: usize = 200;

/// One cookie as it was sent. `Debug` shows its name only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pair<'h> {
    name: &'h [u8],
    raw_value: &'h [u8],
    quoted: bool,
}

/// The pairs of one `Cookie` header line; made by [`pairs`].
#[derive(Clone)]
pub struct Pairs<'h> {
    line: &'h [u8],
    at: usize,
    left: usize,
    grammar: Grammar,
}

/// The cookies of one `Cookie` header line, in order.
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

/// Shows the pairs of all lines, in order and within one budget.
// A loop rather than an iterator over iterators: every request with a session comes this way.
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

/// The line, or of a longer one the part up to the last `;` within the limit: half a value must not count as a value.
fn whole_pairs(line: &[u8], limit: usize) -> &[u8] {
    if line.len() <= limit {
        return line;
    }
    let seen = &line[..limit];
    let end = seen.iter().rposition(|&byte| byte == b';').unwrap_or(0);
    &seen[..end]
}

impl<'h> Pair<'h> {
    /// The name's bytes, as sent. Never empty.
    #[must_use]
    pub const fn name(&self) -> &'h [u8] {
        self.name
    }

    /// The value's bytes, as sent, with quotation marks and escapes.
    #[must_use]
    pub const fn raw_value(&self) -> &'h [u8] {
        self.raw_value
    }

    /// Whether the value stands in quotation marks.
    #[must_use]
    pub const fn is_quoted(&self) -> bool {
        self.quoted
    }

    /// The value's bytes; a quoted one without its marks and with its escapes resolved.
    #[must_use]
    pub fn value(&self) -> Cow<'h, [u8]> {
        match self.raw_value {
            [b'"', inside @ .., b'"'] if self.quoted => unescape(inside),
            plain => Cow::Borrowed(plain),
        }
    }
}

impl fmt::Debug for Pair<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pair")
            .field("name", &String::from_utf8_lossy(self.name))
            .finish_non_exhaustive()
    }
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
