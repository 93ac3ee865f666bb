//! Secret keys: the one room that sees key bytes.
//!
//! A [`SecretKey`] is checked when it is made and wiped when it is dropped; a [`KeyRing`] names one
//! current key and any number of fallbacks. The rest of the crate receives prepared MACs and derived
//! keys, never the bytes. Nothing in here prints a key or compares one in variable time.
//!
//! Next: [`crate::token`] uses the ring to sign, verify, seal and open.

mod mac;
mod ring;
mod secret;

pub use mac::{Digest, KeyDerivation};
pub(crate) use mac::{MAX_TAG, PreparedMac};
pub(crate) use ring::Prepared;
pub use ring::{Fallback, KeyRing, KeyUse};
pub use secret::{KeyError, SecretKey};
