//! Werkzeug 2.3–3.1.8's reading: a name is what stands before `=` or `;`, a value a quotation or what stands before `;`.
//!
//! Never strips what those versions strip of Unicode: "Cookie Chaos" put U+2000 before `__Host-x`.

use super::Pair;
use crate::cookie::scan::{find, quotation_end, semicolon, trim_blanks};

/// The pair that begins at `start`, if it has a name, and where the next segment begins.
///
/// Only blanks and tabs are taken off a name and only ASCII white space off a value, where those versions strip all of Unicode's.
pub(super) fn next(line: &[u8], start: usize) -> (Option<Pair<'_>>, usize) {
    let end = semicolon(line, start);
    let mut name_start = start;
    // Their `.*?` stops at a line feed. Then they search on, and the name begins behind this `=`. No HTTP library
    // lets a line feed through; it is read as they do only to leave no input undefined.
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

/// The end of a quotation that stands alone before the next `;`, and where the next segment begins.
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
    // The fast search first: there is none in real headers.
    (find(text, 0, is_line_feed) < text.len())
        .then(|| text.iter().rposition(|&byte| is_line_feed(byte)))
        .flatten()
}

/// How many bytes of Python's ASCII `\s` the text begins with: also the vertical tab, which Rust leaves out.
fn leading_space(text: &[u8]) -> usize {
    find(text, 0, |byte| !matches!(byte, b'\t'..=b'\r' | b' '))
}
