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

use super::{
    Grammar,
    scan::{find, is_blank, skip_blanks, trim_blanks},
    value::unescape,
};

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

/// The pairs of all lines, in order and within one budget.
pub(super) fn pairs_of_lines<'h>(
    lines: impl IntoIterator<Item = &'h [u8]>,
    grammar: Grammar,
) -> impl Iterator<Item = Pair<'h>> {
    let mut bytes_left = MAX_HEADER_BYTES;
    let pairs_of_line = move |line: &'h [u8]| {
        let seen = whole_pairs(line, bytes_left);
        bytes_left = bytes_left.saturating_sub(line.len());
        pairs(seen, grammar)
    };
    lines.into_iter().flat_map(pairs_of_line).take(MAX_PAIRS)
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
        self.left = self.left.checked_sub(1)?;
        while self.at < self.line.len() {
            let (pair, next) = match self.grammar {
                Grammar::Strict => strict(self.line, self.at),
                Grammar::Lenient => lenient(self.line, self.at),
            };
            self.at = next;
            if pair.is_some() {
                return pair;
            }
        }
        None
    }
}

/// Werkzeug 3.1.9's reading of what begins at `start`, and where the next segment begins. What does not
/// fit is dropped up to the next `;`, even if that one stands within quotation marks.
fn strict(line: &[u8], start: usize) -> (Option<Pair<'_>>, usize) {
    match strict_pair(line, start) {
        Some((pair, end)) => (Some(pair), end + 1),
        None => (None, semicolon(line, start) + 1),
    }
}

fn strict_pair(line: &[u8], start: usize) -> Option<(Pair<'_>, usize)> {
    let name_start = skip_blanks(line, start);
    let name_end = find(line, name_start, |byte| {
        is_blank(byte) || matches!(byte, b'=' | b'"' | b';')
    });
    let (value_start, value_end) = match skip_blanks(line, name_end) {
        equals if line.get(equals) == Some(&b'=') => {
            let value_start = skip_blanks(line, equals + 1);
            (value_start, strict_value_end(line, value_start)?)
        }
        _ => (name_end, name_end),
    };
    let end = skip_blanks(line, value_end);
    let fits = name_start < name_end && line.get(end).is_none_or(|&byte| byte == b';');
    let raw_value = &line[value_start..value_end];
    let pair = Pair {
        name: &line[name_start..name_end],
        raw_value,
        quoted: raw_value.first() == Some(&b'"'),
    };
    fits.then_some((pair, end))
}

fn strict_value_end(line: &[u8], start: usize) -> Option<usize> {
    match line.get(start) {
        Some(b'"') => quotation_end(line, start),
        _ => Some(find(line, start, |byte| {
            is_blank(byte) || matches!(byte, b'"' | b';')
        })),
    }
}

/// The end of the quotation that begins at `start`: behind the first mark without a backslash. A backslash takes
/// any one byte with it but a line feed.
///
/// Work stays linear although a failed pair is read again from its next `;`: the mark that opens a
/// later quotation has no backslash before it, so it would have ended this one.
fn quotation_end(line: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        at = find(line, at, |byte| matches!(byte, b'"' | b'\\'));
        match (line.get(at)?, line.get(at + 1)) {
            (b'"', _) => return Some(at + 1),
            (_, Some(b'\n') | None) => return None,
            _ => at += 2,
        }
    }
}

/// Werkzeug 2.3–3.1.8's reading: a name is what stands before `=` or `;`, a value a quotation or what stands before `;`.
///
/// Only blanks and tabs are taken off a name and only ASCII white space off a value, where those versions strip all of Unicode's.
fn lenient(line: &[u8], start: usize) -> (Option<Pair<'_>>, usize) {
    let end = semicolon(line, start);
    let mut name_start = start;
    // Their `.*?` stops at a line feed. Then they search on, and the name begins behind this `=`. No HTTP library
    // lets a line feed through; it is read as they do only to leave no input undefined.
    let line_feed = last_line_feed(line[start..end].trim_ascii_end()).map(|at| start + at);
    loop {
        let name_end = find(line, name_start, |byte| matches!(byte, b'=' | b';'));
        let name = &line[name_start..name_end];
        if name_end >= end {
            return (lenient_pair(name, b""), end + 1);
        }
        let value_start = name_end + 1 + leading_space(&line[name_end + 1..]);
        if let Some((quoted_end, next)) = lenient_quotation(line, value_start) {
            return (lenient_pair(name, &line[value_start..quoted_end]), next);
        }
        if line_feed.is_none_or(|at| at < value_start) {
            return (lenient_pair(name, &line[value_start..end]), end + 1);
        }
        name_start = name_end + 1;
    }
}

fn lenient_pair<'h>(name: &'h [u8], value: &'h [u8]) -> Option<Pair<'h>> {
    let (name, raw_value) = (trim_blanks(name), value.trim_ascii());
    let quoted = matches!(raw_value, [b'"', .., b'"']);
    (!name.is_empty()).then_some(Pair {
        name,
        raw_value,
        quoted,
    })
}

/// The end of a quotation that stands alone before the next `;`, and where the next segment begins.
fn lenient_quotation(line: &[u8], start: usize) -> Option<(usize, usize)> {
    let quoted_end = (line.get(start) == Some(&b'"'))
        .then(|| quotation_end(line, start))
        .flatten()?;
    let end = quoted_end + leading_space(&line[quoted_end..]);
    line.get(end)
        .is_none_or(|&byte| byte == b';')
        .then_some((quoted_end, end + 1))
}

fn last_line_feed(text: &[u8]) -> Option<usize> {
    #[cfg(test)]
    super::scan::work::count(text.len());
    text.iter().rposition(|&byte| byte == b'\n')
}

/// How many bytes of Python's ASCII `\s` the text begins with: also the vertical tab, which Rust leaves out.
fn leading_space(text: &[u8]) -> usize {
    find(text, 0, |byte| !matches!(byte, b'\t'..=b'\r' | b' '))
}

fn semicolon(line: &[u8], from: usize) -> usize {
    find(line, from, |byte| byte == b';')
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
