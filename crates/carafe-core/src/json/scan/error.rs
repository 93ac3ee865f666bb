//! The limits and the errors of the scanner.

use std::fmt;

/// Maximum nesting of arrays and objects, in levels, the root included.
pub const MAX_DEPTH: usize = 200;

/// Maximum number of digits of an integer: CPython's limit for reading and writing integers.
pub const MAX_DIGITS: usize = 4300;

/// The reason why a text is not a session payload or not JSON.
///
/// ```
/// use carafe_core::json::{MAX_DEPTH, ScanError, scan_root, validate};
///
/// assert_eq!(validate(r#"{"a":1,}"#, true), Err(ScanError::Syntax { at: 7 }));
/// assert_eq!(scan_root("[1,2]", true).err(), Some(ScanError::NotAnObject));
/// assert_eq!(validate(r#"{"id":{" u":"no uuid"}}"#, true), Err(ScanError::BadTag));
/// assert_eq!(validate(r#"{"id":{" u":"no uuid"}}"#, false), Ok(()), "without Flask's tags");
/// let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
/// assert_eq!(validate(&deep, true), Err(ScanError::TooDeep));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScanError {
    /// The text does not match the grammar.
    Syntax {
        /// Offset, in bytes, at which the scanner detected the error.
        at: usize,
    },
    /// Values nest deeper than [`MAX_DEPTH`].
    TooDeep,
    /// An integer has more than [`MAX_DIGITS`] digits.
    TooManyDigits,
    /// The text is longer than 4 GiB.
    TooLong,
    /// The root is neither an object nor a value that Flask converts to one.
    NotAnObject,
    /// A tag contains an invalid value, such as `{" u":"no uuid"}`.
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
            Self::BadTag => f.write_str("a tag contains a value that it cannot hold"),
        }
    }
}

impl std::error::Error for ScanError {}
