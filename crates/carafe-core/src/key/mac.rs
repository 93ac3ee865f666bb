//! HMAC with keys that are derived and absorbed only once.
//!
//! A request only computes the HMAC of its own bytes.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::SecretKey;

/// The hash function of a signer: `digest_method` in itsdangerous.
///
/// The signature and the key derivation use the same hash function.
///
/// ```
/// use carafe_core::key::{Digest, KeyRing, SecretKey};
/// use carafe_core::token::signed::{Signer, SignerSettings};
///
/// let keys = KeyRing::new(SecretKey::short("flask-spec-secret")?);
/// let length = |digest| {
///     let settings = SignerSettings { digest, ..SignerSettings::with_salt("length") };
///     Signer::new(&keys, settings).sign("").len()
/// };
/// // A dot, and the base64url of 20, 32, 48 and 64 bytes.
/// assert_eq!(length(Digest::Sha1), 1 + 27);
/// assert_eq!(length(Digest::Sha256), 1 + 43);
/// assert_eq!(length(Digest::Sha384), 1 + 64);
/// assert_eq!(length(Digest::Sha512), 1 + 86);
/// # Ok::<(), carafe_core::key::KeyError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Digest {
    /// HMAC-SHA1, the hash of Flask, Quart and Starlette.
    ///
    /// Secure inside HMAC, but a legacy algorithm (OWASP ASVS 5 Appendix C).
    #[default]
    Sha1,
    /// HMAC-SHA256.
    Sha256,
    /// HMAC-SHA384.
    Sha384,
    /// HMAC-SHA512.
    Sha512,
}

/// The derivation of a signer's key from secret and salt: `key_derivation` in itsdangerous.
///
/// `H` is the signer's [`Digest`], and `‖` joins bytes. Both programs must use the same derivation:
///
/// ```
/// use carafe_core::clock::Timestamp;
/// use carafe_core::key::{KeyDerivation, KeyRing, SecretKey};
/// use carafe_core::token::signed::{Signer, SignerSettings};
///
/// let keys = KeyRing::new(SecretKey::short("flask-spec-secret")?);
/// let signer = |key_derivation| {
///     let settings = SignerSettings::with_salt("unsubscribe");
///     Signer::new(&keys, SignerSettings { key_derivation, ..settings })
/// };
/// let signed = signer(KeyDerivation::DjangoConcat).sign("42");
/// let now = Timestamp::now();
/// assert_eq!(signer(KeyDerivation::DjangoConcat).unsign(&signed, now)?, "42");
/// assert!(signer(KeyDerivation::Hmac).unsign(&signed, now).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum KeyDerivation {
    /// `HMAC(secret, salt)`: Flask and Quart.
    Hmac,
    /// `H(salt ‖ secret)`.
    Concat,
    /// `H(salt ‖ "signer" ‖ secret)`: the default of itsdangerous and of Starlette.
    #[default]
    DjangoConcat,
    /// The secret itself.
    None,
}

/// Size of the longest tag, in bytes.
pub(crate) const MAX_TAG: usize = 64;

/// An HMAC that has absorbed its key.
#[derive(Clone)]
pub(crate) enum PreparedMac {
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
    Sha384(Hmac<Sha384>),
    Sha512(Hmac<Sha512>),
}

impl PreparedMac {
    pub(crate) fn new(
        secret: &SecretKey,
        salt: &[u8],
        derivation: KeyDerivation,
        digest: Digest,
    ) -> Self {
        let key = derive(secret.bytes(), salt, derivation, digest);
        Self::keyed(&key, digest)
    }

    fn keyed(key: &[u8], digest: Digest) -> Self {
        // HMAC accepts keys of any length (RFC 2104), so none of these calls fails.
        const ANY: &str = "HMAC takes keys of any length";
        match digest {
            Digest::Sha1 => Self::Sha1(Hmac::new_from_slice(key).expect(ANY)),
            Digest::Sha256 => Self::Sha256(Hmac::new_from_slice(key).expect(ANY)),
            Digest::Sha384 => Self::Sha384(Hmac::new_from_slice(key).expect(ANY)),
            Digest::Sha512 => Self::Sha512(Hmac::new_from_slice(key).expect(ANY)),
        }
    }

