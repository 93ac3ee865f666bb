//! The errors of writing cookies. Each message is one line with the required change.

use std::fmt;

use super::{MAX_ATTRIBUTE_BYTES, MAX_COOKIE_BYTES, Prefix};

/// The reason why a cookie or a policy was rejected.
///
/// The text names the required change and never contains a cookie's value.
///
/// ```
/// use carafe_core::cookie::CookiePolicy;
/// let error = CookiePolicy::builder("__Host-id").path("/app").build().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "cookie \"__Host-id\": the prefix __Host- needs Path=/; \
///      set the path to \"/\" or rename the cookie",
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CookieError {
    /// The name is empty or contains a character that a token does not allow (RFC 6265 §4.1.1).
    Name {
        /// The name as given.
        name: String,
    },
    /// The path does not start with `/`, so browsers would ignore it.
    Path {
        /// The path as given.
        path: String,
    },
    /// The domain is not a host name, or browsers drop cookies for it.
    Domain {
        /// The domain as given.
        domain: String,
        /// The reason why the domain is rejected.
        reason: &'static str,
    },
    /// The name's prefix requires an attribute that is missing.
    Prefix {
        /// The cookie's name.
        name: String,
        /// The prefix.
        prefix: Prefix,
        /// The missing requirement, with the required change.
        rule: &'static str,
    },
    /// The attribute has no effect in browsers without `Secure`.
    NeedsSecure {
        /// The attribute that requires `Secure`.
        attribute: &'static str,
    },
    /// The text is not a `SameSite` value.
    SameSite,
    /// Name and value are longer than browsers accept.
    TooLarge {
        /// The cookie's name.
        name: String,
        /// Size of name and value together, in bytes, as rendered.
        size: usize,
    },
    /// An attribute is longer than browsers accept.
    AttributeTooLong {
        /// The attribute's name.
        attribute: &'static str,
        /// Size of the attribute's value, in bytes, as rendered.
        size: usize,
    },
    /// The session lifetime is too long for its expiry to be a valid date.
    Lifetime {
        /// The lifetime, in seconds.
        seconds: u64,
    },
    /// A transport of sessions other than the cookie cannot be used.
    Transport {
        /// The name of the header.
        name: String,
        /// The reason, with the required change.
        reason: &'static str,
    },
    /// The expiry is outside the years 0001 to 9999.
    Date {
        /// The time, in seconds since 1970-01-01 00:00:00 UTC.
        unix: i64,
    },
}

impl fmt::Display for CookieError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name { name } => {
                write!(
                    f,
                    "cookie name {name:?}: use one or more ASCII letters, digits or any of !#$%&'*+-.^_`|~"
                )
            }
            Self::Lifetime { seconds } => write!(
                f,
                "a session lifetime of {seconds} seconds: use at most a hundred years"
            ),
            Self::Transport { name, reason } => {
                write!(f, "session transport in header {name:?}: {reason}")
            }
            Self::Path { path } => write!(
                f,
                "cookie path {path:?}: must start with \"/\", or browsers ignore it"
            ),
            Self::Domain { domain, reason } => write!(f, "cookie domain {domain:?}: {reason}"),
            Self::Prefix { name, prefix, rule } => {
                write!(f, "cookie {name:?}: the prefix {prefix} needs {rule}")
            }
            Self::NeedsSecure { attribute } => {
                write!(
                    f,
                    "{attribute} needs Secure, or browsers drop the cookie; turn Secure on or leave {attribute} out"
                )
            }
            Self::SameSite => f.write_str("SameSite must be 'Strict', 'Lax', or 'None'."),
            Self::TooLarge { name, size } => {
                write!(
                    f,
                    "cookie {name:?}: name and value have {size} bytes, but browsers drop cookies over {MAX_COOKIE_BYTES}"
                )
            }
            Self::AttributeTooLong { attribute, size } => {
                write!(
                    f,
                    "cookie {attribute}: {size} bytes, but browsers ignore attributes over {MAX_ATTRIBUTE_BYTES}"
                )
            }
            Self::Date { unix } => {
                write!(
                    f,
                    "cookie expiry {unix} (seconds since 1970): outside the years 0001 to 9999"
                )
            }
        }
    }
}

impl std::error::Error for CookieError {}
