//! `value.signature`: a value followed by its HMAC.

use std::borrow::Cow;

use crate::{
    base64,
    clock::Timestamp,
    key::{Digest, KeyDerivation, KeyRing, KeyUse, MAX_TAG, Prepared, PreparedMac},
    token::{TokenError, Verified},
};

/// The settings of a signer, in addition to its keys. Both programs must use the same settings.
///
/// ```
/// use carafe_core::key::{Digest, KeyDerivation};
/// use carafe_core::token::signed::SignerSettings;
///
/// let settings = SignerSettings::with_salt("unsubscribe");
/// assert_eq!(settings.key_derivation, KeyDerivation::DjangoConcat);
/// assert_eq!(settings.digest, Digest::Sha1);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignerSettings {
    /// Separates the purposes of one secret: a token is invalid under any other salt.
    pub salt: Cow<'static, str>,
    /// The derivation of the key from secret and salt.
    pub key_derivation: KeyDerivation,
    /// The hash function.
    pub digest: Digest,
}

impl SignerSettings {
    /// Returns itsdangerous' defaults (`django-concat`, SHA-1) with a salt.
    ///
    /// Use one salt for each purpose, such as `"password-reset"`.
    ///
    /// ```
    /// use carafe_core::{key::Digest, token::signed::SignerSettings};
    ///
    /// let mut settings = SignerSettings::with_salt("password-reset");
    /// settings.digest = Digest::Sha256;
    /// ```
    #[must_use]
    pub fn with_salt(salt: impl Into<Cow<'static, str>>) -> Self {
        Self {
            salt: salt.into(),
            key_derivation: KeyDerivation::default(),
            digest: Digest::default(),
        }
    }

    /// Returns the settings of Flask-Session's `SESSION_USE_SIGNER`.
    ///
    /// Pass them to [`ServerSide::with_signed_ids`](crate::session::ServerSide::with_signed_ids).
    ///
    /// ```
    /// use carafe_core::{key::{KeyRing, SecretKey}, token::signed::{Signer, SignerSettings}};
    ///
    /// let keys = KeyRing::new(SecretKey::short("flask-spec-secret")?);
    /// let signer = Signer::new(&keys, SignerSettings::flask_session());
    /// assert_eq!(
    ///     signer.sign("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
    ///     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.TIHnYJ_18JXZfJ_8Y7fGW6zXmVw",
    /// );
    /// # Ok::<(), carafe_core::key::KeyError>(())
    /// ```
    #[must_use]
    pub fn flask_session() -> Self {
        Self {
            key_derivation: KeyDerivation::Hmac,
            ..Self::with_salt("flask-session")
        }
    }
}

/// Signs text, verifies signatures and removes them.
///
/// ```
/// use carafe_core::{clock::Timestamp, key::{KeyRing, SecretKey}};
/// use carafe_core::token::signed::{Signer, SignerSettings};
///
/// let keys = KeyRing::new(SecretKey::dangerous_weak("secret-key")?);
/// let signer = Signer::new(&keys, SignerSettings::with_salt("itsdangerous.Signer"));
/// let signed = signer.sign("my string");
/// assert_eq!(signed, "my string.wh6tMHxLgJqB6oY1uT73iMlyrOA");
/// assert_eq!(signer.unsign(&signed, Timestamp::now())?, "my string");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Signer {
    macs: Prepared<PreparedMac>,
}

