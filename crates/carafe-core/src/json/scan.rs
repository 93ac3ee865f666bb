//! The scanner: accepts exactly what Python's `json.loads` accepts, and finds the members.
//!
//! One pass over the bytes, without recursion, and with one allocation for the list of members. The
//! scanner never builds values: callers slice the text by its spans and pass the slices to `de` or
//! `value`.
//!
//! The scanner is stricter than Python in two respects: values nest at most [`MAX_DEPTH`] levels
//! deep (Flask accepts 100 levels and fails somewhere before 500, depending on its stack), and a
//! text is at most 4 GiB long.
//!
//! `spans.rs` contains the result, `tags.rs` the tags, and `payload.rs` handles whole payloads.

mod error;
mod keys;
mod nesting;

pub use self::error::{MAX_DEPTH, MAX_DIGITS, ScanError};
use self::{keys::Keys, nesting::Nesting};
use super::{
    spans::{Member, Members, Span},
    string,
};

/// A position in a text. Every method consumes one item or fails.
#[derive(Clone)]
pub(super) struct Scanner<'t> {
    text: &'t str,
    at: usize,
    /// Number of open levels at the position.
    depth: usize,
    /// Whether a key may be a tag. Every such key begins with a space or with its escape.
    pub(super) suspect: bool,
    /// Whether a key contains an escape.
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

    /// Returns the byte at the position, or NUL at the end of the text.
    ///
    /// No JSON token begins with NUL, so callers need not distinguish the two.
    #[inline(always)]
    pub(super) fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    /// Consumes `byte` if it is at the position.
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

    /// Fails unless only whitespace follows.
    pub(super) fn end(&mut self) -> Result<(), ScanError> {
        self.blanks();
        if self.at == self.text.len() {
            Ok(())
        } else {
            self.syntax()
        }
    }

    /// Consumes any value.
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

    /// Calls a function that is not inlined with a copy.
    ///
    /// A reference would force the position into memory for the whole surrounding loop, and the
    /// scanner would wait for its own last store at each byte.
    #[inline(always)]
    fn by_value(&mut self, step: fn(Self) -> Result<Self, ScanError>) -> Result<(), ScanError> {
        *self = step(self.clone())?;
        Ok(())
    }

    /// Consumes a key, its colon and the whitespace around them. Returns the end of the key.
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

    /// Consumes like [`Self::key`] and returns the raw key.
    pub(super) fn raw_key(&mut self) -> Result<&'t str, ScanError> {
        let start = self.at;
        let end = self.key()?;
        Ok(self.text.get(start..end).unwrap_or_default())
    }

    /// Consumes a string. The position is at its opening quote.
    #[inline(never)]
    pub(super) fn string(&mut self) -> Result<(), ScanError> {
        self.string_body().map(drop)
    }

    /// Consumes a string and returns whether it contains escapes.
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

    /// Consumes a number, a literal or one of Python's three additional words.
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

    /// Consumes a word. The length is known at compile time, so that one comparison suffices.
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

    /// Consumes an array or object with its content.
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

    /// Advances past a value to the next one and closes the levels that end there.
    ///
    /// Returns whether every level is closed.
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

    /// Consumes the root object. The position is at its brace.
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
