//! itsdangerous' signed tokens: clients can read them, but not change them.
//!
//! | Carafe | itsdangerous | Purpose |
//! |---|---|---|
//! | [`Signer`] | `Signer` | a value that must come back unchanged |
//! | [`TimestampSigner`] | `TimestampSigner` | the same, with a maximum age |
//! | [`UrlSafeSerializer`] | `URLSafeSerializer` | data in a link |
//! | [`UrlSafeTimedSerializer`] | `URLSafeTimedSerializer` | data in a link that expires |
//! | [`SignedSessions`] | Flask's, Quart's and Starlette's session cookies | sessions |
//!
//! Only the canonical encoding of a signature is accepted, while itsdangerous accepts several
//! encodings of one signature. Formats and vectors: `docs/wire-format.md`, `testdata/vectors/`.
//!
//! # Example
//!
//! A link that resets a password within an hour, as an itsdangerous application with the same key
//! and salt creates and reads it:
//!
//! ```
//! use std::time::Duration;
//!
//! use carafe_core::clock::Timestamp;
//! use carafe_core::key::{KeyRing, SecretKey};
//! use carafe_core::token::{TokenError, signed::{SignerSettings, UrlSafeTimedSerializer}};
//!
//! let keys = KeyRing::new(SecretKey::short("flask-spec-secret")?);
//! let resets = UrlSafeTimedSerializer::new(&keys, SignerSettings::with_salt("password-reset"));
//! let sent = Timestamp::from_unix(1_700_000_000);
//! let link = format!("https://shop.example/reset/{}", resets.dumps(&42, sent)?);
//!
//! let token = link.rsplit('/').next().unwrap_or_default();
//! let hour = Some(Duration::from_secs(3_600));
//! assert_eq!(resets.loads::<u64>(token, hour, sent.saturating_add(600))?, 42);
//! let late = resets.loads::<u64>(token, hour, sent.saturating_add(3_601));
//! assert_eq!(late, Err(TokenError::Expired { age: 3_601, max_age: 3_600 }));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod serializer;
mod sessions;
mod signer;
mod timed;

pub use serializer::{UrlSafeSerializer, UrlSafeTimedSerializer};
pub use sessions::{SignedFormat, SignedSessions};
pub use signer::{Signer, SignerSettings};
pub use timed::{TimedValue, TimestampSigner};
