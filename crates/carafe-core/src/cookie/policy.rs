//! The name and the attributes of one cookie, decided once at startup.
//!
//! The cookie and its removal are rendered from the same attributes, because browsers ignore a
//! removal with other attributes. `build` rejects every combination that a browser would drop, with
//! a one-line message. A policy never contains a value and never reads a clock. `prefix.rs`
//! contains the rules for name prefixes.

use std::sync::Arc;

use super::{
    CookieError, SameSite,
    attributes::{AttributeText, Attributes},
    is_same_cookie,
    set_cookie::{append_expires, append_max_age, append_name_value, clamp_max_age},
};
use crate::clock::Timestamp;

/// The name and attributes of one cookie. Renders the cookie and its removal.
///
/// ```
/// use carafe_core::cookie::{CookiePolicy, Persistence};
/// let policy = CookiePolicy::builder("__Host-id").build()?;
/// assert_eq!(
///     policy.set("x", Persistence::BrowserSession)?,
///     "__Host-id=x; Secure; HttpOnly; Path=/; SameSite=Lax",
/// );
/// assert_eq!(
///     policy.removal(),
///     "__Host-id=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; \
///      Secure; HttpOnly; Path=/; SameSite=Lax",
/// );
/// # Ok::<(), carafe_core::cookie::CookieError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CookiePolicy {
    name: String,
    attributes: Attributes,
    text: AttributeText,
    removal: String,
    former_removals: Arc<[String]>,
}

/// The lifetime of a cookie in the browser.
///
/// ```
/// use carafe_core::cookie::{CookiePolicy, Persistence};
/// let policy = CookiePolicy::flask("session").build()?;
/// assert_eq!(policy.set("x", Persistence::BrowserSession)?, "session=x; HttpOnly; Path=/");
/// let text = policy.set("x", Persistence::MaxAge(60))?;
/// assert_eq!(text, "session=x; Max-Age=60; HttpOnly; Path=/");
/// # Ok::<(), carafe_core::cookie::CookieError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Persistence {
    /// Until the browser is closed, with neither `Expires` nor `Max-Age`.
    BrowserSession,
    /// Until a point in time, as Flask does, with `Expires`.
    Expires(Timestamp),
    /// A number of seconds, as Starlette does, with `Max-Age`.
    ///
    /// Clamped to 400 days (RFC 6265bis §5.5).
    MaxAge(i64),
}

impl Persistence {
    /// Returns the length of the attribute, in bytes.
    const fn length(self) -> usize {
        match self {
            Self::BrowserSession => 0,
            Self::Expires(_) => "; Expires=Thu, 01 Jan 1970 00:00:00 GMT".len(),
            // The longest possible text: 400 days, negative.
            Self::MaxAge(_) => "; Max-Age=-34560000".len(),
        }
    }
}

/// A builder of a [`CookiePolicy`]. Attributes are validated by [`build`](Self::build).
///
/// ```
/// use carafe_core::cookie::{CookiePolicy, SameSite};
/// let builder = CookiePolicy::builder("__Secure-id")
///     .domain("example.com")
///     .same_site(SameSite::Strict);
/// assert_eq!(builder.build()?.domain(), Some("example.com"));
/// # Ok::<(), carafe_core::cookie::CookieError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a policy builder does nothing until it is built"]
pub struct CookiePolicyBuilder {
    name: String,
    attributes: Attributes,
    former: Vec<Self>,
}

impl CookiePolicy {
    /// Returns a builder with safe attributes (OWASP ASVS 3.3).
    ///
    /// The attributes are `Secure; HttpOnly; Path=/; SameSite=Lax` and no `Domain`.
    ///
    /// ```
    /// use carafe_core::cookie::{CookiePolicy, Persistence};
    /// let policy = CookiePolicy::builder("id").build()?;
    /// let text = policy.set("x", Persistence::BrowserSession)?;
    /// assert_eq!(text, "id=x; Secure; HttpOnly; Path=/; SameSite=Lax");
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    pub fn builder(name: impl Into<String>) -> CookiePolicyBuilder {
        CookiePolicyBuilder::flask(name)
            .secure(true)
            .same_site(SameSite::Lax)
    }