    /// Returns the size of a tag, in bytes.
    pub(crate) const fn tag_length(&self) -> usize {
        match self {
            Self::Sha1(_) => 20,
            Self::Sha256(_) => 32,
            Self::Sha384(_) => 48,
            Self::Sha512(_) => 64,
        }
    }

    /// Passes the tag of `message` to `then`. The tag is never on the heap.
    pub(crate) fn with_tag<R>(&self, message: &[u8], then: impl FnOnce(&[u8]) -> R) -> R {
        match self {
            Self::Sha1(mac) => then(&mac.clone().chain_update(message).finalize().into_bytes()),
            Self::Sha256(mac) => then(&mac.clone().chain_update(message).finalize().into_bytes()),
            Self::Sha384(mac) => then(&mac.clone().chain_update(message).finalize().into_bytes()),
            Self::Sha512(mac) => then(&mac.clone().chain_update(message).finalize().into_bytes()),
        }
    }

    /// Returns whether `tag` is the tag of `message`, in constant time (CVE-2013-0263).
    pub(crate) fn verifies(&self, message: &[u8], tag: &[u8]) -> bool {
        self.with_tag(message, |ours| ours.ct_eq(tag).into())
    }
}

fn derive(
    secret: &[u8],
    salt: &[u8],
    derivation: KeyDerivation,
    digest: Digest,
) -> Zeroizing<Vec<u8>> {
    let parts: &[&[u8]] = match derivation {
        KeyDerivation::Hmac => {
            let mac = PreparedMac::keyed(secret, digest);
            return mac.with_tag(salt, |tag| Zeroizing::new(tag.to_vec()));
        }
        KeyDerivation::None => return Zeroizing::new(secret.to_vec()),
        KeyDerivation::Concat => &[salt, secret],
        KeyDerivation::DjangoConcat => &[salt, b"signer", secret],
    };
    Zeroizing::new(match digest {
        Digest::Sha1 => hash::<Sha1>(parts),
        Digest::Sha256 => hash::<Sha256>(parts),
        Digest::Sha384 => hash::<Sha384>(parts),
        Digest::Sha512 => hash::<Sha512>(parts),
    })
}

fn hash<H: sha2::Digest>(parts: &[&[u8]]) -> Vec<u8> {
    parts
        .iter()
        .fold(H::new(), H::chain_update)
        .finalize()
        .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn known_answers_of_rfc_2202_and_rfc_4231() {
        let message = b"what do ya want for nothing?";
        for (digest, tag) in [
            (Digest::Sha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            (
                Digest::Sha256,
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                Digest::Sha384,
                "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
            ),
            (
                Digest::Sha512,
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            ),
        ] {
            let mac = PreparedMac::keyed(b"Jefe", digest);
            mac.with_tag(message, |ours| {
                assert_eq!(hex(ours), tag);
                assert_eq!(ours.len(), mac.tag_length());
                assert!(mac.verifies(message, ours));
                assert!(!mac.verifies(message, &ours[..ours.len() - 1]));
                assert!(!mac.verifies(b"other", ours));
            });
        }
    }

    #[test]
    fn flask_derives_this_key() {
        let key = derive(
            b"flask-spec-secret",
            b"cookie-session",
            KeyDerivation::Hmac,
            Digest::Sha1,
        );
        assert_eq!(hex(&key), "169a117e41521642c62909ff6f4659fd8e417ed3");
        let key = derive(
            b"flask-spec-secret",
            b"itsdangerous.Signer",
            KeyDerivation::DjangoConcat,
            Digest::Sha1,
        );
        assert_eq!(hex(&key), "351eae68760f33ee2b2dd12a4baa8d1826afc6d5");
    }
}
