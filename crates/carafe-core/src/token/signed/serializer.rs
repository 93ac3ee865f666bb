//! Signed data for URLs: JSON, Base64url and a signature.

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};

use super::{Signer, SignerSettings, TimestampSigner};
use crate::{
    clock::Timestamp,
    json::{self, EncodeError, JsonDialect, Value},
    key::KeyRing,
    token::{Compression, PayloadError, TokenError, Verified, body::BodyEncoding},
};

const ENCODING: BodyEncoding = BodyEncoding::UrlSafe(Compression::WhenShorter);

/// Signed data for URLs: itsdangerous' `URLSafeSerializer`.
///
/// ```
/// use carafe_core::{clock::Timestamp, key::{KeyRing, SecretKey}};
/// use carafe_core::token::signed::{SignerSettings, UrlSafeSerializer};
///
/// let keys = KeyRing::new(SecretKey::dangerous_weak("secret-key")?);
/// let links = UrlSafeSerializer::new(&keys, SignerSettings::with_salt("unsubscribe"));
/// let text = links.dumps(&("reader@example.org", 7))?;
/// let (address, list): (String, u32) = links.loads(&text, Timestamp::now())?;
/// assert_eq!((address.as_str(), list), ("reader@example.org", 7));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct UrlSafeSerializer(Signer);

/// Signed data for URLs, with a timestamp: itsdangerous' `URLSafeTimedSerializer`.
///
/// Flask applications create password-reset links with it.
///
/// ```
/// use std::time::Duration;
/// use carafe_core::{clock::Timestamp, key::{KeyRing, SecretKey}};
/// use carafe_core::token::signed::{SignerSettings, UrlSafeTimedSerializer};
///
/// let keys = KeyRing::new(SecretKey::dangerous_weak("secret-key")?);
/// let links = UrlSafeTimedSerializer::new(&keys, SignerSettings::with_salt("password-reset"));
/// let now = Timestamp::now();
/// let token = links.dumps(&42, now)?;
/// let user: u64 = links.loads(&token, Some(Duration::from_secs(3600)), now)?;
/// assert_eq!(user, 42);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct UrlSafeTimedSerializer(TimestampSigner);

impl UrlSafeSerializer {
    /// Creates a serializer that signs with the ring's current key and accepts all its valid keys.
    ///
    /// The default salt of itsdangerous is `"itsdangerous"`.
    #[must_use]
    pub fn new(keys: &KeyRing, settings: SignerSettings) -> Self {
        Self(Signer::new(keys, settings))
    }

    /// Returns the signed text of `value`.
    ///
    /// The text has only characters that need no escaping in a URL:
    ///
    /// ```
    /// use carafe_core::key::{KeyRing, SecretKey};
    /// use carafe_core::token::signed::{SignerSettings, UrlSafeSerializer};
    ///
    /// let keys = KeyRing::new(SecretKey::short("flask-spec-secret")?);
    /// let serializer = UrlSafeSerializer::new(&keys, SignerSettings::with_salt("unsubscribe"));
    /// let signed = serializer.dumps(&("ada@example.com", 7))?;
    /// assert!(signed.starts_with("WyJhZGFAZXhhbXBsZS5jb20iLDdd."));
    /// assert!(signed.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`EncodeError`] if `value` cannot be written as JSON.
    pub fn dumps<T: Serialize + ?Sized>(&self, value: &T) -> Result<String, EncodeError> {
        let mut out = encode(value, self.0.signature_capacity())?;
        self.0.append_signature(&mut out);
        Ok(out)
    }

