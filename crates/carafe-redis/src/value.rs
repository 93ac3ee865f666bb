//! Parser of the value of a key.
//!
//! A value that no version would have written is corrupt: a missing session is better than one with
//! a part missing.

use carafe_core::{
    clock::Timestamp,
    session::SessionData,
    store::{PublicId, Record, SessionMeta, StoreError, StoreKey},
};

use crate::{
    header::{Header, number},
    layout::{MARKER, NONE, POINTER, PREVIOUS_VERSION, RESERVED, VERSION},
    names::{is_tag, key_of_text},
};

/// The parsed value of a key.
pub(crate) enum StoredValue<T = Box<Record>> {
    /// A session, which may have expired.
    Record(T),
    /// A pointer to this key, valid at least until then.
    Pointer(StoreKey, Timestamp),
    /// The key is retired until then. Contains the new key of the session, if it moved.
    Marker(Timestamp, Option<StoreKey>),
    /// A reservation for a session that moves here from this key.
    Pending(PublicId, StoreKey, Option<String>),
    /// There is no value.
    Missing,
}

impl StoredValue {
    /// Parses a value that was read for `key`.
    pub(crate) fn parse(value: Vec<u8>, key: &StoreKey) -> Result<Self, StoreError> {
        // Without the bytes, which the error would contain.
        let value = String::from_utf8(value);
        let mut value = value.map_err(|error| StoreError::corrupt(error.utf8_error()))?;
        let (found, data) = facts(&value, key)?;
        Ok(match found {
            StoredValue::Record(summary) => {
                value.drain(..data);
                let data = SessionData::parse(value, Record::STYLE);
                let data = data.map_err(StoreError::corrupt)?;
                Self::Record(Box::new(Record::new(summary, data)))
            }
            StoredValue::Pointer(to, until) => Self::Pointer(to, until),
            StoredValue::Marker(until, to) => Self::Marker(until, to),
            StoredValue::Pending(public_id, from, user) => Self::Pending(public_id, from, user),
            StoredValue::Missing => Self::Missing,
        })
    }
}

impl StoredValue<SessionMeta> {
    /// Parses a value that was read for `key`, without the dictionary. The value may be truncated.
    pub(crate) fn parse_meta(value: &[u8], key: &StoreKey) -> Result<Self, StoreError> {
        // The rest may be invalid UTF-8, or be cut off within a character.
        let text = str::from_utf8(value);
        let text = text.or_else(|error| str::from_utf8(&value[..error.valid_up_to()]));
        Ok(facts(text.unwrap_or_default(), key)?.0)
    }
}

/// Parses the first line and the texts that follow it. Returns the offset of the dictionary.
fn facts(value: &str, key: &StoreKey) -> Result<(StoredValue<SessionMeta>, usize), StoreError> {
    let mut header = Header::of(value);
    match read(&mut header, key) {
        Some(found) => Ok((found, header.offset())),
        None => Err(corrupt(header.field())),
    }
}

fn read(header: &mut Header<'_>, key: &StoreKey) -> Option<StoredValue<SessionMeta>> {
    let layout = header.word("version of the layout")?;
    matches!(layout, VERSION | PREVIOUS_VERSION).then_some(())?;
    match header.word("kind")? {
        POINTER => {
            let to = key_of_text(header.word("pointer")?)?;
            let until = header.timestamp("end of the pointer")?;
            header.end()?;
            // In layout 2, a move without a pointer left this.
            let is_trace = layout == PREVIOUS_VERSION && until.unix() == 0;
            Some(match is_trace {
                true => StoredValue::Marker(until, Some(to)),
                false => StoredValue::Pointer(to, until),
            })
        }
        MARKER => {
            let until = header.timestamp("end of the marker")?;
            let to = match header.word("new key")? {
                NONE => None,
                to => Some(key_of_text(to)?),
            };
            header.end()?;
            Some(StoredValue::Marker(until, to))
        }
        RESERVED => {
            let public_id = header.public_id()?;
            let from = key_of_text(header.word("old key")?)?;
            let user = header.optional("user")?;
            header.end()?;
            let user = header.text("user", user)?;
            Some(StoredValue::Pending(public_id, from, user))
        }
        listed => {
            number::<i64>(listed)?;
            is_tag(header.word("key")?, key).then_some(())?;
            Some(StoredValue::Record(summary(header, layout)?))
        }
    }
}

fn summary(header: &mut Header<'_>, layout: &str) -> Option<SessionMeta> {
    let version = header.number("version")?;
    let (last_seen, expires) = (header.timestamp("seen")?, header.timestamp("expires")?);
    let (created, renewed) = (header.timestamp("created")?, header.timestamp("renewed")?);
    let public_id = header.public_id()?;
    let authenticated = header.optional("auth")?.map(Timestamp::from_unix);
    let opaque = match layout {
        VERSION => header.opaque()?,
        _ => None,
    };
    let mut meta = SessionMeta::new(public_id, created, expires);
    meta.set_opaque(opaque).ok()?;
    let (user, device) = (header.optional("user")?, header.optional("device")?);
    header.end()?;
    meta.user = header.text("user", user)?;
    meta.device = header.text("device", device)?;
    meta.renewed = renewed;
    meta.last_seen = last_seen;
    meta.authenticated = authenticated;
    meta.version = version;
    Some(meta)
}

fn corrupt(what: &str) -> StoreError {
    StoreError::corrupt(format!("the {what} is missing or cannot be read"))
}
