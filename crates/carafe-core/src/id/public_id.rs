//! The public name of a session.

use std::{error::Error, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{base64, error::NoRandomness};

/// The public name of a session, for "your devices" pages and operators.
///
/// Random, stable across changes of the session id, and useless for taking over the session. The
/// text of a public id has 16 characters, which need no escaping in a URL.
///
/// ```
/// use carafe_core::store::PublicId;
///
/// let public_id: PublicId = "9pWc0vT1m4yQe7Zb".parse()?;
/// assert_eq!(public_id.to_string(), "9pWc0vT1m4yQe7Zb");
/// # Ok::<(), carafe_core::store::ParseError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicId([u8; 12]);

impl PublicId {
    /// Returns a new public id.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn random() -> Result<Self, NoRandomness> {
        let mut bytes = [0; 12];
        getrandom::fill(&mut bytes).map_err(|_| NoRandomness)?;
        Ok(Self(bytes))
    }

    /// Returns the public id that has the bytes read from a store.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 12]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes that a store keeps.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 12] {
        &self.0
    }
}

impl FromStr for PublicId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut bytes = [0; 12];
        if base64::decode_url_exact(text.as_bytes(), &mut bytes) {
            Ok(Self(bytes))
        } else {
            Err(ParseError("a public id has 16 characters of base64url"))
        }
    }
}

impl fmt::Display for PublicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64::encode_url(&self.0))
    }
}

impl fmt::Debug for PublicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicId({self})")
    }
}

impl Serialize for PublicId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl de::Visitor<'_> for Text {
            type Value = PublicId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a public id")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<PublicId, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Text)
    }
}

/// The error of parsing a [`PublicId`] or a [`Position`](crate::store::Position).
///
/// The text says which form is expected, and does not repeat the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError(pub(crate) &'static str);

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for ParseError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_id_survives_its_text_and_json() {
        let public_id = PublicId::from_bytes([7; 12]);
        assert_eq!(public_id.to_string().parse(), Ok(public_id));
        let json = serde_json::to_string(&public_id).unwrap();
        assert_eq!(json, format!("\"{public_id}\""));
        assert_eq!(serde_json::from_str::<PublicId>(&json).unwrap(), public_id);
        assert_eq!(format!("{public_id:?}"), format!("PublicId({public_id})"));
    }

    #[test]
    fn any_other_text_is_no_public_id() {
        for text in [
            "",
            "AAAA",
            "AAAAAAAAAAAAAAA=",
            "AAAAAAAAAAAAAAAAA",
            "AAAAAAAAAAAAAAA+",
        ] {
            assert!(text.parse::<PublicId>().is_err(), "{text}");
            let json = format!("\"{text}\"");
            assert!(serde_json::from_str::<PublicId>(&json).is_err(), "{text}");
        }
        assert!(serde_json::from_str::<PublicId>("7").is_err());
    }
}
