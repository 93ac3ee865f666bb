//! A token before its verification.

use std::fmt;

use super::{Refusal, sign::SIGNATURE_BYTES};
use crate::{
    base64,
    json::{self, Member, Members},
    limits::TOKEN_BYTES,
};

/// The parts of a token. Only the key ID may be used before the verification.
///
/// ```
/// use carafe_tokens::jwt::{Refusal, Unverified};
///
/// // {"alg":"ES256","kid":"a"}
/// let token = Unverified::parse("eyJhbGciOiJFUzI1NiIsImtpZCI6ImEifQ.e30.AA")?;
/// assert_eq!(token.kid()?, Some("a"));
/// assert_eq!(Unverified::parse("a.b").err(), Some(Refusal::Malformed));
/// # Ok::<(), Refusal>(())
/// ```
pub struct Unverified<'t> {
    /// The text that the signature covers: header, dot, claims.
    pub(super) signed: &'t str,
    pub(super) header: Members,
    pub(super) payload: &'t str,
    pub(super) signature: Signature,
}

/// The bytes of a signature.
pub(super) struct Signature {
    bytes: [u8; SIGNATURE_BYTES],
    length: usize,
}

impl Signature {
    /// Copies a signature. One that is too long for every algorithm becomes empty, which is as
    /// invalid.
    fn new(signature: &[u8]) -> Self {
        let mut bytes = [0; SIGNATURE_BYTES];
        let room = bytes.get_mut(..signature.len());
        let length = room.map_or(0, |room| {
            room.copy_from_slice(signature);
            signature.len()
        });
        Self { bytes, length }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl<'t> Unverified<'t> {
    /// Splits a token and decodes its header and its signature.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn parse(token: &'t str) -> Result<Self, Refusal> {
        if token.len() > TOKEN_BYTES {
            return Err(Refusal::TooLarge);
        }
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(signature)) =
            (parts.next(), parts.next(), parts.next())
        else {
            return Err(Refusal::Malformed);
        };
        match parts.count() {
            0 => {}
            2 => return Err(Refusal::Encrypted),
            _ => return Err(Refusal::Malformed),
        }
        Ok(Self {
            signed: &token[..header.len() + 1 + payload.len()],
            header: base64::decode_part(header.as_bytes(), Members::parse)??,
            payload,
            signature: base64::decode_part(signature.as_bytes(), Signature::new)?,
        })
    }

    /// Returns the key ID of the header.
    ///
    /// # Errors
    /// [`Refusal::KidMissing`] if it is not a string.
    pub fn kid(&self) -> Result<Option<&str>, Refusal> {
        match self.header.get("kid") {
            None => Ok(None),
            Some(Member::Text(kid)) => Ok(Some(kid)),
            Some(Member::Other(_)) => Err(Refusal::KidMissing),
        }
    }

    /// Returns the unverified header and claims as JSON text.
    ///
    /// For tools that show a token to its owner. No decision may depend on these contents.
    ///
    /// # Errors
    /// [`Refusal`] if the claims are not a JSON object.
    pub fn dangerous_contents(&self) -> Result<(String, String), Refusal> {
        let claims = base64::decode_part(self.payload.as_bytes(), json::object)??;
        Ok((json::text(&self.header.to_object()), json::text(&claims)))
    }
}

impl fmt::Debug for Unverified<'_> {
    /// Writes only the names of the header's members, because the text gives access.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.header.iter().map(|(name, _)| name).collect();
        write!(f, "Unverified({names:?})")
    }
}
