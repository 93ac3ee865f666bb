//! The tokens of Flask-JWT-Extended, with HS256 and its claims.
//!
//! Flask-JWT-Extended signs with `JWT_SECRET_KEY` and writes `fresh`, `iat`, `jti`, `type`, `sub`,
//! `nbf`, `csrf` and `exp`, without `kid`, and by default without `iss` and `aud`. A service and a
//! Flask application with the same key accept each other's tokens.

use carafe_core::clock::Timestamp;
use serde_json::Value;
use subtle::ConstantTimeEq;

use crate::{
    jwt::{Claims, Refusal, TokenType, Unverified, VerifiedToken, Verifier},
    key::{KeyError, SigningKey},
};

/// Issues and verifies the tokens of a Flask application.
///
/// ```
/// use carafe_core::clock::Timestamp;
/// use carafe_tokens::{flask::{FlaskTokens, Kind}, key::SigningKey};
///
/// let now = Timestamp::from_unix(1_700_000_000);
/// let key = SigningKey::hs256(b"4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1b0ff4d4e1c8f4c5b")?;
/// let tokens = FlaskTokens::new(key);
/// let token = tokens.issue("ada", Kind::Access { fresh: true }, 900, now)?;
/// let verified = tokens.verify_access(&token, now)?;
/// assert_eq!(verified.subject(), Some("ada"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct FlaskTokens {
    key: SigningKey,
    verifier: Verifier,
}

/// The kind of a token: the claims `type` and `fresh`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `create_access_token`.
    Access {
        /// Whether the user has just entered the password: `fresh=True`.
        fresh: bool,
    },
    /// `create_refresh_token`.
    Refresh,
}

impl FlaskTokens {
    /// Creates the issuer with `JWT_SECRET_KEY`, the bytes of an HS256 key.
    ///
    /// [`SigningKey::dangerous_weak_hs256`] accepts a short key of an existing application.
    #[must_use]
    pub fn new(key: SigningKey) -> Self {
        Self {
            key,
            verifier: Verifier::dangerous_of_any_party(TokenType::JWT),
        }
    }

    /// Sets `JWT_ENCODE_ISSUER` with `JWT_DECODE_ISSUER`, and both settings of the audience.
    #[must_use]
    pub fn with_parties(self, issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        Self {
            verifier: Verifier::new(issuer, audience, TokenType::JWT),
            ..self
        }
    }

    /// Returns a new token for `identity` that is valid for this number of seconds.
    ///
    /// # Errors
    /// [`KeyError::NoRandomness`].
    pub fn issue(
        &self,
        identity: &str,
        kind: Kind,
        seconds: u32,
        now: Timestamp,
    ) -> Result<String, KeyError> {
        let (fresh, name) = match kind {
            Kind::Access { fresh } => (fresh, "access"),
            Kind::Refresh => (false, "refresh"),
        };
        let mut claims = Claims::new()
            .with_time("iat", now)
            .with_text("jti", random_uuid()?)
            .with_text("type", name)
            .with_text("sub", identity)
            .with_time("nbf", now)
            .with_text("csrf", random_uuid()?)
            .with_time("exp", now.saturating_add(i64::from(seconds)));
        claims.0.insert("fresh".to_owned(), Value::Bool(fresh));
        if let Some((issuer, audience)) = self.verifier.parties() {
            claims = claims.with_text("iss", issuer).with_text("aud", audience);
        }
        let header = r#"{"alg":"HS256","typ":"JWT"}"#;
        Ok(crate::jwt::sign_with_header(
            &self.key,
            header,
            &claims.to_json(),
        ))
    }

    /// Verifies an access token, as `@jwt_required()` does.
    ///
    /// # Errors
    /// [`Refusal`]; [`Refusal::ClaimMissing`] for a refresh token.
    pub fn verify_access(&self, token: &str, now: Timestamp) -> Result<VerifiedToken, Refusal> {
        self.verify(token, "access", now)
    }

    /// Verifies a refresh token, as `@jwt_required(refresh=True)` does.
    ///
    /// These tokens do not rotate: prefer [`RefreshTokens`](crate::refresh::RefreshTokens).
    ///
    /// # Errors
    /// [`Refusal`]; [`Refusal::ClaimMissing`] for an access token.
    pub fn verify_refresh(&self, token: &str, now: Timestamp) -> Result<VerifiedToken, Refusal> {
        self.verify(token, "refresh", now)
    }

    fn verify(&self, token: &str, kind: &str, now: Timestamp) -> Result<VerifiedToken, Refusal> {
        let token = Unverified::parse(token)?;
        let key = self.key.verifying_key();
        let verified = self.verifier.verify_parsed(&token, key, now)?;
        // Flask-JWT-Extended treats a token without `type` as an access token.
        let found: Option<String> = verified.claim("type")?;
        let has_identity = verified.subject().is_some() && verified.token_id().is_some();
        match found.as_deref().unwrap_or("access") == kind && has_identity {
            true => Ok(verified),
            false => Err(Refusal::ClaimMissing),
        }
    }
}

/// Returns whether a token is fresh at `now`: `@jwt_required(fresh=True)`.
///
/// The claim `fresh` is true or the time until which the token is fresh.
#[must_use]
pub fn is_fresh(token: &VerifiedToken, now: Timestamp) -> bool {
    match token.claim::<Value>("fresh") {
        Ok(Some(Value::Bool(fresh))) => fresh,
        Ok(Some(until)) => until.as_f64().is_some_and(|until| {
            #[expect(clippy::cast_precision_loss, reason = "seconds are below 2^53")]
            let now = now.unix() as f64;
            now < until
        }),
        _ => false,
    }
}

/// Returns whether `submitted`, usually the header `X-CSRF-TOKEN`, is the token's claim `csrf`.
///
/// Required for each unsafe request whose token was sent in a cookie (`JWT_COOKIE_CSRF_PROTECT`).
#[must_use]
pub fn has_csrf(token: &VerifiedToken, submitted: &str) -> bool {
    let expected: Option<String> = token.claim("csrf").unwrap_or_default();
    expected.is_some_and(|expected| {
        !expected.is_empty() && expected.as_bytes().ct_eq(submitted.as_bytes()).into()
    })
}

/// Returns a random UUID (version 4), as Flask-JWT-Extended writes it.
fn random_uuid() -> Result<String, KeyError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|_| KeyError::NoRandomness)?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    ))
}
