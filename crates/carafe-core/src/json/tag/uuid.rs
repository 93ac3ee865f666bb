//! A UUID, read as leniently as Python's `uuid.UUID` and written as Flask writes it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Parsed, Piece, UUID};

/// A UUID as 16 bytes in network byte order.
///
/// ```
/// use carafe_core::json::{JsonDialect, tag::Uuid, to_text};
/// let id: Uuid = "{12345678-1234-5678-1234-567812345678}".parse()?;
/// assert_eq!(id.to_string(), "12345678-1234-5678-1234-567812345678");
/// assert_eq!(to_text(&id, JsonDialect::FLASK)?, r#"{" u":"12345678123456781234567812345678"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid(pub [u8; 16]);

impl Uuid {
    /// Creates a UUID from its numeric value.
    ///
    /// ```
    /// use carafe_core::json::tag::Uuid;
    /// let id = Uuid::from_u128(0x12345678_1234_5678_1234_567812345678);
    /// assert_eq!(id.to_string(), "12345678-1234-5678-1234-567812345678");
    /// ```
    #[must_use]
    pub const fn from_u128(value: u128) -> Self {
        Self(value.to_be_bytes())
    }

    /// Returns the UUID as a number.
    ///
    /// ```
    /// use carafe_core::json::tag::Uuid;
    /// assert_eq!(Uuid::from_u128(7).as_u128(), 7);
    /// ```
    #[must_use]
    pub const fn as_u128(self) -> u128 {
        u128::from_be_bytes(self.0)
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.as_u128();
        let low = |shift: u32| (value >> shift) & 0xffff;
        let (time, node) = (value >> 96, value & 0xffff_ffff_ffff);
        write!(
            f,
            "{time:08x}-{:04x}-{:04x}-{:04x}-{node:012x}",
            low(80),
            low(64),
            low(48)
        )
    }
}

/// The error of a text that is not a UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseUuidError;

impl fmt::Display for ParseUuidError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a UUID")
    }
}

impl std::error::Error for ParseUuidError {}

impl FromStr for Uuid {
    type Err = ParseUuidError;

    /// Parses like Python's `UUID(text)`.
    ///
    /// Accepts `urn:`, `uuid:` and dashes anywhere, braces around the text, and 32 characters that
    /// `int(…, 16)` reads. Digits of other scripts, which `int` also reads, are rejected.
    fn from_str(text: &str) -> Result<Self, ParseUuidError> {
        let text = text.replace("urn:", "").replace("uuid:", "");
        let digits = text.trim_matches(['{', '}']).replace('-', "");
        if digits.chars().count() != 32 {
            return Err(ParseUuidError);
        }
        python_int(digits.trim())
            .map(Self::from_u128)
            .ok_or(ParseUuidError)
    }
}

/// Parses like `int(text, 16)`: a sign, a prefix and single underscores between digits are allowed.
fn python_int(text: &str) -> Option<u128> {
    let text = text.strip_prefix('+').unwrap_or(text);
    let digits = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(rest) => rest.strip_prefix('_').unwrap_or(rest),
        None => text,
    };
    let plain = !digits.starts_with(['_', '+']) && !digits.ends_with('_') && !digits.contains("__");
    let value = plain.then(|| u128::from_str_radix(&digits.replace('_', ""), 16));
    value?.ok()
}

impl Serialize for Uuid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let json = format_args!("\"{:032x}\"", self.as_u128()).to_string();
        serializer.serialize_newtype_struct(UUID, &Piece { plain: self, json })
    }
}

impl<'de> Deserialize<'de> for Uuid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Parsed::new("a UUID"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_python_reads() {
        for text in [
            "12345678123456781234567812345678",
            "12345678-1234-5678-1234-567812345678",
            "{12345678123456781234567812345678}",
            "urn:uuid:12345678-1234-5678-1234-567812345678",
            "1-2-3-4567812345678123456781234567-8",
        ] {
            let value = text.parse().map(Uuid::as_u128);
            assert_eq!(value, Ok(0x12345678123456781234567812345678), "{text}");
        }
        for (text, value) in [
            (
                "ABCDEFabcdefABCDEFabcdefABCDEFab",
                0xabcdefabcdefabcdefabcdefabcdefab_u128,
            ),
            ("0x000000000000000000000000000001", 1),
            ("0x_00000000000000000000000000001", 1),
            ("+0000000000000000000000000000001", 1),
            (" 000000000000000000000000000001\n", 1),
            ("1_000000000000000000000000000000", 1 << 120),
        ] {
            assert_eq!(text.parse().map(Uuid::as_u128), Ok(value), "{text}");
        }
        for text in [
            "",
            "bad",
            "1234567812345678123456781234567",
            "1234567812345678123456781234567g",
            "0000000000000000000000000000__01",
            "_0000000000000000000000000000001",
            "++000000000000000000000000000001",
            "0x+00000000000000000000000000001",
        ] {
            assert!(text.parse::<Uuid>().is_err(), "{text}");
        }
    }
}
