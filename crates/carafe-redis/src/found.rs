//! What is under a key, read from its text.
//!
//! Whatever does not read as this version would have written it is corrupt: better no session than one
//! with a part missing.

use carafe_core::{
    clock::Timestamp,
    session::SessionData,
    store::{Handle, Record, StoreError, StoreKey, Summary},
};

use crate::{
    layout::{ALIAS, NONE, RESERVED, VERSION},
    names::{is_tag, key_of_text},
};

/// What is under a key.
pub(crate) enum Found<T = Record> {
    /// A session, or what is left of one that has expired. Not boxed: nearly all are this.
    Record(T),
    /// Another name of the session under this key, until then.
    Alias(StoreKey, Timestamp),
    /// A session on its way here from this key.
    Pending(Handle, StoreKey, Option<String>),
    /// Nothing.
    Nothing,
}

impl Found {
    /// Reads a value that was asked for under `key`.
    pub(crate) fn read(mut value: Vec<u8>, key: &StoreKey) -> Result<Self, StoreError> {
        let (found, data) = Line::of(&value)?.found(key)?;
        Ok(match found {
            Found::Record(summary) => {
                value.drain(..data);
                let data = SessionData::parse(text(value)?, Record::STYLE);
                let data = data.map_err(StoreError::corrupt)?;
                Self::Record(summary.with_data(data))
            }
            Found::Alias(to, until) => Self::Alias(to, until),
            Found::Pending(handle, from, user) => Self::Pending(handle, from, user),
            Found::Nothing => Self::Nothing,
        })
    }
}

impl Found<Summary> {
    /// Reads the beginning of a value that was asked for under `key`: all but the dictionary.
    pub(crate) fn glance(value: &[u8], key: &StoreKey) -> Result<Self, StoreError> {
        Ok(Line::of(value)?.found(key)?.0)
    }
}

/// The first line of a value, word by word, and what is behind it.
struct Line<'v> {
    words: std::str::Split<'v, char>,
    behind: &'v [u8],
    /// Where in the value that begins.
    at: usize,
}

impl<'v> Line<'v> {
    fn of(value: &'v [u8]) -> Result<Self, StoreError> {
        let end = value.iter().position(|&byte| byte == b'\n');
        let end = end.unwrap_or(value.len());
        let line = std::str::from_utf8(&value[..end]).map_err(|_| corrupt("first line"))?;
        let at = value.len().min(end + 1);
        Ok(Self {
            words: line.split(' '),
            behind: &value[at..],
            at,
        })
    }

    /// What it says, and where the dictionary begins.
    fn found(mut self, key: &StoreKey) -> Result<(Found<Summary>, usize), StoreError> {
        self.is("version of the layout", VERSION)?;
        let found = match self.word("kind")? {
            ALIAS => {
                let to = key_of_text(self.word("alias")?).ok_or_else(|| corrupt("alias"))?;
                Found::Alias(to, self.moment("end of the alias")?)
            }
            RESERVED => {
                let handle = self.handle()?;
                let from = key_of_text(self.word("old key")?).ok_or_else(|| corrupt("old key"))?;
                let user = self.length("user")?;
                Found::Pending(handle, from, self.text("user", user)?)
            }
            listed => {
                number::<i64>(listed).ok_or_else(|| corrupt("listed"))?;
                check("key", is_tag(self.word("key")?, key))?;
                Found::Record(self.summary()?)
            }
        };
        match self.words.next() {
            None => Ok((found, self.at)),
            Some(_) => Err(corrupt("end of the line")),
        }
    }

    fn summary(&mut self) -> Result<Summary, StoreError> {
        let version = self.number("version")?;
        let (last_seen, expires) = (self.moment("seen")?, self.moment("expires")?);
        let (created, renewed) = (self.moment("created")?, self.moment("renewed")?);
        let handle = self.handle()?;
        let authenticated = self.maybe("auth")?.map(Timestamp::from_unix);
        let (user, device) = (self.length("user")?, self.length("device")?);
        Ok(Summary {
            handle,
            user: self.text("user", user)?,
            device: self.text("device", device)?,
            created,
            renewed,
            last_seen,
            expires,
            authenticated,
            version,
        })
    }

    fn word(&mut self, what: &str) -> Result<&'v str, StoreError> {
        self.words.next().ok_or_else(|| corrupt(what))
    }

    fn is(&mut self, what: &str, expected: &str) -> Result<(), StoreError> {
        check(what, self.word(what)? == expected)
    }

    fn number<T: std::str::FromStr>(&mut self, what: &str) -> Result<T, StoreError> {
        number(self.word(what)?).ok_or_else(|| corrupt(what))
    }

    fn maybe<T: std::str::FromStr>(&mut self, what: &str) -> Result<Option<T>, StoreError> {
        match self.word(what)? {
            NONE => Ok(None),
            word => number(word).map(Some).ok_or_else(|| corrupt(what)),
        }
    }

    fn moment(&mut self, what: &str) -> Result<Timestamp, StoreError> {
        self.number(what).map(Timestamp::from_unix)
    }

    fn handle(&mut self) -> Result<Handle, StoreError> {
        Handle::parse(self.word("handle")?).ok_or_else(|| corrupt("handle"))
    }

    fn length(&mut self, what: &str) -> Result<Option<usize>, StoreError> {
        self.maybe(what)
    }

    /// The next so many bytes behind the line.
    fn text(&mut self, what: &str, length: Option<usize>) -> Result<Option<String>, StoreError> {
        let Some(length) = length else {
            return Ok(None);
        };
        let cut = self.behind.split_at_checked(length);
        let (bytes, behind) = cut.ok_or_else(|| corrupt(what))?;
        (self.behind, self.at) = (behind, self.at + length);
        text(bytes.to_vec()).map(Some)
    }
}

/// A number as this version writes it, without a plus.
fn number<T: std::str::FromStr>(word: &str) -> Option<T> {
    word.parse().ok().filter(|_| !word.starts_with('+'))
}

fn text(bytes: Vec<u8>) -> Result<String, StoreError> {
    // Without the bytes, which the error would show.
    String::from_utf8(bytes).map_err(|error| StoreError::corrupt(error.utf8_error()))
}

fn check(what: &str, holds: bool) -> Result<(), StoreError> {
    holds.then_some(()).ok_or_else(|| corrupt(what))
}

fn corrupt(what: &str) -> StoreError {
    StoreError::corrupt(format!("the {what} is missing or cannot be read"))
}
