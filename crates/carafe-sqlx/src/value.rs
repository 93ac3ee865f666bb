//! The values of placeholders.

use carafe_core::{
    clock::Timestamp,
    store::{PublicId, StoreKey},
};

/// The value of a placeholder.
#[derive(Clone, Copy)]
pub enum Value<'v> {
    #[doc(hidden)]
    Bytes(Option<&'v [u8]>),
    #[doc(hidden)]
    Text(Option<&'v str>),
    #[doc(hidden)]
    Number(Option<i64>),
}

impl<'v> From<&'v StoreKey> for Value<'v> {
    fn from(key: &'v StoreKey) -> Self {
        Self::Bytes(Some(key.as_bytes()))
    }
}

impl<'v> From<&'v PublicId> for Value<'v> {
    fn from(public_id: &'v PublicId) -> Self {
        Self::Bytes(Some(public_id.as_bytes()))
    }
}

impl<'v> From<&'v str> for Value<'v> {
    fn from(text: &'v str) -> Self {
        Self::Text(Some(text))
    }
}

impl<'v> From<&'v Option<String>> for Value<'v> {
    fn from(text: &'v Option<String>) -> Self {
        Self::Text(text.as_deref())
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(time: Timestamp) -> Self {
        Self::Number(Some(time.unix()))
    }
}

impl From<Option<Timestamp>> for Value<'_> {
    fn from(time: Option<Timestamp>) -> Self {
        Self::Number(time.map(Timestamp::unix))
    }
}

impl From<u64> for Value<'_> {
    /// Saturates at the largest number of the database.
    fn from(number: u64) -> Self {
        Self::Number(Some(i64::try_from(number).unwrap_or(i64::MAX)))
    }
}
