//! Signing of claims.

use serde::Serialize;

use super::Claims;
use crate::{base64, json, key::SigningKey};

/// Maximum size of a signature.
pub(super) const SIGNATURE_BYTES: usize = 64;

/// Returns a token of type `typ` with these claims, signed by `key`.
///
/// The header has `alg`, `kid` and `typ`.
///
/// ```
/// use carafe_tokens::{jwt::{Claims, sign}, key::SigningKey};
///
/// let secret = b"4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1b0ff4d4e1c8f4c5b";
/// let key = SigningKey::hs256(secret)?.with_id("k1")?;
/// let token = sign(&key, "JWT", &Claims::new().with_text("sub", "ada"));
/// // {"alg":"HS256","kid":"k1","typ":"JWT"}, {"sub":"ada"}
/// let header = "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIiwidHlwIjoiSldUIn0";
/// assert!(token.starts_with(&format!("{header}.eyJzdWIiOiJhZGEifQ.")));
/// # Ok::<(), carafe_tokens::key::KeyError>(())
/// ```
#[must_use]
pub fn sign(key: &SigningKey, typ: &str, claims: &Claims) -> String {
    let header = Header {
        alg: key.algorithm().name(),
        kid: key.id(),
        typ,
    };
    sign_with_header(key, &json::text(&header), &claims.to_json())
}

#[derive(Serialize)]
struct Header<'h> {
    alg: &'static str,
    kid: &'h str,
    typ: &'h str,
}

/// Signs with an arbitrary header, for tests.
pub(crate) fn sign_with_header(key: &SigningKey, header: &str, claims: &str) -> String {
    let room = [header.len(), claims.len(), SIGNATURE_BYTES].map(|bytes| bytes.div_ceil(3) * 4);
    let mut token = String::with_capacity(room.iter().sum::<usize>() + 2);
    base64::append(header.as_bytes(), &mut token);
    token.push('.');
    base64::append(claims.as_bytes(), &mut token);
    let signature = key.sign(token.as_bytes());
    token.push('.');
    base64::append(&signature, &mut token);
    token
}
