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
    layout::{ALIAS, RESERVED, VERSION},
    names::{is_tag, key_of_text},
    words::{Words, number},
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
    pub(crate) fn read(value: Vec<u8>, key: &StoreKey) -> Result<Self, StoreError> {
        // Without the bytes, which the error would show.
        let value = String::from_utf8(value);
        let mut value = value.map_err(|error| StoreError::corrupt(error.utf8_error()))?;
        let (found, data) = facts(&value, key)?;
        Ok(match found {
            Found::Record(summary) => {
                value.drain(..data);
                let data = SessionData::parse(value, Record::STYLE);
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
        // What follows need not be text, and may be cut off within a character.
        let text = str::from_utf8(value);
        let text = text.or_else(|error| str::from_utf8(&value[..error.valid_up_to()]));
        Ok(facts(text.unwrap_or_default(), key)?.0)
    }
}

/// What the first line says and the texts behind it, and where the dictionary begins.
fn facts(value: &str, key: &StoreKey) -> Result<(Found<Summary>, usize), StoreError> {
    let mut words = Words::of(value);
    match read(&mut words, key) {
        Some(found) => Ok((found, words.behind())),
        None => Err(corrupt(words.reads())),
    }
}

fn read(words: &mut Words<'_>, key: &StoreKey) -> Option<Found<Summary>> {
    (words.word("version of the layout")? == VERSION).then_some(())?;
    match words.word("kind")? {
        ALIAS => {
            let to = key_of_text(words.word("alias")?)?;
            let until = words.moment("end of the alias")?;
            words.end()?;
            Some(Found::Alias(to, until))
        }
        RESERVED => {
            let handle = words.handle()?;
            let from = key_of_text(words.word("old key")?)?;
            let user = words.maybe("user")?;
            words.end()?;
            let user = words.text("user", user)?;
            Some(Found::Pending(handle, from, user))
        }
        listed => {
            number::<i64>(listed)?;
            is_tag(words.word("key")?, key).then_some(())?;
            Some(Found::Record(summary(words)?))
        }
    }
}

fn summary(words: &mut Words<'_>) -> Option<Summary> {
    let version = words.number("version")?;
    let (last_seen, expires) = (words.moment("seen")?, words.moment("expires")?);
    let (created, renewed) = (words.moment("created")?, words.moment("renewed")?);
    let handle = words.handle()?;
    let authenticated = words.maybe("auth")?.map(Timestamp::from_unix);
    let (user, device) = (words.maybe("user")?, words.maybe("device")?);
    words.end()?;
    Some(Summary {
        handle,
        user: words.text("user", user)?,
        device: words.text("device", device)?,
        created,
        renewed,
        last_seen,
        expires,
        authenticated,
        version,
    })
}

fn corrupt(what: &str) -> StoreError {
    StoreError::corrupt(format!("the {what} is missing or cannot be read"))
}
