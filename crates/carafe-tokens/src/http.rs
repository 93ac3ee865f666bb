//! HTTP headers and bodies without a framework: `Authorization`, `WWW-Authenticate`, token
//! responses.

use std::{error::Error, fmt, time::Duration};

use carafe_core::clock::Timestamp;
use serde_json::json;

use crate::{access::AccessToken, key::SigningRing, refresh::RefreshToken, refusal::quoted};

/// The media type of a JWK set (RFC 7517 §8.5.2).
pub const JWK_SET_TYPE: &str = "application/jwk-set+json";
/// The conventional path of a JWK set. RFC 8414 lets an issuer choose another one.
pub const JWK_SET_PATH: &str = "/.well-known/jwks.json";
/// The default of `max-age` of a JWK set: 5 minutes.
pub const JWK_SET_MAX_AGE: Duration = Duration::from_secs(300);

/// A response with the JWK set of a ring.
///
/// Implements the response traits of axum and actix-web if their features are enabled.
///
/// ```
/// use carafe_core::clock::Timestamp;
/// use carafe_tokens::{http::JwkSetResponse, key::{Algorithm, SigningKey, SigningRing}};
///
/// let ring = SigningRing::new(SigningKey::generate(Algorithm::Es256)?);
/// let response = JwkSetResponse::new(&ring, Timestamp::now());
/// assert_eq!(response.cache_control(), "public, max-age=300");
/// # Ok::<(), carafe_tokens::key::KeyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwkSetResponse {
    body: String,
    max_age: Duration,
}

impl JwkSetResponse {
    /// Creates the response at `now`.
    #[must_use]
    pub fn new(ring: &SigningRing, now: Timestamp) -> Self {
        Self {
            body: ring.verifying_keys(now).to_jwk_set(),
            max_age: JWK_SET_MAX_AGE,
        }
    }

    /// Sets for how long verifiers may cache the set, 5 minutes by default.
    ///
    /// A new key has to be published for longer than this before it signs.
    #[must_use]
    pub fn with_max_age(self, max_age: Duration) -> Self {
        Self { max_age, ..self }
    }

    /// Returns the value of `Cache-Control`.
    #[must_use]
    pub fn cache_control(&self) -> String {
        format!("public, max-age={}", self.max_age.as_secs())
    }

    /// Returns the body.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }

    #[cfg(any(feature = "axum", feature = "actix"))]
    pub(crate) fn into_body(self) -> String {
        self.body
    }
}

/// The error of more than one `Authorization` header, or of a malformed bearer token (RFC 6750
/// §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidRequest;

/// Returns the bearer token in the values of a request's `Authorization` headers (RFC 6750 §2.1).
///
/// Returns `None` without such a header, and for any other scheme.
///
/// ```
/// use carafe_tokens::http::bearer_token;
///
/// assert_eq!(bearer_token([&b"Bearer mF_9.B5f-4.1JqM"[..]]), Ok(Some("mF_9.B5f-4.1JqM")));
/// assert_eq!(bearer_token([&b"Basic dTpw"[..]]), Ok(None));
/// assert!(bearer_token([&b"Bearer a"[..], b"Bearer b"]).is_err());
/// ```
///
/// # Errors
/// [`InvalidRequest`].
pub fn bearer_token<'h>(
    authorization: impl IntoIterator<Item = &'h [u8]>,
) -> Result<Option<&'h str>, InvalidRequest> {
    let mut values = authorization.into_iter();
    let (first, second) = (values.next(), values.next());
    let Some(value) = first else {
        return Ok(None);
    };
    if second.is_some() {
        return Err(InvalidRequest);
    }
    let value = str::from_utf8(value).map_err(|_| InvalidRequest)?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Ok(None);
    }
    let token = token.trim_matches(' ');
    let is_allowed = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
    };
    let unpadded = token.trim_end_matches('=');
    match !unpadded.is_empty() && unpadded.bytes().all(is_allowed) {
        true => Ok(Some(token)),
        false => Err(InvalidRequest),
    }
}

