//! Logout tokens of OpenID Connect Back-Channel Logout 1.0.
//!
//! A provider sends one to the service when the user logs out elsewhere. The session that it ends
//! is found by `carafe_core`'s [`ProviderSessions`](carafe_core::session::ProviderSessions).

use std::time::Duration;

use carafe_core::clock::Timestamp;
use serde_json::Value;

use crate::{
    jwt::{Refusal, TokenType, VerifiedToken, Verifier, VerifyError},
    key::{TokenKeys, VerifyingKeys},
};

/// The member of `events` that makes a token a logout token (§2.4).
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Verifies the logout tokens of one provider for one client (§2.6).
///
/// ```
/// use carafe_tokens::{
///     Algorithm, SigningKey, Timestamp, VerifyingKeys,
///     jwt::{Claims, sign},
///     logout::{LogoutTokens, Scope},
/// };
/// use std::collections::HashMap;
///
/// let now = Timestamp::from_unix(1_700_000_000);
/// let key = SigningKey::generate(Algorithm::Es256)?; // the provider's
/// let event = "http://schemas.openid.net/event/backchannel-logout";
/// let claims = Claims::new()
///     .with_text("iss", "https://login.example")
///     .with_text("aud", "shop")
///     .with_time("iat", now)
///     .with_time("exp", now.saturating_add(120))
///     .with_text("jti", "1")
///     .with_text("sid", "f81d4fae")
///     .with("events", &HashMap::from([(event, HashMap::<&str, ()>::new())]))?;
/// let token = sign(&key, "logout+jwt", &claims);
///
/// let tokens = LogoutTokens::new("https://login.example", "shop");
/// let keys = VerifyingKeys::from(key.verifying_key().clone());
/// let token = tokens.verify(&token, &keys, now)?;
/// assert_eq!(token.scope(), Scope::Session("f81d4fae"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct LogoutTokens(Verifier);

/// A verified logout token.
#[derive(Clone, Debug, PartialEq)]
pub struct LogoutToken {
    subject: Option<String>,
    named: Named,
    token_id: String,
    expires: Timestamp,
}

/// [`Scope`] with its text.
#[derive(Clone, Debug, PartialEq)]
enum Named {
    Session(String),
    User(String),
}

