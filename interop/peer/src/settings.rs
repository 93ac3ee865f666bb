//! The keys, formats and times of a request, as Carafe's types.

use std::time::Duration;

use carafe_core::{
    clock::Timestamp,
    json::JsonDialect,
    key::{Digest, KeyDerivation, KeyRing, SecretKey},
    token::{
        Compression, Opened, TokenError,
        encrypted::EncryptedSessions,
        signed::{SignedFormat, SignedSessions, SignerSettings},
    },
};

use crate::protocol::{Class, Derivation, Failure, Format, Hash, Request, needed};

/// Lifetime of an encrypted cookie if the request has no `max_age`, in seconds.
const DAY: u64 = 86_400;

/// A cookie format, ready for a request.
pub(crate) struct Sessions {
    codec: Codec,
    now: Timestamp,
    max_age: Option<Duration>,
}

enum Codec {
    Signed(SignedSessions),
    Encrypted(EncryptedSessions),
}

impl Sessions {
    pub(crate) fn of(request: &Request) -> Result<Self, Failure> {
        let keys = keys(request)?;
        let codec = match needed(request.format, "format")? {
            Format::Flask => signed(&keys, request, SignedFormat::flask()),
            Format::Quart => signed(&keys, request, SignedFormat::quart()),
            Format::Starlette => signed(&keys, request, SignedFormat::starlette()),
            Format::Encrypted => {
                let sessions = EncryptedSessions::new(&keys, "interop", "session");
                Codec::Encrypted(sessions.with_clock_skew(Duration::ZERO))
            }
        };
        Ok(Self {
            codec,
            now: now(request)?,
            max_age: max_age(request),
        })
    }

    pub(crate) const fn style(&self) -> JsonDialect {
        match &self.codec {
            Codec::Signed(sessions) => sessions.style(),
            Codec::Encrypted(_) => JsonDialect::FLASK,
        }
    }

    pub(crate) fn open(&self, cookie: &[u8]) -> Result<Opened, TokenError> {
        match &self.codec {
            Codec::Signed(sessions) => sessions.open(cookie, self.max_age, self.now),
            Codec::Encrypted(sessions) => sessions.open(cookie, self.max_age, self.now),
        }
    }

    pub(crate) fn seal(&self, payload: &str) -> Result<String, Failure> {
        match &self.codec {
            Codec::Signed(sessions) => Ok(sessions.seal(payload, self.now)),
            Codec::Encrypted(sessions) => {
                let lifetime = self.max_age.map_or(DAY, |age| age.as_secs());
                let lifetime = i64::try_from(lifetime).unwrap_or(i64::MAX);
                let expires = self.now.saturating_add(lifetime);
                Ok(sessions.seal(payload, self.now, expires)?)
            }
        }
    }
}

fn signed(keys: &KeyRing, request: &Request, mut format: SignedFormat) -> Codec {
    if let Some(salt) = &request.salt {
        format = format.with_salt(salt.clone());
    }
    if let Some(derivation) = request.key_derivation {
        format = format.with_key_derivation(derivation.into());
    }
    if let Some(digest) = request.digest {
        format = format.with_digest(digest.into());
    }
    if request.compression.is_some() {
        format = format.with_compression(Compression::WhenShorter);
    }
    Codec::Signed(SignedSessions::new(keys, &format).with_clock_skew(Duration::ZERO))
}

/// Returns the keys without a check, because the harness also generates weak ones.
pub(crate) fn keys(request: &Request) -> Result<KeyRing, Failure> {
    let mut ring = KeyRing::new(SecretKey::dangerous_weak(&request.secret)?);
    for fallback in &request.fallbacks {
        ring = ring.with_fallback(SecretKey::dangerous_weak(fallback)?)?;
    }
    Ok(ring)
}

pub(crate) fn now(request: &Request) -> Result<Timestamp, Failure> {
    needed(request.now, "now").map(Timestamp::from_unix)
}

pub(crate) fn max_age(request: &Request) -> Option<Duration> {
    request.max_age.map(Duration::from_secs)
}

/// Returns itsdangerous' settings for `class`, except for those in the request.
pub(crate) fn signer(request: &Request, class: Class) -> SignerSettings {
    let salt = match class {
        Class::Signer | Class::TimestampSigner => "itsdangerous.Signer",
        Class::UrlSafeSerializer | Class::UrlSafeTimedSerializer => "itsdangerous",
    };
    let salt = request.salt.clone().unwrap_or_else(|| salt.to_owned());
    let mut settings = SignerSettings::with_salt(salt);
    if let Some(derivation) = request.key_derivation {
        settings.key_derivation = derivation.into();
    }
    if let Some(digest) = request.digest {
        settings.digest = digest.into();
    }
    settings
}

impl From<Derivation> for KeyDerivation {
    fn from(derivation: Derivation) -> Self {
        match derivation {
            Derivation::Hmac => Self::Hmac,
            Derivation::Concat => Self::Concat,
            Derivation::DjangoConcat => Self::DjangoConcat,
            Derivation::None => Self::None,
        }
    }
}

impl From<Hash> for Digest {
    fn from(hash: Hash) -> Self {
        match hash {
            Hash::Sha1 => Self::Sha1,
            Hash::Sha256 => Self::Sha256,
            Hash::Sha384 => Self::Sha384,
            Hash::Sha512 => Self::Sha512,
        }
    }
}
