//! Identifiers of server-side sessions.
//!
//! [`SessionId`] is the secret in the browser's cookie, [`StoreKey`] and [`KeyScheme`] identify a
//! record in a store, and [`PublicId`] is the public name for lists.
//!
//! The public paths of these types are `token::SessionId` and
//! `store::{ClientKind, KeyScheme, Nonce, PublicId, StoreKey}`.

mod client_kind;
mod key_scheme;
mod nonce;
mod public_id;
mod random;
mod session_id;
mod store_key;

pub use client_kind::ClientKind;
pub use key_scheme::KeyScheme;
pub use nonce::Nonce;
pub use public_id::{ParseError, PublicId};
pub(crate) use random::random_bytes;
pub use session_id::SessionId;
pub use store_key::StoreKey;
