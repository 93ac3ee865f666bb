//! Size limits of a session and its parts, checked before a store is called.
//!
//! | limit | value | beyond the limit |
//! |---|---|---|
//! | [`RECORD_BYTES`] | 1 MiB of JSON text | rejected at commit; [`Limits::with_record_bytes`] |
//! | [`KEYS`] | 1,000 keys in a session | rejected at commit; [`Limits::with_keys`] |
//! | [`USER_BYTES`] | 255 bytes, no NUL | a log-in is rejected at commit |
//! | [`DEVICE_BYTES`] | 255 bytes, no NUL | a longer note is truncated, a NUL rejected |
//! | [`PAGE`] | 1,000 sessions in a list | the list has another page |
//! | [`MAX_COOKIE_BYTES`] | 4,096 bytes of a cookie's name and value | rejected at commit |
//! | [`MAX_CANDIDATES`] | cookies of one name in a request | not read |
//! | [`MAX_PAIRS`] | cookies in a request | not read |
//! | [`MAX_HEADER_BYTES`] | bytes of cookies in a request | not read |
//! | [`INFLATED_LIMIT`] | bytes of an inflated cookie | rejected |
//! | [`MAX_DEPTH`], [`MAX_DIGITS`] | nesting, digits of an integer | rejected |
//!
//! The first four are the same for every store, so that a session that one store accepts is not
//! rejected by another. A store may have smaller limits, such as MySQL's `max_allowed_packet`, and
//! then fails with [`StoreError::TooLarge`](crate::store::StoreError::TooLarge).
//!
//! ```
//! use carafe_core::error::ErrorChain;
//! use carafe_core::session::{ServerSide, SessionConfig, SessionManager};
//! use carafe_core::{limits::Limits, store::MemoryStore, testing::TestClient};
//! use std::sync::Arc;
//!
//! # futures_executor::block_on(async {
//! let side = ServerSide::new(MemoryStore::new())
//!     .with_limits(Limits::default().with_record_bytes(1_000));
//! let manager = Arc::new(SessionManager::new(side, SessionConfig::default())?);
//! let mut client = TestClient::new(&manager);
//!
//! let request = client.begin().await?;
//! request.session().insert("theme", "dark")?;
//! request.session().insert("photo", &"x".repeat(2_000))?;
//! let error = client.finish(request, 200).await.unwrap_err();
//! let text = ErrorChain::of(&error).to_string();
//! assert!(text.contains("2027 bytes, and 1000 are allowed"), "{text}");
//! assert!(text.contains(r#"largest keys: "photo" (2002 bytes) "theme" (6 bytes)"#), "{text}");
//! # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
//! # }).unwrap();
//! ```

use std::{error::Error, fmt};

pub use crate::{
    cookie::{MAX_CANDIDATES, MAX_COOKIE_BYTES, MAX_HEADER_BYTES, MAX_PAIRS},
    json::{MAX_DEPTH, MAX_DIGITS},
    token::INFLATED_LIMIT,
};
use crate::{
    data::{Patch, SessionData},
    json::string,
};

/// The default of [`Limits::with_record_bytes`]: the size of the JSON text of a session in a store,
/// in bytes.
pub const RECORD_BYTES: usize = 1 << 20;
/// The default of [`Limits::with_keys`]: the number of keys of a session in a store.
pub const KEYS: usize = 1_000;
/// Maximum length of a user name, in bytes.
pub const USER_BYTES: usize = 255;
/// Maximum length of the note about a device, in bytes.
pub const DEVICE_BYTES: usize = 255;
/// Number of sessions in one page of a list.
pub const PAGE: usize = 1_000;

/// Minimum size of a member in bytes: quotes of a key, a colon, a value of one byte, a comma.
const MEMBER_BYTES: usize = 5;

