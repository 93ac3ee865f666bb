//! The replies of scripts: a word and its value.

use carafe_core::store::StoreError;
use redis::Value;

/// The reply of a script.
pub(crate) enum Reply {
    /// Success, with the value that was removed if there was one.
    Ok(Vec<u8>),
    /// There is no session under the key.
    Gone,
    /// The key is in use.
    Taken,
    /// The script changed nothing, because the key has this value.
    Found(Vec<u8>),
    /// The session is alive, but the indices must first list it until it expires. Contains its
    /// value.
    List(Vec<u8>),
    /// An earlier attempt with a lost reply may have made the change.
    Unknown,
}

impl Reply {
    /// Parses the reply of a script: an array, or `OK` for success without a value.
    pub(crate) fn read(value: Value) -> Result<Self, StoreError> {
        let items = match value {
            Value::Okay => return Ok(Self::Ok(Vec::new())),
            Value::Array(items) => items,
            _ => return Err(unexpected_reply()),
        };
        let mut items = items.into_iter();
        let word = items.next().map(bytes).transpose()?.flatten();
        let value = items.next().map(bytes).transpose()?.flatten();
        let value = value.unwrap_or_default();
        match word.as_deref() {
            Some(b"ok") => Ok(Self::Ok(value)),
            Some(b"gone") => Ok(Self::Gone),
            Some(b"taken") => Ok(Self::Taken),
            Some(b"found") => Ok(Self::Found(value)),
            Some(b"list") => Ok(Self::List(value)),
            Some(b"unknown") => Ok(Self::Unknown),
            _ => Err(unexpected_reply()),
        }
    }

    /// Returns whether [`Reply::read`] returns [`Reply::Unknown`] for this value.
    pub(crate) fn is_unknown(value: &Value) -> bool {
        let Value::Array(items) = value else {
            return false;
        };
        matches!(items.first(), Some(Value::BulkString(word)) if word == b"unknown")
    }
}

/// Parses the number of sets that were read, and their members.
pub(crate) fn reading(value: Value) -> Result<(usize, Vec<String>), StoreError> {
    redis::from_redis_value(value).map_err(|_| unexpected_reply())
}

/// Parses an array of texts.
pub(crate) fn texts(value: Value) -> Result<Vec<String>, StoreError> {
    redis::from_redis_value(value).map_err(|_| unexpected_reply())
}

/// Parses a byte string that may be absent.
pub(crate) fn bytes(value: Value) -> Result<Option<Vec<u8>>, StoreError> {
    match value {
        Value::BulkString(bytes) => Ok(Some(bytes)),
        Value::Nil => Ok(None),
        _ => Err(unexpected_reply()),
    }
}

fn unexpected_reply() -> StoreError {
    StoreError::corrupt("Redis sent an unexpected reply")
}
