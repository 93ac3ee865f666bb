//! Refresh tokens: `public ID . generation . MAC`.
//!
//! A refresh token names a session of its own in the store, and its generation. Redeeming it is one
//! compare-and-set of the generation, on any store with Carafe's layout. The next token is derived
//! from the next generation and is never stored. For a short time, a token that was redeemed before
//! returns the same successor, because its client may have lost the response. After that, a reuse
//! means that two parties hold the token, and revokes the session (RFC 9700 §4.14.2).
//!
//! The session is stored under a key that cannot result from a session ID, so no cookie opens it.
//! It is listed and revoked like any other session of its user, by its public ID, which is the
//! `sid` of access tokens.
//!
//! | file | holds |
//! |---|---|
//! | `token` | the text of a token |
//! | `state` | the generation in a record, and the decision about a presented token: pure |
//! | `tokens` | [`RefreshTokens`]: issue, redeem, revoke, introspect |
//! | `session` | the session of a token, by its public ID |
//! | `introspection` | RFC 7662's response |

mod error;
mod introspection;
mod session;
mod state;
mod token;
mod tokens;

pub use error::RefreshError;
pub use introspection::Introspection;
pub use session::{is_session_alive, revoke_session, session_key};
pub use token::RefreshToken;
pub use tokens::{Grant, Issued, RefreshTokens};
