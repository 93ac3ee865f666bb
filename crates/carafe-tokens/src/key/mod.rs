//! Keys of tokens. Only this module reads private keys.
//!
//! A key has one algorithm for its whole lifetime. [`SigningKey`] and [`VerifyingKey`] are single
//! keys, [`VerifyingKeys`] is the set that a verifier trusts (a JWK set, RFC 7517), and
//! [`SigningRing`] contains the keys of an issuer and their rotation. [`TokenKeys`] looks up the
//! key of a token, for key sets that are fetched.

mod algorithm;
mod error;
mod hmac_key;
mod jwk;
mod material;
mod ring;
mod set;
mod signing;
mod source;
mod verifying;

pub use algorithm::Algorithm;
pub use error::{JwkSetError, KeyError};
pub use ring::{RingError, SigningRing};
pub use set::VerifyingKeys;
pub use signing::SigningKey;
pub use source::{KeysUnavailable, TokenKeys, VerifyError};
pub use verifying::VerifyingKey;

#[cfg(test)]
mod tests;
