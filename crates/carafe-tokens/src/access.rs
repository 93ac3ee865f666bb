//! Access tokens: RFC 9068's JWT profile, with the session in `sid`.

use std::{fmt, time::Duration};

use carafe_core::{
    clock::Timestamp,
    session::Session,
    store::{ErasedStore, PublicId, StoreError},
};
use serde::Serialize;

use crate::{
    base64,
    jwt::{Claims, NotJson, Refusal, TokenType, VerifiedToken, Verifier, sign},
    key::{KeyError, SigningRing, VerifyingKeys},
    refresh::{Introspection, is_session_alive},
};

/// The default lifetime of an access token: 5 minutes.
pub const LIFETIME: Duration = Duration::from_secs(300);

/// Issues and verifies access tokens for one audience.
///
/// | claim | value |
/// |---|---|
/// | `iss`, `aud` | the arguments of [`AccessTokens::new`] |
/// | `sub` | the user |
/// | `sid` | the public ID of the session |
/// | `client_id`, `scope` | of the [`Client`] |
/// | `iat`, `exp` | the current time, and the current time plus the lifetime |
/// | `jti` | 128 random bits |
#[derive(Clone, Debug)]
pub struct AccessTokens {
    issuer: String,
    audience: String,
    lifetime: Duration,
}

/// The session that a token belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionRef {
    /// The user: `sub`.
    pub user: String,
    /// The public ID of the session: `sid`.
    pub public_id: PublicId,
}

/// The client that a token is issued to, with its scope and further claims.
///
/// ```
/// use carafe_tokens::Client;
///
/// let client = Client::new("mobile-app").with_scope("orders:read").with_claim("tenant", &7)?;
/// # Ok::<(), carafe_tokens::jwt::NotJson>(())
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    claims: Claims,
}

/// An access token.
#[derive(Clone)]
#[non_exhaustive]
pub struct AccessToken {
    /// The JWT.
    pub text: String,
    /// The claim `jti`.
    pub token_id: String,
    /// The first second in which the token has expired.
    pub expires: Timestamp,
    /// Seconds until expiry: `expires_in` of RFC 6749 §5.1.
    pub expires_in: u64,
}

impl AccessTokens {
    /// Creates an issuer of tokens for `audience`, the resource server, given by its URL or name.
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            audience: audience.into(),
            lifetime: LIFETIME,
        }
    }

    /// Sets the lifetime, 5 minutes by default.
    ///
    /// A token cannot be revoked before it expires, except for verifiers that ask the store
    /// ([`AccessTokens::introspect`]).
    #[must_use]
    pub fn with_lifetime(self, lifetime: Duration) -> Self {
        Self { lifetime, ..self }
    }

    /// Returns a new token for `session`, signed by the ring's current key.
    ///
    /// # Errors
    /// [`KeyError::NoRandomness`].
    pub fn issue(
        &self,
        ring: &SigningRing,
        session: &SessionRef,
        client: &Client,
        now: Timestamp,
    ) -> Result<AccessToken, KeyError> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|_| KeyError::NoRandomness)?;
        let token_id = base64::encode(&bytes);
        let expires_in = self.lifetime.as_secs();
        let expires = now.saturating_add(i64::try_from(expires_in).unwrap_or(i64::MAX));
        let claims = client
            .claims
            .clone()
            .with_text("iss", &self.issuer)
            .with_text("aud", &self.audience)
            .with_text("sub", &session.user)
            .with_text("sid", session.public_id.to_string())
            .with_time("iat", now)
            .with_time("exp", expires)
            .with_text("jti", &token_id);
        Ok(AccessToken {
            text: sign(ring.signing_key(now), "at+jwt", &claims),
            token_id,
            expires,
            expires_in,
        })
    }

    /// Returns the verifier of these tokens.
    #[must_use]
    pub fn verifier(&self) -> Verifier {
        Verifier::new(&self.issuer, &self.audience, TokenType::ACCESS)
    }

    /// Returns the introspection (RFC 7662) of an access token, which is active while its session
    /// is alive.
    ///
    /// # Errors
    /// [`StoreError`]. A rejected token is not an error, but inactive.
    pub async fn introspect(
        &self,
        store: &(impl ErasedStore + ?Sized),
        token: &str,
        keys: &VerifyingKeys,
        now: Timestamp,
    ) -> Result<Introspection, StoreError> {
        let verified: Result<VerifiedToken, Refusal> = self.verifier().verify(token, keys, now);
        let Ok(token) = verified else {
            return Ok(Introspection::inactive());
        };
        let is_alive = match token.session() {
            Some(session) => is_session_alive(store, session, now).await?,
            None => false,
        };
        Ok(match is_alive {
            true => Introspection::of_access_token(&token),
            false => Introspection::inactive(),
        })
    }
}

impl SessionRef {
    /// Creates the reference to a session.
    pub fn new(user: impl Into<String>, public_id: PublicId) -> Self {
        Self {
            user: user.into(),
            public_id,
        }
    }

    /// Returns the reference to a stored session after a log-in, such as the session of a cookie.
    ///
    /// Access tokens of such a session need no refresh token, because the cookie authorizes the
    /// next access token.
    #[must_use]
    pub fn of(session: &Session) -> Option<Self> {
        Some(Self::new(session.user()?, session.public_id()?))
    }
}

impl Client {
    /// Creates a client without scopes, by its name: `client_id`.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            claims: Claims::new().with_text("client_id", id),
        }
    }

    /// Sets `scope`, a list of scopes separated by spaces.
    #[must_use]
    pub fn with_scope(self, scope: impl Into<String>) -> Self {
        Self {
            claims: self.claims.with_text("scope", scope),
        }
    }

    /// Sets a further claim.
    ///
    /// The claims of [`AccessTokens`] take precedence over claims of the same name.
    ///
    /// Every holder of the token can read it.
    ///
    /// # Errors
    /// [`NotJson`].
    pub fn with_claim<T: Serialize + ?Sized>(self, name: &str, value: &T) -> Result<Self, NotJson> {
        Ok(Self {
            claims: self.claims.with(name, value)?,
        })
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccessToken({})", self.token_id)
    }
}
