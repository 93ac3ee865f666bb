//! JSON strings in Python's format.
//!
//! A *raw* string is the string as the JSON text contains it, including its quotes. Python's
//! strings may contain a lone surrogate, which no Rust string can. Raw text preserves the
//! surrogate, comparisons of raw keys respect it, and only decoding to a Rust string fails.
//!
//! `scan.rs` validates strings. This module assumes valid strings but does not panic on invalid
//! ones.

use std::{borrow::Cow, cmp::Ordering, fmt};

/// The error of a string with a lone surrogate, which Python's strings allow and Rust's do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoneSurrogate;

impl fmt::Display for LoneSurrogate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the string contains a lone surrogate")
    }
}

impl std::error::Error for LoneSurrogate {}

/// Appends `text` as a JSON string.
///
/// If `ascii` is set, everything except printable ASCII is escaped.
///
/// ```
/// use carafe_core::json::string;
/// let mut out = String::new();
/// string::write("é\n\u{7f}🍷", true, &mut out);
/// assert_eq!(out, r#""\u00e9\n\u007f\ud83c\udf77""#);
/// ```
pub fn write(text: &str, ascii: bool, out: &mut String) {
    out.reserve(text.len() + 2);
    out.push('"');
    write_inner(text, ascii, out);
    out.push('"');
}

fn write_inner(text: &str, ascii: bool, out: &mut String) {
    let mut rest = text;
    loop {
        let (plain, from) = rest.split_at(plain_prefix(rest, ascii));
        out.push_str(plain);
        if from.is_empty() {
            return;
        }
        let mut chars = from.chars();
        if let Some(char) = chars.next() {
            write_code_point(u32::from(char), ascii, out);
        }
        rest = chars.as_str();
    }
}

/// Returns the number of leading bytes that need no escape.
///
/// The position is a character boundary, because a byte that needs an escape is ASCII or the first
/// byte of a character.
fn plain_prefix(text: &str, ascii: bool) -> usize {
    let special = |word| specials(word) | if ascii { beyond_ascii(word) } else { 0 };
    find(text.as_bytes(), 0, special, |byte| {
        needs_escape(byte, ascii)
    })
}

/// Returns whether a byte must be escaped.
///
/// A byte from 0x80 on starts a character here, because everything before it was consumed.
const fn needs_escape(byte: u8, ascii: bool) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\' || (ascii && byte > 0x7e)
}

fn write_code_point(code: u32, ascii: bool, out: &mut String) {
    match char::from_u32(code) {
        Some('"') => out.push_str("\\\""),
        Some('\\') => out.push_str("\\\\"),
        Some('\u{8}') => out.push_str("\\b"),
        Some('\u{c}') => out.push_str("\\f"),
        Some('\n') => out.push_str("\\n"),
        Some('\r') => out.push_str("\\r"),
        Some('\t') => out.push_str("\\t"),
        Some(' '..='~') => out.extend(char::from_u32(code)),
        Some(char) if !ascii && char >= ' ' => out.push(char),
        Some(char) => char
            .encode_utf16(&mut [0; 2])
            .iter()
            .for_each(|&unit| write_unit(unit, out)),
        // A lone surrogate is escaped in every dialect.
        None => write_unit(u16::try_from(code).unwrap_or(0xfffd), out),
    }
}

fn write_unit(unit: u16, out: &mut String) {
    out.push_str("\\u");
    for shift in [12, 8, 4, 0] {
        out.extend(char::from_digit(u32::from(unit >> shift & 0xf), 16));
    }
}

/// Returns the text of a raw string, borrowed unless the string contains escapes.
///
/// ```
/// use carafe_core::json::string;
/// assert_eq!(string::decode(r#""caf\u00e9""#).unwrap(), "café");
/// assert!(string::decode(r#""\ud800""#).is_err());
/// ```
///
/// # Errors
///
/// [`LoneSurrogate`] if no Rust string can represent the string.
pub fn decode(raw: &str) -> Result<Cow<'_, str>, LoneSurrogate> {
    let inner = inner(raw);
    if !inner.as_bytes().contains(&b'\\') {
        return Ok(Cow::Borrowed(inner));
    }
    let chars = CodePoints(inner).map(|code| char::from_u32(code).ok_or(LoneSurrogate));
    chars.collect::<Result<String, _>>().map(Cow::Owned)
}

/// Decodes like [`decode`], with U+FFFD for lone surrogates. For display only.
pub(super) fn decode_lossy(raw: &str) -> String {
    let shown = |code| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    CodePoints(inner(raw)).map(shown).collect()
}

/// Appends a raw string, with the escapes that Python would use.
pub(crate) fn rewrite(raw: &str, ascii: bool, out: &mut String) {
    let usual = |byte| byte != b'\\' && !needs_escape(byte, ascii);
    let inner = inner(raw);
    out.push('"');
    if inner.bytes().all(usual) {
        out.push_str(inner);
    } else {
        CodePoints(inner).for_each(|code| write_code_point(code, ascii, out));
    }
    out.push('"');
}

/// Appends JSON text with every non-ASCII character escaped. Such characters occur only in strings.
pub(super) fn append_ascii(json: &str, out: &mut String) {
    for char in json.chars() {
        if char.is_ascii() {
            out.push(char);
        } else {
            write_code_point(char.into(), true, out);
        }
    }
}

/// Returns whether the raw key `raw` denotes `key`.
#[inline]
#[must_use]
pub(crate) fn key_equals(raw: &str, key: &str) -> bool {
    raw_key_equals(raw.as_bytes(), key)
}

