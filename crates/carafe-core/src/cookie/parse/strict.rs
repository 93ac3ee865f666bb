//! The grammar of Werkzeug 3.1.9: `name [= value]`.
//!
//! A value is quoted or contains neither whitespace nor quotation marks.
//!
//! Malformed text is dropped up to the next `;`, never repaired.

use std::ops::Range;

use super::pair::Pair;
use crate::cookie::scan::{find, quotation_end, semicolon, skip_blanks};

/// Returns the pair at `start` and the start of the next segment.
///
/// Malformed text is dropped up to the next `;`, even if that `;` is inside quotation marks.
pub(super) fn next(line: &[u8], start: usize) -> (Option<Pair<'_>>, usize) {
    match pair(line, start) {
        Some((pair, end)) => (Some(pair), end + 1),
        None => (None, semicolon(line, start) + 1),
    }
}

fn pair(line: &[u8], start: usize) -> Option<(Pair<'_>, usize)> {
    let name_start = skip_blanks(line, start);
    let name_end = find(line, name_start, |byte| ends_value(byte) | (byte == b'='));
    if name_start == name_end {
        return None;
    }
    let value = value_range(line, name_end)?;
    let end = skip_blanks(line, value.end);
    let (name, raw_value) = (&line[name_start..name_end], &line[value]);
    let pair = Pair {
        name,
        raw_value,
        quoted: raw_value.first() == Some(&b'"'),
    };
    line.get(end)
        .is_none_or(|&byte| byte == b';')
        .then_some((pair, end))
}

/// Returns the range of the value: empty without `=`, `None` if its quotation mark is not closed.
fn value_range(line: &[u8], name_end: usize) -> Option<Range<usize>> {
    let equals = skip_blanks(line, name_end);
    if line.get(equals) != Some(&b'=') {
        return Some(name_end..name_end);
    }
    let start = skip_blanks(line, equals + 1);
    let end = match line.get(start) {
        Some(b'"') => quotation_end(line, start)?,
        _ => find(line, start, ends_value),
    };
    Some(start..end)
}

/// Returns whether `byte` is a space, tab, quotation mark or semicolon.
fn ends_value(byte: u8) -> bool {
    (byte == b' ') | (byte == b'\t') | (byte == b'"') | (byte == b';')
}
