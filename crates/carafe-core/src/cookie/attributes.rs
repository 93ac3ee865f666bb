//! The attributes of a cookie, checked and put into text.
//!
//! One place for both writers, [`SetCookie`](super::SetCookie) and [`CookiePolicy`](super::CookiePolicy), so that
//! they cannot differ. Never guesses: what no browser would read as meant is an error.

use super::{CookieError, MAX_ATTRIBUTE_BYTES, MAX_COOKIE_BYTES, SameSite, prefix};

/// Attributes as they were asked for, not yet checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attributes {
    pub(super) domain: Option<String>,
    pub(super) path: Option<String>,
    pub(super) secure: bool,
    pub(super) http_only: bool,
    pub(super) same_site: Option<SameSite>,
    pub(super) partitioned: bool,
}

/// The attributes' text around the expiry, which changes with each cookie. Werkzeug's order:
/// Domain, (Expires, Max-Age), Secure, HttpOnly, Path, SameSite, Partitioned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AttributeText {
    pub(super) before_expiry: String,
    pub(super) after_expiry: String,
}

impl Default for Attributes {
    /// Werkzeug's: `Path=/` and nothing else.
    fn default() -> Self {
        let (domain, path, same_site) = (None, Some("/".to_owned()), None);
        Self {
            domain,
            path,
            secure: false,
            http_only: false,
            same_site,
            partitioned: false,
        }
    }
}

impl Attributes {
    /// The same with domain and path as they are sent, checked by themselves and against the name.
    pub(super) fn checked(&self, name: &str) -> Result<Self, CookieError> {
        check_name(name)?;
        let checked = Self {
            domain: self.domain.as_deref().map(domain_text).transpose()?,
            path: self.path.as_deref().map(path_text).transpose()?,
            // As Werkzeug: browsers refuse one without the other.
            secure: self.secure || self.partitioned,
            ..*self
        };
        prefix::check(name, checked.promised())?;
        Ok(checked)
    }

    fn promised(&self) -> prefix::Promised {
        prefix::Promised {
            secure: self.secure,
            http_only: self.http_only,
            has_domain: self.domain.is_some(),
            root_path: self.path.as_deref() == Some("/"),
        }
    }

    /// The text of checked attributes.
    pub(super) fn text(&self) -> AttributeText {
        let before_expiry = self
            .domain
            .as_ref()
            .map(|domain| format!("; Domain={domain}"))
            .unwrap_or_default();
        let flag = |on: bool, text: &'static str| if on { text } else { "" };
        let path = self
            .path
            .as_ref()
            .map(|path| format!("; Path={path}"))
            .unwrap_or_default();
        let same_site = self
            .same_site
            .map(|value| format!("; SameSite={value}"))
            .unwrap_or_default();
        let after_expiry = [
            flag(self.secure, "; Secure"),
            flag(self.http_only, "; HttpOnly"),
            &path,
            &same_site,
            flag(self.partitioned, "; Partitioned"),
        ];
        AttributeText {
            before_expiry,
            after_expiry: after_expiry.concat(),
        }
    }
}

/// A token: nothing else survives all browsers and proxies (RFC 6265 §4.1.1). Refuses the empty name too, whose
/// cookies are read as anything (CVE-2023-23934).
pub(super) fn check_name(name: &str) -> Result<(), CookieError> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(CookieError::Name {
            name: name.to_owned(),
        });
    }
    check_size(name, name.len())
}

/// Name and value as they are sent, without the `=` (RFC 6265bis §5.6).
pub(super) fn check_size(name: &str, size: usize) -> Result<(), CookieError> {
    if size > MAX_COOKIE_BYTES {
        return Err(CookieError::TooLarge {
            name: name.to_owned(),
            size,
        });
    }
    Ok(())
}

fn check_attribute(attribute: &'static str, text: String) -> Result<String, CookieError> {
    if text.len() > MAX_ATTRIBUTE_BYTES {
        return Err(CookieError::AttributeTooLong {
            attribute,
            size: text.len(),
        });
    }
    Ok(text)
}

/// The domain without port and leading dots, as Werkzeug sends it; an error if it is no host name.
fn domain_text(domain: &str) -> Result<String, CookieError> {
    let host = domain
        .split(':')
        .next()
        .unwrap_or_default()
        .trim_start_matches('.');
    // One dot at the end is allowed: the root.
    let labels = host.strip_suffix('.').unwrap_or(host).split('.');
    match labels.map(label_error).find_map(Result::err) {
        Some(reason) => Err(CookieError::Domain {
            domain: domain.to_owned(),
            reason,
        }),
        None => check_attribute("Domain", host.to_owned()),
    }
}

/// Letters, digits, `-`, and `_`, which some internal networks have.
fn label_error(label: &str) -> Result<(), &'static str> {
    if !label.is_ascii() {
        return Err("write an international name in its ASCII form (punycode, xn--…)");
    }
    if !label
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    {
        return Err("only letters, digits, \"-\" and \"_\" may stand between the dots");
    }
    if label.is_empty() || label.len() > 63 {
        return Err("between the dots must stand 1 to 63 characters");
    }
    Ok(())
}

/// The path percent-encoded as Werkzeug does: what an URL's path may have stays, as does `%`.
fn path_text(path: &str) -> Result<String, CookieError> {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"_.-~%!$&'()*+,/:=@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.extend(['%', hex(byte >> 4), hex(byte & 15)]);
        }
    }
    check_attribute("Path", out)
}

fn hex(nibble: u8) -> char {
    char::from_digit(nibble.into(), 16)
        .unwrap_or_default()
        .to_ascii_uppercase()
}