/// Size limits of a session in a store.
///
/// ```
/// use carafe_core::limits::{KEYS, Limits};
///
/// let limits = Limits::default().with_record_bytes(64 << 10);
/// assert_eq!((limits.record_bytes(), limits.keys()), (64 << 10, KEYS));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    record_bytes: usize,
    keys: usize,
}

/// The reason why a session exceeds a limit, with the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitError {
    /// The dictionary has too many bytes.
    Record {
        /// Size of the JSON text in bytes.
        size: usize,
        /// Size limit in bytes.
        limit: usize,
        /// The keys with the longest values and the size of their JSON text, longest first.
        largest: Vec<(String, usize)>,
    },
    /// The dictionary has too many keys.
    Keys {
        /// Number of keys.
        count: usize,
        /// Limit of the number of keys.
        limit: usize,
        /// As in [`LimitError::Record`].
        largest: Vec<(String, usize)>,
    },
    /// The user name is too long.
    User {
        /// Length of the user name in bytes.
        size: usize,
    },
    /// The note about the device is too long.
    ///
    /// [`Session::set_device`](crate::session::Session::set_device) truncates longer notes.
    Device {
        /// Length of the note in bytes.
        size: usize,
    },
    /// The user name or the note about the device contains a NUL, which not every store supports.
    Nul {
        /// `user` or `device`.
        field: &'static str,
    },
}

impl Limits {
    /// Sets the size limit of a session's JSON text in bytes. [`RECORD_BYTES`] by default.
    ///
    /// ```
    /// use carafe_core::limits::{Limits, RECORD_BYTES};
    ///
    /// assert_eq!(Limits::default().record_bytes(), RECORD_BYTES);
    /// assert_eq!(Limits::default().with_record_bytes(16_384).record_bytes(), 16_384);
    /// ```
    #[must_use]
    pub const fn with_record_bytes(self, record_bytes: usize) -> Self {
        Self {
            record_bytes,
            ..self
        }
    }

    /// Sets the limit of the number of keys in a session. [`KEYS`] by default.
    ///
    /// ```
    /// use carafe_core::limits::{KEYS, Limits};
    ///
    /// assert_eq!(Limits::default().keys(), KEYS);
    /// assert_eq!(Limits::default().with_keys(50).keys(), 50);
    /// ```
    #[must_use]
    pub const fn with_keys(self, keys: usize) -> Self {
        Self { keys, ..self }
    }

    /// Returns the size limit of a session's JSON text in bytes.
    #[must_use]
    pub const fn record_bytes(&self) -> usize {
        self.record_bytes
    }

    /// Returns the limit of the number of keys in a session.
    #[must_use]
    pub const fn keys(&self) -> usize {
        self.keys
    }

