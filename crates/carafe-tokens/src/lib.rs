//! Access tokens, refresh tokens and JWK sets for sessions.
//!
//! An *access token* is a signed JWT with a lifetime of a few minutes (RFC 9068), which another
//! service verifies without a call to the store. A *refresh token* is an opaque text that its
//! client exchanges for the next pair of tokens. Every refresh token works once, and a reuse
//! revokes its session. Both name their session, so that a log-out invalidates the refresh token
//! immediately, and the access tokens within their lifetime.
//!
//! Everything here is a function of its arguments: the time is an argument, no socket is opened,
//! and a store is only used through the operations of
//! [`SessionStore`](carafe_core::store::SessionStore). The crate `carafe-jwks` fetches the keys of
//! other issuers.
//!
//! | module | responsibility | it never |
//! |---|---|---|
//! | [`key`] | signing and verifying keys, JWK sets, rotation | shows a private key |
//! | [`jwt`] | signs claims, and verifies tokens by RFC 8725 | lets a token choose an algorithm |
//! | [`access`] | access tokens (RFC 9068) of one issuer | calls a store |
//! | [`logout`] | logout tokens of OpenID Connect | ends a session |
//! | [`refresh`] | refresh tokens: issue, redeem, revoke, introspect | stores a token |
//! | [`flask`] | the tokens of Flask-JWT-Extended | |
//! | [`http`] | `Authorization` and the headers of responses | |
//! | [`limits`] | every size limit | |
//!
//! ```
//! use carafe_core::store::MemoryStore;
//! use carafe_tokens::{
//!     AccessTokens, Algorithm, Client, Grant, KeyRing, RefreshTokens, SecretKey, SigningKey,
//!     SigningRing, Timestamp,
//! };
//!
//! # futures_executor::block_on(async {
//! let now = Timestamp::now();
//! let store = MemoryStore::new();
//! let ring = SigningRing::new(SigningKey::generate(Algorithm::Es256)?);
//! let access = AccessTokens::new("https://login.example", "https://api.example");
//! let secret = KeyRing::new(SecretKey::new(SecretKey::random_text()?.as_bytes())?);
//! let refresh = RefreshTokens::new(&secret);
//!
//! // After verifying the password:
//! let issued = refresh.issue(&store, &Grant::of_user("ada"), now).await?;
//! let client = Client::new("mobile-app");
//! let token = access.issue(&ring, &issued.session, &client, now)?;
//!
//! // Any service with the JWK set:
//! let verifier = access.verifier();
//! let claims = verifier.verify(&token.text, &ring.verifying_keys(now), now)?;
//! assert_eq!(claims.subject(), Some("ada"));
//!
//! // Five minutes later:
//! let next = refresh.redeem(&store, &issued.token, now).await?;
//! assert_ne!(next.token.as_str(), issued.token.as_str());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod access;
#[cfg(feature = "actix")]
mod actix;
#[cfg(feature = "axum")]
mod axum;
mod base64;
pub mod flask;
pub mod http;
mod json;
pub mod jwt;
pub mod key;
pub mod limits;
pub mod logout;
pub mod refresh;
mod refusal;

pub use carafe_core::{
    clock::Timestamp,
    key::{KeyRing, SecretKey},
};

pub use access::{AccessTokens, Client};
pub use jwt::{Refusal, VerifiedToken, Verifier};
pub use key::{Algorithm, SigningKey, SigningRing, TokenKeys, VerifyingKey, VerifyingKeys};
pub use logout::{LogoutToken, LogoutTokens};
pub use refresh::{Grant, RefreshTokens};
