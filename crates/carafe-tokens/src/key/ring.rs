//! The keys of an issuer and their rotation.

use std::{error::Error, fmt};

use carafe_core::clock::Timestamp;

use super::{SigningKey, VerifyingKey, VerifyingKeys};

/// The keys of an issuer: one key signs, all keys are published and verify.
///
/// A verifier caches the JWK set, so a key has to be in the set before it signs, and has to stay in
/// the set until its last token has expired. To rotate keys without rejected requests:
///
/// 1. Add the new key with the time from which it signs: [`with_next`](SigningRing::with_next), at
///    least two cache lifetimes ahead (`max-age` of the response with the JWK set). The key is
///    published and verifies immediately.
/// 2. At that time, every process signs with the new key, without a deployment. The old key
///    continues to verify.
/// 3. After the last token of the old key has expired, remove the key, or set its last second in
///    advance with [`with_retired`](SigningRing::with_retired).
///
/// ```
/// use carafe_core::clock::Timestamp;
/// use carafe_tokens::key::{Algorithm, SigningKey, SigningRing};
///
/// let now = Timestamp::from_unix(1_700_000_000);
/// let old = SigningKey::generate(Algorithm::Es256)?;
/// let new = SigningKey::generate(Algorithm::EdDsa)?;
/// let ring = SigningRing::new(old.clone()).with_next(new.clone(), now.saturating_add(3_600))?;
/// assert_eq!(ring.signing_key(now).id(), old.id());
/// assert_eq!(ring.verifying_keys(now).len(), 2);
/// assert_eq!(ring.signing_key(now.saturating_add(3_600)).id(), new.id());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SigningRing {
    first: SigningKey,
    /// Ordered by time.
    next: Vec<(Timestamp, SigningKey)>,
    retired: Vec<(VerifyingKey, Option<Timestamp>)>,
}

/// The reason why a ring rejects a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RingError {
    /// The ring already contains a key with this key ID.
    DuplicateId,
    /// Another key starts to sign at the same time.
    SameTime,
}

impl SigningRing {
    /// Creates a ring with one key.
    #[must_use]
    pub const fn new(key: SigningKey) -> Self {
        Self {
            first: key,
            next: Vec::new(),
            retired: Vec::new(),
        }
    }

    /// Adds a key that is published and verifies immediately, and signs from the second `from` on.
    ///
    /// # Errors
    /// [`RingError`].
    pub fn with_next(mut self, key: SigningKey, from: Timestamp) -> Result<Self, RingError> {
        self.check_id(key.id())?;
        match self.next.binary_search_by_key(&from, |(from, _)| *from) {
            Ok(_) => Err(RingError::SameTime),
            Err(place) => {
                self.next.insert(place, (from, key));
                Ok(self)
            }
        }
    }

    /// Adds a key that only verifies, up to and including the second `until`.
    ///
    /// # Errors
    /// [`RingError::DuplicateId`].
    pub fn with_retired(
        mut self,
        key: VerifyingKey,
        until: impl Into<Option<Timestamp>>,
    ) -> Result<Self, RingError> {
        self.check_id(key.id())?;
        self.retired.push((key, until.into()));
        Ok(self)
    }

    /// Returns the key that signs at `now`.
    #[must_use]
    pub fn signing_key(&self, now: Timestamp) -> &SigningKey {
        let begun = self.next.iter().rfind(|(from, _)| *from <= now);
        begun.map_or(&self.first, |(_, key)| key)
    }

    /// Returns the keys that verify at `now`: all except expired ones.
    ///
    /// The JWK set is [`VerifyingKeys::to_jwk_set`] of this set.
    #[must_use]
    pub fn verifying_keys(&self, now: Timestamp) -> VerifyingKeys {
        let signing = self.signing_keys().map(SigningKey::verifying_key);
        let retired = self
            .retired
            .iter()
            .filter(|(_, until)| until.is_none_or(|until| now <= until))
            .map(|(key, _)| key);
        VerifyingKeys::new(signing.chain(retired).cloned())
    }

    fn signing_keys(&self) -> impl Iterator<Item = &SigningKey> {
        std::iter::once(&self.first).chain(self.next.iter().map(|(_, key)| key))
    }

    fn check_id(&self, id: &str) -> Result<(), RingError> {
        let signing = self.signing_keys().map(SigningKey::id);
        let mut ids = signing.chain(self.retired.iter().map(|(key, _)| key.id()));
        match ids.any(|known| known == id) {
            true => Err(RingError::DuplicateId),
            false => Ok(()),
        }
    }
}

impl fmt::Display for RingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DuplicateId => "the ring has a key with this ID",
            Self::SameTime => "another key begins to sign at the same time",
        })
    }
}

impl Error for RingError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Algorithm;

    fn key() -> SigningKey {
        SigningKey::generate(Algorithm::EdDsa).unwrap()
    }

    const START: Timestamp = Timestamp::from_unix(1_000);

    #[test]
    fn each_key_is_published_before_it_signs_and_verifies_after_it() {
        let (a, b, c) = (key(), key(), key());
        let ring = SigningRing::new(a.clone());
        let ring = ring
            .with_next(c.clone(), START.saturating_add(200))
            .unwrap();
        let ring = ring
            .with_next(b.clone(), START.saturating_add(100))
            .unwrap();
        for (second, signs) in [
            (0, &a),
            (99, &a),
            (100, &b),
            (199, &b),
            (200, &c),
            (10_000, &c),
        ] {
            let now = START.saturating_add(second);
            assert_eq!(ring.signing_key(now).id(), signs.id(), "{second}");
            let set = ring.verifying_keys(now);
            assert!(
                [&a, &b, &c]
                    .iter()
                    .all(|key| set.find(Some(key.id())).is_ok())
            );
        }
    }

    #[test]
    fn a_retired_key_verifies_until_its_last_second() {
        let old = key();
        let ring = SigningRing::new(key());
        let ring = ring
            .with_retired(old.verifying_key().clone(), START)
            .unwrap();
        assert!(ring.verifying_keys(START).find(Some(old.id())).is_ok());
        let after = ring.verifying_keys(START.saturating_add(1));
        assert!(after.find(Some(old.id())).is_err());
        assert_eq!(after.len(), 1);
    }

    #[test]
    fn two_keys_never_share_an_id_or_a_time() {
        let (a, b) = (key(), key());
        let ring = SigningRing::new(a.clone());
        let again = ring.clone().with_next(a.clone(), START);
        assert_eq!(again.err(), Some(RingError::DuplicateId));
        let again = ring.clone().with_retired(a.verifying_key().clone(), None);
        assert_eq!(again.err(), Some(RingError::DuplicateId));
        let ring = ring.with_next(b, START).unwrap();
        assert_eq!(
            ring.with_next(key(), START).err(),
            Some(RingError::SameTime)
        );
    }
}