    /// Checks whether a store may be called with `patch` on `base`.
    ///
    /// A session that already exceeds a limit, because the limit was lowered, may be used and may
    /// shrink.
    ///
    /// ```
    /// use carafe_core::limits::{LimitError, Limits};
    /// use carafe_core::session::{Patch, SessionData};
    ///
    /// let limits = Limits::default().with_keys(1);
    /// let mut patch = Patch::new();
    /// patch.set("a", "1".to_owned());
    /// assert_eq!(limits.check(&SessionData::default(), &patch), Ok(()));
    ///
    /// patch.set("b", "[1,2,3]".to_owned());
    /// let error = limits.check(&SessionData::default(), &patch).unwrap_err();
    /// let largest = vec![("b".to_owned(), 7), ("a".to_owned(), 1)];
    /// assert_eq!(error, LimitError::Keys { count: 2, limit: 1, largest });
    ///
    /// let mut log_in = Patch::new();
    /// log_in.facts.user = Some("ada\0".to_owned());
    /// assert_eq!(
    ///     limits.check(&SessionData::default(), &log_in),
    ///     Err(LimitError::Nul { field: "user" }),
    /// );
    /// ```
    ///
    /// # Errors
    /// [`LimitError`]: nothing was stored.
    pub fn check(&self, base: &SessionData, patch: &Patch) -> Result<(), LimitError> {
        text("user", patch.facts.user.as_deref(), USER_BYTES, |size| {
            LimitError::User { size }
        })?;
        text(
            "device",
            patch.facts.device.as_deref(),
            DEVICE_BYTES,
            |size| LimitError::Device { size },
        )?;
        if patch.is_empty() {
            return Ok(());
        }
        // The upper bound is usually far below the limits, which avoids a count of the members.
        let most = base.length() + patch.length();
        if most <= self.record_bytes && most / MEMBER_BYTES <= self.keys {
            return Ok(());
        }
        let (count, size) = measured(patch.members(base));
        if size <= self.record_bytes && count <= self.keys {
            return Ok(());
        }
        let (count_before, size_before) = measured(base.iter());
        if size > self.record_bytes && size > size_before {
            return Err(LimitError::Record {
                size,
                limit: self.record_bytes,
                largest: largest(patch.members(base)),
            });
        }
        if count > self.keys && count > count_before {
            return Err(LimitError::Keys {
                count,
                limit: self.keys,
                largest: largest(patch.members(base)),
            });
        }
        Ok(())
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            record_bytes: RECORD_BYTES,
            keys: KEYS,
        }
    }
}

fn text(
    field: &'static str,
    text: Option<&str>,
    limit: usize,
    too_long: impl FnOnce(usize) -> LimitError,
) -> Result<(), LimitError> {
    match text {
        Some(text) if text.len() > limit => Err(too_long(text.len())),
        Some(text) if text.contains('\0') => Err(LimitError::Nul { field }),
        _ => Ok(()),
    }
}

/// Returns the number of members, and the size of their JSON text in bytes.
fn measured<'m>(members: impl Iterator<Item = (&'m str, &'m str)>) -> (usize, usize) {
    members.fold((0, 1), |(count, size), (key, value)| {
        (count + 1, size + key.len() + value.len() + 2)
    })
}

/// Returns the keys with the longest values and the size of their JSON text, longest first.
pub(crate) fn largest<'m>(
    members: impl Iterator<Item = (&'m str, &'m str)>,
) -> Vec<(String, usize)> {
    let mut sizes: Vec<_> = members.map(|(raw, value)| (raw, value.len())).collect();
    sizes.sort_by_key(|&(_, size)| std::cmp::Reverse(size));
    sizes.truncate(3);
    let name = |raw: &str| {
        string::decode(raw).map_or_else(|_| raw.to_owned(), std::borrow::Cow::into_owned)
    };
    let named = sizes.into_iter().map(|(raw, size)| (name(raw), size));
    named.collect()
}

/// Writes the result of `largest` into the text of an error.
pub(crate) fn write_largest(
    largest: &[(String, usize)],
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    f.write_str("; largest keys:")?;
    largest
        .iter()
        .try_for_each(|(key, size)| write!(f, " {key:?} ({size} bytes)"))
}

impl fmt::Display for LimitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record {
                size,
                limit,
                largest,
            } => {
                write!(f, "the session has {size} bytes, and {limit} are allowed")?;
                write_largest(largest, f)?;
                f.write_str(
                    "; keep large values elsewhere and their names in the session, or raise \
                     `Limits::with_record_bytes`",
                )
            }
            Self::Keys {
                count,
                limit,
                largest,
            } => {
                write!(f, "the session has {count} keys, and {limit} are allowed")?;
                write_largest(largest, f)?;
                f.write_str(
                    "; put values that belong together under one key, or raise `Limits::with_keys`",
                )
            }
            Self::User { size } => write!(
                f,
                "the user has {size} bytes, and {USER_BYTES} are allowed; log in by a short id, such as a database key"
            ),
            Self::Device { size } => write!(
                f,
                "the note of the device has {size} bytes, and {DEVICE_BYTES} are allowed; shorten it"
            ),
            Self::Nul { field } => write!(
                f,
                "the {field} has a NUL, which not every store can hold; remove it"
            ),
        }
    }
}

