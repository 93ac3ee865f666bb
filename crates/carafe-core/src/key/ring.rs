//! The key ring: a current key that signs, and fallbacks that only verify.

use super::{KeyError, SecretKey};
use crate::clock::Timestamp;

/// One current key and any number of fallbacks.
///
/// The current key is named explicitly and not identified by its position, so that the order of the
/// keys cannot be wrong (CVE-2025-47278).
///
/// To rotate keys without logging users out, make three deployments: add the new key as a fallback
/// on every node; make the new key current and the old one a fallback; remove the old key after the
/// session lifetime. A session that verifies with a fallback is written again with the current key.
///
/// ```
/// use carafe_core::key::{KeyRing, SecretKey};
///
/// let new = SecretKey::new("4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1b0ff4d4e1c8f4c5b9e3a2d1c0b9a8f7e")?;
/// let old = SecretKey::new("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")?;
/// let keys = KeyRing::new(new).with_fallback(old)?;
/// # Ok::<(), carafe_core::key::KeyError>(())
/// ```
///
/// `Debug` shows the structure of the ring and no key:
///
/// ```
/// use carafe_core::key::{KeyRing, SecretKey};
///
/// let keys = KeyRing::new(SecretKey::short("flask-spec-secret")?);
/// assert_eq!(format!("{keys:?}"), "KeyRing { current: SecretKey(…), fallbacks: [] }");
/// # Ok::<(), carafe_core::key::KeyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct KeyRing {
    current: SecretKey,
    fallbacks: Vec<Fallback>,
}

/// A key that verifies and never signs.
#[derive(Clone, Debug)]
pub struct Fallback {
    key: SecretKey,
    until: Option<Timestamp>,
}

/// The key of the ring that verified a token.
///
/// ```
/// use carafe_core::clock::Timestamp;
/// use carafe_core::key::{KeyRing, KeyUse, SecretKey};
/// use carafe_core::token::signed::{SignedFormat, SignedSessions};
///
/// let [new, old] = ["flask-spec-secret", "former-spec-secret"].map(SecretKey::short);
/// let (new, old) = (new?, old?);
/// let now = Timestamp::from_unix(1_700_000_000);
/// let format = SignedFormat::flask();
/// let cookie = SignedSessions::new(&KeyRing::new(old.clone()), &format).seal("{}", now);
///
/// let keys = KeyRing::new(new).with_fallback(old)?;
/// let opened = SignedSessions::new(&keys, &format).open(cookie.as_bytes(), None, now)?;
/// assert_eq!(opened.key, KeyUse::Fallback(1), "the cookie is due to be signed again");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyUse {
    /// The current key.
    Current,
    /// A fallback, counted from 1 in the order in which fallbacks were added.
    Fallback(usize),
}

impl KeyRing {
    /// Creates a ring with one key.
    ///
    /// ```
    /// use carafe_core::key::{KeyRing, SecretKey};
    ///
    /// let keys = KeyRing::new(SecretKey::new(SecretKey::random_text()?.as_bytes())?);
    /// # Ok::<(), carafe_core::key::KeyError>(())
    /// ```
    #[must_use]
    pub const fn new(current: SecretKey) -> Self {
        Self {
            current,
            fallbacks: Vec::new(),
        }
    }

    /// Adds a fallback that does not expire.
    ///
    /// ```
    /// use carafe_core::key::{KeyError, KeyRing, SecretKey};
    ///
    /// let [new, old] = ["flask-spec-secret", "former-spec-secret"].map(SecretKey::short);
    /// let keys = KeyRing::new(new?).with_fallback(old?)?;
    /// let again = keys.with_fallback(SecretKey::short("flask-spec-secret")?);
    /// assert_eq!(again.unwrap_err(), KeyError::Duplicate);
    /// # Ok::<(), KeyError>(())
    /// ```
    ///
    /// A fallback never signs:
    ///
    /// ```
    /// use carafe_core::clock::Timestamp;
    /// use carafe_core::key::{KeyRing, SecretKey};
    /// use carafe_core::token::{TokenError, signed::{Signer, SignerSettings}};
    ///
    /// let [new, old] = ["flask-spec-secret", "former-spec-secret"].map(SecretKey::short);
    /// let (new, old) = (new?, old?);
    /// let signer = |keys: &KeyRing| Signer::new(keys, SignerSettings::with_salt("unsubscribe"));
    /// let before = signer(&KeyRing::new(old.clone()));
    /// let after = signer(&KeyRing::new(new).with_fallback(old)?);
    ///
    /// let now = Timestamp::now();
    /// assert!(after.unsign(&before.sign("42"), now).is_ok());
    /// assert_eq!(before.unsign(&after.sign("42"), now), Err(TokenError::BadSignature));
    /// # Ok::<(), carafe_core::key::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyError::Duplicate`] if the ring already contains this key.
    pub fn with_fallback(self, key: SecretKey) -> Result<Self, KeyError> {
        self.with(Fallback { key, until: None })
    }

