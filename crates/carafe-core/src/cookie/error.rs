//! Why a cookie was not written. One line each, saying what to change; never a cookie's value.

use std::fmt;

use super::{MAX_ATTRIBUTE_BYTES, MAX_COOKIE_BYTES, Prefix};

/// Why a cookie or a policy was refused. The text says what to change and never contains a cookie's value.
///
/// ```
/// use carafe_core::cookie::CookiePolicy;
/// let error = CookiePolicy::builder("__Host-id").path("/app").build().unwrap_err();
/// assert_eq!(error.to_string(), "cookie \"__Host-id\": the prefix __Host- needs Path=/; set the path to \"/\" or rename the cookie");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CookieError {
    /// The name is empty or has a character that is no token character (RFC 6265 §4.1.1).
    Name {
        /// The name as given.
        name: String,
    },
    /// The path does not start with `/`, so browsers would ignore it.
    Path {
        /// The path as given.
        path: String,
    },
    /// The domain is no host name.
    Domain {
        /// The domain as given.
        domain: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The name's prefix promises an attribute that is missing.
    Prefix {
        /// The cookie's name.
        name: String,
        /// The prefix.
        prefix: Prefix,
        /// What is missing, and what to change.
        rule: &'static str,
    },
    /// The attribute means nothing to browsers without `Secure`.
    NeedsSecure {
        /// The attribute that asks for it.
        attribute: &'static str,
    },
    /// The text is no `SameSite` value.
    SameSite,
    /// Name and value are longer than browsers keep.
    TooLarge {
        /// The cookie's name.
        name: String,
        /// Bytes of name and value together, as they would be sent.
        size: usize,
    },
    /// An attribute is longer than browsers read.
    AttributeTooLong {
        /// The attribute's name.
        attribute: &'static str,
        /// Bytes of its value, as they would be sent.
        size: usize,
    },
    /// Sessions would live so long that dates cannot say until when.
    Lifetime {
        /// The lifetime, in seconds.
        seconds: u64,
    },
    /// The expiry is outside the years 0001 to 9999.
    Date {
        /// The time, in seconds since 1970.
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