impl Signer {
    /// Creates a signer that signs with the ring's current key and accepts all its valid keys.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "settings are made for one signer"
    )]
    pub fn new(keys: &KeyRing, settings: SignerSettings) -> Self {
        let SignerSettings {
            salt,
            key_derivation,
            digest,
        } = &settings;
        Self {
            macs: keys
                .prepare(|key| PreparedMac::new(key, salt.as_bytes(), *key_derivation, *digest)),
        }
    }

    /// Returns `value.signature`.
    ///
    /// The value stays readable, and may contain dots:
    ///
    /// ```
    /// use carafe_core::clock::Timestamp;
    /// use carafe_core::key::{KeyRing, SecretKey};
    /// use carafe_core::token::signed::{Signer, SignerSettings};
    ///
    /// let keys = KeyRing::new(SecretKey::short("flask-spec-secret")?);
    /// let signer = Signer::new(&keys, SignerSettings::with_salt("file"));
    /// let signed = signer.sign("report.2024.pdf");
    /// assert!(signed.starts_with("report.2024.pdf."));
    /// assert_eq!(signer.unsign(&signed, Timestamp::now())?, "report.2024.pdf");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn sign(&self, value: &str) -> String {
        let mut signed = String::with_capacity(value.len() + self.signature_capacity());
        signed.push_str(value);
        self.append_signature(&mut signed);
        signed
    }

    /// Returns the value of `value.signature`. `now` determines which fallback keys are valid.
    ///
    /// ```
    /// use carafe_core::{clock::Timestamp, key::{KeyRing, SecretKey}};
    /// use carafe_core::token::{TokenError, signed::{Signer, SignerSettings}};
    ///
    /// let keys = KeyRing::new(SecretKey::short("flask-spec-secret")?);
    /// let signer = Signer::new(&keys, SignerSettings::with_salt("unsubscribe"));
    /// let signed = signer.sign("reader@example.org");
    /// assert_eq!(signer.unsign(&signed, Timestamp::now())?, "reader@example.org");
    /// let forged = signed.replace("reader", "writer");
    /// assert_eq!(signer.unsign(&forged, Timestamp::now()), Err(TokenError::BadSignature));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`TokenError::Malformed`] without a separator, [`TokenError::BadSignature`] if no valid key
    /// verifies the signature.
    pub fn unsign<'signed>(
        &self,
        signed: &'signed str,
        now: Timestamp,
    ) -> Result<&'signed str, TokenError> {
        let (value, _) = self.verify(signed.as_bytes(), now)?;
        // The value is a prefix of `signed` before a dot, so its end is a character boundary.
        Ok(&signed[..value.bytes().len()])
    }

    /// Returns `value.signature` for a value of arbitrary bytes, as itsdangerous signs them.
    ///
    /// ```
    /// use carafe_core::{clock::Timestamp, key::{KeyRing, SecretKey}};
    /// use carafe_core::token::signed::{Signer, SignerSettings};
    ///
    /// let keys = KeyRing::new(SecretKey::short("flask-spec-secret")?);
    /// let signer = Signer::new(&keys, SignerSettings::with_salt("blob"));
    /// let signed = signer.sign_bytes(b"\xff.\x00");
    /// let (value, _) = signer.unsign_bytes(&signed, Timestamp::now())?;
    /// assert_eq!(value, b"\xff.\x00");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn sign_bytes(&self, value: &[u8]) -> Vec<u8> {
        let mut signed = Vec::with_capacity(value.len() + self.signature_capacity());
        signed.extend_from_slice(value);
        signed.extend_from_slice(self.signature(value).as_bytes());
        signed
    }

    /// Verifies bytes like [`Signer::unsign`] and also returns the key of the signature.
    ///
    /// ```
    /// use carafe_core::clock::Timestamp;
    /// use carafe_core::key::{KeyRing, KeyUse, SecretKey};
    /// use carafe_core::token::signed::{Signer, SignerSettings};
    ///
    /// let keys = KeyRing::new(SecretKey::short("flask-spec-secret")?);
    /// let signer = Signer::new(&keys, SignerSettings::with_salt("file"));
    /// let signed = signer.sign_bytes(b"\xff\x00");
    /// let unsigned = signer.unsign_bytes(&signed, Timestamp::now())?;
    /// assert_eq!(unsigned, (&b"\xff\x00"[..], KeyUse::Current));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Signer::unsign`].
    pub fn unsign_bytes<'signed>(
        &self,
        signed: &'signed [u8],
        now: Timestamp,
    ) -> Result<(&'signed [u8], KeyUse), TokenError> {
        let (value, key) = self.verify(signed, now)?;
        Ok((value.bytes(), key))
    }

    /// Returns the capacity that [`Signer::append_signature`] needs, in bytes.
    pub(in crate::token) const fn signature_capacity(&self) -> usize {
        2 + self.macs.current.tag_length() * 4 / 3
    }

    /// Signs the whole text of `value` and appends the signature.
    pub(in crate::token) fn append_signature(&self, value: &mut String) {
        let (tag, length) = self.tag_of(value.as_bytes());
        value.push('.');
        base64::append_url(&tag[..length], value);
    }

    /// Returns the signature of `value`, with a leading dot.
    fn signature(&self, value: &[u8]) -> String {
        let (tag, length) = self.tag_of(value);
        let mut signature = String::with_capacity(self.signature_capacity());
        signature.push('.');
        base64::append_url(&tag[..length], &mut signature);
        signature
    }

    fn tag_of(&self, value: &[u8]) -> ([u8; MAX_TAG], usize) {
        let mut tag = [0_u8; MAX_TAG];
        let length = self.macs.current.with_tag(value, |made| {
            tag[..made.len()].copy_from_slice(made);
            made.len()
        });
        (tag, length)
    }

    /// Splits at the last dot and verifies.
    ///
    /// No other function of this format creates [`Verified`].
    pub(in crate::token) fn verify<'t>(
        &self,
        signed: &'t [u8],
        now: Timestamp,
    ) -> Result<(Verified<'t>, KeyUse), TokenError> {
        let (value, signature) = self
            .split(signed)
            .or_else(|| split_last_dot(signed))
            .ok_or(TokenError::Malformed("it has no dot before a signature"))?;
        let mut tag = [0_u8; MAX_TAG];
        let tag = &mut tag[..self.macs.current.tag_length()];
        if !base64::decode_url_exact(signature, tag) {
            return Err(TokenError::BadSignature);
        }
        let key = self.macs.find(now, |mac| mac.verifies(value, tag));
        key.map(|key| (Verified(value), key))
            .ok_or(TokenError::BadSignature)
    }

    /// Splits at the dot before a signature of the right length, without a search.
    ///
    /// A signature that contains a dot is not Base64, so a search would find no better split.
    fn split<'t>(&self, signed: &'t [u8]) -> Option<(&'t [u8], &'t [u8])> {
        let length = (self.macs.current.tag_length() * 4).div_ceil(3);
        let dot = signed.len().checked_sub(length + 1)?;
        match signed.split_at(dot) {
            (value, [b'.', signature @ ..]) => Some((value, signature)),
            _ => None,
        }
    }
}

pub(super) fn split_last_dot(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let dot = text.iter().rposition(|&byte| byte == b'.')?;
    Some((&text[..dot], &text[dot + 1..]))
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(…)")
    }
}
