//! Validates the attributes of a cookie and renders them.
//!
//! [`SetCookie`](super::SetCookie) and [`CookiePolicy`](super::CookiePolicy) share this code, so
//! that their output cannot differ. Attributes are never guessed: a value that browsers would
//! misread is an error.

use std::net::Ipv6Addr;

use super::{
    CookieError, MAX_ATTRIBUTE_BYTES, MAX_COOKIE_BYTES, SameSite, prefix,
    public_suffix::is_public_suffix,
};

/// Attributes as requested, not yet validated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attributes {
    pub(super) domain: Option<String>,
    pub(super) path: Option<String>,
    pub(super) secure: bool,
    pub(super) http_only: bool,
    pub(super) same_site: Option<SameSite>,
    pub(super) partitioned: bool,
}

/// The text of the attributes before and after the expiry, which differs for each cookie.
///
/// Werkzeug's order: Domain, (Expires, Max-Age), Secure, HttpOnly, Path, SameSite, Partitioned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AttributeText {
    pub(super) before_expiry: String,
    pub(super) after_expiry: String,
}

impl Default for Attributes {
    /// Returns Werkzeug's defaults: only `Path=/`.
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
    /// Validates the attributes on their own and together with `name`.
    ///
    /// Returns the domain and the path in their rendered form.
    pub(super) fn checked(&self, name: &str) -> Result<Self, CookieError> {
        check_name(name)?;
        let checked = Self {
            domain: self.domain.as_deref().map(domain_text).transpose()?,
            path: self.path.as_deref().map(path_text).transpose()?,
            // As in Werkzeug: browsers reject `Partitioned` without `Secure`.
            secure: self.secure || self.partitioned,
            ..*self
        };
        prefix::check(name, checked.promised()).map_err(|broken| CookieError::Prefix {
            name: name.to_owned(),
            prefix: broken.prefix,
            rule: broken.rule,
        })?;
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

    /// Renders validated attributes.
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

/// Checks that `name` is a token (RFC 6265 §4.1.1).
///
/// Browsers and proxies disagree on all other names. The empty name is rejected, too, because
/// browsers misread cookies without a name (CVE-2023-23934).
pub(super) fn check_name(name: &str) -> Result<(), CookieError> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(CookieError::Name {
            name: name.to_owned(),
        });
    }
    check_size(name, name.len())
}

/// Checks the rendered size of name and value, without the `=` (RFC 6265bis §5.6).
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

/// Returns the domain without port and leading dots, as Werkzeug renders it.
///
/// Fails if the domain is not a host name or if browsers would drop the cookie.
fn domain_text(domain: &str) -> Result<String, CookieError> {
    let host = domain
        .split(':')
        .next()
        .unwrap_or_default()
        .trim_start_matches('.');
    let is_ip = is_ipv4(host) || domain.starts_with('[') || domain.parse::<Ipv6Addr>().is_ok();
    let reason = match is_ip {
        true => Some("a cookie for an IP address is for that host only; leave the domain out"),
        false => host_error(host),
    };
    match reason {
        Some(reason) => Err(CookieError::Domain {
            domain: domain.to_owned(),
            reason,
        }),
        None => check_attribute("Domain", host.to_owned()),
    }
}

/// Returns the reason why browsers would drop a cookie for this host and its subdomains.
fn host_error(host: &str) -> Option<&'static str> {
    if let Some(name) = host.strip_suffix('.').filter(|name| !name.is_empty()) {
        let reason = "browsers drop the cookie because of the dot at the end; leave the dot out";
        return host_error(name).or(Some(reason));
    }
    let labels = || host.split('.');
    if let Some(reason) = labels().map(label_error).find_map(Result::err) {
        return Some(reason);
    }
    // Browsers treat `localhost` as an ordinary name, although it contains no dot.
    if labels().count() == 1 && !host.eq_ignore_ascii_case("localhost") {
        return Some(
            "browsers drop a cookie for a top-level domain or a name without a dot; write a domain of your own, such as \
             \"example.com\", or leave it out for this host only",
        );
    }
    is_public_suffix(host).then_some(
        "browsers drop a cookie for a public suffix, below which unrelated parties have names; write a domain of your own \
         below it, or leave it out for this host only",
    )
}

/// Returns whether URL parsers interpret the name as an IPv4 address.
///
/// The last label of such a name is a number (WHATWG URL, ends-in-a-number checker).
fn is_ipv4(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    let last = name.rsplit('.').next().unwrap_or_default();
    let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    match hexadecimal {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

/// Accepts letters, digits, `-`, and `_`, which some internal networks use.
fn label_error(label: &str) -> Result<(), &'static str> {
    if !label.is_ascii() {
        return Err("write an international name in its ASCII form (punycode, xn--…)");
    }
    if !label
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    {
        return Err("only letters, digits, \"-\" and \"_\" are allowed between the dots");
    }
    if label.is_empty() || label.len() > 63 {
        return Err("each label between the dots must have 1 to 63 characters");
    }
    Ok(())
}

/// Percent-encodes the path as Werkzeug does.
///
/// The characters that a URL path may contain and `%` are kept.
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
