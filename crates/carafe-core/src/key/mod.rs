//! Secret keys: the only module that reads key bytes.
//!
//! A [`SecretKey`] is validated when it is created and zeroed when it is dropped. A [`KeyRing`]
//! consists of one current key and any number of fallbacks. Other modules receive prepared MACs and
//! derived keys, never the bytes. This module never prints a key and never compares keys in
//! variable time.
//!
//! [`crate::token`] signs, verifies, seals and opens tokens with the ring.
//!
//! # Example
//!
//! A key ring for an application that is changing its key:
//!
//! ```
//! use carafe_core::clock::Timestamp;
//! use carafe_core::key::{KeyRing, KeyUse, SecretKey};
//! use carafe_core::token::signed::{Signer, SignerSettings};
//!
//! let new = SecretKey::new(b"\x8f\x1c\x93\x02 32 bytes of a secrets manager")?;
//! let old = SecretKey::short("flask-spec-secret")?;
//! let settings = || SignerSettings::with_salt("unsubscribe");
//! let link = Signer::new(&KeyRing::new(old.clone()), settings()).sign("ada@example.com");
//!
//! let signer = Signer::new(&KeyRing::new(new).with_fallback(old)?, settings());
//! let (address, key) = signer.unsign_bytes(link.as_bytes(), Timestamp::now())?;
//! assert_eq!(address, b"ada@example.com");
//! assert_eq!(key, KeyUse::Fallback(1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod mac;
mod ring;
mod secret;

pub use mac::{Digest, KeyDerivation};
pub(crate) use mac::{MAX_TAG, PreparedMac};
pub(crate) use ring::Prepared;
pub use ring::{Fallback, KeyRing, KeyUse};
pub use secret::{KeyError, SecretKey};
