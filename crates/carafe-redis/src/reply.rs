//! What a script answers: a word, and what belongs to it.

use carafe_core::{
    clock::Timestamp,
    store::{Handle, StoreError, StoreKey},
};
use redis::Value;

use crate::{layout::Fields, listing::Entry, names::key_of_text};

/// An answer of a script.
pub(crate) enum Reply {
    /// Done; the hash as it is now, where the script gives it.
    Ok(Fields),
    /// There is nothing to do it to.
    Gone,
    /// The key is in use, by the session with this handle.
    Taken(Option<Handle>),
    /// The key leads to another one until then.
    Moved(StoreKey, Timestamp),
    /// The record is on its way to this key.
    Pending,
    /// An update was made on another value; this is the hash.
    Stale(Fields),
    /// The session is alive, and first the indices must list it for that long.
    List(Entry),
    /// An attempt whose reply was lost may have done it.
    Unknown,
}

impl Reply {
    /// Reads the array that every script returns.
    pub(crate) fn read(value: Value) -> Result<Self, StoreError> {
        let Value::Array(items) = value else {
            return Err(strange());
        };
        let mut items = items.into_iter();
        let word = text(items.next())?;
        match word.as_str() {
            "ok" => Ok(Self::Ok(fields(items.next().unwrap_or(Value::Nil))?)),
            "gone" => Ok(Self::Gone),
            "taken" => Ok(Self::Taken(Handle::parse(&text(items.next())?))),
            "moved" => Self::moved(&text(items.next())?, &text(items.next())?),
            "pending" => Ok(Self::Pending),
            "stale" => Ok(Self::Stale(fields(items.next().unwrap_or(Value::Nil))?)),
            "list" => entry(&mut items).map(Self::List),
            "unknown" => Ok(Self::Unknown),
            _ => Err(StoreError::corrupt("the key holds something else")),
        }
    }

    fn moved(to: &str, until: &str) -> Result<Self, StoreError> {
        let to = key_of_text(to).ok_or_else(strange)?;
        Ok(Self::Moved(to, moment(until)?))
    }
}

/// User (`+user` or nothing), handle, end, beginning, and the second of the id.
fn entry(items: &mut impl Iterator<Item = Value>) -> Result<Entry, StoreError> {
    let user = text(items.next())?.strip_prefix('+').map(str::to_owned);
    let handle = Handle::parse(&text(items.next())?).ok_or_else(strange)?;
    let mut next = || moment(&text(items.next())?);
    Ok(Entry {
        user,
        handle,
        expires: next()?,
        created: next()?,
        renewed: next()?,
    })
}

/// The fields of a hash, as `HGETALL` gives them in either version of the protocol.
pub(crate) fn fields(value: Value) -> Result<Fields, StoreError> {
    match value {
        Value::Nil => Ok(Vec::new()),
        Value::Map(pairs) => pairs
            .into_iter()
            .map(|(name, value)| Ok((text(Some(name))?, text(Some(value))?)))
            .collect(),
        Value::Array(items) => {
            let mut items = items.into_iter();
            let mut fields = Vec::with_capacity(items.len() / 2);
            while let Some(name) = items.next() {
                fields.push((text(Some(name))?, text(items.next())?));
            }
            Ok(fields)
        }
        _ => Err(strange()),
    }
}

/// The fields with these names of a hash, as `HMGET` gives them.
pub(crate) fn named(names: &[&str], value: Value) -> Result<Fields, StoreError> {
    let Value::Array(items) = value else {
        return Err(strange());
    };
    let pairs = names.iter().zip(items);
    let given = pairs.filter(|(_, item)| !matches!(item, Value::Nil));
    given
        .map(|(name, item)| Ok(((*name).to_owned(), text(Some(item))?)))
        .collect()
}

/// How many sets were read, and what stood in them.
pub(crate) fn reading(value: Value) -> Result<(usize, Vec<String>), StoreError> {
    redis::from_redis_value(value).map_err(|_| strange())
}

/// The texts of an array.
pub(crate) fn texts(value: Value) -> Result<Vec<String>, StoreError> {
    match value {
        Value::Array(items) => items.into_iter().map(|item| text(Some(item))).collect(),
        _ => Err(strange()),
    }
}

fn text(value: Option<Value>) -> Result<String, StoreError> {
    match value {
        Some(Value::BulkString(bytes)) => String::from_utf8(bytes).map_err(StoreError::corrupt),
        Some(Value::SimpleString(text)) => Ok(text),
        _ => Err(strange()),
    }
}

fn moment(text: &str) -> Result<Timestamp, StoreError> {
    let seconds = text.parse().map_err(|_| strange())?;
    Ok(Timestamp::from_unix(seconds))
}

fn strange() -> StoreError {
    StoreError::corrupt("Redis answered something unexpected")
}
