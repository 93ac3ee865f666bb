//! The state that all requests share.

use std::{
    net::SocketAddr,
    sync::{Arc, PoisonError, RwLock},
};

use carafe_core::clock::Timestamp;
use carafe_program::failure::Failure;

use super::{
    key_list::KeyList,
    mode_id::ModeId,
    modes::Modes,
    race::Race,
    session_file::{Place, SessionFile},
};

/// The state that all requests share.
pub(super) struct Demo {
    pub(super) address: String,
    /// Whether the server is reachable from this machine only.
    pub(super) is_local: bool,
    pub(super) place: Place,
    pub(super) race: Race,
    // A plain lock, never held across an await. Readers clone the `Arc`. A rotation, which is rare,
    // creates its key under the lock, so that two concurrent rotations both take effect.
    modes: RwLock<Arc<Modes>>,
}

pub(super) type Shared = Arc<Demo>;

impl Demo {
    pub(super) fn new(
        address: SocketAddr,
        keys: KeyList,
        file: &SessionFile,
    ) -> Result<Self, Failure> {
        let modes = Modes::new(keys, file.store.clone())?;
        let visitors = Arc::clone(&modes.mode(ModeId::Stored).manager);
        Ok(Self {
            address: format!("http://{address}"),
            is_local: address.ip().is_loopback(),
            place: file.place(),
            race: Race::new(visitors, file.store.clone())?,
            modes: RwLock::new(Arc::new(modes)),
        })
    }

    pub(super) fn greeting(&self) -> String {
        let Place { path, is_private } = &self.place;
        let fate = if *is_private {
            "removed at the end"
        } else {
            "kept at the end"
        };
        format!(
            "Carafe's demo is at {} (Ctrl+C ends it)\nIts server-side sessions are in {path} ({fate})",
            self.address
        )
    }

    /// Returns the current modes. A request calls this once.
    pub(super) fn modes(&self) -> Arc<Modes> {
        // A rotation replaces the `Arc` as its last step, so a panic leaves no partial state.
        Arc::clone(&self.modes.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn rotate_key(&self, now: Timestamp) -> Result<(), Failure> {
        let mut modes = self.modes.write().unwrap_or_else(PoisonError::into_inner);
        *modes = Arc::new(modes.rotated(now)?);
        Ok(())
    }
}