    /// Returns the value of a signed text. `now` determines which fallback keys are valid.
    ///
    /// ```
    /// use carafe_core::clock::Timestamp;
    /// use carafe_core::key::{KeyRing, SecretKey};
    /// use carafe_core::token::{TokenError, signed::{SignerSettings, UrlSafeSerializer}};
    ///
    /// let keys = KeyRing::new(SecretKey::short("flask-spec-secret")?);
    /// let with_salt = |salt| UrlSafeSerializer::new(&keys, SignerSettings::with_salt(salt));
    /// let signed = with_salt("unsubscribe").dumps("ada@example.com")?;
    /// let now = Timestamp::now();
    /// let address: String = with_salt("unsubscribe").loads(&signed, now)?;
    /// assert_eq!(address, "ada@example.com");
    ///
    /// let other_purpose = with_salt("change-address").loads::<String>(&signed, now);
    /// assert_eq!(other_purpose, Err(TokenError::BadSignature));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`TokenError`] if no valid key signed the text, or if it does not contain a `T`.
    pub fn loads<T: DeserializeOwned>(
        &self,
        signed: &str,
        now: Timestamp,
    ) -> Result<T, TokenError> {
        let (body, _) = self.0.verify(signed.as_bytes(), now)?;
        decode(body)
    }

    /// Returns the value like [`UrlSafeSerializer::loads`], in the lossless dynamic type.
    ///
    /// ```
    /// use carafe_core::{clock::Timestamp, json::Value, key::{KeyRing, SecretKey}};
    /// use carafe_core::token::signed::{SignerSettings, UrlSafeSerializer};
    ///
    /// let keys = KeyRing::new(SecretKey::short("flask-spec-secret")?);
    /// let links = UrlSafeSerializer::new(&keys, SignerSettings::with_salt("unsubscribe"));
    /// let value = links.loads_value(&links.dumps("reader")?, Timestamp::now())?;
    /// assert_eq!(value, Value::from("reader"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`TokenError`] if no valid key signed the text, or if it does not contain JSON.
    pub fn loads_value(&self, signed: &str, now: Timestamp) -> Result<Value, TokenError> {
        let (body, _) = self.0.verify(signed.as_bytes(), now)?;
        decode_value(body)
    }
}

impl UrlSafeTimedSerializer {
    /// Creates a serializer that signs with the ring's current key and accepts all its valid keys.
    ///
    /// The default salt of itsdangerous is `"itsdangerous"`.
    #[must_use]
    pub fn new(keys: &KeyRing, settings: SignerSettings) -> Self {
        Self(TimestampSigner::new(keys, settings))
    }

    /// Sets the clock skew tolerance for tokens from the future. Default: 5 s.
    ///
    /// itsdangerous has no tolerance.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe_core::clock::Timestamp;
    /// use carafe_core::key::{KeyRing, SecretKey};
    /// use carafe_core::token::{TokenError, signed::{SignerSettings, UrlSafeTimedSerializer}};
    ///
    /// let keys = KeyRing::new(SecretKey::short("flask-spec-secret")?);
    /// let serializer = UrlSafeTimedSerializer::new(&keys, SignerSettings::with_salt("reset"));
    /// let now = Timestamp::from_unix(1_700_000_000);
    /// // Another server's clock is 3 seconds ahead.
    /// let signed = serializer.dumps(&42, now.saturating_add(3))?;
    /// let hour = Some(Duration::from_secs(3_600));
    /// assert_eq!(serializer.loads::<u64>(&signed, hour, now)?, 42);
    ///
    /// let strict = serializer.with_clock_skew(Duration::ZERO);
    /// let error = strict.loads::<u64>(&signed, hour, now).unwrap_err();
    /// assert_eq!(error, TokenError::FromFuture { ahead: 3 });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_clock_skew(self, clock_skew: Duration) -> Self {
        Self(self.0.with_clock_skew(clock_skew))
    }

    /// Returns the signed text of `value` with the timestamp `now`.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] if `value` cannot be written as JSON.
    pub fn dumps<T: Serialize + ?Sized>(
        &self,
        value: &T,
        now: Timestamp,
    ) -> Result<String, EncodeError> {
        let mut out = encode(value, self.0.trailer_capacity())?;
        self.0.append_trailer(&mut out, now);
        Ok(out)
    }

    /// Returns the value of a signed text that is at most `max_age` old, in whole seconds.
    ///
    /// # Errors
    ///
    /// [`TokenError`] if no valid key signed the text, if it is too old, or if it does not contain
    /// a `T`.
    pub fn loads<T: DeserializeOwned>(
        &self,
        signed: &str,
        max_age: Option<Duration>,
        now: Timestamp,
    ) -> Result<T, TokenError> {
        let (body, _, _) = self.0.verify(signed.as_bytes(), max_age, now)?;
        decode(body)
    }

    /// Returns the value like [`UrlSafeTimedSerializer::loads`], in the lossless dynamic type.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe_core::clock::Timestamp;
    /// use carafe_core::key::{KeyRing, SecretKey};
    /// use carafe_core::token::signed::{SignerSettings, UrlSafeTimedSerializer};
    ///
    /// let keys = KeyRing::new(SecretKey::short("flask-spec-secret")?);
    /// let serializer = UrlSafeTimedSerializer::new(&keys, SignerSettings::with_salt("export"));
    /// let now = Timestamp::from_unix(1_700_000_000);
    /// let signed = serializer.dumps(&[("rows", 12)], now)?;
    /// let value = serializer.loads_value(&signed, Some(Duration::from_secs(60)), now)?;
    /// assert_eq!(value.to_string(), r#"[["rows",12]]"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`TokenError`] if no valid key signed the text, if it is too old, or if it does not contain
    /// JSON.
    pub fn loads_value(
        &self,
        signed: &str,
        max_age: Option<Duration>,
        now: Timestamp,
    ) -> Result<Value, TokenError> {
        let (body, _, _) = self.0.verify(signed.as_bytes(), max_age, now)?;
        decode_value(body)
    }
}

