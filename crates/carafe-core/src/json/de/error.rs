//! The error of reading a value.

use std::fmt;

use serde::de;

use crate::json::{ScanError, string::LoneSurrogate};

/// The reason why a text does not deserialize into the requested type.
///
/// The text names the kind of the value and never the value, because it may be logged:
///
/// ```
/// use carafe_core::json::{DecodeError, from_text};
///
/// let error = from_text::<u64>(r#""4111 1111 1111 1111""#, true).unwrap_err();
/// assert_eq!(error.to_string(), "a string, expected u64");
/// let error = from_text::<String>(r#""\ud800""#, true).unwrap_err();
/// assert_eq!(error, DecodeError::LoneSurrogate);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The text is not JSON, or a tag contains a value that it cannot hold.
    Scan(ScanError),
    /// A string contains a lone surrogate, which no Rust string can represent.
    LoneSurrogate,
    /// The message of the type's own `Deserialize`, usually a type mismatch.
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
        // `Display` writes the text of the cause, so the chain continues with the source of the
        // cause.
        match self {
            Self::Scan(error) => error.source(),
            Self::LoneSurrogate | Self::Custom(_) => None,
        }
    }
}

/// Names the kind of a value but never the value, because errors are logged.
///
/// serde's own text is `invalid type: string "4111 1111 1111 1111", expected u64`.
impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Custom(message.to_string())
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::Custom(format!("{}, expected {expected}", kind(found)))
    }

    fn invalid_value(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::Custom(format!("{} out of range, expected {expected}", kind(found)))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::Custom(format!("unknown variant, expected one of {expected:?}"))
    }

    fn unknown_field(_: &str, expected: &'static [&'static str]) -> Self {
        Self::Custom(format!("unknown field, expected one of {expected:?}"))
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

const fn kind(value: de::Unexpected<'_>) -> &'static str {
    use de::Unexpected::{
        Bool, Bytes, Char, Enum, Float, Map, NewtypeStruct, NewtypeVariant, Option, Other, Seq,
        Signed, Str, StructVariant, TupleVariant, Unit, UnitVariant, Unsigned,
    };
    match value {
        Bool(_) => "a boolean",
        Unsigned(_) | Signed(_) => "an integer",
        Float(_) => "a float",
        Char(_) | Str(_) => "a string",
        Bytes(_) => "bytes",
        Unit | Option => "null",
        Seq => "a list",
        Map => "a map",
        NewtypeStruct | Enum | Other(_) => "another type",
        UnitVariant | NewtypeVariant | StructVariant | TupleVariant => "another variant",
    }
}
