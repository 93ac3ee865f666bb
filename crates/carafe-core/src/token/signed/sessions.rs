//! Session cookies in itsdangerous' format, with the settings of three frameworks.

use std::time::Duration;

use super::{SignerSettings, TimestampSigner};
use crate::{
    clock::Timestamp,
    json::JsonDialect,
    key::{Digest, KeyDerivation, KeyRing},
    token::{Compression, Opened, TokenError, body::BodyEncoding},
};

/// The settings, in addition to the key, that programs must share to read each other's sessions.
///
/// ```
/// use carafe_core::{json::JsonDialect, token::signed::SignedFormat};
///
/// assert_eq!(SignedFormat::flask().style(), JsonDialect::FLASK);
/// assert_ne!(SignedFormat::flask(), SignedFormat::quart(), "another order of keys");
/// let same = SignedFormat::quart().with_dialect(JsonDialect::FLASK);
/// assert_eq!(same, SignedFormat::flask());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedFormat {
    signer: SignerSettings,
    encoding: BodyEncoding,
    style: JsonDialect,
}

impl SignedFormat {
    /// Returns the format of Flask 2.2 and later.
    ///
    /// Salt `cookie-session`, HMAC derivation, SHA-1, tagged JSON with sorted keys.
    ///
    /// ```
    /// use carafe_core::clock::Timestamp;
    /// use carafe_core::key::{KeyRing, SecretKey};
    /// use carafe_core::token::signed::{SignedFormat, SignedSessions};
    ///
    /// let keys = KeyRing::new(SecretKey::short("flask-spec-secret")?);
    /// let sessions = SignedSessions::new(&keys, &SignedFormat::flask());
    /// let cookie = sessions.seal(r#"{"user_id":42}"#, Timestamp::from_unix(1_700_000_000));
    /// assert_eq!(cookie, "eyJ1c2VyX2lkIjo0Mn0.ZVPxAA.mY6Rtt2DNTuj49QHzdjA0vn-zNw");
    /// # Ok::<(), carafe_core::key::KeyError>(())
    /// ```
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
            style: JsonDialect::FLASK,
        }
    }

    /// Returns the format of Quart: Flask's with unsorted keys.
    ///
    /// Each framework reads the other's cookies.
    ///
    /// ```
    /// use carafe_core::clock::Timestamp;
    /// use carafe_core::key::{KeyRing, SecretKey};
    /// use carafe_core::token::signed::{SignedFormat, SignedSessions};
    ///
    /// let keys = KeyRing::new(SecretKey::short("flask-spec-secret")?);
    /// let now = Timestamp::from_unix(1_700_000_000);
    /// let quart = SignedSessions::new(&keys, &SignedFormat::quart());
    /// let cookie = quart.seal(r#"{"b":1,"a":2}"#, now);
    /// let flask = SignedSessions::new(&keys, &SignedFormat::flask());
    /// assert_eq!(flask.open(cookie.as_bytes(), None, now)?.payload, r#"{"b":1,"a":2}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn quart() -> Self {
        Self {
            style: JsonDialect::QUART,
            ..Self::flask()
        }
    }

    /// Returns the format of Starlette and FastAPI.
    ///
    /// Plain JSON in standard Base64, `django-concat` derivation.
    ///
    /// ```
    /// use carafe_core::clock::Timestamp;
    /// use carafe_core::key::{KeyRing, SecretKey};
    /// use carafe_core::token::{TokenError, signed::{SignedFormat, SignedSessions}};
    ///
    /// let keys = KeyRing::new(SecretKey::short("flask-spec-secret")?);
    /// let now = Timestamp::from_unix(1_700_000_000);
    /// let starlette = SignedSessions::new(&keys, &SignedFormat::starlette());
    /// let cookie = starlette.seal(r#"{"user_id": 42}"#, now);
    /// assert!(cookie.starts_with("eyJ1c2VyX2lkIjogNDJ9."));
    ///
    /// let flask = SignedSessions::new(&keys, &SignedFormat::flask());
    /// assert_eq!(flask.open(cookie.as_bytes(), None, now), Err(TokenError::BadSignature));
    /// # Ok::<(), carafe_core::key::KeyError>(())
    /// ```
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
            style: JsonDialect::STARLETTE,
        }
    }

    /// Sets the salt, for applications that changed `SecureCookieSessionInterface.salt`.
    ///
    /// ```
    /// use carafe_core::token::signed::SignedFormat;
    ///
    /// let format = SignedFormat::flask().with_salt("shop-session");
    /// ```
    #[must_use]
    pub fn with_salt(mut self, salt: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        self.signer.salt = salt.into();
        self
    }

    /// Sets the key derivation.
    ///
    /// ```
    /// use carafe_core::clock::Timestamp;
    /// use carafe_core::key::{KeyDerivation, KeyRing, SecretKey};
    /// use carafe_core::token::signed::{SignedFormat, SignedSessions};
    ///
    /// let keys = KeyRing::new(SecretKey::short("flask-spec-secret")?);
    /// let now = Timestamp::from_unix(1_700_000_000);
    /// // A Flask application that sets `SecureCookieSessionInterface.key_derivation = "concat"`.
    /// let format = SignedFormat::flask().with_key_derivation(KeyDerivation::Concat);
    /// let cookie = SignedSessions::new(&keys, &format).seal("{}", now);
    /// let usual = SignedSessions::new(&keys, &SignedFormat::flask());
    /// assert!(usual.open(cookie.as_bytes(), None, now).is_err());
    /// # Ok::<(), carafe_core::key::KeyError>(())
    /// ```
    #[must_use]
    pub const fn with_key_derivation(mut self, key_derivation: KeyDerivation) -> Self {
        self.signer.key_derivation = key_derivation;
        self
    }

    /// Sets the hash function. Both programs must use the same one.
    ///
    /// ```
    /// use carafe_core::{key::Digest, token::signed::SignedFormat};
    ///
    /// let format = SignedFormat::flask().with_digest(Digest::Sha256);
    /// ```
    #[must_use]
    pub const fn with_digest(mut self, digest: Digest) -> Self {
        self.signer.digest = digest;
        self
    }

    /// Sets the rule for compressing payloads.
    ///
    /// Has no effect on Starlette's format, which has no compression.
    ///
    /// ```
    /// use carafe_core::token::{Compression, signed::SignedFormat};
    ///
    /// let format = SignedFormat::flask().with_compression(Compression::WhenShorter);
    /// ```
    #[must_use]
    pub const fn with_compression(mut self, compression: Compression) -> Self {
        if let BodyEncoding::UrlSafe(_) = self.encoding {
            self.encoding = BodyEncoding::UrlSafe(compression);
        }
        self
    }

    /// Sets the dialect of the JSON text, for applications with another JSON writer.
    ///
    /// A Flask application that sets `app.json.sort_keys` or `app.json.ensure_ascii` also writes
    /// its sessions in that dialect. Readers accept every dialect.
    ///
    /// ```
    /// use carafe_core::{json::JsonDialect, token::signed::SignedFormat};
    ///
    /// let dialect = JsonDialect { ascii: false, ..JsonDialect::FLASK };
    /// let format = SignedFormat::flask().with_dialect(dialect);
    /// assert_eq!(format.style(), dialect);
    /// ```
    #[must_use]
    pub const fn with_dialect(mut self, dialect: JsonDialect) -> Self {
        self.style = dialect;
        self
    }

    /// Returns the dialect of the JSON text inside.
    #[must_use]
    pub const fn style(&self) -> JsonDialect {
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
    style: JsonDialect,
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

    /// Sets the clock skew tolerance for cookies from the future.
    ///
    /// The default is 5 s. Flask has no tolerance.
    #[must_use]
    pub fn with_clock_skew(self, clock_skew: Duration) -> Self {
        Self {
            signer: self.signer.with_clock_skew(clock_skew),
            ..self
        }
    }

    /// Returns the cookie value of a session's JSON text.
    #[must_use]
    pub fn seal(&self, payload: &str, now: Timestamp) -> String {
        let capacity = BodyEncoding::capacity(payload) + self.signer.trailer_capacity();
        let mut out = String::with_capacity(capacity);
        self.encoding.append(payload, &mut out);
        self.signer.append_trailer(&mut out, now);
        out
    }

    /// Returns the JSON text of a cookie value that is at most `max_age` old.
    ///
    /// The text is UTF-8, but has not been checked to be JSON.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe_core::clock::Timestamp;
    /// use carafe_core::key::{KeyRing, SecretKey};
    /// use carafe_core::token::{TokenError, signed::{SignedFormat, SignedSessions}};
    ///
    /// let keys = KeyRing::new(SecretKey::short("flask-spec-secret")?);
    /// let sessions = SignedSessions::new(&keys, &SignedFormat::flask());
    /// let now = Timestamp::from_unix(1_700_000_000);
    /// let cookie = sessions.seal(r#"{"user_id":42}"#, now);
    /// let day = Some(Duration::from_secs(86_400));
    /// let open = |cookie: &str, at| sessions.open(cookie.as_bytes(), day, at);
    ///
    /// assert!(open(&cookie, now.saturating_add(86_400)).is_ok());
    /// let expired = open(&cookie, now.saturating_add(86_401)).unwrap_err();
    /// assert_eq!(expired, TokenError::Expired { age: 86_401, max_age: 86_400 });
    /// let changed = cookie.replace("0Mn0", "0M30"); // 42 becomes 43
    /// assert_eq!(open(&changed, now), Err(TokenError::BadSignature));
    /// # Ok::<(), carafe_core::key::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`TokenError`], with the first reason in the order of Flask's checks.
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

    /// Returns the dialect of the JSON text inside.
    #[must_use]
    pub const fn style(&self) -> JsonDialect {
        self.style
    }
}
