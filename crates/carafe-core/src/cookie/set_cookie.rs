//! A `Set-Cookie` header in exactly Werkzeug's text and attribute order.
//!
//! Deliberate differences from Werkzeug. All except the second and the fourth are errors instead of
//! cookies that browsers drop or misread.
//!
//! 1. A name must be an RFC 6265 token (Werkzeug emits any text, even an empty name).
//! 2. Bytes 1A–1F are octal-escaped, too (Werkzeug escapes up to 19 and emits 1A–1F unescaped).
//! 3. A domain must be an ASCII host name with labels of 1–63 characters (Werkzeug passes on `;`
//!    and maps IDNA 2003).
//! 4. Max-Age is clamped to 400 days (RFC 6265bis §5.5).
//! 5. Name and value of more than 4096 bytes, or an attribute of more than 1024, are an error
//!    (browsers drop both; Werkzeug warns).
//! 6. The rules of the prefixes `__Host-`, `__Secure-`, `__Http-` and `__Host-Http-` are enforced
//!    case-insensitively (browsers drop the cookie).
//!
//! As in Werkzeug, a [`SetCookie`] may have `SameSite=None` without `Secure`. A
//! [`CookiePolicy`](super::CookiePolicy) rejects the combination.

use std::{fmt, time::Duration};

use super::{
    CookieError, MAX_AGE_LIMIT, SameSite,
    attributes::{Attributes, check_size},
    date::append_http_date,
    value::append_value,
};
use crate::clock::Timestamp;

/// A cookie to set, or the removal of one. `Debug` never shows the value.
///
/// As with Flask's `response.set_cookie`, the default `Path` is `/`, and a lifetime also sends
/// `Expires`.
///
/// ```
/// use std::time::Duration;
/// use carafe_core::{clock::Timestamp, cookie::{SameSite, SetCookie}};
/// let cookie = SetCookie::new("theme", "dark")
///     .max_age(Duration::from_secs(60))
///     .same_site(SameSite::Lax);
/// assert_eq!(
///     cookie.render(Timestamp::from_unix(1_700_000_000))?,
///     "theme=dark; Expires=Tue, 14 Nov 2023 22:14:20 GMT; Max-Age=60; Path=/; SameSite=Lax",
/// );
/// # Ok::<(), carafe_core::cookie::CookieError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[must_use = "a cookie does nothing until it is rendered into a response"]
pub struct SetCookie {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) max_age: Option<i64>,
    pub(super) expires: Option<Timestamp>,
    pub(super) sync_expires: bool,
    pub(super) attributes: Attributes,
}

