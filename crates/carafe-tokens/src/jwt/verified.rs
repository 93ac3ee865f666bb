//! The claims of a verified token.

use std::{fmt, sync::Arc};

use carafe_core::{clock::Timestamp, store::PublicId};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Refusal;
use crate::json::{self, Member, Members};

/// The claims of a verified token. Only a [`Verifier`](super::Verifier) creates one.
#[derive(Clone, PartialEq)]
pub struct VerifiedToken {
    pub(super) kid: Arc<str>,
    pub(super) claims: Members,
}

impl VerifiedToken {
    /// Returns the ID of the key that verified the token.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.kid
    }

    /// Returns `iss`.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.text("iss")
    }

    /// Returns `sub`: the user.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.text("sub")
    }

    /// Returns `jti`, the ID of this token.
    #[must_use]
    pub fn token_id(&self) -> Option<&str> {
        self.text("jti")
    }

    /// Returns `client_id`.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.text("client_id")
    }

    /// Returns `sid` if it is the public ID of a Carafe session.
    #[must_use]
    pub fn session(&self) -> Option<PublicId> {
        self.text("sid")?.parse().ok()
    }

    /// Returns `exp`.
    #[must_use]
    pub fn expires(&self) -> Option<Timestamp> {
        self.time("exp").ok()?
    }

    /// Returns `iat`.
    #[must_use]
    pub fn issued(&self) -> Option<Timestamp> {
        self.time("iat").ok()?
    }

    /// Returns `aud` as a list.
    #[must_use]
    pub fn audiences(&self) -> Vec<&str> {
        match self.claims.get("aud") {
            Some(Member::Text(one)) => vec![one],
            Some(Member::Other(Value::Array(list))) => {
                list.iter().filter_map(Value::as_str).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Returns whether `aud` contains this audience.
    pub(super) fn is_for(&self, audience: &str) -> bool {
        match self.claims.get("aud") {
            Some(Member::Text(one)) => one == audience,
            Some(Member::Other(Value::Array(list))) => list.iter().any(|one| one == audience),
            _ => false,
        }
    }

    /// Returns whether `scope` (RFC 8693 §4.2) contains this scope.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        let scopes = self.text("scope").unwrap_or_default();
        scopes.split(' ').any(|one| one == scope)
    }

    /// Returns a claim as a `T`, or `None` if the claim is missing.
    ///
    /// # Errors
    /// [`Refusal::Claim`] if the claim is not a `T`.
    pub fn claim<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Refusal> {
        let value = self.claims.get(name).map(Member::to_value);
        let value = value.map(serde_json::from_value).transpose();
        value.map_err(|_| Refusal::Claim)
    }

    /// Returns all claims as a `T`.
    ///
    /// # Errors
    /// [`Refusal::Claim`] if the claims are not a `T`.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let claims = serde_json::from_value(Value::Object(self.claims.to_object()));
        claims.map_err(|_| Refusal::Claim)
    }

    /// Returns the claims as JSON text.
    #[must_use]
    pub fn to_json(&self) -> String {
        json::text(&self.claims.to_object())
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.claims.text(name)
    }

    /// Reads a `NumericDate`, rounded down. `None` if the claim is missing.
    pub(super) fn time(&self, name: &str) -> Result<Option<Timestamp>, Refusal> {
        let value = match self.claims.get(name) {
            None => return Ok(None),
            Some(Member::Text(_)) => return Err(Refusal::Claim),
            Some(Member::Other(value)) => value,
        };
        let seconds = value.as_i64().or_else(|| {
            let seconds = value.as_f64().filter(|seconds| seconds.abs() < LATEST)?;
            #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
            Some(seconds.floor() as i64)
        });
        match seconds {
            Some(seconds) => Ok(Some(Timestamp::from_unix(seconds))),
            None => Err(Refusal::Claim),
        }
    }
}

/// The range in which a double represents every integer.
const LATEST: f64 = 9_007_199_254_740_992.0;

impl fmt::Debug for VerifiedToken {
    /// Writes only the names of the claims, because their values may be personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.claims.iter().map(|(name, _)| name).collect();
        write!(f, "VerifiedToken({}, {names:?})", self.kid)
    }
}
