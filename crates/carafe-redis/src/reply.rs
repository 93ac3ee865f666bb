//! What a script answers: a word, and what belongs to it.

use carafe_core::store::StoreError;
use redis::Value;

/// An answer of a script.
pub(crate) enum Reply {
    /// Done; what was taken away, where something was.
    Ok(Vec<u8>),
    /// There is nothing to do it to.
    Gone,
    /// The key is in use.
    Taken,
    /// It was not done, because this is under the key.
    Found(Vec<u8>),
    /// The session is alive, and first the indices must list it for as long as this says.
    List(Vec<u8>),
    /// An attempt whose reply was lost may have done it.
    Unknown,
}

impl Reply {
    /// Reads what every script returns: an array, or OK if it is done and nothing was taken away.
    pub(crate) fn read(value: Value) -> Result<Self, StoreError> {
        let items = match value {
            Value::Okay => return Ok(Self::Ok(Vec::new())),
            Value::Array(items) => items,
            _ => return Err(strange()),
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
            _ => Err(strange()),
        }
    }
}

/// How many sets were read, and what stood in them.
pub(crate) fn reading(value: Value) -> Result<(usize, Vec<String>), StoreError> {
    redis::from_redis_value(value).map_err(|_| strange())
}

/// The texts of an array.
pub(crate) fn texts(value: Value) -> Result<Vec<String>, StoreError> {
    redis::from_redis_value(value).map_err(|_| strange())
}

/// A text as it came, if there is one.
pub(crate) fn bytes(value: Value) -> Result<Option<Vec<u8>>, StoreError> {
    match value {
        Value::BulkString(bytes) => Ok(Some(bytes)),
        Value::Nil => Ok(None),
        _ => Err(strange()),
    }
}

fn strange() -> StoreError {
    StoreError::corrupt("Redis answered something unexpected")
}