impl SetCookie {
    /// Creates a cookie for the whole host that expires when the browser is closed.
    ///
    /// ```
    /// use carafe_core::{clock::Timestamp, cookie::SetCookie};
    /// let cookie = SetCookie::new("theme", "dark");
    /// assert_eq!(cookie.render(Timestamp::now())?, "theme=dark; Path=/");
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
            max_age: None,
            expires: None,
            sync_expires: true,
            attributes: Attributes::default(),
        }
    }

    /// Creates the removal of a cookie: an empty value that expired in 1970.
    ///
    /// Set the domain, path and flags with which the cookie was set. Otherwise browsers may ignore
    /// the removal.
    ///
    /// ```
    /// use carafe_core::{clock::Timestamp, cookie::SetCookie};
    /// assert_eq!(
    ///     SetCookie::removal("theme").render(Timestamp::from_unix(1_700_000_000))?,
    ///     "theme=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/",
    /// );
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    pub fn removal(name: impl Into<String>) -> Self {
        Self::new(name, "")
            .expires(Timestamp::from_unix(0))
            .max_age_seconds(0)
    }

    /// Sets the lifetime in whole seconds, at most 400 days (RFC 6265bis §5.5).
    ///
    /// Also sends the corresponding `Expires` unless [`expires`](Self::expires) or
    /// [`without_expires`](Self::without_expires) is called.
    ///
    /// ```
    /// use std::time::Duration;
    /// use carafe_core::{clock::Timestamp, cookie::SetCookie};
    /// let cookie = SetCookie::new("k", "v").max_age(Duration::from_secs(60));
    /// assert_eq!(
    ///     cookie.render(Timestamp::from_unix(0))?,
    ///     "k=v; Expires=Thu, 01 Jan 1970 00:01:00 GMT; Max-Age=60; Path=/",
    /// );
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    pub fn max_age(self, age: Duration) -> Self {
        self.max_age_seconds(i64::try_from(age.as_secs()).unwrap_or(i64::MAX))
    }

    /// Sets the lifetime like [`max_age`](Self::max_age), clamped to plus or minus 400 days.
    ///
    /// Zero and negative numbers remove the cookie.
    ///
    /// ```
    /// use carafe_core::{clock::Timestamp, cookie::SetCookie};
    /// let cookie = SetCookie::new("k", "v").max_age_seconds(0).without_expires();
    /// assert_eq!(cookie.render(Timestamp::now())?, "k=v; Max-Age=0; Path=/");
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    pub fn max_age_seconds(mut self, seconds: i64) -> Self {
        self.max_age = Some(clamp_max_age(seconds));
        self
    }

    /// Sets the time at which the cookie expires. Browsers prefer `Max-Age` if both are present.
    ///
    /// ```
    /// use carafe_core::{clock::Timestamp, cookie::SetCookie};
    /// let cookie = SetCookie::new("k", "v").expires(Timestamp::from_unix(1_700_000_000));
    /// assert_eq!(
    ///     cookie.render(Timestamp::now())?,
    ///     "k=v; Expires=Tue, 14 Nov 2023 22:13:20 GMT; Path=/",
    /// );
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    pub fn expires(mut self, at: Timestamp) -> Self {
        self.expires = Some(at);
        self
    }

    /// Sends `Max-Age` without the corresponding `Expires` (Werkzeug's `sync_expires=False`).
    ///
    /// ```
    /// use std::time::Duration;
    /// use carafe_core::{clock::Timestamp, cookie::SetCookie};
    /// let cookie = SetCookie::new("k", "v").max_age(Duration::from_secs(60)).without_expires();
    /// assert_eq!(cookie.render(Timestamp::now())?, "k=v; Max-Age=60; Path=/");
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    pub fn without_expires(mut self) -> Self {
        self.sync_expires = false;
        self
    }

    /// Sets the path below which browsers send the cookie, percent-encoded where necessary.
    ///
    /// Browsers ignore a path that does not start with `/`.
    ///
    /// ```
    /// use carafe_core::{clock::Timestamp, cookie::SetCookie};
    /// let cookie = SetCookie::new("k", "v").path("/a b");
    /// assert_eq!(cookie.render(Timestamp::now())?, "k=v; Path=/a%20b");
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.attributes.path = Some(path.into());
        self
    }

    /// Omits `Path`, so that browsers use the directory of the request's path.
    ///
    /// ```
    /// use carafe_core::{clock::Timestamp, cookie::SetCookie};
    /// assert_eq!(SetCookie::new("k", "v").no_path().render(Timestamp::now())?, "k=v");
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    pub fn no_path(mut self) -> Self {
        self.attributes.path = None;
        self
    }

    /// Sends the cookie to every host of a domain.
    ///
    /// Without a domain, only the current host receives it.
    ///
    /// ```
    /// use carafe_core::{clock::Timestamp, cookie::SetCookie};
    /// let cookie = SetCookie::new("k", "v").domain("example.com");
    /// assert_eq!(cookie.render(Timestamp::now())?, "k=v; Domain=example.com; Path=/");
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.attributes.domain = Some(domain.into());
        self
    }

    /// Sets whether browsers send the cookie over secure connections only.
    ///
    /// ```
    /// use carafe_core::{clock::Timestamp, cookie::SetCookie};
    /// let cookie = SetCookie::new("k", "v").secure(true);
    /// assert_eq!(cookie.render(Timestamp::now())?, "k=v; Secure; Path=/");
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    pub fn secure(mut self, on: bool) -> Self {
        self.attributes.secure = on;
        self
    }

    /// Sets whether the cookie is hidden from scripts.
    ///
    /// ```
    /// use carafe_core::{clock::Timestamp, cookie::SetCookie};
    /// let cookie = SetCookie::new("k", "v").http_only(true);
    /// assert_eq!(cookie.render(Timestamp::now())?, "k=v; HttpOnly; Path=/");
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    pub fn http_only(mut self, on: bool) -> Self {
        self.attributes.http_only = on;
        self
    }

    /// Sets the cross-site requests with which browsers send the cookie.
    ///
    /// ```
    /// use carafe_core::{clock::Timestamp, cookie::{SameSite, SetCookie}};
    /// let cookie = SetCookie::new("k", "v").same_site(SameSite::Strict);
    /// assert_eq!(cookie.render(Timestamp::now())?, "k=v; Path=/; SameSite=Strict");
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    pub fn same_site(mut self, value: SameSite) -> Self {
        self.attributes.same_site = Some(value);
        self
    }

    /// Sets whether browsers keep a separate cookie per top-level site (CHIPS).
    ///
    /// Also enables `Secure`, without which browsers reject a partitioned cookie.
    ///
    /// ```
    /// use carafe_core::{clock::Timestamp, cookie::SetCookie};
    /// let cookie = SetCookie::new("k", "v").partitioned(true);
    /// assert_eq!(cookie.render(Timestamp::now())?, "k=v; Secure; Path=/; Partitioned");
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    pub fn partitioned(mut self, on: bool) -> Self {
        self.attributes.partitioned = on;
        self
    }

    /// Returns the cookie's name.
    ///
    /// ```
    /// use carafe_core::cookie::SetCookie;
    /// assert_eq!(SetCookie::new("theme", "dark").name(), "theme");
    /// ```
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the value of the `Set-Cookie` header.
    ///
    /// `now` determines the `Expires` that accompanies a `Max-Age`.
    ///
    /// ```
    /// use carafe_core::{clock::Timestamp, cookie::SetCookie};
    /// let now = Timestamp::now();
    /// assert_eq!(SetCookie::new("note", "a;b").render(now)?, r#"note="a\073b"; Path=/"#);
    /// assert!(SetCookie::new("not a token", "v").render(now).is_err());
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A [`CookieError`] if a browser would drop or misread the cookie: a name that is not a token,
    /// a domain that is not a host name, a name prefix with unmet rules, too many bytes, or an
    /// expiry outside the years 0001 to 9999.
    pub fn render(&self, now: Timestamp) -> Result<String, CookieError> {
        let text = self.attributes.checked(&self.name)?.text();
        let mut out = String::with_capacity(self.name.len() + self.value.len() + 128);
        append_name_value(&self.name, &self.value, &mut out)?;
        out.push_str(&text.before_expiry);
        self.append_expiry(now, &mut out)?;
        out.push_str(&text.after_expiry);
        Ok(out)
    }

    fn append_expiry(&self, now: Timestamp, out: &mut String) -> Result<(), CookieError> {
        let synced = self
            .max_age
            .filter(|_| self.sync_expires)
            .map(|age| now.saturating_add(age));
        if let Some(at) = self.expires.or(synced) {
            append_expires(at, out)?;
        }
        if let Some(age) = self.max_age {
            append_max_age(age, out);
        }
        Ok(())
    }
}

