//! A secret key, and the rules that reject guessable keys.

use std::fmt;

use hkdf::Hkdf;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Bytes from which signing and encryption keys are derived. Redacted in `Debug`, zeroed on drop.
///
/// The key of a string is its UTF-8 bytes, as in Flask: `"abcd…"` in a Flask configuration and in
/// Carafe are the same key.
///
/// ```
/// use carafe_core::key::SecretKey;
///
/// let key = SecretKey::new("5f4dcc3b5aa765d61d8327deb882cf995f4dcc3b5aa765d61d8327deb882cf99")?;
/// assert_eq!(format!("{key:?}"), "SecretKey(…)");
/// assert!(SecretKey::new("changeme").is_err());
/// # Ok::<(), carafe_core::key::KeyError>(())
/// ```
#[derive(Clone)]
pub struct SecretKey(Zeroizing<Box<[u8]>>);

/// The reason why a key was rejected. Never contains the key.
///
/// ```
/// use carafe_core::key::{KeyError, SecretKey};
///
/// assert_eq!(SecretKey::new("").unwrap_err(), KeyError::Empty);
/// assert_eq!(SecretKey::new("changeme").unwrap_err(), KeyError::WellKnown);
/// let error = SecretKey::new("flask-spec-secret").unwrap_err();
/// assert_eq!(error, KeyError::TooShort { length: 17, minimum: SecretKey::MINIMUM });
/// assert_eq!(SecretKey::new("ab".repeat(20)).unwrap_err(), KeyError::Repetitive);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// The key is empty, usually because of an unset variable.
    Empty,
    /// The key has fewer bytes than its constructor requires.
    TooShort {
        /// Size of the key, in bytes.
        length: usize,
        /// Required size, in bytes.
        minimum: usize,
    },
    /// The key is printed in documentation or a tutorial and therefore public (CVE-2023-27524).
    WellKnown,
    /// The key has so few distinct bytes that an attacker can guess it.
    Repetitive,
    /// The ring already contains the key.
    Duplicate,
    /// The operating system returned no random bytes.
    NoRandomness,
}

impl SecretKey {
    /// Minimum size of a key for [`SecretKey::new`], in bytes.
    pub const MINIMUM: usize = 32;
    /// Minimum size of a key for [`SecretKey::short`], in bytes.
    pub const MINIMUM_SHORT: usize = 16;

    /// Creates a key of at least 32 bytes.
    ///
    /// ```
    /// use carafe_core::key::{KeyError, SecretKey};
    ///
    /// assert!(SecretKey::new("4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1b0ff4d4e1c8f4c5b").is_ok());
    /// let error = SecretKey::new("4cbd5c8cd0a4e2ed").unwrap_err();
    /// assert_eq!(error, KeyError::TooShort { length: 16, minimum: 32 });
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyError`] for an empty, short, well-known or repetitive key.
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        Self::checked(bytes.as_ref(), Self::MINIMUM)
    }

    /// Creates a key of at least 16 bytes, for Flask applications that already use one.
    ///
    /// Prefer [`SecretKey::new`] and a longer key: one core can try a million Flask keys per
    /// second.
    ///
    /// ```
    /// use carafe_core::key::SecretKey;
    ///
    /// assert!(SecretKey::short("flask-spec-secret").is_ok());
    /// assert!(SecretKey::short("secret").is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyError`] for an empty, shorter, well-known or repetitive key.
    pub fn short(bytes: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        Self::checked(bytes.as_ref(), Self::MINIMUM_SHORT)
    }

    /// Creates a key from any non-empty bytes.
    ///
    /// An attacker who guesses the key can forge every session. Use weak keys only in tests and for
    /// reading the cookies of an application that has yet to get a stronger key.
    ///
    /// ```
    /// use carafe_core::key::SecretKey;
    ///
    /// assert!(SecretKey::dangerous_weak("dev").is_ok());
    /// assert!(SecretKey::dangerous_weak("").is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyError::Empty`] for an empty key.
    pub fn dangerous_weak(bytes: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        let bytes = bytes.as_ref();
        if bytes.is_empty() {
            return Err(KeyError::Empty);
        }
        Ok(Self(Zeroizing::new(bytes.into())))
    }

