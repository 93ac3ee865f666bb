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

mod serializer;
mod sessions;
mod signer;
mod timed;

pub use serializer::{UrlSafeSerializer, UrlSafeTimedSerializer};
pub use sessions::{SignedFormat, SignedSessions};
pub use signer::{Signer, SignerSettings};
pub use timed::{TimedValue, TimestampSigner};