impl fmt::Debug for SetCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetCookie")
            .field("name", &self.name)
            .field("max_age", &self.max_age)
            .field("expires", &self.expires)
            .field("attributes", &self.attributes)
            .finish_non_exhaustive()
    }
}

/// Clamps a lifetime to the 400 days that browsers grant (RFC 6265bis §5.5).
///
/// The attribute must not promise a longer lifetime (RUSTSEC-2017-0005).
pub(super) fn clamp_max_age(seconds: i64) -> i64 {
    seconds.clamp(-MAX_AGE_LIMIT, MAX_AGE_LIMIT)
}

/// Appends `name=value` to an empty text and checks the size limit of browsers.
pub(super) fn append_name_value(
    name: &str,
    value: &str,
    out: &mut String,
) -> Result<(), CookieError> {
    out.push_str(name);
    out.push('=');
    append_value(value, out);
    check_size(name, out.len() - 1)
}

pub(super) fn append_expires(at: Timestamp, out: &mut String) -> Result<(), CookieError> {
    out.push_str("; Expires=");
    append_http_date(at, out)
}

pub(super) fn append_max_age(seconds: i64, out: &mut String) {
    out.push_str("; Max-Age=");
    out.push_str(&seconds.to_string());
}

#[cfg(test)]
mod tests;
