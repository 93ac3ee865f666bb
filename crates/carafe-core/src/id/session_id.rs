//! The ID of a server-side session: a random secret in the browser's cookie.

use std::fmt;

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{KeyScheme, Nonce, StoreKey};
use crate::{base64, error::NoRandomness};

/// 256 random bits as 43 characters of Base64url.
///
/// Only the browser stores the ID: stores receive its SHA-256 (except under [`KeyScheme::RawId`]),
/// and logs never contain it.
///
/// ```
/// use carafe_core::token::SessionId;
///
/// let id = SessionId::random()?;
/// assert_eq!(id.as_str().len(), 43);
/// assert_eq!(format!("{id:?}"), "SessionId(…)");
/// assert!(SessionId::parse(b"../../etc/passwd").is_none());
/// # Ok::<(), carafe_core::error::NoRandomness>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SessionId(Text);

#[derive(Clone, PartialEq, Eq)]
enum Text {
    Own(Zeroizing<[u8; SessionId::LENGTH]>),
    /// An ID that Flask-Session created.
    #[cfg(feature = "flask-session")]
    Foreign(Zeroizing<Box<str>>),
}

impl SessionId {
    const BYTES: usize = 32;
    const LENGTH: usize = 43;

    /// Returns a new random ID.
    ///
    /// ```
    /// use carafe_core::token::SessionId;
    ///
    /// assert_ne!(SessionId::random()?.as_str(), SessionId::random()?.as_str());
    /// # Ok::<(), carafe_core::error::NoRandomness>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`NoRandomness`] if the operating system returns no random bytes. No weaker
    /// source is used instead (OWASP ASVS 7.2.3).
    pub fn random() -> Result<Self, NoRandomness> {
        let mut bytes = Zeroizing::new([0; Self::BYTES]);
        getrandom::fill(bytes.as_mut()).map_err(|_| NoRandomness)?;
        Ok(Self::encode(&bytes))
    }

    /// Returns the ID that replaces this one in a timed renewal with `nonce`.
    ///
    /// The ID is HKDF-SHA256 (RFC 5869) with this ID as input key and the nonce as salt. Every
    /// request with this ID computes the same successor, and it cannot be computed without this ID.
    #[must_use]
    pub(crate) fn successor(&self, nonce: &Nonce) -> Self {
        let mut bytes = Zeroizing::new([0; Self::BYTES]);
        Hkdf::<Sha256>::new(Some(nonce.as_bytes()), self.as_str().as_bytes())
            .expand(b"carafe session id successor", bytes.as_mut())
            .expect("HKDF-SHA256 gives up to 8,160 bytes");
        Self::encode(&bytes)
    }

    fn encode(bytes: &[u8; Self::BYTES]) -> Self {
        let mut text = Zeroizing::new([0; Self::LENGTH]);
        base64::encode_url_exact(bytes.as_ref(), text.as_mut());
        Self(Text::Own(text))
    }

    /// Parses the ID in a cookie. Malformed IDs never reach a store (CVE-2024-3400).
    ///
    /// ```
    /// use carafe_core::token::SessionId;
    ///
    /// assert!(SessionId::parse(&[b'A'; 43]).is_some());
    /// assert!(SessionId::parse(b"AAAA").is_none());
    /// ```
    #[must_use]
    pub fn parse(cookie: &[u8]) -> Option<Self> {
        // Each value has only one valid encoding, so the cookie's text equals the ID's.
        let text = <[u8; Self::LENGTH]>::try_from(cookie).ok()?;
        base64::is_url(cookie).then(|| Self(Text::Own(Zeroizing::new(text))))
    }

    /// Parses like [`SessionId::parse`] for a store with this key scheme.
    ///
    /// With [`KeyScheme::RawId`], IDs of Flask-Session in other forms are accepted, too: 1 to 191
    /// characters of the Base64url alphabet, such as a UUID (feature `flask-session`).
    ///
    /// ```
    /// use carafe_core::{store::KeyScheme, token::SessionId};
    ///
    /// let own = SessionId::random()?;
    /// let cookie = own.as_str().as_bytes();
    /// assert!(SessionId::parse_as(cookie, KeyScheme::Hashed).is_some());
    /// assert!(SessionId::parse_as(cookie, KeyScheme::RawId).is_some());
    ///
    /// let uuid = b"0f8fad5b-d9cb-469f-a165-70867728950e";
    /// assert!(SessionId::parse_as(uuid, KeyScheme::Hashed).is_none());
    /// assert!(SessionId::parse_as(b"../etc/passwd", KeyScheme::RawId).is_none());
    /// # Ok::<(), carafe_core::error::NoRandomness>(())
    /// ```
    #[must_use]
    pub fn parse_as(cookie: &[u8], naming: KeyScheme) -> Option<Self> {
        let own = Self::parse(cookie);
        match naming {
            KeyScheme::Hashed => own,
            KeyScheme::RawId => own.or_else(|| Self::parse_foreign(cookie)),
        }
    }

    #[cfg(feature = "flask-session")]
    fn parse_foreign(cookie: &[u8]) -> Option<Self> {
        let key = StoreKey::of_foreign_id(cookie)?;
        let id = key.foreign_id()?;
        Some(Self(Text::Foreign(Zeroizing::new(id.into()))))
    }

