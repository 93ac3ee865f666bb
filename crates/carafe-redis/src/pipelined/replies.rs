//! Replies as they come in, whatever the pieces.
//!
//! RESP2, <https://redis.io/docs/latest/develop/reference/protocol-spec/>: `+` text, `-` error, `:` number, `$` bytes of a length,
//! `*` so many values. A reply is looked for before it is read, so that only what has come is allocated, and whatever the
//! protocol does not say is an error: a peer that is out of step must not be believed.

use redis::{ErrorKind, RedisError, RedisResult, Value, parse_redis_value};

/// Bytes of the longest reply that is read: many times the longest session or list of sessions that anybody has.
pub(super) const LONGEST: usize = 32 << 20;
/// Bytes of the longest line.
const LONGEST_LINE: usize = 64 << 10;
/// The most values of a reply, which take more room than their bytes.
const MOST_VALUES: usize = 1 << 20;
/// The most values that lie within each other. Scripts answer with a list of texts, `SCAN` with a list in a list.
const DEEPEST: usize = 8;
/// Bytes that there is room for at first.
const ROOM: usize = 16 << 10;
/// Bytes that room is kept for when nothing is read.
const KEPT: usize = 256 << 10;

/// What has come and is not read yet.
pub(super) struct Replies {
    /// Room for bytes; those that have come are from `start` to `end`.
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    search: Search,
}

/// How far the end of the next reply has been looked for.
#[derive(Default)]
struct Search {
    /// Where its next value begins, from its start.
    at: usize,
    /// How many values are still to come of each list that is open.
    open: Vec<usize>,
    /// How many all lists have been said to have.
    values: usize,
}

impl Default for Replies {
    fn default() -> Self {
        Self {
            bytes: vec![0; ROOM],
            start: 0,
            end: 0,
            search: Search::default(),
        }
    }
}

impl Replies {
    /// Room for more bytes, never empty; [`Replies::came`] says how many there are.
    pub(super) fn room(&mut self) -> &mut [u8] {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            if self.bytes.len() > KEPT {
                self.bytes = vec![0; ROOM];
            }
        }
        if self.end == self.bytes.len() {
            match self.start {
                0 => self.bytes.resize(self.end * 2, 0),
                start => {
                    self.bytes.copy_within(start.., 0);
                    (self.start, self.end) = (0, self.end - start);
                }
            }
        }
        &mut self.bytes[self.end..]
    }

    pub(super) const fn came(&mut self, bytes: usize) {
        self.end += bytes;
    }

    /// The next reply, if all of it has come.
    ///
    /// # Errors
    /// [`ErrorKind::Parse`] if what has come is no reply; nothing behind it can be one either.
    pub(super) fn next(&mut self) -> RedisResult<Option<Value>> {
        let come = &self.bytes[self.start..self.end];
        let Some(length) = self.search.end(come)? else {
            return match come.len() {
                LONGEST.. => Err(too_long()),
                _ => Ok(None),
            };
        };
        let (value, _) = value(&come[..length])?;
        (self.search.at, self.search.values) = (0, 0);
        self.start += length;
        Ok(Some(value))
    }
}

impl Search {
    /// Where the reply ends of which `come` has come.
    fn end(&mut self, come: &[u8]) -> RedisResult<Option<usize>> {
        loop {
            let Some((head, begins)) = Head::of(come, self.at)? else {
                return Ok(None);
            };
            match head {
                Head::Bytes(Some(length)) => {
                    if length > LONGEST {
                        return Err(too_long());
                    }
                    let ends = begins + length;
                    let Some(end) = come.get(ends..ends + 2) else {
                        return Ok(None);
                    };
                    if end != b"\r\n" {
                        return Err(wrong("its text has another length"));
                    }
                    self.at = ends + 2;
                }
                Head::List(Some(values @ 1..)) => {
                    if self.open.len() == DEEPEST {
                        return Err(wrong("it is too deep"));
                    }
                    self.values = self.values.saturating_add(values);
                    if self.values > MOST_VALUES {
                        return Err(too_long());
                    }
                    self.open.push(values);
                    self.at = begins;
                    continue;
                }
                _ => self.at = begins,
            }
            // A value is whole, and with it each list that it is the last of.
            loop {
                match self.open.last_mut() {
                    None => return Ok(Some(self.at)),
                    Some(1) => drop(self.open.pop()),
                    Some(values) => {
                        *values -= 1;
                        break;
                    }
                }
            }
        }
    }
}

