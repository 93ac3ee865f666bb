//! Why a value has no text.

use std::fmt::{self, Display};

use serde::ser;

/// Why a value cannot be written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// Deeper than a reader would follow.
    TooDeep,
    /// A key that is neither text, number, boolean nor none.
    BadKey,
    /// Keys in one map that Python cannot put in order, such as numbers and text.
    MixedKeys,
    /// Bytes in a style that has no tags.
    BytesWithoutTags,
    /// [`Tuple`](crate::json::tag::Tuple) around something that is not a sequence.
    NotASequence,
    /// What the value's own `Serialize` said.
    Custom(String),
}

impl Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooDeep => "nested too deeply",
            Self::BadKey => "a key that is neither text, number, boolean nor none",
            Self::MixedKeys => "keys of different kinds cannot be sorted",
            Self::BytesWithoutTags => "plain JSON has no bytes",
            Self::NotASequence => "a tuple around something that is not a sequence",
            Self::Custom(message) => message,
        })
    }
}

impl std::error::Error for EncodeError {}

impl ser::Error for EncodeError {
    fn custom<T: Display>(message: T) -> Self {
        Self::Custom(message.to_string())
    }
}