impl Error for LimitError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Record;

    fn data(text: String) -> SessionData {
        SessionData::parse(text, Record::STYLE).expect("it is JSON")
    }

    fn of_bytes(bytes: usize) -> String {
        format!(r#"{{"k":"{}"}}"#, "x".repeat(bytes - 8))
    }

    #[test]
    fn a_record_is_bounded_to_the_byte() {
        let limits = Limits::default().with_record_bytes(100);
        let base = SessionData::default();
        for (size, fits) in [(99, true), (100, true), (101, false), (20 << 20, false)] {
            let mut patch = Patch::default();
            patch.set("k", format!("\"{}\"", "x".repeat(size - 8)));
            patch.set("small", "1".to_owned());
            patch.remove("small");
            assert_eq!(patch.render(&base, Record::STYLE).len(), size);
            let checked = limits.check(&base, &patch);
            assert_eq!(checked.is_ok(), fits, "{size}");
            if let Err(error) = checked {
                let text = error.to_string();
                assert!(
                    text.contains("\"k\"") && text.contains("with_record_bytes"),
                    "{text}"
                );
                assert!(!text.contains("xx"));
            }
        }
    }

    #[test]
    fn keys_are_counted_after_the_change() {
        let limits = Limits::default().with_keys(3);
        let base = data(r#"{"a":1,"b":2,"c":3}"#.to_owned());
        let mut patch = Patch::default();
        patch.set("a", "4".to_owned());
        assert_eq!(limits.check(&base, &patch), Ok(()));
        patch.set("d", "4".to_owned());
        let refused = limits.check(&base, &patch);
        assert!(
            matches!(
                refused,
                Err(LimitError::Keys {
                    count: 4,
                    limit: 3,
                    ..
                })
            ),
            "{refused:?}"
        );
        patch.remove("b");
        assert_eq!(limits.check(&base, &patch), Ok(()));
        let mut all = Patch::default();
        all.clear();
        (0..4).for_each(|n| all.set(&n.to_string(), "1".to_owned()));
        assert!(limits.check(&base, &all).is_err());
    }

    #[test]
    fn a_session_that_is_too_large_already_may_shrink_and_be_used() {
        let limits = Limits::default().with_record_bytes(100).with_keys(1);
        let base = data(format!(r#"{{"a":1,{}"#, &of_bytes(200)[1..]));
        let mut patch = Patch::default();
        assert_eq!(limits.check(&base, &patch), Ok(()));
        patch.remove("a");
        assert_eq!(limits.check(&base, &patch), Ok(()));
        patch.set("b", "\"longer than what was removed\"".to_owned());
        assert!(limits.check(&base, &patch).is_err());
    }

    #[test]
    fn users_and_devices_are_bounded_and_have_no_nul() {
        let check = |user: Option<&str>, device: Option<&str>| {
            let mut patch = Patch::default();
            patch.facts.user = user.map(str::to_owned);
            patch.facts.device = device.map(str::to_owned);
            Limits::default().check(&SessionData::default(), &patch)
        };
        let (fits, long) = ("é".repeat(127), "é".repeat(128));
        assert_eq!(check(Some(&fits), Some(&fits)), Ok(()));
        assert_eq!(
            check(Some(&long), None),
            Err(LimitError::User { size: 256 })
        );
        assert_eq!(
            check(None, Some(&long)),
            Err(LimitError::Device { size: 256 })
        );
        assert_eq!(
            check(Some("a\0b"), None),
            Err(LimitError::Nul { field: "user" })
        );
        assert_eq!(
            check(None, Some("\0")),
            Err(LimitError::Nul { field: "device" })
        );
        assert_eq!(check(Some(""), Some("")), Ok(()));
    }
}
