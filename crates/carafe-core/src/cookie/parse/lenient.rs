//! The grammar of Werkzeug 2.3–3.1.8.
//!
//! A name extends to `=` or `;`. A value is quoted or extends to `;`.
//!
//! Unlike those versions, this parser strips no Unicode whitespace: "Cookie Chaos" put U+2000
//! before `__Host-x`.

use super::pair::Pair;
use crate::cookie::scan::{find, quotation_end, semicolon, trim_blanks};

/// Returns the pair at `start`, if it has a name, and the start of the next segment.
///
/// Only spaces and tabs are stripped from a name and only ASCII whitespace from a value, where
/// those Werkzeug versions strip all Unicode whitespace.
pub(super) fn next(line: &[u8], start: usize) -> (Option<Pair<'_>>, usize) {
    let end = semicolon(line, start);
    let mut name_start = start;
    // Werkzeug's `.*?` stops at a line feed. The regular expression then continues to search, and
    // the name begins after this `=`. No HTTP library accepts a line feed in a header, but the
    // result is the same, so that it is defined for every input.
    let line_feed = last_line_feed(line[start..end].trim_ascii_end()).map(|at| start + at);
    loop {
        let name_end = find(line, name_start, |byte| (byte == b'=') | (byte == b';'));
        let name = &line[name_start..name_end];
        if name_end >= end {
            return (pair(name, b""), end + 1);
        }
        let value_start = name_end + 1 + leading_space(&line[name_end + 1..]);
        if let Some((quoted_end, next)) = quotation(line, value_start) {
            return (pair(name, &line[value_start..quoted_end]), next);
        }
        if line_feed.is_none_or(|at| at < value_start) {
            return (pair(name, &line[value_start..end]), end + 1);
        }
        name_start = name_end + 1;
    }
}

fn pair<'h>(name: &'h [u8], value: &'h [u8]) -> Option<Pair<'h>> {
    let (name, raw_value) = (trim_blanks(name), value.trim_ascii());
    let quoted = matches!(raw_value, [b'"', .., b'"']);
    (!name.is_empty()).then_some(Pair {
        name,
        raw_value,
        quoted,
    })
}

/// Returns the end of a quoted value and the start of the next segment.
///
/// Only whitespace may separate the quoted value from the next `;`.
fn quotation(line: &[u8], start: usize) -> Option<(usize, usize)> {
    let quoted_end = (line.get(start) == Some(&b'"'))
        .then(|| quotation_end(line, start))
        .flatten()?;
    let end = quoted_end + leading_space(&line[quoted_end..]);
    line.get(end)
        .is_none_or(|&byte| byte == b';')
        .then_some((quoted_end, end + 1))
}

fn last_line_feed(text: &[u8]) -> Option<usize> {
    let is_line_feed = |byte| byte == b'\n';
    // The fast search first, because real headers contain no line feed.
    (find(text, 0, is_line_feed) < text.len())
        .then(|| text.iter().rposition(|&byte| is_line_feed(byte)))
        .flatten()
}

/// Returns the number of leading bytes that match Python's ASCII `\s`.
///
/// Unlike Rust's ASCII whitespace, `\s` includes the vertical tab.
fn leading_space(text: &[u8]) -> usize {
    find(text, 0, |byte| !matches!(byte, b'\t'..=b'\r' | b' '))
}
