//! Why a stored value cannot be read, or a session not be written. Never shows a byte of either.

use std::{error::Error, fmt};

/// A stored value that is left as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unreadable {
    /// A pickle: what Flask-Session wrote before 0.7. Reading one runs whatever it says.
    Pickle,
    /// Neither MessagePack nor JSON.
    Neither,
    /// Not a dictionary.
    NotADictionary,
    /// Deeper than [`MAX_DEPTH`](crate::json::MAX_DEPTH).
    TooDeep,
    /// Two keys of one dictionary that differ in Python, such as `1` and `"1"`, and are one key here.
    TwoKeys,
    /// Under the key that Carafe keeps for itself stands something else.
    Facts,
    /// An id that is not 32 bytes as 43 characters, which is what `SESSION_ID_LENGTH` makes by default.
    Id {
        /// How many bytes it has.
        length: usize,
    },
}

/// A session that the chosen format has no form for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unwritable {
    /// An integer below -2⁶³ or above 2⁶⁴-1, which MessagePack lacks.
    Integer,
    /// Half of a surrogate pair, which UTF-8 lacks.
    Surrogate,
    /// A key that JSON has no form for: `None`, a boolean or a tuple.
    Key,
    /// An extension type of MessagePack, which JSON lacks.
    Extension,
    /// JSON text that is none.
    Text,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Id { length } => {
                return write!(
                    f,
                    "its id of {length} characters is not one of 43 that say 32 bytes; SESSION_ID_LENGTH was another"
                );
            }
            Self::Pickle => {
                "it is a Python pickle, which Carafe never unpickles, because that runs whatever the pickle \
                 says; let Flask-Session 0.7 or 0.8 read and save it once, which makes MessagePack or JSON of it, \
                 or delete it"
            }
            Self::Neither => "it is neither MessagePack nor JSON",
            Self::NotADictionary => "it is not a dictionary",
            Self::TooDeep => "it nests too deep",
            Self::TwoKeys => "it has two keys that differ only in their type, such as 1 and \"1\"",
            Self::Facts => "its key \"_carafe\" holds something that Carafe did not write",
        })
    }
}

impl Error for Unreadable {}

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Integer => "MessagePack has no integers of more than 64 bits",
            Self::Surrogate => "a text has half of a surrogate pair, which UTF-8 has no form for",
            Self::Key => "JSON has no form for a key that is neither text nor a number",
            Self::Extension => "JSON has no form for an extension type of MessagePack",
            Self::Text => "a value is no JSON text",
        })
    }
}

impl Error for Unwritable {}
