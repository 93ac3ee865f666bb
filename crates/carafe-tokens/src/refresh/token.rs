//! The text of a refresh token.

use std::fmt;

use carafe_core::{clock::Timestamp, store::PublicId, token::signed::Signer};
use zeroize::Zeroizing;

use super::RefreshError;
use crate::limits::REFRESH_TOKEN_BYTES;

/// A refresh token. Redacted in `Debug`, zeroed on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken(Zeroizing<String>);

/// The verified content of a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) session: PublicId,
    pub(super) generation: u64,
}

impl RefreshToken {
    /// Returns the text for the client.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn new(signer: &Signer, named: Named) -> Self {
        let value = format!("{}.{}", named.session, named.generation);
        Self(Zeroizing::new(signer.sign(&value)))
    }
}

impl Named {
    /// Verifies a token and parses it.
    pub(super) fn read(signer: &Signer, token: &str, now: Timestamp) -> Result<Self, RefreshError> {
        if token.len() > REFRESH_TOKEN_BYTES {
            return Err(RefreshError::Forged);
        }
        let value = signer
            .unsign(token, now)
            .map_err(|_| RefreshError::Forged)?;
        let named = value.split_once('.').and_then(|(session, generation)| {
            Some(Self {
                session: session.parse().ok()?,
                generation: generation.parse().ok()?,
            })
        });
        named.ok_or(RefreshError::Forged)
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(…)")
    }
}