    /// Adds a fallback that is valid up to and including the second `until`.
    ///
    /// ```
    /// use carafe_core::{clock::Timestamp, key::{KeyRing, SecretKey}};
    ///
    /// let [new, old] = ["flask-spec-secret", "former-spec-secret"].map(SecretKey::short);
    /// let month = 30 * 24 * 60 * 60;
    /// let until = Timestamp::now().saturating_add(month);
    /// let keys = KeyRing::new(new?).with_fallback_until(old?, until)?;
    /// # Ok::<(), carafe_core::key::KeyError>(())
    /// ```
    ///
    /// After that second, tokens of the key are rejected like those of an unknown key:
    ///
    /// ```
    /// use carafe_core::clock::Timestamp;
    /// use carafe_core::key::{KeyRing, SecretKey};
    /// use carafe_core::token::{TokenError, signed::{Signer, SignerSettings}};
    ///
    /// let [new, old] = ["flask-spec-secret", "former-spec-secret"].map(SecretKey::short);
    /// let (new, old) = (new?, old?);
    /// let signer = |keys: &KeyRing| Signer::new(keys, SignerSettings::with_salt("unsubscribe"));
    /// let signed = signer(&KeyRing::new(old.clone())).sign("42");
    ///
    /// let until = Timestamp::from_unix(1_700_000_000);
    /// let signer = signer(&KeyRing::new(new).with_fallback_until(old, until)?);
    /// assert_eq!(signer.unsign(&signed, until), Ok("42"));
    /// assert_eq!(signer.unsign(&signed, until.saturating_add(1)), Err(TokenError::BadSignature));
    /// # Ok::<(), carafe_core::key::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyError::Duplicate`] if the ring already contains this key.
    pub fn with_fallback_until(self, key: SecretKey, until: Timestamp) -> Result<Self, KeyError> {
        self.with(Fallback {
            key,
            until: Some(until),
        })
    }

    fn with(mut self, fallback: Fallback) -> Result<Self, KeyError> {
        let mut keys =
            std::iter::once(&self.current).chain(self.fallbacks.iter().map(|known| &known.key));
        if keys.any(|key| key.same(&fallback.key)) {
            return Err(KeyError::Duplicate);
        }
        self.fallbacks.push(fallback);
        Ok(self)
    }

    /// Applies `prepare` to each key, once for all requests.
    pub(crate) fn prepare<T>(&self, prepare: impl Fn(&SecretKey) -> T) -> Prepared<T> {
        let fallbacks = self
            .fallbacks
            .iter()
            .map(|fallback| (prepare(&fallback.key), fallback.until));
        Prepared {
            current: prepare(&self.current),
            fallbacks: fallbacks.collect(),
        }
    }
}

impl From<SecretKey> for KeyRing {
    fn from(current: SecretKey) -> Self {
        Self::new(current)
    }
}

/// The keys of a ring in the form that one token format requires.
#[derive(Clone)]
pub(crate) struct Prepared<T> {
    pub(crate) current: T,
    fallbacks: Box<[(T, Option<Timestamp>)]>,
}

impl<T> Prepared<T> {
    /// Returns the first key that `accepts`, the current one first. Expired fallbacks are skipped.
    pub(crate) fn find(
        &self,
        now: Timestamp,
        mut accepts: impl FnMut(&T) -> bool,
    ) -> Option<KeyUse> {
        if accepts(&self.current) {
            return Some(KeyUse::Current);
        }
        let live = |until: &Option<Timestamp>| until.is_none_or(|until| now <= until);
        let found = self
            .fallbacks
            .iter()
            .position(|(key, until)| live(until) && accepts(key))?;
        Some(KeyUse::Fallback(found + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> SecretKey {
        SecretKey::dangerous_weak(text).unwrap()
    }

    #[test]
    fn the_current_key_is_tried_first_and_fallbacks_expire() {
        let end = Timestamp::from_unix(100);
        let ring = KeyRing::new(key("new")).with_fallback(key("old")).unwrap();
        let ring = ring.with_fallback_until(key("older"), end).unwrap();
        let prepared = ring.prepare(|key| key.bytes().to_vec());
        let find = |wanted: &[u8], now| prepared.find(now, |key| key == wanted);
        assert_eq!(find(b"new", end), Some(KeyUse::Current));
        assert_eq!(find(b"old", end), Some(KeyUse::Fallback(1)));
        assert_eq!(find(b"older", end), Some(KeyUse::Fallback(2)));
        assert_eq!(find(b"older", end.saturating_add(1)), None);
        assert_eq!(find(b"none", end), None);
        assert_eq!(prepared.current, b"new");
    }

    #[test]
    fn a_key_stands_once_in_a_ring() {
        let ring = KeyRing::new(key("a")).with_fallback(key("b")).unwrap();
        assert_eq!(
            ring.clone().with_fallback(key("a")).err(),
            Some(KeyError::Duplicate)
        );
        assert_eq!(
            ring.with_fallback(key("b")).err(),
            Some(KeyError::Duplicate)
        );
    }
}