/// The first line of a value.
enum Head<'l> {
    Text(&'l [u8]),
    /// With its sign.
    Error(&'l [u8]),
    Number(i64),
    /// So many bytes follow, or there is nothing.
    Bytes(Option<usize>),
    /// So many values follow, or there is nothing.
    List(Option<usize>),
}

impl<'l> Head<'l> {
    /// The one at `at`, if all of it has come, and where the next line begins.
    fn of(come: &'l [u8], at: usize) -> RedisResult<Option<(Self, usize)>> {
        let come_of_it = &come[at..];
        let Some(length) = come_of_it.iter().position(|&byte| byte == b'\n') else {
            return match come_of_it.len() {
                LONGEST_LINE.. => Err(wrong("it has too long a line")),
                _ => Ok(None),
            };
        };
        let line = come_of_it[..length].strip_suffix(b"\r");
        let line = line.ok_or_else(|| wrong("its line has another end"))?;
        let (kind, text) = line.split_first().ok_or_else(|| wrong("it is empty"))?;
        let head = match kind {
            b'+' => Self::Text(text),
            b'-' => Self::Error(line),
            b':' => Self::Number(number(text)?),
            b'$' => Self::Bytes(count(text)?),
            b'*' => Self::List(count(text)?),
            _ => return Err(wrong("it is of no known kind")),
        };
        Ok(Some((head, at + length + 1)))
    }
}

/// The first value of `whole`, which has all of it, and what is behind.
fn value(whole: &[u8]) -> RedisResult<(Value, &[u8])> {
    let head = Head::of(whole, 0)?;
    let (head, begins) = head.ok_or_else(|| wrong("it is cut off"))?;
    let mut rest = &whole[begins..];
    let value = match head {
        Head::Text(b"OK") => Value::Okay,
        Head::Text(text) => {
            let text = String::from_utf8(text.to_vec());
            Value::SimpleString(text.map_err(|_| wrong("its text is not UTF-8"))?)
        }
        // The driver knows them all, and they are rare.
        Head::Error(line) => parse_redis_value(&[line, b"\r\n"].concat())?,
        Head::Number(number) => Value::Int(number),
        Head::Bytes(Some(length)) => {
            let (bytes, behind) = rest.split_at(length);
            rest = &behind[2..];
            Value::BulkString(bytes.to_vec())
        }
        Head::List(Some(length)) => {
            // All have come, so that there are not too many.
            let mut values = Vec::with_capacity(length);
            for _ in 0..length {
                let (value, behind) = self::value(rest)?;
                values.push(value);
                rest = behind;
            }
            Value::Array(values)
        }
        Head::Bytes(None) | Head::List(None) => Value::Nil,
    };
    Ok((value, rest))
}

/// A length, or -1 for nothing.
fn count(text: &[u8]) -> RedisResult<Option<usize>> {
    match number(text)? {
        -1 => Ok(None),
        count => usize::try_from(count)
            .map(Some)
            .map_err(|_| wrong("its length is negative")),
    }
}

fn number(text: &[u8]) -> RedisResult<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let text = std::str::from_utf8(text).ok();
    let number = text.filter(|_| digits.first().is_some_and(u8::is_ascii_digit));
    number
        .and_then(|number| number.parse().ok())
        .ok_or_else(|| wrong("its number is none"))
}

fn too_long() -> RedisError {
    wrong("it is too long")
}

fn wrong(why: &'static str) -> RedisError {
    let error = (ErrorKind::Parse, "a reply cannot be read", why.to_owned());
    RedisError::from(error)
}

#[cfg(test)]
mod tests;
