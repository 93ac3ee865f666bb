//! The reasons for rejecting a token.

use std::{error::Error, fmt};

/// The reason why a token was rejected. Codes are stable. Tokens and claims are never shown.
///
/// ```
/// use carafe_tokens::Refusal;
///
/// assert_eq!(Refusal::Expired.code(), "expired");
/// assert_eq!(
///     Refusal::Expired.www_authenticate(Some("api")),
///     r#"Bearer realm="api", error="invalid_token", error_description="the token has expired""#,
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// More than [`TOKEN_BYTES`](crate::limits::TOKEN_BYTES).
    TooLarge,
    /// Not three parts with dots between them.
    Malformed,
    /// Five parts: an encrypted token (JWE).
    Encrypted,
    /// White space inside the token.
    Whitespace,
    /// Padding (`=`) after base64url.
    Padding,
    /// Not the canonical base64url: a foreign character, a wrong length, or stray bits.
    Base64,
    /// A header or claims that are not a JSON object in UTF-8 (RFC 8259).
    Json,
    /// A duplicate member of a JSON object (RFC 7515 §4, RFC 7519 §4).
    DuplicateMember,
    /// More than [`MEMBERS`](crate::limits::MEMBERS) members or items.
    TooManyMembers,
    /// More than [`DEPTH`](crate::limits::DEPTH) levels.
    Depth,
    /// No `kid` although there is more than one key, or a `kid` that is not a string.
    KidMissing,
    /// No key has this `kid`.
    KidUnknown,
    /// `alg` is `none` in any spelling (RFC 8725 §2.1).
    AlgNone,
    /// `alg` is not the algorithm of the key: key confusion (RFC 8725 §2.1).
    AlgMismatch,
    /// The header has `crit` (RFC 7515 §4.1.11): no extension is supported.
    Crit,
    /// The header has `b64` (RFC 7797).
    B64,
    /// The signature is invalid.
    Signature,
    /// `typ` is not the expected one (RFC 8725 §3.11).
    Type,
    /// `iss` is not the expected issuer.
    Issuer,
    /// `aud` does not contain the expected audience.
    Audience,
    /// The claim `exp` is missing.
    ExpiryMissing,
    /// A registered claim has the wrong type.
    Claim,
    /// A claim that this kind of token requires is missing or has another value.
    ClaimMissing,
    /// A claim that this kind of token must not have, such as `nonce` in a logout token.
    ClaimForbidden,
    /// The time is at or after `exp`.
    Expired,
    /// The time is before `nbf`.
    NotYetValid,
    /// `iat` is in the future.
    IssuedInFuture,
}

impl Refusal {
    /// All variants, for tables and metrics.
    pub const ALL: &'static [Self] = &[
        Self::TooLarge,
        Self::Malformed,
        Self::Encrypted,
        Self::Whitespace,
        Self::Padding,
        Self::Base64,
        Self::Json,
        Self::DuplicateMember,
        Self::TooManyMembers,
        Self::Depth,
        Self::KidMissing,
        Self::KidUnknown,
        Self::AlgNone,
        Self::AlgMismatch,
        Self::Crit,
        Self::B64,
        Self::Signature,
        Self::Type,
        Self::Issuer,
        Self::Audience,
        Self::ExpiryMissing,
        Self::Claim,
        Self::ClaimMissing,
        Self::ClaimForbidden,
        Self::Expired,
        Self::NotYetValid,
        Self::IssuedInFuture,
    ];

    /// Returns a short stable word for logs, metrics and tests, such as `expired`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "too-large",
            Self::Malformed => "malformed",
            Self::Encrypted => "encrypted",
            Self::Whitespace => "whitespace",
            Self::Padding => "padding",
            Self::Base64 => "base64",
            Self::Json => "json",
            Self::DuplicateMember => "duplicate-member",
            Self::TooManyMembers => "too-many-members",
            Self::Depth => "depth",
            Self::KidMissing => "kid-missing",
            Self::KidUnknown => "kid-unknown",
            Self::AlgNone => "alg-none",
            Self::AlgMismatch => "alg-mismatch",
            Self::Crit => "crit",
            Self::B64 => "b64",
            Self::Signature => "signature",
            Self::Type => "typ",
            Self::Issuer => "iss",
            Self::Audience => "aud",
            Self::ExpiryMissing => "exp-missing",
            Self::Claim => "claim",
            Self::ClaimMissing => "claim-missing",
            Self::ClaimForbidden => "claim-forbidden",
            Self::Expired => "expired",
            Self::NotYetValid => "not-yet-valid",
            Self::IssuedInFuture => "issued-in-future",
        }
    }

    /// Returns the status of the response: 401.
    #[must_use]
    pub const fn status(self) -> u16 {
        401
    }

    /// Returns the value of `WWW-Authenticate` (RFC 6750 §3), for the protection space `realm`.
    #[must_use]
    pub fn www_authenticate(self, realm: Option<&str>) -> String {
        let realm = realm.map(|realm| format!("realm={}, ", quoted(realm)));
        let realm = realm.unwrap_or_default();
        format!(r#"Bearer {realm}error="invalid_token", error_description="{self}""#)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // RFC 6750 §3: no `"` and no `\`.
        f.write_str(match self {
            Self::TooLarge => "the token is too large",
            Self::Malformed => "the token does not have three parts",
            Self::Encrypted => "the token is encrypted",
            Self::Whitespace => "the token contains white space",
            Self::Padding => "the token contains padding",
            Self::Base64 => "the token is not canonical base64url",
            Self::Json => "a part of the token is not a JSON object",
            Self::DuplicateMember => "the token has a member twice",
            Self::TooManyMembers => "the token has too many members",
            Self::Depth => "the token is nested too deeply",
            Self::KidMissing => "the token does not name its key",
            Self::KidUnknown => "the key of the token is unknown",
            Self::AlgNone => "the token is not signed",
            Self::AlgMismatch => "the token names another algorithm than its key's",
            Self::Crit => "the token requires an extension",
            Self::B64 => "the token has an unencoded payload",
            Self::Signature => "the signature of the token is invalid",
            Self::Type => "the token is of another type",
            Self::Issuer => "the token is from another issuer",
            Self::Audience => "the token is for another audience",
            Self::ExpiryMissing => "the token does not expire",
            Self::Claim => "a claim of the token has a wrong type",
            Self::ClaimMissing => "a claim of the token is missing",
            Self::ClaimForbidden => "the token has a claim of another kind of token",
            Self::Expired => "the token has expired",
            Self::NotYetValid => "the token is not valid yet",
            Self::IssuedInFuture => "the token was issued in the future",
        })
    }
}

impl Error for Refusal {}

/// Returns a quoted string (RFC 9110 §5.6.4). Characters that a header cannot contain become `?`.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => out.extend(['\\', char]),
            ' '..='~' => out.push(char),
            _ => out.push('?'),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_differ_and_every_description_fits_into_a_header() {
        let mut codes: Vec<_> = Refusal::ALL.iter().map(|refusal| refusal.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Refusal::ALL.len());
        for refusal in Refusal::ALL {
            let text = refusal.to_string();
            let is_plain = |c: char| (' '..='~').contains(&c) && !matches!(c, '"' | '\\');
            assert!(text.chars().all(is_plain), "{text}");
            let value = refusal.www_authenticate(None);
            assert_eq!(
                value,
                format!("Bearer error=\"invalid_token\", error_description=\"{text}\"")
            );
        }
    }
}
