//! Cookie name prefixes: rules that a name imposes on the cookie's attributes.
//!
//! Browsers drop a cookie that violates the rules of its name's prefix (RFC 6265bis §5.7, and the
//! `__Http-` draft). Browsers ignore the case of the prefix, and so does this module. Attributes
//! are never changed to match: a violation is an error with the required change.

use std::fmt;

/// A cookie name prefix that browsers enforce.
///
/// ```
/// use carafe_core::cookie::Prefix;
/// assert_eq!(Prefix::of("__host-id"), Some(Prefix::Host));
/// assert_eq!(Prefix::of("__Host-Http-id"), Some(Prefix::HostHttp));
/// assert_eq!(Prefix::of("session"), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Prefix {
    /// `__Secure-`: requires `Secure`.
    Secure,
    /// `__Host-`: requires `Secure`, `Path=/` and no `Domain`.
    Host,
    /// `__Http-`: requires `Secure` and `HttpOnly`.
    Http,
    /// `__Host-Http-`: has the requirements of both `__Host-` and `__Http-`.
    HostHttp,
}

/// The attributes that the rules depend on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Promised {
    pub(super) secure: bool,
    pub(super) http_only: bool,
    pub(super) has_domain: bool,
    pub(super) root_path: bool,
}

impl Prefix {
    /// Returns the prefix of a name, ignoring case.
    ///
    /// ```
    /// use carafe_core::cookie::Prefix;
    ///
    /// assert_eq!(Prefix::of("__Host-session"), Some(Prefix::Host));
    /// assert_eq!(Prefix::of("__host-Http-session"), Some(Prefix::HostHttp));
    /// assert_eq!(Prefix::of("session"), None);
    /// ```
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        let starts = |prefix: &Self| {
            let text = prefix.as_str().as_bytes();
            name.as_bytes()
                .get(..text.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(text))
        };
        // The longest prefix first, because `__Host-Http-` also starts with `__Host-`.
        [Self::HostHttp, Self::Host, Self::Http, Self::Secure]
            .into_iter()
            .find(starts)
    }

    /// Returns the prefix in its usual letter case.
    ///
    /// ```
    /// assert_eq!(carafe_core::cookie::Prefix::Host.as_str(), "__Host-");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Secure => "__Secure-",
            Self::Host => "__Host-",
            Self::Http => "__Http-",
            Self::HostHttp => "__Host-Http-",
        }
    }

    const fn wants_host(self) -> bool {
        matches!(self, Self::Host | Self::HostHttp)
    }

    const fn wants_http_only(self) -> bool {
        matches!(self, Self::Http | Self::HostHttp)
    }

    /// Returns the first violated rule, as "requirement; required change".
    const fn broken_rule(self, is: Promised) -> Option<&'static str> {
        if !is.secure {
            return Some("Secure; turn it on or rename the cookie");
        }
        if self.wants_http_only() && !is.http_only {
            return Some("HttpOnly; turn it on or rename the cookie");
        }
        if self.wants_host() && is.has_domain {
            return Some("no Domain; leave the domain out or use the prefix __Secure-");
        }
        if self.wants_host() && !is.root_path {
            return Some("Path=/; set the path to \"/\" or rename the cookie");
        }
        None
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A prefix, and the first of its rules that a cookie violates.
#[derive(Debug, Clone, Copy)]
pub(super) struct BrokenRule {
    pub(super) prefix: Prefix,
    pub(super) rule: &'static str,
}

/// Checks the rules of the name's prefix.
pub(super) fn check(name: &str, is: Promised) -> Result<(), BrokenRule> {
    let Some(prefix) = Prefix::of(name) else {
        return Ok(());
    };
    match prefix.broken_rule(is) {
        Some(rule) => Err(BrokenRule { prefix, rule }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Prefix, Promised, check};

    /// The draft's table of (Secure, HttpOnly, Domain, Path=/) for each prefix.
    #[test]
    fn each_prefix_needs_what_the_draft_says() {
        for bits in 0..16_u8 {
            let [secure, http_only, has_domain, root_path] =
                [1, 2, 4, 8].map(|bit| bits & bit != 0);
            let is = Promised {
                secure,
                http_only,
                has_domain,
                root_path,
            };
            let host = !has_domain && root_path;
            for (name, allowed) in [
                ("plain", true),
                ("__Secure-a", secure),
                ("__Host-a", secure && host),
                ("__Http-a", secure && http_only),
                ("__Host-Http-a", secure && http_only && host),
            ] {
                assert_eq!(check(name, is).is_ok(), allowed, "{name} {is:?}");
                assert_eq!(
                    check(&name.to_uppercase(), is).is_ok(),
                    allowed,
                    "{name} in capitals {is:?}"
                );
                assert_eq!(
                    check(&name.to_lowercase(), is).is_ok(),
                    allowed,
                    "{name} in small letters {is:?}"
                );
            }
        }
    }

    #[test]
    fn only_the_start_of_a_name_is_a_prefix() {
        for name in [
            "_Host-a",
            "__Host",
            "a__Host-",
            "__Hоst-a",
            "__\u{17f}ecure-a",
            " __Host-a",
            "",
        ] {
            assert_eq!(Prefix::of(name), None, "{name:?}");
        }
        assert_eq!(Prefix::of("__HOST-"), Some(Prefix::Host));
    }
}