    /// Returns a new random key as text: 64 hexadecimal digits from 32 random bytes.
    ///
    /// Flask's documentation creates keys in the same form, with `secrets.token_hex()`. Store the
    /// text in the configuration and pass it to [`SecretKey::new`].
    ///
    /// ```
    /// use carafe_core::key::SecretKey;
    ///
    /// let text = SecretKey::random_text()?;
    /// assert_eq!(text.len(), 64);
    /// assert!(SecretKey::new(text.as_bytes()).is_ok());
    /// # Ok::<(), carafe_core::key::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyError::NoRandomness`] if the operating system returns no random bytes. No weaker source
    /// is used instead.
    pub fn random_text() -> Result<Zeroizing<String>, KeyError> {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        getrandom::fill(bytes.as_mut()).map_err(|_| KeyError::NoRandomness)?;
        let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
        let pairs = bytes
            .iter()
            .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
        Ok(Zeroizing::new(pairs.collect()))
    }

    fn checked(bytes: &[u8], minimum: usize) -> Result<Self, KeyError> {
        let key = Self::dangerous_weak(bytes)?;
        if is_well_known(bytes) {
            return Err(KeyError::WellKnown);
        }
        if bytes.len() < minimum {
            return Err(KeyError::TooShort {
                length: bytes.len(),
                minimum,
            });
        }
        let mut seen = [false; 256];
        bytes
            .iter()
            .for_each(|&byte| seen[usize::from(byte)] = true);
        if seen.iter().filter(|&&used| used).count() < 6 {
            return Err(KeyError::Repetitive);
        }
        Ok(key)
    }

    /// Returns the raw bytes, for the derivations in this module only.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns HKDF-SHA256 (RFC 5869) of this key, to be expanded with one label per purpose.
    ///
    /// No two purposes share a derived key.
    pub(crate) fn hkdf(&self) -> Hkdf<Sha256> {
        Hkdf::new(Some(b"carafe v1"), self.bytes())
    }

    pub(super) fn same(&self, other: &Self) -> bool {
        self.bytes().ct_eq(other.bytes()).into()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the secret key is empty"),
            Self::TooShort { length, minimum } => {
                write!(
                    f,
                    "the secret key has {length} bytes and needs at least {minimum}; `carafe key` generates one"
                )
            }
            Self::WellKnown => {
                f.write_str("the secret key is a published example; `carafe key` generates one")
            }
            Self::Repetitive => f.write_str(
                "the secret key has fewer than 6 different bytes; `carafe key` generates one",
            ),
            Self::Duplicate => f.write_str("the key ring already contains this secret key"),
            Self::NoRandomness => f.write_str("the operating system returned no random bytes"),
        }
    }
}

impl std::error::Error for KeyError {}

fn is_well_known(bytes: &[u8]) -> bool {
    WELL_KNOWN
        .iter()
        .any(|known| known.as_bytes().eq_ignore_ascii_case(bytes))
}

