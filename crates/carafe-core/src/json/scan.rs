//! The scanner: decides whether a text is what Python's `json.loads` accepts, and where members lie.
//!
//! One pass over the bytes, no recursion and one allocation, for the list of members. It never builds
//! values: those who want them slice the text by the spans found here and hand it to `de` or `value`.
//!
//! Stricter than Python in two places: nesting ends at [`MAX_DEPTH`] (Flask accepts 100 levels and
//! fails somewhere before 500, depending on its stack), and a text is at most 4 GiB.
//!
//! Next: `members.rs` for the result, `check.rs` for the tags, `root.rs` for roots that are no object.

use std::fmt;

use super::{
    check,
    members::{Member, Members, Root, Span},
    root, string,
};

/// Arrays and objects may nest this deep, the root included.
pub const MAX_DEPTH: usize = 200;

/// Integers may have this many digits: CPython's limit for reading and writing them.
pub const MAX_DIGITS: usize = 4300;

/// Why a text is not a session, or not JSON at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScanError {
    /// Not in the grammar; the byte where that became certain.
    Syntax {
        /// Offset in bytes.
        at: usize,
    },
    /// Nested deeper than [`MAX_DEPTH`].
    TooDeep,
    /// An integer of more than [`MAX_DIGITS`] digits.
    TooManyDigits,
    /// More than 4 GiB of text.
    TooLong,
    /// The root is neither an object nor one of the things Flask takes for one.
    NotAnObject,
    /// A tag around something it cannot hold, such as `{" u":"no uuid"}`.
    BadTag,
}

impl fmt::Display for ScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { at } => write!(f, "not JSON from byte {at} on"),
            Self::TooDeep => write!(f, "nested deeper than {MAX_DEPTH} levels"),
            Self::TooManyDigits => write!(f, "an integer of more than {MAX_DIGITS} digits"),
            Self::TooLong => f.write_str("longer than 4 GiB"),
            Self::NotAnObject => f.write_str("the root is not an object"),
            Self::BadTag => f.write_str("a tag around something it cannot hold"),
        }
    }
}

impl std::error::Error for ScanError {}

/// Checks a whole payload and finds its members.
///
/// With `tags`, roots and tags are judged as Flask judges them; without, the root must be an object
/// and a key that begins with a blank is a key like any other.
///
/// ```
/// use carafe_core::json::scan_root;
/// let root = scan_root(r#"{"n": 7, "name": "alice"}"#, true)?;
/// let members: Vec<_> = root.iter().collect();
/// assert_eq!(members, [(r#""n""#, "7"), (r#""name""#, r#""alice""#)]);
/// assert!(scan_root("[1,2]", true).is_err());
/// # Ok::<(), carafe_core::json::ScanError>(())
/// ```
///
/// # Errors
///
/// When Flask could not read the payload either, or it exceeds the limits of [`ScanError`].
pub fn scan_root(text: &str, tags: bool) -> Result<Root<'_>, ScanError> {
    let mut scanner = Scanner::new(text)?;
    scanner.blanks();
    if scanner.peek() != b'{' {
        return root::other_than_object(text, tags);
    }
    let members = scanner.root_members()?;
    scanner.end()?;
    if scanner.suspect && tags {
        return root::with_tags(text, members);
    }
    Ok(Root::borrowed(text, members))
}

/// Checks one value: the grammar, the limits and, with `tags`, the tags in it.
///
/// ```
/// use carafe_core::json::validate;
/// assert!(validate("[1, NaN, {}]", true).is_ok());
/// assert!(validate("[1,]", true).is_err());
/// assert!(validate(r#"{" t":5}"#, true).is_err());
/// ```
///
/// # Errors
///
/// As [`scan_root`], but any value will do.
pub fn validate(text: &str, tags: bool) -> Result<(), ScanError> {
    let mut scanner = Scanner::new(text)?;
    scanner.blanks();
    scanner.value()?;
    scanner.end()?;
    if scanner.suspect && tags {
        check::kind_of(text)?;
    }
    Ok(())
}