/// The sessions that a logout token ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope<'t> {
    /// The sessions with this `sid`.
    Session(&'t str),
    /// All sessions of the user with this `sub`.
    User(&'t str),
}

impl LogoutTokens {
    /// Creates a verifier of tokens of type `logout+jwt` from this issuer for this client.
    pub fn new(issuer: impl Into<String>, client_id: impl Into<String>) -> Self {
        let typ = TokenType::Exactly("logout+jwt".into());
        Self(Verifier::new(issuer, client_id, typ))
    }

    /// Sets the type, for providers that do not set `logout+jwt` (§2.4 recommends it).
    ///
    /// The required claims distinguish a logout token from other tokens of the provider.
    #[must_use]
    pub fn with_type(self, typ: TokenType) -> Self {
        Self(self.0.with_type(typ))
    }

    /// Sets the tolerance for clocks that differ, as [`Verifier::with_clock_skew`].
    #[must_use]
    pub fn with_clock_skew(self, skew: Duration) -> Self {
        Self(self.0.with_clock_skew(skew))
    }

    /// Verifies a token with keys that are at hand.
    ///
    /// # Errors
    /// [`Refusal`]: the response is a 400.
    pub fn verify(
        &self,
        token: &str,
        keys: &VerifyingKeys,
        now: Timestamp,
    ) -> Result<LogoutToken, Refusal> {
        LogoutToken::of(&self.0.verify(token, keys, now)?)
    }

    /// Verifies a token with keys that may have to be fetched.
    ///
    /// # Errors
    /// [`VerifyError`]: the response to a refusal is a 400.
    pub async fn verify_with(
        &self,
        token: &str,
        keys: &impl TokenKeys,
        now: Timestamp,
    ) -> Result<LogoutToken, VerifyError> {
        let token = self.0.verify_with(token, keys, now).await?;
        Ok(LogoutToken::of(&token)?)
    }
}

impl LogoutToken {
    /// Checks the claims of §2.4 that a verifier of tokens in general does not.
    fn of(token: &VerifiedToken) -> Result<Self, Refusal> {
        let events = token.claim::<Value>("events")?;
        let event = events.as_ref().and_then(|events| events.get(EVENT));
        if !event.is_some_and(Value::is_object) {
            return Err(Refusal::ClaimMissing);
        }
        // An ID token has a nonce, a logout token must not.
        if token.claim::<Value>("nonce")?.is_some() {
            return Err(Refusal::ClaimForbidden);
        }
        let text = |name: &str| -> Result<Option<String>, Refusal> {
            let text = token.claim::<String>(name)?;
            Ok(text.filter(|text| !text.is_empty()))
        };
        let subject = text("sub")?;
        let named = match (text("sid")?, &subject) {
            (Some(sid), _) => Named::Session(sid),
            (None, Some(subject)) => Named::User(subject.clone()),
            (None, None) => return Err(Refusal::ClaimMissing),
        };
        let (Some(token_id), Some(expires), Some(_)) =
            (text("jti")?, token.expires(), token.issued())
        else {
            return Err(Refusal::ClaimMissing);
        };
        Ok(Self {
            subject,
            named,
            token_id,
            expires,
        })
    }

    /// Returns the sessions that the token ends: those of its `sid`, or else of its `sub`.
    #[must_use]
    pub fn scope(&self) -> Scope<'_> {
        match &self.named {
            Named::Session(sid) => Scope::Session(sid),
            Named::User(subject) => Scope::User(subject),
        }
    }

    /// Returns `sub`.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// Returns `jti`, which must not be accepted twice.
    #[must_use]
    pub fn token_id(&self) -> &str {
        &self.token_id
    }

    /// Returns `exp`: after it, no token with this `jti` is accepted.
    #[must_use]
    pub const fn expires(&self) -> Timestamp {
        self.expires
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::{
        Algorithm, SigningKey,
        jwt::{Claims, sign},
    };

    const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

    fn claims() -> Value {
        json!({
            "iss": "https://login.example", "aud": "shop", "sub": "ada", "sid": "one", "jti": "1",
            "iat": NOW.unix(), "exp": NOW.unix() + 120, "events": { (EVENT): {} },
        })
    }

    /// Verifies a token of this type whose claims differ in one; `null` removes it.
    fn verify(typ: &str, name: &str, value: Value) -> Result<LogoutToken, Refusal> {
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let mut members: Map<_, _> = claims().as_object().unwrap().clone();
        members.insert(name.to_owned(), value);
        members.retain(|_, value| !value.is_null());
        let claims = members.iter().fold(Claims::new(), |claims, (name, value)| {
            claims.with(name, value).unwrap()
        });
        let keys = VerifyingKeys::from(key.verifying_key().clone());
        let tokens = LogoutTokens::new("https://login.example", "shop");
        tokens.verify(&sign(&key, typ, &claims), &keys, NOW)
    }

    #[test]
    fn a_token_names_a_session_or_a_user() {
        let token = verify("logout+jwt", "unrelated", Value::Null).unwrap();
        assert_eq!(token.scope(), Scope::Session("one"));
        assert_eq!((token.subject(), token.token_id()), (Some("ada"), "1"));
        assert_eq!(token.expires(), NOW.saturating_add(120));
        let token = verify("application/logout+jwt", "sub", Value::Null).unwrap();
        assert_eq!(token.scope(), Scope::Session("one"));
        for sid in [Value::Null, json!("")] {
            let token = verify("logout+jwt", "sid", sid).unwrap();
            assert_eq!(token.scope(), Scope::User("ada"));
        }
    }

    #[test]
    fn other_tokens_of_the_provider_are_refused() {
        for typ in ["JWT", "at+jwt", "logout", ""] {
            let refused = verify(typ, "unrelated", Value::Null);
            assert_eq!(refused, Err(Refusal::Type), "{typ}");
        }
        for (name, value, refusal) in [
            ("iss", json!("https://other.example"), Refusal::Issuer),
            ("iss", Value::Null, Refusal::Issuer),
            ("aud", json!("other"), Refusal::Audience),
            ("exp", Value::Null, Refusal::ExpiryMissing),
            ("exp", json!(NOW.unix() - 10), Refusal::Expired),
            ("iat", Value::Null, Refusal::ClaimMissing),
            ("iat", json!(NOW.unix() + 60), Refusal::IssuedInFuture),
            ("jti", Value::Null, Refusal::ClaimMissing),
            ("jti", json!(""), Refusal::ClaimMissing),
            ("jti", json!(7), Refusal::Claim),
            ("sid", json!(7), Refusal::Claim),
            ("events", Value::Null, Refusal::ClaimMissing),
            ("events", json!({}), Refusal::ClaimMissing),
            ("events", json!([EVENT]), Refusal::ClaimMissing),
            ("events", json!(EVENT), Refusal::ClaimMissing),
            ("events", json!({ (EVENT): true }), Refusal::ClaimMissing),
            (
                "events",
                json!({ "https://schemas.openid.net/event/backchannel-logout": {} }),
                Refusal::ClaimMissing,
            ),
            ("nonce", json!("n"), Refusal::ClaimForbidden),
            ("nonce", json!(7), Refusal::ClaimForbidden),
        ] {
            let refused = verify("logout+jwt", name, value.clone());
            assert_eq!(refused, Err(refusal), "{name} {value}");
        }
    }

    #[test]
    fn a_token_without_session_and_user_is_refused() {
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let events = json!({ (EVENT): {} });
        let claims = Claims::new()
            .with_text("iss", "https://login.example")
            .with_text("aud", "shop")
            .with_text("jti", "1")
            .with_time("iat", NOW)
            .with_time("exp", NOW.saturating_add(120))
            .with("events", &events)
            .unwrap();
        let keys = VerifyingKeys::from(key.verifying_key().clone());
        let tokens = LogoutTokens::new("https://login.example", "shop");
        let refused = tokens.verify(&sign(&key, "logout+jwt", &claims), &keys, NOW);
        assert_eq!(refused, Err(Refusal::ClaimMissing));
        let untyped = tokens.with_type(TokenType::JwtOrNone);
        let refused = untyped.verify(&sign(&key, "JWT", &claims), &keys, NOW);
        assert_eq!(refused, Err(Refusal::ClaimMissing));
        let named = claims.with_text("sid", "one");
        assert!(
            untyped
                .verify(&sign(&key, "JWT", &named), &keys, NOW)
                .is_ok()
        );
    }
}
