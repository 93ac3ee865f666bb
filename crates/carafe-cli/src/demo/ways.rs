//! The three ways together, as they are from one rotation of the key to the next.
//!
//! A request takes one look at them ([`Demo::ways`](super::Demo::ways)) and keeps to it, so that no cookie is
//! opened under one list of keys and written under another.

use std::sync::Arc;

use carafe_core::{clock::Timestamp, store::SessionStore};

use super::{
    key_list::KeyList,
    way::{Way, WayId},
};
use crate::failure::Failure;

/// All ways to carry a session, and the keys behind two of them.
pub(super) struct Ways {
    pub(super) keys: KeyList,
    signed: Way,
    encrypted: Way,
    /// Has no key, so a rotation hands it on.
    stored: Arc<Way>,
}

impl Ways {
    pub(super) fn new(keys: KeyList, store: Arc<dyn SessionStore>) -> Result<Self, Failure> {
        Self::of(keys, Arc::new(Way::stored(store)?))
    }

    /// The same with a new current key.
    pub(super) fn rotated(&self, now: Timestamp) -> Result<Self, Failure> {
        let lifetime = self
            .signed
            .manager
            .lifetime()
            .max(self.encrypted.manager.lifetime());
        Self::of(self.keys.rotated(lifetime, now)?, Arc::clone(&self.stored))
    }

    pub(super) fn way(&self, id: WayId) -> &Way {
        match id {
            WayId::Signed => &self.signed,
            WayId::Encrypted => &self.encrypted,
            WayId::Stored => &self.stored,
        }
    }

    fn of(keys: KeyList, stored: Arc<Way>) -> Result<Self, Failure> {
        Ok(Self {
            signed: Way::signed(&keys)?,
            encrypted: Way::encrypted(&keys)?,
            stored,
            keys,
        })
    }
}
