//! JSON Web Tokens in the compact form (RFC 7519, RFC 7515), verified by RFC 8725.
//!
//! The order of a verification: size, three parts, canonical base64url, `kid`, the key, the
//! signature with the key's algorithm, `alg` and `crit` and `typ`, claims. Nothing but `kid` is
//! read from a header before the signature is verified. A token that is rejected for its signature
//! is then looked at once more to name the attack, which cannot change the outcome.

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
