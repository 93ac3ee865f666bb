//! `value.timestamp.signature`: a signed value with the time of its signature.

use std::time::Duration;

use super::{Signer, SignerSettings, signer::split_last_dot};
use crate::{
    base64,
    clock::Timestamp,
    key::{KeyRing, KeyUse},
    token::{DEFAULT_CLOCK_SKEW, TokenError, Verified, Window},
};

/// Signs text together with the time, and rejects the text when it has expired.
///
/// ```
/// use std::time::Duration;
/// use carafe_core::{clock::Timestamp, key::{KeyRing, SecretKey}};
/// use carafe_core::token::signed::{SignerSettings, TimestampSigner};
///
/// let keys = KeyRing::new(SecretKey::dangerous_weak("secret-key")?);
/// let signer = TimestampSigner::new(&keys, SignerSettings::with_salt("unsubscribe"));
/// let noon = Timestamp::from_unix(1_700_000_000);
/// let signed = signer.sign("reader@example.org", noon);
///
/// let hour = Some(Duration::from_secs(3600));
/// let value = signer.unsign(&signed, hour, noon.saturating_add(3600))?;
/// assert_eq!(value.value, "reader@example.org");
/// assert!(signer.unsign(&signed, hour, noon.saturating_add(3601)).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct TimestampSigner {
    signer: Signer,
    clock_skew: i64,
}

/// A value with a valid signature and age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedValue<'signed> {
    /// The value.
    pub value: &'signed str,
    /// The time at which the value was signed.
    pub issued: Timestamp,
    /// The key that verified the value.
    pub key: KeyUse,
}

impl TimestampSigner {
    /// Creates a signer that signs with the ring's current key and accepts all its valid keys.
    #[must_use]
    pub fn new(keys: &KeyRing, settings: SignerSettings) -> Self {
        Self {
            signer: Signer::new(keys, settings),
            clock_skew: seconds(DEFAULT_CLOCK_SKEW),
        }
    }

    /// Sets the clock skew tolerance for tokens from the future. Default: 5 s.
    ///
    /// itsdangerous has no tolerance.
    #[must_use]
    pub fn with_clock_skew(self, clock_skew: Duration) -> Self {
        Self {
            clock_skew: seconds(clock_skew),
            ..self
        }
    }

    /// Returns `value.timestamp.signature`.
    ///
    /// The timestamp is in whole seconds. A time before 1970 is written as 1970.
    ///
    /// ```
    /// use carafe_core::clock::Timestamp;
    /// use carafe_core::key::{KeyRing, SecretKey};
    /// use carafe_core::token::signed::{SignerSettings, TimestampSigner};
    ///
    /// let keys = KeyRing::new(SecretKey::short("flask-spec-secret")?);
    /// let signer = TimestampSigner::new(&keys, SignerSettings::with_salt("invite"));
    /// let signed = signer.sign("42", Timestamp::from_unix(1_700_000_000));
    /// assert!(signed.starts_with("42.ZVPxAA."));
    /// # Ok::<(), carafe_core::key::KeyError>(())
    /// ```
    #[must_use]
    pub fn sign(&self, value: &str, now: Timestamp) -> String {
        let mut signed = String::with_capacity(value.len() + self.trailer_capacity());
        signed.push_str(value);
        self.append_trailer(&mut signed, now);
        signed
    }

