//! Fast searches for bytes in header text, with counted work.
//!
//! All code that scans a `Cookie` header uses [`find`], so that the tests can count the scanned
//! bytes and show that work is linear (CVE-2024-7592, CVE-2024-52804).

/// Returns the first position from `from` on for which `is_end` is true, or the length.
///
/// Scans blocks of 16 bytes: a block without an early exit compiles to a few vector instructions,
/// eight times faster than single bytes if `is_end` has no branches (`|`, not `||` or `matches!`).
#[inline]
pub(crate) fn find(text: &[u8], from: usize, is_end: impl Fn(u8) -> bool) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    let blocks = rest.as_chunks::<16>().0;
    let has_end = |block: &[u8; 16]| {
        block
            .iter()
            .fold(0, |hit, &byte| hit | u8::from(is_end(byte)))
            != 0
    };
    let mut at = match blocks.iter().position(has_end) {
        Some(block) => block * 16,
        // The last 16 bytes overlap the last block, which avoids a bytewise scan of the rest.
        None if rest.last_chunk().is_some_and(|last| !has_end(last)) => rest.len(),
        None => blocks.len() * 16,
    };
    while rest.get(at).is_some_and(|&byte| !is_end(byte)) {
        at += 1;
    }
    #[cfg(test)]
    work::count(at + 1);
    from + at
}

/// Returns the first position from `from` on that is neither a space nor a tab.
#[inline]
pub(super) fn skip_blanks(text: &[u8], from: usize) -> usize {
    let mut at = from;
    while text.get(at).copied().is_some_and(is_blank) {
        at += 1;
    }
    #[cfg(test)]
    work::count(at - from + 1);
    at
}

/// Returns whether `byte` is a space or a tab.
///
/// No other whitespace is allowed around a cookie (RFC 6265bis §5.6).
pub(super) const fn is_blank(byte: u8) -> bool {
    (byte == b' ') | (byte == b'\t')
}

/// Removes leading and trailing spaces and tabs.
pub(super) fn trim_blanks(mut text: &[u8]) -> &[u8] {
    while let [byte, rest @ ..] = text
        && is_blank(*byte)
    {
        text = rest;
    }
    while let [rest @ .., byte] = text
        && is_blank(*byte)
    {
        text = rest;
    }
    text
}

/// Returns the end of the quoted text that begins at `start`.
///
/// The end is the position after the first quotation mark without a backslash. A backslash escapes
/// any one byte except a line feed.
///
/// Work stays linear although a failed pair is read again from its next `;`: no backslash precedes
/// the mark that opens a later quoted value, so that mark would have closed this one.
pub(super) fn quotation_end(line: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        at = find(line, at, |byte| (byte == b'"') | (byte == b'\\'));
        match (line.get(at)?, line.get(at + 1)) {
            (b'"', _) => return Some(at + 1),
            (_, Some(b'\n') | None) => return None,
            _ => at += 2,
        }
    }
}

/// Returns the position of the first `;` from `from` on, or the length.
pub(super) fn semicolon(line: &[u8], from: usize) -> usize {
    find(line, from, |byte| byte == b';')
}

#[cfg(test)]
pub(super) mod work {
    //! Counts the bytes scanned on this thread.

    use std::cell::Cell;

    thread_local!(static LOOKED_AT: Cell<usize> = const { Cell::new(0) });

    pub(in crate::cookie) fn count(bytes: usize) {
        LOOKED_AT.set(LOOKED_AT.get() + bytes);
    }

    /// Returns the number of bytes that `task` scanned.
    pub(in crate::cookie) fn of(task: impl FnOnce()) -> usize {
        LOOKED_AT.set(0);
        task();
        LOOKED_AT.get()
    }
}
