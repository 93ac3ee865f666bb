//! The public ID of a session.

use std::{error::Error, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use sha2::{Digest, Sha256};

use super::ClientKind;
use crate::{base64, error::NoRandomness};

/// Bytes of a public id.
const BYTES: usize = 12;
/// Bytes of the mark at the end of a public id that names the kind of client.
const MARK: usize = 2;

/// The public ID of a session, for "your devices" pages and operators.
///
/// Random, stable across changes of the session ID, and useless for taking over the session. The
/// text of a public ID has 16 characters, which need no escaping in a URL.
///
/// ```
/// use carafe_core::store::PublicId;
///
/// let public_id: PublicId = "9pWc0vT1m4yQe7Zb".parse()?;
/// assert_eq!(public_id.to_string(), "9pWc0vT1m4yQe7Zb");
/// # Ok::<(), carafe_core::store::ParseError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicId([u8; BYTES]);

impl PublicId {
    /// Returns a new public id that names no kind of client.
    ///
    /// ```
    /// use carafe_core::store::PublicId;
    ///
    /// let text = PublicId::random()?.to_string();
    /// assert_eq!(text.len(), 16);
    /// assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    /// # Ok::<(), carafe_core::error::NoRandomness>(())
    /// ```
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn random() -> Result<Self, NoRandomness> {
        let mut bytes = [0; 12];
        getrandom::fill(&mut bytes).map_err(|_| NoRandomness)?;
        Ok(Self(bytes))
    }

    /// Returns a new public id of a session for this kind of client.
    ///
    /// The first 80 bits are random. The last 16 bits mark the kind.
    ///
    /// ```
    /// use carafe_core::store::{ClientKind, PublicId};
    ///
    /// let public_id = PublicId::random_for(ClientKind::Bearer)?;
    /// assert_eq!(public_id.client(), Some(ClientKind::Bearer));
    /// # Ok::<(), carafe_core::error::NoRandomness>(())
    /// ```
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn random_for(client: ClientKind) -> Result<Self, NoRandomness> {
        let mut public_id = Self::random()?;
        let mark = public_id.mark(client);
        public_id.0[BYTES - MARK..].copy_from_slice(&mark);
        Ok(public_id)
    }

    /// Returns the kind of client that the session belongs to.
    ///
    /// `None` for sessions that another framework or an older version began. One in 16,384 of
    /// their public ids looks like a marked one, so this is for display, not for decisions.
    ///
    /// ```
    /// use carafe_core::store::{ClientKind, PublicId};
    ///
    /// let id = PublicId::random_for(ClientKind::RefreshToken)?;
    /// assert_eq!(id.client(), Some(ClientKind::RefreshToken));
    /// assert_eq!(PublicId::from_bytes([0; 12]).client(), None, "made by another framework");
    /// # Ok::<(), carafe_core::error::NoRandomness>(())
    /// ```
    #[must_use]
    pub fn client(&self) -> Option<ClientKind> {
        let [.., first, second] = self.0;
        let [expected, base] = self.mark_base();
        let mut kinds = ClientKind::ALL.into_iter();
        kinds.find(|client| first == expected && second == base ^ client.number())
    }

    /// Returns the mark of a kind of client behind the random bits of this public id.
    fn mark(&self, client: ClientKind) -> [u8; MARK] {
        let [first, base] = self.mark_base();
        [first, base ^ client.number()]
    }

    /// Returns the two bytes that an unmarked public id has by chance only.
    fn mark_base(&self) -> [u8; MARK] {
        let digest = Sha256::digest(&self.0[..BYTES - MARK]);
        [digest[0], digest[1]]
    }

    /// Returns the public ID with these bytes, which were read from a store.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 12]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes, for storage.
    ///
    /// ```
    /// use carafe_core::store::PublicId;
    ///
    /// let id: PublicId = "AQIDBAUGBwgJCgsM".parse()?;
    /// assert_eq!(id.as_bytes(), &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    /// assert_eq!(PublicId::from_bytes(*id.as_bytes()), id);
    /// # Ok::<(), carafe_core::store::ParseError>(())
    /// ```
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
/// The text names the expected form and does not repeat the input.
///
/// ```
/// use carafe_core::store::PublicId;
///
/// let error = "<script>".parse::<PublicId>().unwrap_err();
/// assert_eq!(error.to_string(), "a public id has 16 characters of base64url");
/// ```
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
    fn a_marked_public_id_names_its_kind_of_client_and_others_name_none() {
        for client in ClientKind::ALL {
            let public_id = PublicId::random_for(client).unwrap();
            assert_eq!(public_id.client(), Some(client));
            for at in 0..BYTES {
                let mut bytes = *public_id.as_bytes();
                // None of the numbers of kinds differ in this bit.
                bytes[at] ^= 0x80;
                let marked = PublicId::from_bytes(bytes).client();
                assert!(at < BYTES - MARK || marked.is_none(), "{at} {client:?}");
            }
        }
        let ids = (0..=u8::MAX).map(|byte| PublicId::from_bytes([byte; BYTES]));
        assert_eq!(ids.filter_map(|id| id.client()).count(), 0);
    }

    #[test]
    fn the_mark_of_each_kind_of_client_stays_as_it_is() {
        for (client, text) in [
            (ClientKind::Cookie, "BwcHBwcHBwcHB79S"),
            (ClientKind::Bearer, "BwcHBwcHBwcHB79T"),
            (ClientKind::Header, "BwcHBwcHBwcHB79Q"),
            (ClientKind::RefreshToken, "BwcHBwcHBwcHB79R"),
        ] {
            let mut public_id = PublicId::from_bytes([7; BYTES]);
            let mark = public_id.mark(client);
            public_id.0[BYTES - MARK..].copy_from_slice(&mark);
            assert_eq!(public_id.to_string(), text);
        }
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
