//! itsdangerous' signed tokens, in its own terms: anybody can read them, nobody can change them.
//!
//! | here | itsdangerous | for |
//! |---|---|---|
//! | [`Signer`] | `Signer` | a value that must come back unchanged |
//! | [`TimestampSigner`] | `TimestampSigner` | the same, with an age |
//! | [`UrlSafeSerializer`] | `URLSafeSerializer` | data in a link |
//! | [`UrlSafeTimedSerializer`] | `URLSafeTimedSerializer` | data in a link that expires: password resets |
//! | [`SignedSessions`] | Flask's, Quart's and Starlette's session cookies | sessions |
//!
//! Signatures are accepted in their canonical spelling only; itsdangerous accepts many spellings of one.
//! Formats and vectors: `docs/wire-format.md`, `testdata/vectors/`.

mod serializer;
mod sessions;
mod signer;
mod timed;

pub use serializer::{UrlSafeSerializer, UrlSafeTimedSerializer};
pub use sessions::{SignedFormat, SignedSessions};
pub use signer::{Signer, SignerSettings};
pub use timed::{TimedValue, TimestampSigner};