/// Returns the `WWW-Authenticate` of a response to a request without a token (RFC 6750 §3).
///
/// ```
/// assert_eq!(carafe_tokens::http::challenge(Some("api")), r#"Bearer realm="api""#);
/// assert_eq!(carafe_tokens::http::challenge(None), "Bearer");
/// ```
#[must_use]
pub fn challenge(realm: Option<&str>) -> String {
    match realm {
        Some(realm) => format!("Bearer realm={}", quoted(realm)),
        None => "Bearer".to_owned(),
    }
}

/// Returns the `WWW-Authenticate` of a 403 for a token that lacks this scope (RFC 6750 §3.1).
///
/// ```
/// assert_eq!(
///     carafe_tokens::http::insufficient_scope("orders:write", None),
///     r#"Bearer error="insufficient_scope", scope="orders:write""#,
/// );
/// ```
#[must_use]
pub fn insufficient_scope(scope: &str, realm: Option<&str>) -> String {
    let realm = realm.map(|realm| format!("realm={}, ", quoted(realm)));
    let realm = realm.unwrap_or_default();
    format!(
        r#"Bearer {realm}error="insufficient_scope", scope={}"#,
        quoted(scope)
    )
}

/// Returns the body of a successful token response (RFC 6749 §5.1), as JSON text.
///
/// Send it with `Content-Type: application/json` and `Cache-Control: no-store`.
#[must_use]
pub fn token_response(access: &AccessToken, refresh: Option<&RefreshToken>) -> String {
    let mut body = json!({
        "access_token": access.text,
        "token_type": "Bearer",
        "expires_in": access.expires_in,
    });
    if let Some(refresh) = refresh {
        body["refresh_token"] = refresh.as_str().into();
    }
    body.to_string()
}

impl InvalidRequest {
    /// Returns the status of the response: 400.
    #[must_use]
    pub const fn status(self) -> u16 {
        400
    }

    /// Returns the value of `WWW-Authenticate` (RFC 6750 §3.1).
    #[must_use]
    pub fn www_authenticate(self, realm: Option<&str>) -> String {
        let realm = realm.map(|realm| format!("realm={}, ", quoted(realm)));
        format!(
            r#"Bearer {}error="invalid_request""#,
            realm.unwrap_or_default()
        )
    }
}

impl fmt::Display for InvalidRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request has more than one token, or a malformed one")
    }
}

impl Error for InvalidRequest {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_well_formed_bearer_token_is_read() {
        for (value, token) in [
            ("Bearer abc", Ok(Some("abc"))),
            ("bearer abc==", Ok(Some("abc=="))),
            ("BEARER  abc ", Ok(Some("abc"))),
            ("Basic abc", Ok(None)),
            ("Bearerabc", Ok(None)),
            ("DPoP abc", Ok(None)),
            ("Bearer", Err(InvalidRequest)),
            ("Bearer ", Err(InvalidRequest)),
            ("Bearer a b", Err(InvalidRequest)),
            ("Bearer a,b", Err(InvalidRequest)),
            ("Bearer =", Err(InvalidRequest)),
            ("Bearer a=b", Err(InvalidRequest)),
            ("Bearer \"a\"", Err(InvalidRequest)),
        ] {
            assert_eq!(bearer_token([value.as_bytes()]), token, "{value}");
        }
        assert_eq!(bearer_token([]), Ok(None));
        assert_eq!(bearer_token([&b"Bearer \xff"[..]]), Err(InvalidRequest));
    }

    #[test]
    fn a_realm_cannot_break_out_of_its_quotes() {
        assert_eq!(
            challenge(Some("a\"b\\\r\nc\u{e9}")),
            r#"Bearer realm="a\"b\\??c?""#
        );
    }
}
