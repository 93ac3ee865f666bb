//! The random input of a timed renewal.

use std::fmt;

use crate::error::NoRandomness;

/// The 128-bit random input of a timed renewal.
///
/// The replaced ID and this nonce determine the new ID, so that every request with the old ID gets
/// the same successor. A store has only hashes of IDs and cannot compute the successor.
///
/// ```
/// use carafe_core::store::Nonce;
///
/// assert_ne!(Nonce::random()?, Nonce::random()?);
/// # Ok::<(), carafe_core::error::NoRandomness>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Nonce([u8; Self::BYTES]);

impl Nonce {
    pub(crate) const BYTES: usize = 16;

    /// Returns a new nonce.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn random() -> Result<Self, NoRandomness> {
        let mut bytes = [0; Self::BYTES];
        getrandom::fill(&mut bytes).map_err(|_| NoRandomness)?;
        Ok(Self(bytes))
    }

    pub(crate) const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonce(…)")
    }
}
