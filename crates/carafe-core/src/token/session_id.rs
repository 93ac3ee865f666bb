//! The id of a server-side session: the secret in the browser's cookie, without any meaning.

use std::fmt;

use zeroize::Zeroizing;

use super::SealError;
use crate::{
    base64,
    store::{Naming, StoreKey},
};

/// 256 random bits as 43 characters of base64url. Only the browser has it: stores see its SHA-256 (but see
/// [`Naming::Plain`]), logs see nothing.
///
/// ```
/// use carafe_core::token::SessionId;
///
/// let id = SessionId::random()?;
/// assert_eq!(id.as_str().len(), 43);
/// assert_eq!(format!("{id:?}"), "SessionId(…)");
/// assert!(SessionId::parse(b"../../etc/passwd").is_none());
/// # Ok::<(), carafe_core::token::SealError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SessionId(Zeroizing<[u8; Self::LENGTH]>);

impl SessionId {
    const BYTES: usize = 32;
    const LENGTH: usize = 43;

    /// A new id.
    ///
    /// # Errors
    /// [`SealError::NoRandomness`]; nothing weaker is used instead (OWASP ASVS 7.2.3).
    pub fn random() -> Result<Self, SealError> {
        let mut bytes = Zeroizing::new([0; Self::BYTES]);
        getrandom::fill(bytes.as_mut()).map_err(|_| SealError::NoRandomness)?;
        let mut text = Zeroizing::new([0; Self::LENGTH]);
        base64::encode_url_exact(bytes.as_ref(), text.as_mut());
        Ok(Self(text))
    }

    /// The id in a cookie, if it has the form of one. Anything else never reaches a store (CVE-2024-3400).
    #[must_use]
    pub fn parse(cookie: &[u8]) -> Option<Self> {
        // Text that decodes has no other spelling, so the cookie's is the id's.
        let text = <[u8; Self::LENGTH]>::try_from(cookie).ok()?;
        base64::is_url(cookie).then(|| Self(Zeroizing::new(text)))
    }

    /// The text for the cookie, and for nothing else.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(self.0.as_ref()).expect("both constructors hold base64url")
    }

    /// The name under which a store keeps the session.
    #[must_use]
    pub fn store_key(&self) -> StoreKey {
        StoreKey::of_bytes(self.0.as_ref())
    }

    /// The name under which a store with this naming keeps the session.
    #[must_use]
    pub fn store_key_as(&self, naming: Naming) -> StoreKey {
        match naming {
            Naming::Hashed => self.store_key(),
            Naming::Plain => {
                let mut bytes = [0; Self::BYTES];
                let whole = base64::decode_url_exact(self.0.as_ref(), &mut bytes);
                assert!(whole, "both constructors encode 32 bytes");
                StoreKey::from_bytes(bytes)
            }
        }
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(…)")
    }
}