    /// Returns a builder with Flask's attributes: `HttpOnly; Path=/`.
    ///
    /// ```
    /// use carafe_core::{clock::Timestamp, cookie::{CookiePolicy, Persistence}};
    /// let policy = CookiePolicy::flask("session").build()?;
    /// let until = Persistence::Expires(Timestamp::from_unix(1_700_000_000));
    /// assert_eq!(
    ///     policy.set("x", until)?,
    ///     "session=x; Expires=Tue, 14 Nov 2023 22:13:20 GMT; HttpOnly; Path=/",
    /// );
    /// assert_eq!(
    ///     policy.removal(),
    ///     "session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; Path=/",
    /// );
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    pub fn flask(name: impl Into<String>) -> CookiePolicyBuilder {
        CookiePolicyBuilder::flask(name)
    }

    /// Returns the `Set-Cookie` text that sets the cookie to `value`.
    ///
    /// Allocates once if the value needs no quotation marks.
    ///
    /// ```
    /// use carafe_core::cookie::{CookiePolicy, Persistence};
    /// let policy = CookiePolicy::flask("session").build()?;
    /// let text = policy.set("x", Persistence::MaxAge(60))?;
    /// assert_eq!(text, "session=x; Max-Age=60; HttpOnly; Path=/");
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`CookieError::TooLarge`] if name and value have more than 4096 bytes, because browsers drop
    /// such a cookie silently. [`CookieError::Date`] if the cookie expires outside the years 0001
    /// to 9999.
    pub fn set(&self, value: &str, persistence: Persistence) -> Result<String, CookieError> {
        // Exact for plain values, so that the conversion to a header needs no further allocation.
        let attributes = self.text.before_expiry.len() + self.text.after_expiry.len();
        let length = self.name.len() + 1 + value.len() + attributes + persistence.length();
        let mut out = String::with_capacity(length);
        append_name_value(&self.name, value, &mut out)?;
        out.push_str(&self.text.before_expiry);
        match persistence {
            Persistence::BrowserSession => {}
            Persistence::Expires(at) => append_expires(at, &mut out)?,
            Persistence::MaxAge(seconds) => append_max_age(clamp_max_age(seconds), &mut out),
        }
        out.push_str(&self.text.after_expiry);
        Ok(out)
    }

    /// Returns the `Set-Cookie` text that removes the cookie.
    ///
    /// The text has the same name and attributes, an empty value, and an expiry in 1970.
    ///
    /// ```
    /// use carafe_core::cookie::CookiePolicy;
    /// let policy = CookiePolicy::flask("session").build()?;
    /// assert!(policy.removal().starts_with("session=; Expires=Thu, 01 Jan 1970"));
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    #[must_use]
    pub fn removal(&self) -> &str {
        &self.removal
    }

    /// Returns the `Set-Cookie` texts that remove the cookies of former policies.
    ///
    /// See [`formerly`](CookiePolicyBuilder::formerly).
    pub(crate) const fn former_removals(&self) -> &Arc<[String]> {
        &self.former_removals
    }

    /// Returns the cookie's name.
    ///
    /// ```
    /// assert_eq!(carafe_core::cookie::CookiePolicy::default().name(), "__Host-Http-session");
    /// ```
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the domain whose hosts all receive the cookie, as rendered.
    ///
    /// Returns `None` if only the current host receives the cookie.
    ///
    /// ```
    /// use carafe_core::cookie::CookiePolicy;
    /// let policy = CookiePolicy::builder("id").domain(".example.com").build()?;
    /// assert_eq!(policy.domain(), Some("example.com"));
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    #[must_use]
    pub fn domain(&self) -> Option<&str> {
        self.attributes.domain.as_deref()
    }

    /// Returns the path below which browsers send the cookie, as rendered.
    ///
    /// ```
    /// use carafe_core::cookie::CookiePolicy;
    /// assert_eq!(CookiePolicy::builder("id").path("/a b").build()?.path(), "/a%20b");
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    #[must_use]
    pub fn path(&self) -> &str {
        self.attributes.path.as_deref().unwrap_or("/")
    }

    /// Returns whether browsers send the cookie over secure connections only.
    ///
    /// ```
    /// assert!(carafe_core::cookie::CookiePolicy::default().is_secure());
    /// ```
    #[must_use]
    pub const fn is_secure(&self) -> bool {
        self.attributes.secure
    }

    /// Returns whether the cookie is hidden from scripts.
    ///
    /// ```
    /// assert!(carafe_core::cookie::CookiePolicy::default().is_http_only());
    /// ```
    #[must_use]
    pub const fn is_http_only(&self) -> bool {
        self.attributes.http_only
    }

    /// Returns the cross-site requests that carry the cookie.
    ///
    /// Returns `None` if the browser decides.
    ///
    /// ```
    /// use carafe_core::cookie::{CookiePolicy, SameSite};
    /// assert_eq!(CookiePolicy::default().same_site(), Some(SameSite::Lax));
    /// assert_eq!(CookiePolicy::flask("session").build()?.same_site(), None);
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    #[must_use]
    pub const fn same_site(&self) -> Option<SameSite> {
        self.attributes.same_site
    }

    /// Returns whether browsers keep a separate cookie per top-level site (CHIPS).
    ///
    /// ```
    /// assert!(!carafe_core::cookie::CookiePolicy::default().is_partitioned());
    /// ```
    #[must_use]
    pub const fn is_partitioned(&self) -> bool {
        self.attributes.partitioned
    }
}

