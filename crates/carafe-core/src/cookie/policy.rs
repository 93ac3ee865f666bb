//! The name and the attributes of one cookie, decided once, at start.
//!
//! The cookie and its removal are rendered from the same attributes, because a removal that differs removes nothing.
//! Every combination that a browser would drop is refused when the policy is built, in one readable
//! line. Never holds a value, never reads a clock. Next: `prefix.rs` for the rules of a name.

use super::{
    CookieError, SameSite,
    attributes::{AttributeText, Attributes},
    set_cookie::{append_expires, append_max_age, append_name_value, clamp_max_age},
};
use crate::clock::Timestamp;

/// Name and attributes of one cookie; renders it and its removal.
///
/// ```
/// use carafe_core::cookie::{CookiePolicy, Persistence};
/// let policy = CookiePolicy::builder("__Host-id").build()?;
/// assert_eq!(policy.set("x", Persistence::BrowserSession)?, "__Host-id=x; Secure; HttpOnly; Path=/; SameSite=Lax");
/// assert_eq!(
///     policy.removal(),
///     "__Host-id=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Secure; HttpOnly; Path=/; SameSite=Lax",
/// );
/// # Ok::<(), carafe_core::cookie::CookieError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CookiePolicy {
    name: String,
    attributes: Attributes,
    text: AttributeText,
    removal: String,
}

/// How long the browser keeps a cookie.
///
/// ```
/// use carafe_core::cookie::{CookiePolicy, Persistence};
/// let policy = CookiePolicy::flask("session").build()?;
/// assert_eq!(policy.set("x", Persistence::BrowserSession)?, "session=x; HttpOnly; Path=/");
/// assert_eq!(policy.set("x", Persistence::MaxAge(60))?, "session=x; Max-Age=60; HttpOnly; Path=/");
/// # Ok::<(), carafe_core::cookie::CookieError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Persistence {
    /// Until it is closed: neither `Expires` nor `Max-Age`.
    BrowserSession,
    /// Until a point in time, as Flask writes it: `Expires`.
    Expires(Timestamp),
    /// For so many seconds, as Starlette writes it: `Max-Age`, clamped to 400 days (RFC 6265bis §5.5).
    MaxAge(i64),
}

impl Persistence {
    /// Bytes of its attribute.
    const fn length(self) -> usize {
        match self {
            Self::BrowserSession => 0,
            Self::Expires(_) => "; Expires=Thu, 01 Jan 1970 00:00:00 GMT".len(),
            // The most there is: 400 days, negative.
            Self::MaxAge(_) => "; Max-Age=-34560000".len(),
        }
    }
}

/// Makes a [`CookiePolicy`]; nothing is checked before [`build`](Self::build).
///
/// ```
/// use carafe_core::cookie::{CookiePolicy, SameSite};
/// let builder = CookiePolicy::builder("__Secure-id").domain("example.com").same_site(SameSite::Strict);
/// assert_eq!(builder.build()?.domain(), Some("example.com"));
/// # Ok::<(), carafe_core::cookie::CookieError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a policy builder does nothing until it is built"]
pub struct CookiePolicyBuilder {
    name: String,
    attributes: Attributes,
}

impl CookiePolicy {
    /// The safe attributes: `Secure; HttpOnly; Path=/; SameSite=Lax` and no `Domain` (OWASP ASVS 3.3).
    pub fn builder(name: impl Into<String>) -> CookiePolicyBuilder {
        CookiePolicyBuilder::flask(name)
            .secure(true)
            .same_site(SameSite::Lax)
    }

    /// Flask's attributes: `HttpOnly; Path=/`.
    ///
    /// ```
    /// use carafe_core::{clock::Timestamp, cookie::{CookiePolicy, Persistence}};
    /// let policy = CookiePolicy::flask("session").build()?;
    /// let until = Persistence::Expires(Timestamp::from_unix(1_700_000_000));
    /// assert_eq!(policy.set("x", until)?, "session=x; Expires=Tue, 14 Nov 2023 22:13:20 GMT; HttpOnly; Path=/");
    /// assert_eq!(policy.removal(), "session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; Path=/");
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    pub fn flask(name: impl Into<String>) -> CookiePolicyBuilder {
        CookiePolicyBuilder::flask(name)
    }

    /// The `Set-Cookie` text that gives the cookie this value. One allocation if the value needs no quotation.
    ///
    /// # Errors
    ///
    /// [`CookieError::TooLarge`] if name and value have over 4096 bytes, which browsers drop without a word;
    /// [`CookieError::Date`] if it expires outside the years 0001 to 9999.
    pub fn set(&self, value: &str, persistence: Persistence) -> Result<String, CookieError> {
        // Exact for plain values, so that the text becomes a header without another allocation.
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

    /// The `Set-Cookie` text that removes the cookie: same name, same attributes, empty, expired since 1970.
    #[must_use]
    pub fn removal(&self) -> &str {
        &self.removal
    }

    /// The cookie's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The domain whose hosts all get the cookie, as it is sent; `None` for this host only.
    #[must_use]
    pub fn domain(&self) -> Option<&str> {
        self.attributes.domain.as_deref()
    }

    /// The path below which the cookie is sent, as it is sent.
    #[must_use]
    pub fn path(&self) -> &str {
        self.attributes.path.as_deref().unwrap_or("/")
    }

    /// Whether the cookie only travels over TLS.
    #[must_use]
    pub const fn is_secure(&self) -> bool {
        self.attributes.secure
    }

    /// Whether the cookie is hidden from scripts.
    #[must_use]
    pub const fn is_http_only(&self) -> bool {
        self.attributes.http_only
    }

    /// Which requests from other sites carry the cookie; `None` leaves it to the browser.
    #[must_use]
    pub const fn same_site(&self) -> Option<SameSite> {
        self.attributes.same_site
    }

    /// Whether the cookie is kept apart for each top-level site.
    #[must_use]
    pub const fn is_partitioned(&self) -> bool {
        self.attributes.partitioned
    }
}

impl Default for CookiePolicy {
    /// What a new application should use: `__Host-Http-session` with the safe attributes.
    fn default() -> Self {
        // Cannot fail: constant input, and `ckw_2_the_default_policy_builds` builds it.
        Self::builder("__Host-Http-session")
            .build()
            .expect("the default policy keeps the prefix rules")
    }
}

impl CookiePolicyBuilder {
    /// The path below which the cookie is sent; percent-encoded where needed.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.attributes.path = Some(path.into());
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

    /// Which requests from other sites carry the cookie; `None` leaves it to the browser.
    pub fn same_site(mut self, value: impl Into<Option<SameSite>>) -> Self {
        self.attributes.same_site = value.into();
        self
    }

    /// Whether the cookie is kept apart for each top-level site (CHIPS).
    pub fn partitioned(mut self, on: bool) -> Self {
        self.attributes.partitioned = on;
        self
    }

    /// The policy, if every cookie it renders is one that browsers keep.
    ///
    /// # Errors
    ///
    /// A [`CookieError`] that says in one line what to change: a bad name, path or domain, a prefix
    /// whose rules are broken, `SameSite=None` or `Partitioned` without `Secure`.
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
        Ok(CookiePolicy {
            name: self.name,
            attributes,
            text,
            removal,
        })
    }

    /// Without `Secure`, browsers drop these two (RFC 6265bis §5.7; CHIPS).
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

    /// Browsers take another path than one that does not start with `/` (RFC 6265bis §5.6.4).
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
        }
    }
}

#[cfg(test)]
mod tests;
