//! Secret keys: the only module that reads key bytes.
//!
//! A [`SecretKey`] is validated when it is created and zeroed when it is dropped. A [`KeyRing`]
//! consists of one current key and any number of fallbacks. Other modules receive prepared MACs and
//! derived keys, never the bytes. This module never prints a key and never compares keys in
//! variable time.
//!
//! [`crate::token`] signs, verifies, seals and opens tokens with the ring.

mod mac;
mod ring;
mod secret;

pub use mac::{Digest, KeyDerivation};
pub(crate) use mac::{MAX_TAG, PreparedMac};
pub(crate) use ring::Prepared;
pub use ring::{Fallback, KeyRing, KeyUse};
pub use secret::{KeyError, SecretKey};