    #[cfg(not(feature = "flask-session"))]
    const fn parse_foreign(_: &[u8]) -> Option<Self> {
        None
    }

    /// Returns the text of the ID, for use in the cookie only.
    ///
    /// ```
    /// use carafe_core::token::SessionId;
    ///
    /// let id = SessionId::random()?;
    /// assert!(SessionId::parse(id.as_str().as_bytes()) == Some(id));
    /// # Ok::<(), carafe_core::error::NoRandomness>(())
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Text::Own(text) => {
                str::from_utf8(text.as_ref()).expect("both constructors hold base64url")
            }
            #[cfg(feature = "flask-session")]
            Text::Foreign(text) => text,
        }
    }

    fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Text::Own(text) => text.as_ref(),
            #[cfg(feature = "flask-session")]
            Text::Foreign(text) => text.as_bytes(),
        }
    }

    /// Returns the key under which a store keeps the session.
    ///
    /// ```
    /// use carafe_core::token::SessionId;
    ///
    /// let [one, other] = [SessionId::random()?, SessionId::random()?];
    /// assert_ne!(one.store_key(), other.store_key());
    /// # Ok::<(), carafe_core::error::NoRandomness>(())
    /// ```
    #[must_use]
    pub fn store_key(&self) -> StoreKey {
        StoreKey::of_bytes(self.as_bytes())
    }

    /// Returns the key under which a store with this key scheme keeps the session.
    ///
    /// ```
    /// use carafe_core::{store::KeyScheme, token::SessionId};
    ///
    /// let id = SessionId::parse(b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").unwrap();
    /// assert_eq!(id.store_key_as(KeyScheme::RawId).as_bytes(), &[0; 32]);
    /// assert_eq!(id.store_key_as(KeyScheme::Hashed), id.store_key());
    /// ```
    #[must_use]
    pub fn store_key_as(&self, naming: KeyScheme) -> StoreKey {
        match (naming, &self.0) {
            (KeyScheme::Hashed, _) => self.store_key(),
            (KeyScheme::RawId, Text::Own(text)) => {
                let mut bytes = [0; Self::BYTES];
                let whole = base64::decode_url_exact(text.as_ref(), &mut bytes);
                assert!(whole, "both constructors encode 32 bytes");
                StoreKey::from_bytes(bytes)
            }
            #[cfg(feature = "flask-session")]
            (KeyScheme::RawId, Text::Foreign(id)) => {
                StoreKey::of_foreign_id(id.as_bytes()).expect("it was parsed as one")
            }
        }
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(…)")
    }
}

#[cfg(all(test, feature = "flask-session"))]
mod tests {
    use super::*;

    const UUID: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";

    #[test]
    fn ids_that_flask_session_makes_are_ids_under_plain_naming_only() {
        let longest = "Z".repeat(191);
        let bytes_16 = "AAAAAAAAAAAAAAAAAAAAAA";
        let not_canonical = format!("{}B", "A".repeat(42));
        for text in [UUID, bytes_16, "x", &longest, &not_canonical] {
            let id = SessionId::parse_as(text.as_bytes(), KeyScheme::RawId).unwrap();
            assert_eq!(id.as_str(), text);
            let key = id.store_key_as(KeyScheme::RawId);
            assert_eq!(key.plain_id(), text);
            assert_eq!(key.as_bytes(), StoreKey::of_id(text).as_bytes());
            assert_ne!(key, StoreKey::of_id(text));
            assert!(SessionId::parse_as(text.as_bytes(), KeyScheme::Hashed).is_none());
            assert_eq!(format!("{id:?}"), "SessionId(…)");
            assert!(!format!("{key:?}").contains(text));
        }
    }

    #[test]
    fn an_id_of_ours_is_the_same_under_both_ways_to_read_it() {
        let id = SessionId::random().unwrap();
        let text = id.as_str().as_bytes();
        assert!(SessionId::parse_as(text, KeyScheme::RawId) == Some(id.clone()));
        assert!(SessionId::parse_as(text, KeyScheme::Hashed) == SessionId::parse(text));
        assert_eq!(id.store_key_as(KeyScheme::RawId).plain_id(), id.as_str());
        assert_eq!(id.store_key_as(KeyScheme::RawId).foreign_id(), None);
    }

    #[test]
    fn what_is_unsafe_or_too_long_is_no_id() {
        let too_long = "Z".repeat(192);
        for text in [
            "",
            "a b",
            "a:b",
            "a/b",
            "../x",
            "a\0",
            "a\r\nDEL x",
            "a*",
            "é",
            "a.b",
            "a=",
            &too_long,
        ] {
            assert!(
                SessionId::parse_as(text.as_bytes(), KeyScheme::RawId).is_none(),
                "{text:?}"
            );
        }
    }

    #[test]
    fn keys_of_different_ids_differ_and_are_ordered() {
        let key = |text: &str| {
            let id = SessionId::parse_as(text.as_bytes(), KeyScheme::RawId).unwrap();
            id.store_key_as(KeyScheme::RawId)
        };
        let (a, b) = (key("a"), key("b"));
        assert_ne!(a, b);
        assert_eq!(a, key("a"));
        assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        let all = std::collections::HashSet::from([a, b, key("a"), StoreKey::of_id("a")]);
        assert_eq!(all.len(), 3);
    }
}
