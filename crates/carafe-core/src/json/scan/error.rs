//! What can be wrong with a text.

use std::fmt;

use super::{MAX_DEPTH, MAX_DIGITS};

/// Why a text is not a session, or not JSON at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScanError {
    /// Not in the grammar; the byte where that became certain.
    Syntax {
        /// Offset in bytes.
        at: usize,
    },
    /// Nested deeper than [`MAX_DEPTH`].
    TooDeep,
    /// An integer of more than [`MAX_DIGITS`] digits.
    TooManyDigits,
    /// More than 4 GiB of text.
    TooLong,
    /// The root is neither an object nor one of the things Flask takes for one.
    NotAnObject,
    /// A tag around something it cannot hold, such as `{" u":"no uuid"}`.
    BadTag,
}

impl fmt::Display for ScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { at } => write!(f, "not JSON from byte {at} on"),
            Self::TooDeep => write!(f, "nested deeper than {MAX_DEPTH} levels"),
            Self::TooManyDigits => write!(f, "an integer of more than {MAX_DIGITS} digits"),
            Self::TooLong => f.write_str("longer than 4 GiB"),
            Self::NotAnObject => f.write_str("the root is not an object"),
            Self::BadTag => f.write_str("a tag around something it cannot hold"),
        }
    }
}

impl std::error::Error for ScanError {}
