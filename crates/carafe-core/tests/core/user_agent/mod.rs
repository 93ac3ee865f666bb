//! A small browser, independent of the library.
//!
//! Implements RFC 6265bis §5.6 (parsing `Set-Cookie`), §5.7 (the storage model with its prefix
//! rules), §5.8.3 (the `Cookie` header), CHIPS and the `__Http-` draft. Every request goes to
//! `https://shop.example.com/` below one top-level site. The browser is strict: it drops every
//! cookie that a browser is allowed to drop.

use std::collections::BTreeMap;

/// The host that sets all cookies.
pub(crate) const HOST: &str = "shop.example.com";
const PREFIXES: [&str; 4] = ["__secure-", "__host-", "__http-", "__host-http-"];

/// A cookie as a browser stores it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) name: String,
    pub(crate) value: String,
    /// In lower case. The host itself without a `Domain` attribute.
    pub(crate) domain: String,
    pub(crate) host_only: bool,
    pub(crate) path: String,
    pub(crate) secure: bool,
    pub(crate) http_only: bool,
    pub(crate) same_site: Option<String>,
    pub(crate) partitioned: bool,
    /// Seconds since 1970.
    pub(crate) expires: Option<i64>,
}

/// The identity of a cookie: name, domain, host-only, path, partition.
type Key = (String, String, bool, String, bool);

/// A cookie jar at one point in time.
#[derive(Debug, Default)]
pub(crate) struct Jar {
    pub(crate) cookies: BTreeMap<Key, Stored>,
}

impl Jar {
    /// Parses a `Set-Cookie` value as a browser does.
    ///
    /// # Errors
    ///
    /// Returns the reason why the browser drops the cookie.
    pub(crate) fn receive(&mut self, header: &str, now: i64) -> Result<Stored, String> {
        let cookie = parse(header, now)?;
        check_storage(&cookie)?;
        let Stored {
            name,
            domain,
            host_only,
            path,
            partitioned,
            ..
        } = cookie.clone();
        let key = (name, domain, host_only, path, partitioned);
        if cookie.expires.is_some_and(|at| at <= now) {
            self.cookies.remove(&key);
        } else {
            self.cookies.insert(key, cookie.clone());
        }
        Ok(cookie)
    }

    /// Returns the `Cookie` header of a request that matches all cookies.
    pub(crate) fn header(&self) -> String {
        let pairs = self
            .cookies
            .values()
            .map(|cookie| format!("{}={}", cookie.name, cookie.value));
        pairs.collect::<Vec<_>>().join("; ")
    }
}

/// Parses according to §5.6. A repeated attribute is an error, because no server should send one.
fn parse(header: &str, now: i64) -> Result<Stored, String> {
    if header
        .bytes()
        .any(|byte| (byte < 0x20 && byte != b'\t') || byte >= 0x7f)
    {
        return Err("control or non-ASCII character".to_owned());
    }
    let mut parts = header.split(';');
    let (name, value) = parts
        .next()
        .unwrap_or_default()
        .split_once('=')
        .ok_or("nameless")?;
    let (name, value) = (
        name.trim_matches([' ', '\t']),
        value.trim_matches([' ', '\t']),
    );
    if name.is_empty() || name.len() + value.len() > 4096 {
        return Err("nameless or too large".to_owned());
    }
    let mut cookie = Stored {
        name: name.to_owned(),
        value: value.to_owned(),
        ..Stored::default()
    };
    let mut seen = Vec::new();
    for part in parts {
        let (attribute, value) = part.split_once('=').unwrap_or((part, ""));
        let (attribute, value) = (
            attribute.trim_matches([' ', '\t']).to_lowercase(),
            value.trim_matches([' ', '\t']),
        );
        if value.len() > 1024 || seen.contains(&attribute) {
            return Err(format!("{attribute} too long or twice"));
        }
        set_attribute(&mut cookie, &attribute, value, now)?;
        seen.push(attribute);
    }
    (cookie.host_only, cookie.domain) = match cookie.domain.as_str() {
        "" => (true, HOST.to_owned()),
        domain => (false, domain.to_owned()),
    };
    Ok(cookie)
}

fn set_attribute(
    cookie: &mut Stored,
    attribute: &str,
    value: &str,
    now: i64,
) -> Result<(), String> {
    match attribute {
        "expires" => {
            let read = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value);
            let at = read.map_err(|error| error.to_string())?.as_second();
            // Max-Age takes precedence, and Carafe writes it after Expires.
            cookie.expires = Some(at);
        }
        "max-age" => {
            let seconds: i64 = value.parse().map_err(|_| "max-age")?;
            cookie.expires = Some(if seconds <= 0 {
                i64::MIN
            } else {
                now + seconds.min(34_560_000)
            });
        }
        "domain" => cookie.domain = value.trim_start_matches('.').to_lowercase(),
        "path" if value.starts_with('/') => value.clone_into(&mut cookie.path),
        "path" => "/default".clone_into(&mut cookie.path),
        "secure" => cookie.secure = true,
        "httponly" => cookie.http_only = true,
        "samesite" => cookie.same_site = Some(value.to_lowercase()),
        "partitioned" => cookie.partitioned = true,
        unknown => return Err(format!("unknown attribute {unknown}")),
    }
    Ok(())
}

/// Applies the rejections of §5.7.
fn check_storage(cookie: &Stored) -> Result<(), String> {
    let name = cookie.name.to_lowercase();
    let [secure, host, http, host_http] = PREFIXES.map(|prefix| name.starts_with(prefix));
    let host_is_kept = cookie.host_only && cookie.path == "/";
    let broken = [
        (
            "foreign domain",
            !format!(".{HOST}").ends_with(&format!(".{}", cookie.domain)),
        ),
        (
            "prefix without Secure",
            (secure || host || http) && !cookie.secure,
        ),
        ("__Host- with Domain or Path", host && !host_is_kept),
        (
            "__Http- without HttpOnly",
            (http || host_http) && !cookie.http_only,
        ),
        (
            "SameSite=None without Secure",
            cookie.same_site.as_deref() == Some("none") && !cookie.secure,
        ),
        (
            "Partitioned without Secure",
            cookie.partitioned && !cookie.secure,
        ),
    ];
    match broken.iter().find(|(_, broken)| *broken) {
        Some((why, _)) => Err(format!("{}: {why}", cookie.name)),
        None => Ok(()),
    }
}
