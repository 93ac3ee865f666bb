//! Verification of tokens against an expected issuer, audience and type.

use std::{borrow::Cow, sync::Arc, time::Duration};

use carafe_core::{clock::Timestamp, token::DEFAULT_CLOCK_SKEW};
use serde_json::Value;

use super::{Refusal, Unverified, VerifiedToken, VerifyError};
use crate::{
    base64,
    json::{Member, Members},
    key::{Algorithm, TokenKeys, VerifyingKey, VerifyingKeys},
    limits::CLOCK_SKEW,
};

/// The required `typ` of a header (RFC 8725 §3.11).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenType {
    /// This type, with or without `application/` and without regard to case.
    Exactly(Cow<'static, str>),
    /// `JWT` or no type, as in ID tokens of OpenID Connect and in many older tokens.
    ///
    /// Another kind of token of the same issuer for the same audience is accepted as well, so
    /// prefer [`TokenType::Exactly`].
    JwtOrNone,
}

/// Verifies the tokens of one issuer for one audience.
///
/// ```
/// use carafe_core::clock::Timestamp;
/// use carafe_tokens::{
///     jwt::{Claims, Refusal, TokenType, Verifier, sign},
///     key::{Algorithm, SigningKey, VerifyingKeys},
/// };
///
/// let now = Timestamp::from_unix(1_700_000_000);
/// let key = SigningKey::generate(Algorithm::EdDsa)?;
/// let claims = Claims::new()
///     .with_text("iss", "https://id.example")
///     .with_text("aud", "shop")
///     .with_time("exp", now.saturating_add(60));
/// let token = sign(&key, "at+jwt", &claims);
///
/// let verifier = Verifier::new("https://id.example", "shop", TokenType::ACCESS);
/// let keys = VerifyingKeys::from(key.verifying_key().clone());
/// assert!(verifier.verify(&token, &keys, now).is_ok());
/// let later = now.saturating_add(65);
/// assert_eq!(verifier.verify(&token, &keys, later).err(), Some(Refusal::Expired));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Verifier {
    /// `None` only for formats that lack this claim.
    issuer: Option<String>,
    audience: Option<String>,
    typ: TokenType,
    clock_skew: i64,
}

impl TokenType {
    /// `at+jwt` (RFC 9068).
    pub const ACCESS: Self = Self::Exactly(Cow::Borrowed("at+jwt"));
    /// `JWT`.
    pub const JWT: Self = Self::Exactly(Cow::Borrowed("JWT"));

    fn accepts(&self, typ: Option<Member<'_>>) -> bool {
        let named = |expected: &str| {
            let Some(Member::Text(typ)) = typ else {
                return false;
            };
            let prefix = "application/";
            let short = match typ.get(..prefix.len()) {
                Some(start) if start.eq_ignore_ascii_case(prefix) => &typ[prefix.len()..],
                _ => typ,
            };
            short.eq_ignore_ascii_case(expected)
        };
        match self {
            Self::Exactly(expected) => named(expected),
            Self::JwtOrNone => typ.is_none() || named("JWT"),
        }
    }
}

