//! JSON Web Tokens in compact serialization (RFC 7519, RFC 7515), verified according to RFC 8725.
//!
//! The order of a verification: size, three parts, canonical base64url, `kid`, the key, the
//! signature with the key's algorithm, `alg`, `crit` and `typ`, claims. Only `kid` is read from a
//! header before the signature is verified. A token with an invalid signature is examined further
//! to name the attack, which cannot change the outcome.

mod claims;
mod sign;
mod unverified;
mod verified;
mod verifier;

pub use crate::{key::VerifyError, refusal::Refusal};
pub use claims::{Claims, NotJson};
pub use sign::sign;
pub(crate) use sign::sign_with_header;
pub use unverified::Unverified;
pub use verified::VerifiedToken;
pub use verifier::{TokenType, Verifier};

#[cfg(test)]
mod tests;
