//! What a script of this layout answers: a word, the first second without the record, and its value.

use carafe_core::{clock::Timestamp, store::StoreError};
use redis::Value;

/// An answer of a script.
pub(super) enum Reply {
    /// Done, or found: the expiry, and the value where the script gives it.
    Ok(Timestamp, Vec<u8>),
    /// There is nothing to do it to.
    Gone,
    /// The record has this other value.
    Stale(Timestamp, Vec<u8>),
    /// The key is in use.
    Taken,
    /// The key is in use by this very value.
    Same,
}

impl Reply {
    /// Reads the array that every script returns.
    pub(super) fn read(value: Value) -> Result<Self, StoreError> {
        let Value::Array(items) = value else {
            return Err(strange());
        };
        let mut items = items.into_iter().map(bytes);
        let mut next = || items.next().unwrap_or_else(|| Err(strange()));
        match next()?.as_slice() {
            b"ok" => Ok(Self::Ok(second(&next()?)?, next().unwrap_or_default())),
            b"gone" => Ok(Self::Gone),
            b"stale" => Ok(Self::Stale(second(&next()?)?, next()?)),
            b"taken" => Ok(Self::Taken),
            b"same" => Ok(Self::Same),
            _ => Err(strange()),
        }
    }
}

fn bytes(value: Value) -> Result<Vec<u8>, StoreError> {
    match value {
        Value::BulkString(bytes) => Ok(bytes),
        Value::SimpleString(text) => Ok(text.into_bytes()),
        _ => Err(strange()),
    }
}

fn second(text: &[u8]) -> Result<Timestamp, StoreError> {
    let text = str::from_utf8(text).map_err(|_| strange())?;
    let seconds = text.parse().map_err(|_| strange())?;
    Ok(Timestamp::from_unix(seconds))
}

pub(super) fn strange() -> StoreError {
    StoreError::corrupt("Redis answered something unexpected")
}
