//! Session cookies in itsdangerous' format: one machine, three settings.

use std::time::Duration;

use super::{SignerSettings, TimestampSigner};
use crate::{
    clock::Timestamp,
    json::Style,
    key::{Digest, KeyDerivation, KeyRing},
    token::{Compression, Opened, TokenError, body::BodyEncoding},
};

/// All that two programs must agree on to share signed session cookies, besides the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedFormat {
    signer: SignerSettings,
    encoding: BodyEncoding,
    style: Style,
}

impl SignedFormat {
    /// Flask 2.2 and later: salt `cookie-session`, HMAC derivation, SHA-1, tagged JSON with sorted keys.
    #[must_use]
    pub const fn flask() -> Self {
        let salt = std::borrow::Cow::Borrowed("cookie-session");
        let signer = SignerSettings {
            salt,
            key_derivation: KeyDerivation::Hmac,
            digest: Digest::Sha1,
        };
        Self {
            signer,
            encoding: BodyEncoding::UrlSafe(Compression::Above(512)),
            style: Style::FLASK,
        }
    }

    /// Quart: Flask's format with keys in the order in which they were added. Each reads the other's.
    #[must_use]
    pub fn quart() -> Self {
        Self {
            style: Style::QUART,
            ..Self::flask()
        }
    }

    /// Starlette and FastAPI: plain JSON in standard base64, `django-concat` derivation.
    #[must_use]
    pub const fn starlette() -> Self {
        let salt = std::borrow::Cow::Borrowed("itsdangerous.Signer");
        let signer = SignerSettings {
            salt,
            key_derivation: KeyDerivation::DjangoConcat,
            digest: Digest::Sha1,
        };
        Self {
            signer,
            encoding: BodyEncoding::Standard,
            style: Style::STARLETTE,
        }
    }

    /// Another salt, for applications that changed `SecureCookieSessionInterface.salt`.
    #[must_use]
    pub fn with_salt(mut self, salt: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        self.signer.salt = salt.into();
        self
    }

    /// Another key derivation.
    #[must_use]
    pub const fn with_key_derivation(mut self, key_derivation: KeyDerivation) -> Self {
        self.signer.key_derivation = key_derivation;
        self
    }

    /// Another hash, such as SHA-256 on both sides.
    #[must_use]
    pub const fn with_digest(mut self, digest: Digest) -> Self {
        self.signer.digest = digest;
        self
    }

    /// When payloads are deflated. No effect on Starlette's format, which has no compression.
    #[must_use]
    pub const fn with_compression(mut self, compression: Compression) -> Self {
        if let BodyEncoding::UrlSafe(_) = self.encoding {
            self.encoding = BodyEncoding::UrlSafe(compression);
        }
        self
    }

    /// How the JSON text inside is written and read.
    #[must_use]
    pub const fn style(&self) -> Style {
        self.style
    }
}

/// Seals sessions into signed cookie values and opens them.
///
/// ```
/// use std::time::Duration;
/// use carafe_core::{clock::Timestamp, key::{KeyRing, SecretKey}};
/// use carafe_core::token::signed::{SignedFormat, SignedSessions};
///
/// let keys = KeyRing::new(SecretKey::short("flask-spec-secret")?);
/// let sessions = SignedSessions::new(&keys, &SignedFormat::flask());
/// let now = Timestamp::from_unix(1_700_000_000);
/// let cookie = sessions.seal(r#"{"user_id":42}"#, now);
/// assert_eq!(cookie, "eyJ1c2VyX2lkIjo0Mn0.ZVPxAA.mY6Rtt2DNTuj49QHzdjA0vn-zNw");
///
/// let day = Duration::from_secs(86_400);
/// assert_eq!(sessions.open(cookie.as_bytes(), Some(day), now)?.payload, r#"{"user_id":42}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SignedSessions {
    signer: TimestampSigner,
    encoding: BodyEncoding,
    style: Style,
}

impl SignedSessions {
    /// Prepares the keys of `keys` for `format`.
    #[must_use]
    pub fn new(keys: &KeyRing, format: &SignedFormat) -> Self {
        let signer = TimestampSigner::new(keys, format.signer.clone());
        Self {
            signer,
            encoding: format.encoding,
            style: format.style,
        }
    }

    /// How far in the future a cookie may have been signed. 5 s unless set; Flask allows none.
    #[must_use]
    pub fn with_clock_skew(self, clock_skew: Duration) -> Self {
        Self {
            signer: self.signer.with_clock_skew(clock_skew),
            ..self
        }
    }

    /// The cookie value of a session's JSON text.
    #[must_use]
    pub fn seal(&self, payload: &str, now: Timestamp) -> String {
        let capacity = BodyEncoding::capacity(payload) + self.signer.trailer_capacity();
        let mut out = String::with_capacity(capacity);
        self.encoding.append(payload, &mut out);
        self.signer.append_trailer(&mut out, now);
        out
    }

    /// The JSON text of a cookie value that is at most `max_age` old. The text is UTF-8, but not yet
    /// known to be JSON.
    ///
    /// # Errors
    /// [`TokenError`], with the first reason in the order in which Flask checks.
    pub fn open(
        &self,
        cookie: &[u8],
        max_age: Option<Duration>,
        now: Timestamp,
    ) -> Result<Opened, TokenError> {
        let (body, issued, key) = self.signer.verify(cookie, max_age, now)?;
        let (payload, compressed) = self.encoding.decode(body)?;
        Ok(Opened {
            payload,
            issued,
            key,
            compressed,
        })
    }

    /// How the JSON text inside is written and read.
    #[must_use]
    pub const fn style(&self) -> Style {
        self.style
    }
}