/// Compares like [`key_equals`], on bytes, because slicing a `str` checks for character boundaries.
#[inline]
pub(crate) fn raw_key_equals(raw: &[u8], key: &str) -> bool {
    // The first characters distinguish most keys.
    match (raw.get(1), key.as_bytes().first()) {
        (Some(own), Some(other)) if own != other && *own != b'\\' => false,
        _ => whole_key_equals(raw, key),
    }
}

fn whole_key_equals(raw: &[u8], key: &str) -> bool {
    let inner = raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default();
    if inner == key.as_bytes() {
        // A raw key would contain an escaped backslash, so equal bytes that contain a backslash
        // denote another key.
        return !inner.contains(&b'\\');
    }
    // An escape is longer than the character it denotes.
    inner.len() > key.len() && inner.contains(&b'\\') && means(raw, key)
}

#[cold]
fn means(raw: &[u8], key: &str) -> bool {
    let raw = str::from_utf8(raw).unwrap_or_default();
    CodePoints(inner(raw)).eq(key.chars().map(u32::from))
}

/// Compares raw keys as Python compares strings: by code point, including lone surrogates.
///
/// ```
/// use carafe_core::json::string;
/// // U+FF5E sorts before U+1F377, though not in UTF-16.
/// assert!(string::compare(r#""\uff5e""#, r#""\ud83c\udf77""#).is_lt());
/// ```
#[must_use]
pub fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (inner(a), inner(b));
    for (x, y) in a.bytes().zip(b.bytes()) {
        if x == b'\\' || y == b'\\' {
            return CodePoints(a).cmp(CodePoints(b));
        }
        // The byte order of UTF-8 is the order of code points.
        if x != y {
            return x.cmp(&y);
        }
    }
    a.len().cmp(&b.len())
}

/// Returns a raw string without its last two characters. Flask removes `__` this way.
pub(super) fn without_last_two(raw: &str) -> String {
    let codes: Vec<u32> = CodePoints(inner(raw)).collect();
    let kept = codes
        .get(..codes.len().saturating_sub(2))
        .unwrap_or_default();
    raw_of(kept.iter().copied())
}

/// Returns a raw string for each character.
pub(super) fn characters(raw: &str) -> impl Iterator<Item = String> {
    CodePoints(inner(raw)).map(|code| raw_of(std::iter::once(code)))
}

fn raw_of(codes: impl Iterator<Item = u32>) -> String {
    let mut out = String::from("\"");
    codes.for_each(|code| write_code_point(code, true, &mut out));
    out.push('"');
    out
}

#[inline]
fn inner(raw: &str) -> &str {
    raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default()
}

/// Iterates over the code points of a raw string without its quotes. Surrogate pairs are joined.
struct CodePoints<'r>(&'r str);

impl CodePoints<'_> {
    fn escape(&mut self) -> Option<u32> {
        let mut rest = self.0.chars();
        let code = match rest.next()? {
            'b' => 0x8,
            'f' => 0xc,
            'n' => 0xa,
            'r' => 0xd,
            't' => 0x9,
            'u' => return self.surrogates(),
            other => u32::from(other),
        };
        self.0 = rest.as_str();
        Some(code)
    }

    /// Reads a `u` and four digits, and the low surrogate that follows a high surrogate.
    fn surrogates(&mut self) -> Option<u32> {
        let first = unit(self.0)?;
        self.0 = self.0.get(5..).unwrap_or_default();
        if (0xd800..0xdc00).contains(&first)
            && let Some(second) = self.0.strip_prefix('\\').and_then(unit)
            && (0xdc00..0xe000).contains(&second)
        {
            self.0 = self.0.get(6..).unwrap_or_default();
            return Some(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00));
        }
        Some(first)
    }
}

fn unit(text: &str) -> Option<u32> {
    let digits = text.strip_prefix('u')?.get(..4)?;
    u32::from_str_radix(digits, 16).ok()
}

impl Iterator for CodePoints<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let mut rest = self.0.chars();
        let char = rest.next()?;
        self.0 = rest.as_str();
        if char == '\\' {
            self.escape()
        } else {
            Some(u32::from(char))
        }
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = ONES << 7;

/// Returns the position of the next quote, backslash or control character, or the length.
#[inline(always)]
pub(super) fn next_special(bytes: &[u8], at: usize) -> usize {
    find(bytes, at, specials, |byte| needs_escape(byte, false))
}

/// Returns the first special position from `at` on, or the length.
///
/// `in_word` and `is_special` must agree.
///
/// Reads eight bytes at a time, because this loop processes every byte of every session.
#[inline(always)]
fn find(
    bytes: &[u8],
    mut at: usize,
    in_word: impl Fn(u64) -> u64,
    is_special: impl Fn(u8) -> bool,
) -> usize {
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let found = in_word(u64::from_le_bytes(*chunk));
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(&byte) = bytes.get(at) {
        if is_special(byte) {
            break;
        }
        at += 1;
    }
    at
}

/// Sets the high bit of each special byte. Borrows may set more bits, but only above a correct one.
#[inline(always)]
const fn specials(word: u64) -> u64 {
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let quotes = quote.wrapping_sub(ONES) & !quote;
    let backslashes = backslash.wrapping_sub(ONES) & !backslash;
    let controls = word.wrapping_sub(ONES * 0x20) & !word;
    (quotes | backslashes | controls) & HIGHS
}

/// Sets the high bit of each byte from 0x7f on.
#[inline(always)]
const fn beyond_ascii(word: u64) -> u64 {
    let delete = word ^ (ONES * 0x7f);
    (delete.wrapping_sub(ONES) & !delete | word) & HIGHS
}

#[cfg(test)]
mod tests;