/// Keys of documentation, tutorials and product defaults.
///
/// Public lists of session forging tools contain all of these keys.
const WELL_KNOWN: &[&str] = &[
    "dev",
    "development",
    "test",
    "testing",
    "debug",
    "secret",
    "secretkey",
    "secret-key",
    "secret_key",
    "secret key",
    "supersecret",
    "super secret",
    "super secret key",
    "super-secret-key",
    "supersecretkey",
    "mysecret",
    "my secret key",
    "my_secret_key",
    "mysecretkey",
    "my-secret-key",
    "your-secret-key",
    "your_secret_key",
    "your secret key",
    "your secret key here",
    "your-secret-key-here",
    "your_secret_key_here",
    "a secret key",
    "any random string",
    "some random string",
    "random string",
    "change me",
    "changeme",
    "change-me",
    "change_me",
    "changeit",
    "password",
    "key",
    "flask",
    "flask-secret",
    "flask-secret-key",
    "not-so-secret",
    "this is a secret",
    "this-is-a-secret-key",
    "thisisasecretkey",
    "thisisasecret",
    "you-will-never-guess",
    "hard to guess string",
    "hard-to-guess-string",
    "replace-me",
    "secret!",
    "you-will-never-guess-this",
    "do-not-tell-anyone",
    "insecure",
    "default",
    "default-secret-key",
    // Flask's documentation, past and present.
    "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
    "A0Zr98j/3yX R~XHH!jmN]LWX/,?RT",
    "_5#y2L\"F4Q8z\n\u{ec}]/",
    // Product defaults of Superset, Airflow and Redash, and of a popular video course.
    "\u{2}\u{1}thisismyscretkey\u{1}\u{2}\\e\\y\\y\\h",
    "CHANGE_ME_TO_A_COMPLEX_RANDOM_SECRET",
    "thisISaSECRET_1234",
    "YOUR_OWN_RANDOM_GENERATED_SECRET_KEY",
    "TEST_NON_DEV_SECRET",
    "temporary_key",
    "USE_YOUR_OWN_SECURE_RANDOM_KEY",
    "c292a0a3aa32397cdb050e233733900f",
    "5791628bb0b13ce0c676dfde280ba245",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_and_published_keys_are_refused() {
        for known in WELL_KNOWN {
            assert_eq!(
                SecretKey::short(known).err(),
                Some(KeyError::WellKnown),
                "{known}"
            );
            assert!(SecretKey::new(known.to_uppercase()).is_err(), "{known}");
        }
        assert_eq!(SecretKey::new("").err(), Some(KeyError::Empty));
        assert_eq!(SecretKey::dangerous_weak("").err(), Some(KeyError::Empty));
        assert_eq!(SecretKey::new([b'a'; 64]).err(), Some(KeyError::Repetitive));
        let short = SecretKey::new("0123456789abcdef0123456789abcde");
        assert_eq!(
            short.err(),
            Some(KeyError::TooShort {
                length: 31,
                minimum: 32
            })
        );
        assert!(SecretKey::short("0123456789abcde").is_err());
        assert!(SecretKey::short("0123456789abcdef").is_ok());
        assert!(SecretKey::dangerous_weak("k").is_ok());
    }

    #[test]
    fn debug_shows_nothing() {
        let key = SecretKey::dangerous_weak("hunter2").unwrap();
        assert_eq!(format!("{key:?} {:?}", &key), "SecretKey(…) SecretKey(…)");
    }

    #[test]
    fn random_keys_are_accepted_and_differ() {
        let (one, two) = (
            SecretKey::random_text().unwrap(),
            SecretKey::random_text().unwrap(),
        );
        assert_eq!(one.len(), 64);
        assert_ne!(*one, *two);
        assert!(SecretKey::new(one.as_bytes()).is_ok());
    }

    /// RFC 5869, appendix A.1 and A.3.
    #[test]
    fn known_answers_of_hkdf_sha_256() {
        let hex =
            |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
        let salt: Vec<u8> = (0..=12).collect();
        let info: Vec<u8> = (0xf0..=0xf9).collect();
        for (salt, info, expected) in [
            (
                Some(&salt[..]),
                &info[..],
                "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
            ),
            (
                None,
                b"",
                "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
            ),
        ] {
            let mut out = [0; 42];
            Hkdf::<Sha256>::new(salt, &[0x0b; 22])
                .expand(info, &mut out)
                .unwrap();
            assert_eq!(hex(&out), expected);
        }
    }

    #[test]
    fn no_error_contains_the_key() {
        for text in [
            "hunter2",
            "changeme",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        ] {
            let error = SecretKey::new(text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains(text));
        }
    }
}