/// A position in a text. Every method moves it forward over one thing, or fails.
#[derive(Clone)]
pub(super) struct Scanner<'t> {
    text: &'t str,
    at: usize,
    /// Levels that are open around the position.
    depth: usize,
    /// A key was seen that may be a tag's: all those begin with a blank (or its escape).
    pub(super) suspect: bool,
    /// An escape was seen, so that what differs as text may be the same.
    escapes: bool,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str) -> Result<Self, ScanError> {
        // Spans are u32, which keeps a member in 16 bytes.
        if u32::try_from(text.len()).is_err() {
            return Err(ScanError::TooLong);
        }
        Ok(Self {
            text,
            at: 0,
            depth: 0,
            suspect: false,
            escapes: false,
        })
    }

    pub(super) fn at_depth(mut self, depth: usize) -> Self {
        self.depth = depth;
        self
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn text_from(&self, start: usize) -> &'t str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// The byte here, or NUL at the end: NUL begins nothing in JSON, so no one needs to tell them apart.
    #[inline]
    pub(super) fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    /// Steps over `byte` if it is here.
    #[inline]
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let here = self.peek() == byte;
        self.at += usize::from(here);
        here
    }

    #[inline]
    pub(super) fn expect(&mut self, byte: u8) -> Result<(), ScanError> {
        if self.take(byte) {
            Ok(())
        } else {
            self.syntax()
        }
    }

    #[inline]
    pub(super) fn blanks(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
    }

    #[cold]
    pub(super) fn syntax<T>(&self) -> Result<T, ScanError> {
        Err(ScanError::Syntax { at: self.at })
    }

    /// Only blanks may follow.
    pub(super) fn end(&mut self) -> Result<(), ScanError> {
        self.blanks();
        if self.at == self.text.len() {
            Ok(())
        } else {
            self.syntax()
        }
    }

    /// Any value.
    #[inline]
    pub(super) fn value(&mut self) -> Result<(), ScanError> {
        match self.peek() {
            b'"' => self.string(),
            b'{' | b'[' => self.container(),
            _ => self.scalar(),
        }
    }

    /// A key, its colon and the blanks around them. Returns where the key ends.
    #[inline]
    pub(super) fn key(&mut self) -> Result<usize, ScanError> {
        if self.peek() != b'"' {
            return self.syntax();
        }
        let first = self.text.as_bytes().get(self.at + 1);
        self.suspect |= matches!(first, Some(b' ' | b'\\'));
        self.string()?;
        let end = self.at;
        self.blanks();
        self.expect(b':')?;
        self.blanks();
        Ok(end)
    }

    /// As [`Self::key`], but gives the key itself.
    pub(super) fn raw_key(&mut self) -> Result<&'t str, ScanError> {
        let start = self.at;
        let end = self.key()?;
        Ok(self.text.get(start..end).unwrap_or_default())
    }

    /// A string; the position is at its opening quote.
    #[inline]
    pub(super) fn string(&mut self) -> Result<(), ScanError> {
        self.at += 1;
        loop {
            self.at = string::next_special(self.text.as_bytes(), self.at);
            match self.peek() {
                b'"' => {
                    self.at += 1;
                    return Ok(());
                }
                b'\\' => self.escape()?,
                _ => return self.syntax(),
            }
        }
    }

    fn escape(&mut self) -> Result<(), ScanError> {
        self.escapes = true;
        self.at += 1;
        match self.peek() {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 1,
            b'u' => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.peek().is_ascii_hexdigit() {
                        return self.syntax();
                    }
                    self.at += 1;
                }
            }
            _ => return self.syntax(),
        }
        Ok(())
    }

    /// A number, a literal or one of Python's three extra words.
    #[inline]
    pub(super) fn scalar(&mut self) -> Result<(), ScanError> {
        match self.peek() {
            b'0'..=b'9' => self.number(),
            b'-' => {
                self.at += 1;
                if self.peek() == b'I' {
                    self.word("Infinity")
                } else {
                    self.number()
                }
            }
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            b'N' => self.word("NaN"),
            b'I' => self.word("Infinity"),
            _ => self.syntax(),
        }
    }

    #[inline]
    fn word(&mut self, word: &str) -> Result<(), ScanError> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return self.syntax();
        }
        self.at += word.len();
        Ok(())
    }

    #[inline]
    fn number(&mut self) -> Result<(), ScanError> {
        let start = self.at;
        if !self.take(b'0') {
            self.digits()?;
        }
        let length = self.at - start;
        if matches!(self.peek(), b'.' | b'e' | b'E') {
            self.fraction()
        } else if length > MAX_DIGITS {
            Err(ScanError::TooManyDigits)
        } else {
            Ok(())
        }
    }

    fn fraction(&mut self) -> Result<(), ScanError> {
        if self.take(b'.') {
            self.digits()?;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    #[inline]
    fn digits(&mut self) -> Result<(), ScanError> {
        let start = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        if self.at == start {
            self.syntax()
        } else {
            Ok(())
        }
    }

    /// An array or object with all that is in it.
    fn container(&mut self) -> Result<(), ScanError> {
        let mut open = Nesting::below(self.depth);
        loop {
            match self.peek() {
                b'{' => {
                    open.push(true)?;
                    self.at += 1;
                    self.blanks();
                    if self.peek() != b'}' {
                        self.key()?;
                        continue;
                    }
                }
                b'[' => {
                    open.push(false)?;
                    self.at += 1;
                    self.blanks();
                    if self.peek() != b']' {
                        continue;
                    }
                }
                b'"' => self.string()?,
                _ => self.scalar()?,
            }
            if self.next_or_close(&mut open)? {
                return Ok(());
            }
        }
    }

    /// After a value: to the next one, closing what ends here. True when everything is closed.
    #[inline]
    fn next_or_close(&mut self, open: &mut Nesting) -> Result<bool, ScanError> {
        loop {
            self.blanks();
            let object = open.in_object();
            match self.peek() {
                b',' => {
                    self.at += 1;
                    self.blanks();
                    if object {
                        self.key()?;
                    }
                    return Ok(false);
                }
                b'}' if object => {}
                b']' if !object => {}
                _ => return self.syntax(),
            }
            self.at += 1;
            if open.pop() {
                return Ok(true);
            }
        }
    }

    /// The root object; the position is at its brace.
    pub(super) fn root_members(&mut self) -> Result<Members, ScanError> {
        self.depth = 1;
        self.at += 1;
        self.blanks();
        if self.take(b'}') {
            return Ok(Members::default());
        }
        let mut members = Members::with_room();
        let mut distinct = true;
        let mut last: Option<&[u8]> = None;
        loop {
            let start = self.at;
            self.escapes = false;
            let key_end = self.key()?;
            let value_start = self.at;
            // Keys that ascend are distinct, which spares Flask's sorted payloads the search for
            // duplicates. An escape could spell the same key in another way.
            let key = self.text.as_bytes().get(start..key_end).unwrap_or_default();
            distinct &= !self.escapes && last.is_none_or(|last| ascend(last, key));
            last = Some(key);
            self.value()?;
            members.push(Member {
                key: Span::new(start, key_end),
                value: Span::new(value_start, self.at),
            });
            self.blanks();
            if self.take(b'}') {
                break;
            }
            self.expect(b',')?;
            self.blanks();
        }
        if !distinct {
            members.drop_duplicates(self.text);
        }
        Ok(members)
    }
}

/// Whether raw key `b` comes after raw key `a` in the order of their bytes, of which the first is a
/// quote in both and the second mostly decides.
#[inline]
fn ascend(a: &[u8], b: &[u8]) -> bool {
    match (a.get(1), b.get(1)) {
        (Some(first), Some(second)) if first != second => first < second,
        _ => a < b,
    }
}

/// Which of the open levels are objects, one bit each.
struct Nesting {
    bits: [u64; MAX_DEPTH.div_ceil(64)],
    depth: usize,
    base: usize,
}

impl Nesting {
    fn below(base: usize) -> Self {
        Self {
            bits: [0; MAX_DEPTH.div_ceil(64)],
            depth: base,
            base,
        }
    }

    #[inline]
    fn push(&mut self, object: bool) -> Result<(), ScanError> {
        if self.depth >= MAX_DEPTH {
            return Err(ScanError::TooDeep);
        }
        let (word, bit) = (self.depth / 64, self.depth % 64);
        self.bits[word] = self.bits[word] & !(1 << bit) | u64::from(object) << bit;
        self.depth += 1;
        Ok(())
    }

    #[inline]
    fn in_object(&self) -> bool {
        // Called only with a level open, so depth is 1 or more; wrapping keeps it free of a panic.
        let top = self.depth.wrapping_sub(1);
        self.bits
            .get(top / 64)
            .is_some_and(|word| word >> (top % 64) & 1 == 1)
    }

    /// True when this was the outermost level.
    #[inline]
    fn pop(&mut self) -> bool {
        self.depth -= 1;
        self.depth == self.base
    }
}

#[cfg(test)]
mod tests;
