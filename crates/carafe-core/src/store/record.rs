//! What a store keeps of a session, and under which name.

use std::fmt;

use sha2::{Digest, Sha256};

use super::StoreError;
use crate::{
    base64,
    clock::Timestamp,
    json::Style,
    key::KeyError,
    session::{Patch, SessionData},
};

/// The name of a session in a store: the SHA-256 of the id that the browser holds. Whoever reads the
/// database has no usable id (CVE-2019-16782). Under [`Naming::Plain`](super::Naming::Plain) it is the id itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreKey([u8; 32]);

impl StoreKey {
    /// The key of the id with this text.
    #[must_use]
    pub fn of_id(id: &str) -> Self {
        Self::of_bytes(id.as_bytes())
    }

    pub(crate) fn of_bytes(id: &[u8]) -> Self {
        Self(Sha256::digest(id).into())
    }

    /// A key as a store gave it back.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A random place in the range of keys, from which a store may pick a sample of its records.
    ///
    /// # Errors
    /// [`KeyError::NoRandomness`].
    pub fn random() -> Result<Self, KeyError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|_| KeyError::NoRandomness)?;
        Ok(Self(bytes))
    }

    /// The 32 bytes that a store files the record under.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A session's public name, for "your devices" pages and operators: random, and of no use to whoever
/// wants to take the session over. It stays when the session gets a new id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle([u8; 12]);

impl Handle {
    /// A new one.
    ///
    /// # Errors
    /// [`KeyError::NoRandomness`].
    pub fn random() -> Result<Self, KeyError> {
        let mut bytes = [0; 12];
        getrandom::fill(&mut bytes).map_err(|_| KeyError::NoRandomness)?;
        Ok(Self(bytes))
    }

    /// A handle as a store gave it back.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 12]) -> Self {
        Self(bytes)
    }

    /// The bytes that a store keeps.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 12] {
        &self.0
    }

    /// Reads the 16 characters that `Display` writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 12];
        base64::decode_url_exact(text.as_bytes(), &mut bytes).then_some(Self(bytes))
    }
}

/// Marks the version of a record that is not from the store: no session changes so often, and no store has it.
const STALE: u64 = 1 << 63;

/// What a store keeps of one session.
#[derive(Clone, Debug)]
pub struct Record {
    /// The dictionary.
    pub data: SessionData,
    /// The user it belongs to, after a log-in.
    pub user: Option<String>,
    /// The public name.
    pub handle: Handle,
    /// What the application noted about the device, such as its user agent.
    pub device: Option<String>,
    /// When the session began. Never changes.
    pub created: Timestamp,
    /// When it got its present id.
    pub renewed: Timestamp,
    /// When it was last used, as coarsely as the refresh threshold.
    pub last_seen: Timestamp,
    /// The first second in which it is no longer there.
    pub expires: Timestamp,
    /// When the user last proved who they are.
    pub authenticated: Option<Timestamp>,
    /// Counts the changes; a store that compares and sets compares this.
    pub version: u64,
}

impl Record {
    /// Whether the session is over at `now`: absent to the second, whatever a sweeper did.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires
    }

    /// This newest record after `patch`, which was made on `base`; `None` if the session has changed hands
    /// since, so that the patch no longer has anything to change. The one place where changes merge.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if an update cannot read what somebody else has written.
    pub fn after(&self, base: &Self, patch: &Patch) -> Result<Option<Self>, StoreError> {
        if self.user != base.user {
            return Ok(None);
        }
        let data = match patch.fits(&self.data) {
            true => patch.applied(&self.data, Self::STYLE),
            false => {
                let rebased = patch.rebased(&self.data);
                let rebased = rebased.map_err(|_| StoreError::Conflict)?;
                rebased.applied(&self.data, Self::STYLE)
            }
        };
        let facts = &patch.facts;
        Ok(Some(Self {
            data: data.map_err(StoreError::corrupt)?,
            user: facts.user.clone().or_else(|| self.user.clone()),
            device: facts.device.clone().or_else(|| self.device.clone()),
            authenticated: facts.authenticated.or(self.authenticated),
            last_seen: facts
                .seen
                .map_or(self.last_seen, |seen| seen.at.max(self.last_seen)),
            expires: facts
                .seen
                .map_or(self.expires, |seen| seen.expires.max(self.expires)),
            renewed: self.renewed,
            created: self.created,
            handle: self.handle,
            version: self.version + 1,
        }))
    }

    /// [`Record::after`] for a rotation at `now`: the same session under a new id.
    ///
    /// # Errors
    /// As [`Record::after`].
    pub fn rotated(
        &self,
        base: &Self,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Option<Self>, StoreError> {
        let moved = self.after(base, patch)?;
        Ok(moved.map(|record| Self {
            renewed: now,
            ..record
        }))
    }

    /// This record as one that was read a moment ago and may have changed since: [`Record::is_stale`]. It says no
    /// longer when the user proved who they are, and no use and no renewal of it is due, which could not be noted.
    #[must_use]
    pub fn stale(self, now: Timestamp) -> Self {
        Self {
            authenticated: None,
            renewed: now,
            last_seen: now,
            version: self.version | STALE,
            ..self
        }
    }

    /// Whether this is not what the store has answered now, but a moment ago: `carafe::GuardOptions::with_stale_reads`.
    /// Nothing can be written on it.
    #[must_use]
    pub const fn is_stale(&self) -> bool {
        self.version & STALE != 0
    }

    /// How the dictionary is written in a store: Flask's tags, in the order of insertion.
    pub const STYLE: Style = Style::QUART;
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64::encode_url(&self.0))
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handle({self})")
    }
}

impl fmt::Debug for StoreKey {
    /// Four bytes of its hash, because it may be an id: enough to tell two apart in a log, useless for
    /// anything else.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..]: [u8; 32] = Sha256::digest(self.0).into();
        write!(f, "StoreKey({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}
