//! Refresh tokens: `public id . generation . mac`.
//!
//! A refresh token names a session of its own in the store, and its generation there. Redeeming it
//! is one compare-and-set of the generation, on any store with Carafe's layout; the next token is
//! derived from the next generation and is never stored. A token that was redeemed before is
//! answered with the same successor for a short time, because its client may have lost the
//! response; after that a reuse means that two parties hold the token, and revokes the session
//! (RFC 9700 §4.14.2).
//!
//! The session is filed under a key that no session id leads to, so no cookie opens it. It is
//! listed and revoked like any other session of its user, by its public id, which is the `sid` of
//! access tokens.
//!
//! | file | holds |
//! |---|---|
//! | `token` | the text of a token |
//! | `state` | the generation in a record, and the decision about a presented one: pure |
//! | `tokens` | [`RefreshTokens`]: issue, redeem, revoke, introspect |
//! | `session` | the session of a token, by its public id |
//! | `introspection` | RFC 7662's answer |

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