    /// Returns the value if a valid key signed it at most `max_age` ago.
    ///
    /// Ages are whole seconds, and both limits are inclusive. Without `max_age`, any age is
    /// accepted.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe_core::clock::Timestamp;
    /// use carafe_core::key::{KeyRing, SecretKey};
    /// use carafe_core::token::{TokenError, signed::{SignerSettings, TimestampSigner}};
    ///
    /// let keys = KeyRing::new(SecretKey::short("flask-spec-secret")?);
    /// let signer = TimestampSigner::new(&keys, SignerSettings::with_salt("invite"));
    /// let now = Timestamp::from_unix(1_700_000_000);
    /// let signed = signer.sign("42", now);
    /// let timed = signer.unsign(&signed, None, now.saturating_add(86_400 * 365))?;
    /// assert_eq!((timed.value, timed.issued), ("42", now));
    ///
    /// let week = Some(Duration::from_secs(7 * 86_400));
    /// let late = now.saturating_add(7 * 86_400 + 1);
    /// let error = signer.unsign(&signed, week, late).unwrap_err();
    /// assert_eq!(error, TokenError::Expired { age: 604_801, max_age: 604_800 });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`TokenError`], except [`TokenError::Payload`].
    pub fn unsign<'signed>(
        &self,
        signed: &'signed str,
        max_age: Option<Duration>,
        now: Timestamp,
    ) -> Result<TimedValue<'signed>, TokenError> {
        let (value, issued, key) = self.verify(signed.as_bytes(), max_age, now)?;
        // A prefix of `signed` before a dot ends at a character boundary.
        Ok(TimedValue {
            value: &signed[..value.bytes().len()],
            issued,
            key,
        })
    }

    pub(super) const fn trailer_capacity(&self) -> usize {
        self.signer.signature_capacity() + 12
    }

    pub(super) fn append_trailer(&self, value: &mut String, now: Timestamp) {
        value.push('.');
        append_timestamp(now, value);
        self.signer.append_signature(value);
    }

    pub(super) fn verify<'t>(
        &self,
        signed: &'t [u8],
        max_age: Option<Duration>,
        now: Timestamp,
    ) -> Result<(Verified<'t>, Timestamp, KeyUse), TokenError> {
        let (dated, key) = self.signer.verify(signed, now)?;
        let (value, timestamp) =
            split_last_dot(dated.bytes()).ok_or(TokenError::TimestampMissing)?;
        let issued = read_timestamp(timestamp).ok_or(TokenError::TimestampMalformed)?;
        let window = Window {
            max_age: max_age.map(seconds),
            clock_skew: self.clock_skew,
        };
        window.check(issued, now)?;
        Ok((Verified(value), issued, key))
    }
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

/// Appends big-endian seconds without leading zero bytes. Times before 1970 become 1970.
fn append_timestamp(now: Timestamp, out: &mut String) {
    let bytes = now.unix().max(0).to_be_bytes();
    let leading = bytes.iter().take_while(|&&byte| byte == 0).count();
    base64::append_url(&bytes[leading..], out);
}

fn read_timestamp(text: &[u8]) -> Option<Timestamp> {
    let mut four = [0_u8; 4];
    if base64::decode_url_exact(text, &mut four) {
        return Some(Timestamp::from_unix(u32::from_be_bytes(four).into()));
    }
    let bytes = base64::decode_lenient_url(text).filter(|bytes| bytes.len() <= 8)?;
    let value = bytes
        .iter()
        .fold(0_u64, |value, &byte| value << 8 | u64::from(byte));
    Some(Timestamp::from_unix(
        i64::try_from(value).unwrap_or(i64::MAX),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_written_as_itsdangerous_does() {
        for (seconds, text) in [
            (1_700_000_000, "ZVPxAA"),
            (0, ""),
            (1, "AQ"),
            (1 << 32, "AQAAAAA"),
            (-5, ""),
        ] {
            let mut out = String::new();
            append_timestamp(Timestamp::from_unix(seconds), &mut out);
            assert_eq!(out, text);
            assert_eq!(
                read_timestamp(text.as_bytes()),
                Some(Timestamp::from_unix(seconds.max(0)))
            );
        }
    }

    #[test]
    fn lenient_timestamps_are_read_and_long_ones_are_not() {
        let noon = Some(Timestamp::from_unix(1_700_000_000));
        for text in ["ZVPxAA==", "!!ZVPxAA!!", "AAAAAGVT8QA"] {
            assert_eq!(read_timestamp(text.as_bytes()), noon, "{text}");
        }
        assert_eq!(read_timestamp(b"AQEBAQEBAQEB"), None);
        assert_eq!(read_timestamp(b"Z"), None);
        assert_eq!(
            read_timestamp(b"__________8"),
            Some(Timestamp::from_unix(i64::MAX))
        );
    }
}