impl Verifier {
    /// Creates a verifier that requires exactly this `iss`, `audience` in `aud`, this type, and
    /// `exp`.
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>, typ: TokenType) -> Self {
        Self {
            issuer: Some(issuer.into()),
            audience: Some(audience.into()),
            ..Self::dangerous_of_any_party(typ)
        }
    }

    /// Creates a verifier of the signature, the type and the times only.
    ///
    /// With a key that signs for several audiences, each token is valid for all of them. Only for
    /// tools, and for formats whose tokens name neither issuer nor audience.
    #[must_use]
    pub fn dangerous_of_any_party(typ: TokenType) -> Self {
        Self {
            issuer: None,
            audience: None,
            typ,
            clock_skew: DEFAULT_CLOCK_SKEW.as_secs().cast_signed(),
        }
    }

    /// Sets the issuer.
    #[must_use]
    pub fn with_issuer(self, issuer: impl Into<String>) -> Self {
        Self {
            issuer: Some(issuer.into()),
            ..self
        }
    }

    /// Sets the audience.
    #[must_use]
    pub fn with_audience(self, audience: impl Into<String>) -> Self {
        Self {
            audience: Some(audience.into()),
            ..self
        }
    }

    /// Sets the type.
    #[must_use]
    pub fn with_type(self, typ: TokenType) -> Self {
        Self { typ, ..self }
    }

    /// Returns the issuer and the audience.
    pub(crate) fn parties(&self) -> Option<(&str, &str)> {
        Some((self.issuer.as_deref()?, self.audience.as_deref()?))
    }

    /// Sets the tolerated clock skew, 5 seconds by default, and at most [`CLOCK_SKEW`].
    #[must_use]
    pub fn with_clock_skew(self, skew: Duration) -> Self {
        Self {
            clock_skew: skew.min(CLOCK_SKEW).as_secs().cast_signed(),
            ..self
        }
    }

    /// Verifies a token with local keys.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn verify(
        &self,
        token: &str,
        keys: &VerifyingKeys,
        now: Timestamp,
    ) -> Result<VerifiedToken, Refusal> {
        let token = Unverified::parse(token)?;
        let key = keys.find(token.kid()?)?;
        self.verify_parsed(&token, key, now)
    }

    /// Verifies a token with keys that may have to be fetched.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub async fn verify_with(
        &self,
        token: &str,
        keys: &impl TokenKeys,
        now: Timestamp,
    ) -> Result<VerifiedToken, VerifyError> {
        let token = Unverified::parse(token)?;
        let key = keys.find_key(token.kid()?).await?;
        Ok(self.verify_parsed(&token, &key, now)?)
    }

    /// Verifies a token with its key.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn verify_parsed(
        &self,
        token: &Unverified<'_>,
        key: &VerifyingKey,
        now: Timestamp,
    ) -> Result<VerifiedToken, Refusal> {
        let is_signed = key.verifies(token.signed.as_bytes(), token.signature.as_bytes());
        // Also checked if the signature is invalid, so that the refusal names the attack.
        check_header(&token.header, key.algorithm())?;
        if !is_signed {
            return Err(Refusal::Signature);
        }
        if !self.typ.accepts(token.header.get("typ")) {
            return Err(Refusal::Type);
        }
        let verified = VerifiedToken {
            kid: Arc::clone(key.shared_id()),
            claims: base64::decode_part(token.payload.as_bytes(), Members::parse)??,
        };
        self.check_claims(&verified, now)?;
        Ok(verified)
    }

    fn check_claims(&self, token: &VerifiedToken, now: Timestamp) -> Result<(), Refusal> {
        check_types(&token.claims)?;
        if let Some(issuer) = &self.issuer
            && token.issuer() != Some(issuer)
        {
            return Err(Refusal::Issuer);
        }
        if let Some(audience) = &self.audience
            && !token.is_for(audience)
        {
            return Err(Refusal::Audience);
        }
        let (earliest, latest) = (
            now.saturating_add(-self.clock_skew),
            now.saturating_add(self.clock_skew),
        );
        match token.time("exp")? {
            None => return Err(Refusal::ExpiryMissing),
            Some(expires) if expires <= earliest => return Err(Refusal::Expired),
            Some(_) => {}
        }
        if token.time("nbf")?.is_some_and(|begins| begins > latest) {
            return Err(Refusal::NotYetValid);
        }
        match token.time("iat")? {
            Some(issued) if issued > latest => Err(Refusal::IssuedInFuture),
            _ => Ok(()),
        }
    }
}

/// Checks the header members that could change the interpretation of a token.
fn check_header(header: &Members, algorithm: Algorithm) -> Result<(), Refusal> {
    let name = header.text("alg").unwrap_or_default();
    if name.eq_ignore_ascii_case("none") {
        return Err(Refusal::AlgNone);
    }
    if Algorithm::from_name(name) != Some(algorithm) {
        return Err(Refusal::AlgMismatch);
    }
    match () {
        () if header.get("b64").is_some() => Err(Refusal::B64),
        () if header.get("crit").is_some() => Err(Refusal::Crit),
        () => Ok(()),
    }
}

/// Checks the types of the registered claims (RFC 7519 §4.1) that are strings.
fn check_types(claims: &Members) -> Result<(), Refusal> {
    let is_good = |(name, value): (&str, Member<'_>)| match (name, value) {
        (_, Member::Text(_)) => true,
        ("aud", Member::Other(Value::Array(list))) => list.iter().all(Value::is_string),
        (name, Member::Other(_)) => !["iss", "sub", "jti", "sid", "aud"].contains(&name),
    };
    match claims.iter().all(is_good) {
        true => Ok(()),
        false => Err(Refusal::Claim),
    }
}
