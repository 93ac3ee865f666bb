//! The three modes, replaced as a whole by a key rotation.
//!
//! A request takes one look at them (`Demo::modes`) and keeps to it, so that no cookie is opened
//! under one list of keys and written under another.

use std::sync::Arc;

use carafe_core::{clock::Timestamp, store::ErasedStore};

use super::{key_list::KeyList, mode::Mode, mode_id::ModeId};
use carafe_program::failure::Failure;

/// All modes, and the keys of two of them.
pub(super) struct Modes {
    pub(super) keys: KeyList,
    signed: Mode,
    encrypted: Mode,
    /// Has no key, so a rotation keeps it.
    stored: Arc<Mode>,
}

impl Modes {
    pub(super) fn new(keys: KeyList, store: Arc<dyn ErasedStore>) -> Result<Self, Failure> {
        Self::of(keys, Arc::new(Mode::stored(store)?))
    }

    /// Returns the modes with a new current key.
    pub(super) fn rotated(&self, now: Timestamp) -> Result<Self, Failure> {
        let lifetime = self
            .signed
            .manager
            .lifetime()
            .max(self.encrypted.manager.lifetime());
        Self::of(self.keys.rotated(lifetime, now)?, Arc::clone(&self.stored))
    }

    pub(super) fn mode(&self, id: ModeId) -> &Mode {
        match id {
            ModeId::Signed => &self.signed,
            ModeId::Encrypted => &self.encrypted,
            ModeId::Stored => &self.stored,
        }
    }

    fn of(keys: KeyList, stored: Arc<Mode>) -> Result<Self, Failure> {
        Ok(Self {
            signed: Mode::signed(&keys)?,
            encrypted: Mode::encrypted(&keys)?,
            stored,
            keys,
        })
    }
}
