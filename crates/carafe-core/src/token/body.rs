//! The body of a signed token: JSON text, optionally compressed, in Base64.

use super::{PayloadError, Verified, compress};
use crate::base64;

/// The rule for compressing the payload of a signed token. Readers accept both forms.
///
/// ```
/// use carafe_core::clock::Timestamp;
/// use carafe_core::key::{KeyRing, SecretKey};
/// use carafe_core::token::{Compression, signed::{SignedFormat, SignedSessions}};
///
/// let keys = KeyRing::new(SecretKey::short("flask-spec-secret")?);
/// let payload = format!(r#"{{"cart":[{}1]}}"#, "1,".repeat(100));
/// let length = |compression| {
///     let format = SignedFormat::flask().with_compression(compression);
///     SignedSessions::new(&keys, &format).seal(&payload, Timestamp::now()).len()
/// };
/// let plain = length(Compression::Never);
/// assert!(length(Compression::WhenShorter) < plain / 2);
/// assert_eq!(length(Compression::default()), plain, "the payload has fewer than 512 bytes");
/// # Ok::<(), carafe_core::key::KeyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Never, as in Starlette.
    Never,
    /// Whenever the result is shorter, from about 20 bytes on, as in Flask.
    WhenShorter,
    /// If the result is shorter and the payload is larger than this limit, in bytes.
    ///
    /// Compressing a small session takes ten times as long as the rest of the cookie, and saves a
    /// few bytes.
    Above(usize),
}

impl Default for Compression {
    fn default() -> Self {
        Self::Above(512)
    }
}

/// The encoding of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyEncoding {
    /// Base64url without padding. A leading `.` marks compressed bytes.
    ///
    /// The format of itsdangerous' `URLSafeSerializer`.
    UrlSafe(Compression),
    /// Standard Base64 with padding, never compressed. The format of Starlette.
    Standard,
}

impl BodyEncoding {
    /// Returns the capacity for the body of `payload`, so that a token needs one allocation.
    pub(super) const fn capacity(payload: &str) -> usize {
        payload.len() / 3 * 4 + 5
    }

    pub(super) fn append(self, payload: &str, out: &mut String) {
        let Self::UrlSafe(compression) = self else {
            out.push_str(&base64::encode_standard(payload.as_bytes()));
            return;
        };
        match compression.apply(payload) {
            Some(deflated) => {
                out.push('.');
                base64::append_url(&deflated, out);
            }
            None => base64::append_url(payload.as_bytes(), out),
        }
    }

    /// Returns the JSON text of a body, and whether the body was compressed.
    ///
    /// Decodes as leniently as CPython's Base64. The signature covers the body as text, so the
    /// leniency adds no attack surface.
    pub(super) fn decode(self, body: Verified<'_>) -> Result<(String, bool), PayloadError> {
        if self == Self::Standard {
            let bytes =
                base64::decode_lenient_standard(body.bytes()).ok_or(PayloadError::Base64)?;
            return Ok((text(bytes)?, false));
        }
        let Some(deflated) = body.bytes().strip_prefix(b".") else {
            return Ok((text(decode_url(body.bytes())?)?, false));
        };
        let stream = decode_url(deflated)?;
        Ok((text(compress::inflate(Verified(&stream))?)?, true))
    }
}

impl Compression {
    fn apply(self, payload: &str) -> Option<Vec<u8>> {
        let minimum = match self {
            Self::Never => return None,
            Self::WhenShorter => 0,
            Self::Above(minimum) => minimum,
        };
        (payload.len() > minimum).then(|| compress::deflate_if_shorter(payload.as_bytes()))?
    }
}

fn decode_url(body: &[u8]) -> Result<Vec<u8>, PayloadError> {
    let canonical = base64::decode_url(body);
    canonical
        .or_else(|| base64::decode_lenient_url(body))
        .ok_or(PayloadError::Base64)
}

fn text(bytes: Vec<u8>) -> Result<String, PayloadError> {
    String::from_utf8(bytes).map_err(|_| PayloadError::NotUtf8)
}
