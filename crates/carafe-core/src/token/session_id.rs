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
pub struct SessionId(Zeroizing<String>);

impl SessionId {
    const BYTES: usize = 32;

    /// A new id.
    ///
    /// # Errors
    /// [`SealError::NoRandomness`]; nothing weaker is used instead (OWASP ASVS 7.2.3).
    pub fn random() -> Result<Self, SealError> {
        let mut bytes = Zeroizing::new([0; Self::BYTES]);
        getrandom::fill(bytes.as_mut()).map_err(|_| SealError::NoRandomness)?;
        Ok(Self(Zeroizing::new(base64::encode_url(bytes.as_ref()))))
    }

    /// The id in a cookie, if it has the form of one. Anything else never reaches a store (CVE-2024-3400).
    #[must_use]
    pub fn parse(cookie: &[u8]) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; Self::BYTES]);
        if !base64::decode_url_exact(cookie, bytes.as_mut()) {
            return None;
        }
        // These bytes have no other spelling, so the cookie's is the id's.
        let text = str::from_utf8(cookie).ok()?;
        Some(Self(Zeroizing::new(text.to_owned())))
    }

    /// The text for the cookie, and for nothing else.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name under which a store keeps the session.
    #[must_use]
    pub fn store_key(&self) -> StoreKey {
        StoreKey::of_id(&self.0)
    }

    /// The name under which a store with this naming keeps the session.
    #[must_use]
    pub fn store_key_as(&self, naming: Naming) -> StoreKey {
        match naming {
            Naming::Hashed => self.store_key(),
            Naming::Plain => {
                let mut bytes = [0; Self::BYTES];
                let whole = base64::decode_url_exact(self.0.as_bytes(), &mut bytes);
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
