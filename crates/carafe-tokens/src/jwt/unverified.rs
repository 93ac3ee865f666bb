//! A token before its verification.

use serde_json::Value;

use super::Refusal;
use crate::{base64, json, json::Object, limits::TOKEN_BYTES};

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
#[derive(Debug)]
pub struct Unverified<'t> {
    /// The text that the signature covers: header, dot, claims.
    pub(super) signed: &'t str,
    pub(super) header: Object,
    pub(super) payload: &'t str,
    pub(super) signature: Vec<u8>,
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
            header: json::object(&base64::decode_part(header.as_bytes())?)?,
            payload,
            signature: base64::decode_part(signature.as_bytes())?,
        })
    }

    /// Returns the key ID of the header.
    ///
    /// # Errors
    /// [`Refusal::KidMissing`] if it is not a string.
    pub fn kid(&self) -> Result<Option<&str>, Refusal> {
        match self.header.get("kid") {
            None => Ok(None),
            Some(Value::String(kid)) => Ok(Some(kid)),
            Some(_) => Err(Refusal::KidMissing),
        }
    }

    /// Returns the unverified header and claims as JSON text.
    ///
    /// For tools that show a token to its owner. No decision may depend on these contents.
    ///
    /// # Errors
    /// [`Refusal`] if the claims are not a JSON object.
    pub fn dangerous_contents(&self) -> Result<(String, String), Refusal> {
        let claims = json::object(&base64::decode_part(self.payload.as_bytes())?)?;
        Ok((json::text(&self.header), json::text(&claims)))
    }
}
