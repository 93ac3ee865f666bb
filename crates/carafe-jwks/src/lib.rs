//! Fetches the JWK set of another issuer, and caches it.
//!
//! [`JwksClient`] implements [`TokenKeys`](carafe_tokens::key::TokenKeys), so a
//! [`Verifier`](carafe_tokens::jwt::Verifier) can look up the key of a token with it:
//!
//! ```no_run
//! use carafe_core::clock::Timestamp;
//! use carafe_jwks::JwksClient;
//! use carafe_tokens::{Verifier, jwt::TokenType};
//!
//! # async fn example(token: &str) -> Result<(), Box<dyn std::error::Error>> {
//! let keys = JwksClient::new("https://id.example/.well-known/jwks.json")?;
//! let verifier = Verifier::new("https://id.example", "https://api.example", TokenType::ACCESS);
//! let claims = verifier.verify_with(token, &keys, Timestamp::now()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! | situation | behavior |
//! |---|---|
//! | a known `kid`, and a set younger than its `max-age` (1 minute to 1 hour) | no request |
//! | a set older than that | one request; if it fails, the old set is used until it is a day old |
//! | an unknown `kid` | one request, at most one in 30 seconds for all unknown IDs together |
//! | many concurrent tokens | one request for all of them |
//! | the issuer fails | no request for 1 second, then twice as long, up to 5 minutes |
//! | a redirect, a status other than 200, more than 64 KiB, more than 64 keys | a failure |

mod client;
mod error;
mod schedule;
#[cfg(test)]
mod tests;
mod tls;

pub use client::JwksClient;
pub use error::{JwksError, UrlError};
