//! A timed renewal, which replaces the old ID by a new one.
//!
//! The old ID stays valid until the browser has presented the new ID.

use std::fmt;

use super::StoreError;
use crate::{
    base64,
    clock::Timestamp,
    id::{Nonce, StoreKey},
};

/// Time for which a store remembers a retired key, in seconds.
///
/// See [`KeyState::Retired`](super::KeyState::Retired).
const RETIRED_FOR: i64 = 60;

/// Returns the time until which a store remembers a key that is retired at `now`.
///
/// ```
/// use carafe_core::{clock::Timestamp, store::retired_until};
///
/// assert_eq!(retired_until(Timestamp::from_unix(100)).unix(), 160, "one minute");
/// ```
#[must_use]
pub const fn retired_until(now: Timestamp) -> Timestamp {
    now.saturating_add(RETIRED_FOR)
}

/// The timed renewal that gave a record its current key.
///
/// ```
/// use carafe_core::{clock::Timestamp, store::{Nonce, Renewal, StoreKey}};
///
/// let (old, at) = (StoreKey::of_id("the old ID"), Timestamp::from_unix);
/// let (from, nonce) = (*old.as_bytes(), Nonce::random()?);
/// let pending = Renewal { from, nonce, until: None };
/// assert!(pending.accepts(&old, at(1_000_000)), "the browser may not know the new ID");
/// assert!(!pending.accepts(&StoreKey::of_id("another ID"), at(0)));
///
/// // A request has presented the new ID, and the grace period ends at 30.
/// let confirmed = Renewal { until: Some(at(30)), ..pending };
/// assert!(confirmed.accepts(&old, at(29)) && !confirmed.is_over(at(29)));
/// assert!(!confirmed.accepts(&old, at(30)) && confirmed.is_over(at(30)));
/// # Ok::<(), carafe_core::error::NoRandomness>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Renewal {
    /// The key that was replaced, as [`StoreKey::as_bytes`].
    pub from: [u8; 32],
    /// The nonce from which the new ID is derived, together with the old one.
    pub nonce: Nonce,
    /// The first second in which the old ID is no longer accepted.
    ///
    /// `None` while the renewal is pending, because no request has presented the new ID yet.
    pub until: Option<Timestamp>,
}

/// The reason for a new key, which determines the entry under the old key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// The renewal timeout: the old key becomes a pointer to the new key.
    Renewal(Nonce),
    /// A log-in or a change of privileges: the old key is retired.
    Replacement,
}

impl Renewal {
    const LENGTH: usize = 32 + Nonce::BYTES + 8;
    const TEXT: usize = Self::LENGTH.div_ceil(3) * 4 - 1;
    /// Encodes a pending renewal, which has no `until`.
    const PENDING: i64 = i64::MAX;

    /// Returns whether no request has presented the new ID yet.
    #[must_use]
    pub(crate) const fn is_pending(&self) -> bool {
        self.until.is_none()
    }

    /// Returns whether the ID of `key` is still accepted at `now`.
    #[must_use]
    pub fn accepts(&self, key: &StoreKey, now: Timestamp) -> bool {
        self.from == *key.as_bytes() && self.until.is_none_or(|until| now < until)
    }

    /// Returns whether the old ID is no longer accepted at `now`.
    ///
    /// The next renewal then invalidates no ID that is in use.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| now >= until)
    }

    /// Returns the stored text: 75 characters of base64url, opaque to the store.
    #[must_use]
    pub(crate) fn encode(&self) -> String {
        let mut bytes = Vec::with_capacity(Self::LENGTH);
        bytes.extend_from_slice(&self.from);
        bytes.extend_from_slice(self.nonce.as_bytes());
        let until = self.until.map_or(Self::PENDING, Timestamp::unix);
        bytes.extend_from_slice(&until.to_be_bytes());
        base64::encode_url(&bytes)
    }

    /// Parses the output of [`Renewal::encode`].
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for any other text.
    pub(crate) fn decode(text: &str) -> Result<Self, StoreError> {
        let mut bytes = [0; Self::LENGTH];
        if text.len() != Self::TEXT || !base64::decode_url_exact(text.as_bytes(), &mut bytes) {
            return Err(StoreError::corrupt(
                "the renewal of a record cannot be read",
            ));
        }
        let part = |from: usize, to: usize| bytes.get(from..to).unwrap_or_default();
        let array = "the ranges have these lengths";
        let until = i64::from_be_bytes(part(48, 56).try_into().expect(array));
        Ok(Self {
            from: part(0, 32).try_into().expect(array),
            nonce: Nonce::from_bytes(part(32, 48).try_into().expect(array)),
            until: (until != Self::PENDING).then(|| Timestamp::from_unix(until)),
        })
    }
}

impl fmt::Debug for Renewal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renewal")
            .field("from", &StoreKey::from_bytes(self.from))
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renewal_survives_its_text_and_any_other_text_is_corrupt() {
        for until in [
            None,
            Some(Timestamp::from_unix(-7)),
            Some(Timestamp::from_unix(1_700_000_000)),
        ] {
            let renewal = Renewal {
                from: *StoreKey::of_id("a").as_bytes(),
                nonce: Nonce::from_bytes([7; 16]),
                until,
            };
            let text = renewal.encode();
            assert_eq!(Renewal::decode(&text).ok(), Some(renewal));
            for wrong in [
                &text[1..],
                &format!("{text}A"),
                &text.replace(&text[..1], "*"),
                "",
            ] {
                assert!(
                    matches!(Renewal::decode(wrong), Err(StoreError::Corrupt(_))),
                    "{wrong}"
                );
            }
        }
    }

    #[test]
    fn the_old_id_is_accepted_while_pending_and_until_the_grace_is_over() {
        let (old, other) = (StoreKey::of_id("old"), StoreKey::of_id("other"));
        let end = Timestamp::from_unix(1_700_000_030);
        let pending = Renewal {
            from: *old.as_bytes(),
            nonce: Nonce::from_bytes([0; 16]),
            until: None,
        };
        let confirmed = Renewal {
            until: Some(end),
            ..pending
        };
        let far = Timestamp::from_unix(i64::MAX);
        assert!(
            pending.accepts(&old, far) && !pending.accepts(&other, far) && !pending.is_over(far)
        );
        assert!(confirmed.accepts(&old, end.saturating_add(-1)) && !confirmed.accepts(&old, end));
        assert!(!confirmed.is_over(end.saturating_add(-1)) && confirmed.is_over(end));
    }
}
