//! The scanner: decides whether a text is what Python's `json.loads` accepts, and where members lie.
//!
//! One pass over the bytes, no recursion and one allocation, for the list of members. It never builds
//! values: those who want them slice the text by the spans found here and hand it to `de` or `value`.
//!
//! Stricter than Python in two places: nesting ends at [`MAX_DEPTH`] (Flask accepts 100 levels and
//! fails somewhere before 500, depending on its stack), and a text is at most 4 GiB.
//!
//! Next: `members.rs` for the result, `check.rs` for the tags, `root.rs` for roots that are no object.

mod error;
mod keys;
mod nesting;

pub use self::error::ScanError;
use self::{keys::Keys, nesting::Nesting};
use super::{
    check,
    members::{Member, Members, Root, Span},
    root, string,
};

/// Arrays and objects may nest this deep, the root included.
pub const MAX_DEPTH: usize = 200;

/// Integers may have this many digits: CPython's limit for reading and writing them.
pub const MAX_DIGITS: usize = 4300;

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
    let mut root = Root::borrowed(text, Members::default());
    scanner = scanner.root_members(&mut root.members)?;
    scanner.end()?;
    if scanner.suspect && tags {
        return root::with_tags(text, root.members);
    }
    Ok(root)
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

/// Whether a text is one value, good for a member of the root, and nothing else: no blanks around it.
pub(crate) fn is_member_value(text: &str, tags: bool) -> bool {
    let Ok(scanner) = Scanner::new(text) else {
        return false;
    };
    let mut scanner = scanner.at_depth(1);
    scanner.value().is_ok()
        && scanner.at == text.len()
        && (!scanner.suspect || !tags || check::kind_of(text).is_ok())
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
    /// A key was seen that is spelled with an escape.
    escaped: bool,
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
            escaped: false,
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
    #[inline(always)]
    pub(super) fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    /// Steps over `byte` if it is here.
    #[inline(always)]
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let here = self.peek() == byte;
        self.at += usize::from(here);
        here
    }

    #[inline(always)]
    pub(super) fn expect(&mut self, byte: u8) -> Result<(), ScanError> {
        if self.take(byte) {
            Ok(())
        } else {
            self.syntax()
        }
    }

    #[inline(always)]
    pub(super) fn blanks(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
    }

    #[inline(always)]
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
    #[inline(never)]
    pub(super) fn value(&mut self) -> Result<(), ScanError> {
        self.value_body()
    }

    #[inline(always)]
    fn value_body(&mut self) -> Result<(), ScanError> {
        match self.peek() {
            b'"' => self.string_body().map(drop),
            b'{' | b'[' => self.by_value(Self::container),
            _ => self.scalar(),
        }
    }

    /// Calls what is not inlined with a copy. A reference would force the position into memory for
    /// the whole of the loop around it, and the scanner would wait for its own last store at each byte.
    #[inline(always)]
    fn by_value(&mut self, step: fn(Self) -> Result<Self, ScanError>) -> Result<(), ScanError> {
        *self = step(self.clone())?;
        Ok(())
    }

    /// A key, its colon and the blanks around them. Returns where the key ends.
    #[inline(never)]
    pub(super) fn key(&mut self) -> Result<usize, ScanError> {
        self.key_body()
    }

    #[inline(always)]
    fn key_body(&mut self) -> Result<usize, ScanError> {
        if self.peek() != b'"' {
            return self.syntax();
        }
        let first = self.text.as_bytes().get(self.at + 1);
        self.suspect |= matches!(first, Some(b' ' | b'\\'));
        self.escaped |= self.string_body()?;
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
    #[inline(never)]
    pub(super) fn string(&mut self) -> Result<(), ScanError> {
        self.string_body().map(drop)
    }

    /// A string; true if there are escapes in it.
    #[inline(always)]
    fn string_body(&mut self) -> Result<bool, ScanError> {
        let mut escaped = false;
        self.at += 1;
        loop {
            self.at = string::next_special(self.text.as_bytes(), self.at);
            match self.peek() {
                b'"' => {
                    self.at += 1;
                    return Ok(escaped);
                }
                b'\\' => self.by_value(Self::escape)?,
                _ => return self.syntax(),
            }
            escaped = true;
        }
    }

    #[inline(never)]
    fn escape(mut self) -> Result<Self, ScanError> {
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
        Ok(self)
    }

    /// A number, a literal or one of Python's three extra words.
    #[inline(always)]
    pub(super) fn scalar(&mut self) -> Result<(), ScanError> {
        match self.peek() {
            b'0'..=b'9' => self.number(),
            b'-' => {
                self.at += 1;
                if self.peek() == b'I' {
                    self.word(b"Infinity")
                } else {
                    self.number()
                }
            }
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            b'N' => self.word(b"NaN"),
            b'I' => self.word(b"Infinity"),
            _ => self.syntax(),
        }
    }

    /// The length is known to the compiler, so that this is one comparison.
    #[inline(always)]
    fn word<const N: usize>(&mut self, word: &[u8; N]) -> Result<(), ScanError> {
        let rest = self.text.as_bytes().get(self.at..);
        if rest.and_then(<[u8]>::first_chunk::<N>) != Some(word) {
            return self.syntax();
        }
        self.at += N;
        Ok(())
    }

    #[inline(always)]
    fn number(&mut self) -> Result<(), ScanError> {
        let start = self.at;
        if !self.take(b'0') {
            self.digits()?;
        }
        let length = self.at - start;
        if matches!(self.peek(), b'.' | b'e' | b'E') {
            self.by_value(Self::fraction)
        } else if length > MAX_DIGITS {
            Err(ScanError::TooManyDigits)
        } else {
            Ok(())
        }
    }

    #[inline(never)]
    fn fraction(mut self) -> Result<Self, ScanError> {
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
        Ok(self)
    }

    #[inline(always)]
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
    #[inline(never)]
    fn container(mut self) -> Result<Self, ScanError> {
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
                return Ok(self);
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
    pub(super) fn root_members(mut self, members: &mut Members) -> Result<Self, ScanError> {
        let mut keys = Keys::default();
        self.depth = 1;
        self.at += 1;
        self.blanks();
        if self.take(b'}') {
            return Ok(self);
        }
        loop {
            let start = self.at;
            let key_end = self.key_body()?;
            keys.note(self.text.as_bytes(), start, key_end);
            let value_start = self.at;
            self.value_body()?;
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
        if self.escaped || !keys.distinct() {
            members.drop_duplicates(self.text);
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests;