impl Default for CookiePolicy {
    /// Returns the policy for new applications: `__Host-Http-session` with safe attributes.
    fn default() -> Self {
        // Cannot fail: the input is constant, and `the_default_policy_builds` builds it.
        Self::builder("__Host-Http-session")
            .build()
            .expect("the default policy keeps the prefix rules")
    }
}

impl CookiePolicyBuilder {
    /// Sets the path below which browsers send the cookie, percent-encoded where necessary.
    ///
    /// ```
    /// use carafe_core::cookie::CookiePolicy;
    /// assert_eq!(CookiePolicy::builder("id").path("/app").build()?.path(), "/app");
    /// assert!(CookiePolicy::builder("id").path("app").build().is_err());
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.attributes.path = Some(path.into());
        self
    }

    /// Sends the cookie to every host of a domain.
    ///
    /// Without a domain, only the current host receives it.
    ///
    /// [`build`](Self::build) rejects domains for which browsers drop cookies: a top-level domain,
    /// an IP address, a trailing dot, and the best-known public suffixes, such as `co.uk` and
    /// `herokuapp.com` (not the whole Public Suffix List, which changes every week).
    ///
    /// ```
    /// use carafe_core::cookie::CookiePolicy;
    /// assert!(CookiePolicy::builder("id").domain("example.com").build().is_ok());
    /// assert!(CookiePolicy::builder("id").domain("co.uk").build().is_err());
    /// ```
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.attributes.domain = Some(domain.into());
        self
    }

    /// Sets whether browsers send the cookie over secure connections only.
    ///
    /// ```
    /// use carafe_core::cookie::CookiePolicy;
    /// assert!(!CookiePolicy::builder("id").secure(false).build()?.is_secure());
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    pub fn secure(mut self, on: bool) -> Self {
        self.attributes.secure = on;
        self
    }

    /// Sets whether the cookie is hidden from scripts.
    ///
    /// ```
    /// use carafe_core::cookie::CookiePolicy;
    /// assert!(!CookiePolicy::builder("id").http_only(false).build()?.is_http_only());
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    pub fn http_only(mut self, on: bool) -> Self {
        self.attributes.http_only = on;
        self
    }

    /// Sets the cross-site requests that carry the cookie.
    ///
    /// `None` leaves the decision to the browser.
    ///
    /// ```
    /// use carafe_core::cookie::{CookiePolicy, SameSite};
    /// let policy = CookiePolicy::builder("id").same_site(SameSite::Strict).build()?;
    /// assert_eq!(policy.same_site(), Some(SameSite::Strict));
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    pub fn same_site(mut self, value: impl Into<Option<SameSite>>) -> Self {
        self.attributes.same_site = value.into();
        self
    }

    /// Sets whether browsers keep a separate cookie per top-level site (CHIPS).
    ///
    /// ```
    /// use carafe_core::cookie::CookiePolicy;
    /// assert!(CookiePolicy::builder("id").partitioned(true).build()?.is_partitioned());
    /// assert!(CookiePolicy::flask("id").partitioned(true).build().is_err());
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    pub fn partitioned(mut self, on: bool) -> Self {
        self.attributes.partitioned = on;
        self
    }

    /// Adds the policy of earlier deployments, so that responses remove the cookies that it set.
    ///
    /// The former policy differs in domain, path or partition, so that browsers keep both cookies.
    /// A response that sets this policy's cookie also removes the former cookie, and of two cookies
    /// that verify, the most recently issued one is used. May be called several times. The former
    /// policy's name is ignored.
    ///
    /// ```
    /// use carafe_core::cookie::CookiePolicy;
    /// let for_this_host = CookiePolicy::flask("session");
    /// let for_all_hosts = CookiePolicy::flask("session")
    ///     .domain("example.com")
    ///     .formerly(for_this_host);
    /// for_all_hosts.build()?;
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    pub fn formerly(mut self, policy: Self) -> Self {
        self.former.push(policy);
        self
    }

    /// Builds the policy if browsers accept every cookie that it renders.
    ///
    /// # Errors
    ///
    /// A [`CookieError`] with the required change in one line: an invalid name, path or domain, a
    /// name prefix with unmet rules, or `SameSite=None` or `Partitioned` without `Secure`.
    ///
    /// ```
    /// use carafe_core::cookie::{CookiePolicy, SameSite};
    /// let error = CookiePolicy::flask("session").same_site(SameSite::None).build().unwrap_err();
    /// assert!(error.to_string().starts_with("SameSite=None needs Secure"));
    /// ```
    pub fn build(self) -> Result<CookiePolicy, CookieError> {
        self.check_secure()?;
        self.check_path()?;
        let attributes = self.attributes.checked(&self.name)?;
        let text = attributes.text();
        let removal = [
            self.name.as_str(),
            "=",
            &text.before_expiry,
            "; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0",
            &text.after_expiry,
        ];
        let removal = removal.concat();
        let mut former_removals = Vec::new();
        for mut former in self.former {
            former.name.clone_from(&self.name);
            let former = former.build()?;
            if !is_same_cookie(removal.as_bytes(), former.removal.as_bytes()) {
                former_removals.push(former.removal);
            }
        }
        Ok(CookiePolicy {
            name: self.name,
            attributes,
            text,
            removal,
            former_removals: former_removals.into(),
        })
    }

    /// Rejects `Partitioned` and `SameSite=None` without `Secure`.
    ///
    /// Browsers drop such cookies (RFC 6265bis §5.7; CHIPS).
    fn check_secure(&self) -> Result<(), CookieError> {
        let attribute = match &self.attributes {
            Attributes { secure: true, .. } => return Ok(()),
            Attributes {
                partitioned: true, ..
            } => "Partitioned",
            Attributes {
                same_site: Some(SameSite::None),
                ..
            } => "SameSite=None",
            _ => return Ok(()),
        };
        Err(CookieError::NeedsSecure { attribute })
    }

    /// Rejects a path that does not start with `/`.
    ///
    /// Browsers use another path instead (RFC 6265bis §5.6.4).
    fn check_path(&self) -> Result<(), CookieError> {
        match &self.attributes.path {
            Some(path) if !path.starts_with('/') => Err(CookieError::Path { path: path.clone() }),
            _ => Ok(()),
        }
    }

    fn flask(name: impl Into<String>) -> Self {
        let attributes = Attributes {
            http_only: true,
            ..Attributes::default()
        };
        Self {
            name: name.into(),
            attributes,
            former: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