fn encode<T: Serialize + ?Sized>(value: &T, trailer: usize) -> Result<String, EncodeError> {
    let payload = json::to_text(value, JsonDialect::COMPACT)?;
    let mut out = String::with_capacity(BodyEncoding::capacity(&payload) + trailer);
    ENCODING.append(&payload, &mut out);
    Ok(out)
}

fn decode<T: DeserializeOwned>(body: Verified<'_>) -> Result<T, TokenError> {
    let (payload, _) = ENCODING.decode(body)?;
    let value = json::from_text(&payload, JsonDialect::COMPACT.tags);
    value.map_err(|error| PayloadError::Shape(error.to_string()).into())
}

fn decode_value(body: Verified<'_>) -> Result<Value, TokenError> {
    let (payload, _) = ENCODING.decode(body)?;
    let value = Value::parse(&payload, JsonDialect::COMPACT.tags);
    value.map_err(|error| PayloadError::Json(error).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::SecretKey;

    #[test]
    fn a_value_loses_nothing_on_the_way() {
        let keys = KeyRing::new(SecretKey::dangerous_weak("secret-key").unwrap());
        let settings = SignerSettings::with_salt("links");
        let now = Timestamp::from_unix(1_700_000_000);
        let text = format!(r#"{{"b":[{}0,NaN,1.0],"a":{{" t":[]}}}}"#, "9".repeat(60));
        let value = Value::parse(&text, false).unwrap();

        let links = UrlSafeSerializer::new(&keys, settings.clone());
        let signed = links.dumps(&value).unwrap();
        assert_eq!(links.loads_value(&signed, now), Ok(value.clone()));
        assert!(links.loads_value(&signed[1..], now).is_err());

        let timed = UrlSafeTimedSerializer::new(&keys, settings);
        let signed = timed.dumps(&value, now).unwrap();
        assert_eq!(timed.loads_value(&signed, None, now), Ok(value));
        let (hour, later) = (Duration::from_secs(3600), now.saturating_add(3601));
        assert!(timed.loads_value(&signed, Some(hour), later).is_err());
    }

    #[test]
    fn the_clock_skew_can_be_set() {
        let keys = KeyRing::new(SecretKey::dangerous_weak("secret-key").unwrap());
        let links = UrlSafeTimedSerializer::new(&keys, SignerSettings::with_salt("links"));
        let (now, hour) = (
            Timestamp::from_unix(1_700_000_000),
            Duration::from_secs(3600),
        );
        let early = links.dumps(&1, now.saturating_add(5)).unwrap();
        assert_eq!(links.loads(&early, Some(hour), now), Ok(1));
        let exact = links.with_clock_skew(Duration::ZERO);
        let refused = exact.loads::<u8>(&early, Some(hour), now);
        assert_eq!(refused, Err(TokenError::FromFuture { ahead: 5 }));
    }
}
