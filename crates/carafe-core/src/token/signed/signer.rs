//! `value.signature`: the HMAC of a value behind it.

use std::borrow::Cow;

use crate::{
    base64,
    clock::Timestamp,
    key::{Digest, KeyDerivation, KeyRing, KeyUse, MAX_TAG, Prepared, PreparedMac},
    token::{TokenError, Verified},
};

/// What a signer needs besides its keys. Both sides must agree on all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignerSettings {
    /// Separates the uses of one secret: a token of one salt is worthless under another.
    pub salt: Cow<'static, str>,
    /// How secret and salt become a key.
    pub key_derivation: KeyDerivation,
    /// The hash.
    pub digest: Digest,
}

impl SignerSettings {
    /// itsdangerous' defaults (`django-concat`, SHA-1) with a salt of your own: one for each purpose,
    /// such as `"password-reset"`.
    #[must_use]
    pub fn with_salt(salt: impl Into<Cow<'static, str>>) -> Self {
        Self {
            salt: salt.into(),
            key_derivation: KeyDerivation::default(),
            digest: Digest::default(),
        }
    }

    /// Those of Flask-Session's `SESSION_USE_SIGNER`, for
    /// [`ServerSide::with_signed_ids`](crate::session::ServerSide::with_signed_ids).
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

/// Signs text, and takes signatures off again.
///
/// ```
/// use carafe_core::{clock::Timestamp, key::{KeyRing, SecretKey}, token::signed::{Signer, SignerSettings}};
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
    /// A signer under the ring's current key that accepts all its live keys.
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

    /// `value.signature`.
    #[must_use]
    pub fn sign(&self, value: &str) -> String {
        let mut signed = String::with_capacity(value.len() + self.signature_capacity());
        signed.push_str(value);
        self.append_signature(&mut signed);
        signed
    }

    /// The value of `value.signature`. `now` decides which fallback keys are still live.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] without a separator, [`TokenError::BadSignature`] if no key made it.
    pub fn unsign<'signed>(
        &self,
        signed: &'signed str,
        now: Timestamp,
    ) -> Result<&'signed str, TokenError> {
        let (value, _) = self.verify(signed.as_bytes(), now)?;
        // The value is a prefix of `signed` that ends before a dot, so it ends at a character boundary.
        Ok(&signed[..value.bytes().len()])
    }

    /// As [`Signer::unsign`], of a cookie's bytes, with the key that made the signature.
    pub(crate) fn unsign_bytes<'signed>(
        &self,
        signed: &'signed [u8],
        now: Timestamp,
    ) -> Result<(&'signed [u8], KeyUse), TokenError> {
        let (value, key) = self.verify(signed, now)?;
        Ok((value.bytes(), key))
    }

    /// Room that [`Signer::append_signature`] needs.
    pub(in crate::token) const fn signature_capacity(&self) -> usize {
        2 + self.macs.current.tag_length() * 4 / 3
    }

    /// Signs all that is in `value` and appends the signature.
    pub(in crate::token) fn append_signature(&self, value: &mut String) {
        let mut signature = [0_u8; MAX_TAG];
        let length = self.macs.current.with_tag(value.as_bytes(), |tag| {
            signature[..tag.len()].copy_from_slice(tag);
            tag.len()
        });
        value.push('.');
        base64::append_url(&signature[..length], value);
    }

    /// Splits at the last dot and verifies; the only maker of [`Verified`] in this format.
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

    /// Splits where a signature of the right length begins: its dot needs no search. A signature with
    /// another dot inside is not base64, so that no search would find a better one.
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
