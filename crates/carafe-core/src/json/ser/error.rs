//! The error of writing a value.

use std::fmt::{self, Display};

use serde::ser;

/// The reason why a value cannot be written.
///
/// ```
/// use std::collections::BTreeMap;
///
/// use carafe_core::json::{EncodeError, JsonDialect, tag, to_text};
///
/// let by_point = BTreeMap::from([((1, 2), "here")]);
/// assert_eq!(to_text(&by_point, JsonDialect::FLASK), Err(EncodeError::BadKey));
/// let not_a_sequence = tag::Tuple(1);
/// assert_eq!(to_text(&not_a_sequence, JsonDialect::FLASK), Err(EncodeError::NotASequence));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// The value nests deeper than readers accept.
    TooDeep,
    /// A key is not a string, number, boolean or None.
    BadKey,
    /// A map contains keys that Python cannot sort, such as numbers and strings.
    MixedKeys,
    /// The value contains bytes, and the dialect has no tags.
    BytesWithoutTags,
    /// [`Tuple`](crate::json::tag::Tuple) wraps a value that is not a sequence.
    NotASequence,
    /// The message of the value's own `Serialize`.
    Custom(String),
}

impl Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooDeep => "nested too deeply",
            Self::BadKey => "a key that is neither text, number, boolean nor none",
            Self::MixedKeys => "keys of different kinds cannot be sorted",
            Self::BytesWithoutTags => "plain JSON has no bytes",
            Self::NotASequence => "`Tuple` wraps a value that is not a sequence",
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
