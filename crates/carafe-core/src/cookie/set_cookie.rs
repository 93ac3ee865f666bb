//! A `Set-Cookie` header, in exactly Werkzeug's text and order.
//!
//! Deliberate differences, all towards "an error instead of a cookie that the browser drops or misreads":
//! 1. a name must be an RFC 6265 token (Werkzeug emits any text, even none);
//! 2. bytes 1A–1F are octal-escaped too (Werkzeug's escape class ends at 19 and they go out raw);
//! 3. a domain must be a host name in ASCII, labels of 1–63 (Werkzeug passes `;` on, and maps IDNA 2003);
//! 4. Max-Age is clamped to 400 days (RFC 6265bis §5.5);
//! 5. name + value over 4096 bytes or an attribute over 1024 is an error (browsers drop it; Werkzeug warns);
//! 6. `__Host-`, `__Secure-`, `__Http-`, `__Host-Http-` are held to their rules, in any case (browsers drop the cookie).
//!
//! `SameSite=None` without `Secure` is written here, as Werkzeug does; a [`CookiePolicy`](super::CookiePolicy) refuses it.

use std::{fmt, time::Duration};

use super::{
    CookieError, MAX_AGE_LIMIT, SameSite,
    attributes::{Attributes, check_size},
    date::append_http_date,
    value::append_value,
};
use crate::clock::Timestamp;

/// A cookie to set, or one to remove. `Debug` never shows the value.
///
/// As `response.set_cookie` in Flask, `Path` is `/` unless said otherwise, and a lifetime alone also sends `Expires`.
///
/// ```
/// use std::time::Duration;
/// use carafe_core::{clock::Timestamp, cookie::{SameSite, SetCookie}};
/// let cookie = SetCookie::new("theme", "dark").max_age(Duration::from_secs(60)).same_site(SameSite::Lax);
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
    /// A cookie that lasts as long as the browser, for the whole host.
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

    /// Removes a cookie: empty, and expired since 1970. Give it the path, domain and flags that the cookie was set with.
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

    /// How long the cookie lasts, in whole seconds, at most 400 days (RFC 6265bis §5.5).
    pub fn max_age(self, age: Duration) -> Self {
        self.max_age_seconds(i64::try_from(age.as_secs()).unwrap_or(i64::MAX))
    }

    /// As [`max_age`](Self::max_age); zero and negative numbers remove the cookie. Clamped to 400 days either way.
    pub fn max_age_seconds(mut self, seconds: i64) -> Self {
        self.max_age = Some(clamp_max_age(seconds));
        self
    }

    /// When the cookie ends. Browsers that know `Max-Age` prefer that.
    pub fn expires(mut self, at: Timestamp) -> Self {
        self.expires = Some(at);
        self
    }

    /// Sends a `Max-Age` alone, without the `Expires` that goes with it (Werkzeug's `sync_expires=False`).
    pub fn without_expires(mut self) -> Self {
        self.sync_expires = false;
        self
    }

    /// The path below which the cookie is sent; percent-encoded where needed. Browsers ignore one that does not start with `/`.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.attributes.path = Some(path.into());
        self
    }

    /// No `Path`: browsers then take the directory of the request.
    pub fn no_path(mut self) -> Self {
        self.attributes.path = None;
        self
    }

    /// The domain whose hosts all get the cookie; without it, only this host does.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.attributes.domain = Some(domain.into());
        self
    }

    /// Whether the cookie only travels over TLS.
    pub fn secure(mut self, on: bool) -> Self {
        self.attributes.secure = on;
        self
    }

    /// Whether the cookie is hidden from scripts.
    pub fn http_only(mut self, on: bool) -> Self {
        self.attributes.http_only = on;
        self
    }

    /// Which requests from other sites carry the cookie.
    pub fn same_site(mut self, value: SameSite) -> Self {
        self.attributes.same_site = Some(value);
        self
    }

    /// Whether the cookie is kept apart for each top-level site (CHIPS). Turns `Secure` on, without which browsers refuse it.
    pub fn partitioned(mut self, on: bool) -> Self {
        self.attributes.partitioned = on;
        self
    }

    /// The cookie's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text of the `Set-Cookie` header; `now` dates the `Expires` that goes with a `Max-Age`.
    ///
    /// # Errors
    ///
    /// A [`CookieError`] if a browser would drop or misread the cookie: a name that is no token, a
    /// domain that is no host name, a prefix whose rules are broken, too many bytes, an expiry without a four-digit year.
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

/// Browsers cap a lifetime at 400 days; a longer one would only pretend (RFC 6265bis §5.5, RUSTSEC-2017-0005).
pub(super) fn clamp_max_age(seconds: i64) -> i64 {
    seconds.clamp(-MAX_AGE_LIMIT, MAX_AGE_LIMIT)
}

/// Appends `name=value` to an empty text and holds it to the size that browsers keep.
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
