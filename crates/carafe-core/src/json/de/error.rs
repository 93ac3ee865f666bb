//! Why a text does not become a value.

use std::fmt;

use serde::de;

use crate::json::{ScanError, string::LoneSurrogate};

/// Why a text does not read as the type that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The text is not JSON, or a tag in it holds what it cannot.
    Scan(ScanError),
    /// A string that Rust cannot hold.
    LoneSurrogate,
    /// What the type's own `Deserialize` said, usually that the value is of another type.
    Custom(String),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scan(error) => error.fmt(f),
            Self::LoneSurrogate => LoneSurrogate.fmt(f),
            Self::Custom(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for DecodeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Scan(error) => Some(error),
            Self::LoneSurrogate => Some(&LoneSurrogate),
            Self::Custom(_) => None,
        }
    }
}

impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Custom(message.to_string())
    }
}

impl From<ScanError> for DecodeError {
    fn from(error: ScanError) -> Self {
        Self::Scan(error)
    }
}

impl From<LoneSurrogate> for DecodeError {
    fn from(_: LoneSurrogate) -> Self {
        Self::LoneSurrogate
    }
}
