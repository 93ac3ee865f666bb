//! The replies of this layout's scripts: a word, the expiry of the record, and its value.

use carafe_core::{clock::Timestamp, store::StoreError};
use redis::Value;

/// The reply of a script.
pub(super) enum Reply {
    /// Success, with the expiry, and with the value if the script returns it.
    Ok(Timestamp, Vec<u8>),
    /// There is no session under the key.
    Gone,
    /// The record has this value instead of the expected one.
    Stale(Timestamp, Vec<u8>),
    /// The key is in use.
    Taken,
    /// The key is in use and has the same value.
    Same,
}

impl Reply {
    /// Parses the array that every script returns.
    pub(super) fn read(value: Value) -> Result<Self, StoreError> {
        let Value::Array(items) = value else {
            return Err(unexpected_reply());
        };
        let mut items = items.into_iter().map(bytes);
        let mut next = || items.next().unwrap_or_else(|| Err(unexpected_reply()));
        match next()?.as_slice() {
            b"ok" => Ok(Self::Ok(second(&next()?)?, next().unwrap_or_default())),
            b"gone" => Ok(Self::Gone),
            b"stale" => Ok(Self::Stale(second(&next()?)?, next()?)),
            b"taken" => Ok(Self::Taken),
            b"same" => Ok(Self::Same),
            _ => Err(unexpected_reply()),
        }
    }
}

fn bytes(value: Value) -> Result<Vec<u8>, StoreError> {
    match value {
        Value::BulkString(bytes) => Ok(bytes),
        Value::SimpleString(text) => Ok(text.into_bytes()),
        _ => Err(unexpected_reply()),
    }
}

fn second(text: &[u8]) -> Result<Timestamp, StoreError> {
    let text = str::from_utf8(text).map_err(|_| unexpected_reply())?;
    let seconds = text.parse().map_err(|_| unexpected_reply())?;
    Ok(Timestamp::from_unix(seconds))
}

pub(super) fn unexpected_reply() -> StoreError {
    StoreError::corrupt("Redis sent an unexpected reply")
}
