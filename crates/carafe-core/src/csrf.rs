//! Protection from cross-site request forgery (CSRF), based on the headers that browsers set.
//!
//! [`same_origin`] is a pure function, and the layers of the adapters call [`check`]. The order
//! follows the OWASP CSRF Prevention Cheat Sheet: Fetch Metadata first, `Origin` second, the
//! configured trusted origins third.
//!
//! Form tokens are a part of the session:
//! [`Session::csrf_token`](crate::session::Session::csrf_token).
//!
//! A state-changing request is accepted if the browser says that a page of the same origin, or the
//! user, sent it:
//!
//! ```
//! use carafe_core::csrf::{CrossOrigin, CsrfPolicy, OriginHeaders, same_origin};
//! # use carafe_core::session::RequestHead;
//! # struct Head(&'static [(&'static str, &'static str)]);
//! # impl RequestHead for Head {
//! #     fn lines(&self, name: &str) -> impl Iterator<Item = &[u8]> {
//! #         let named = self.0.iter().filter(move |(known, _)| *known == name);
//! #         named.map(|(_, value)| value.as_bytes())
//! #     }
//! # }
//!
//! let policy = CsrfPolicy::new().with_trusted_origin("https://login.example")?;
//! let post = |headers: &'static [(&'static str, &'static str)]| {
//!     same_origin("POST", &OriginHeaders::of(&Head(headers), Some("shop.example")), &policy)
//! };
//! assert_eq!(post(&[("sec-fetch-site", "same-origin")]), Ok(()));
//! assert_eq!(post(&[("sec-fetch-site", "none")]), Ok(()), "typed into the address bar");
//! assert_eq!(post(&[("sec-fetch-site", "same-site")]), Err(CrossOrigin::FetchSite));
//!
//! // Browsers without Fetch Metadata send `Origin`.
//! assert_eq!(post(&[("origin", "https://shop.example")]), Ok(()));
//! assert_eq!(post(&[("origin", "https://login.example")]), Ok(()), "trusted");
//! assert_eq!(post(&[("origin", "null")]), Err(CrossOrigin::Origin));
//! # Ok::<(), carafe_core::csrf::InvalidOrigin>(())
//! ```

use std::{error::Error, fmt};

use crate::session::{Field, RequestHead, ResponseHead, Slot};

/// The options of the CSRF check.
///
/// ```
/// use carafe_core::csrf::{CsrfPolicy, Unlabeled};
///
/// let policy = CsrfPolicy::new()
///     .with_trusted_origin("https://login.example")?
///     .with_unlabeled(Unlabeled::Reject);
/// # Ok::<(), carafe_core::csrf::InvalidOrigin>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct CsrfPolicy {
    trusted: Vec<Origin>,
    unlabeled: Unlabeled,
}

/// The behavior for a request with neither `Sec-Fetch-Site` nor `Origin`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unlabeled {
    /// Accepts the request, which comes from a program or from a browser from before 2020.
    ///
    /// Protect forms for such browsers with [a token](crate::session::Session::csrf_token).
    #[default]
    Accept,
    /// Rejects the request.
    Reject,
}

impl CsrfPolicy {
    /// Returns a policy without trusted origins.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an origin whose pages may send requests, such as `https://login.example`.
    ///
    /// ```
    /// use carafe_core::csrf::CsrfPolicy;
    ///
    /// assert!(CsrfPolicy::new().with_trusted_origin("https://login.example:8443").is_ok());
    ///
    /// let error = CsrfPolicy::new().with_trusted_origin("https://login.example/").unwrap_err();
    /// let text = error.to_string();
    /// assert!(text.starts_with(r#""https://login.example/" is not an origin; "#), "{text}");
    /// assert!(CsrfPolicy::new().with_trusted_origin("login.example").is_err(), "no scheme");
    /// ```
    ///
    /// # Errors
    /// [`InvalidOrigin`] unless the text is a scheme, `://`, a host and optionally a port.
    pub fn with_trusted_origin(mut self, origin: &str) -> Result<Self, InvalidOrigin> {
        let parsed = Origin::parse(origin.as_bytes());
        let parsed = parsed.ok_or_else(|| InvalidOrigin(origin.to_owned()))?;
        self.trusted.push(parsed);
        Ok(self)
    }

    /// Sets the behavior for requests with neither `Sec-Fetch-Site` nor `Origin`.
    ///
    /// ```
    /// use carafe_core::csrf::{CrossOrigin, CsrfPolicy, OriginHeaders, Unlabeled, same_origin};
    /// # use carafe_core::session::RequestHead;
    /// # struct Head;
    /// # impl RequestHead for Head {
    /// #     fn lines(&self, _: &str) -> impl Iterator<Item = &[u8]> { std::iter::empty() }
    /// # }
    ///
    /// // A command-line client sends neither header.
    /// let headers = OriginHeaders::of(&Head, Some("api.example"));
    /// assert_eq!(same_origin("POST", &headers, &CsrfPolicy::new()), Ok(()));
    ///
    /// let strict = CsrfPolicy::new().with_unlabeled(Unlabeled::Reject);
    /// assert_eq!(same_origin("POST", &headers, &strict), Err(CrossOrigin::Unlabeled));
    /// assert_eq!(same_origin("GET", &headers, &strict), Ok(()));
    /// ```
    pub fn with_unlabeled(self, unlabeled: Unlabeled) -> Self {
        Self { unlabeled, ..self }
    }

    fn trusts(&self, origin: Header<'_>) -> bool {
        let Header::One(text) = origin else {
            return false;
        };
        Origin::parse(text).is_some_and(|origin| self.trusted.contains(&origin))
    }
}

/// The error of a trusted origin that is not an origin (RFC 6454 §7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidOrigin(String);

impl fmt::Display for InvalidOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text) = self;
        write!(
            f,
            "{text:?} is not an origin; write a scheme, a host and no path, such as \"https://login.example\""
        )
    }
}

impl Error for InvalidOrigin {}

/// The values of a header that must occur at most once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Header<'h> {
    Absent,
    One(&'h [u8]),
    Several,
}

impl<'h> Header<'h> {
    fn of(head: &'h impl RequestHead, name: &'h str) -> Self {
        let mut lines = head.lines(name);
        match (lines.next(), lines.next()) {
            (None, _) => Self::Absent,
            (Some(line), None) => Self::One(line.trim_ascii()),
            (Some(_), Some(_)) => Self::Several,
        }
    }
}

/// The headers of a request that the check depends on.
#[derive(Clone, Copy, Debug)]
pub struct OriginHeaders<'h> {
    fetch_site: Header<'h>,
    origin: Header<'h>,
    host: Header<'h>,
    is_upgrade: bool,
}

impl<'h> OriginHeaders<'h> {
    /// Collects the headers of a request.
    ///
    /// `authority` is the authority of the request's target, which takes precedence over `Host` and
    /// replaces it in HTTP/2.
    ///
    /// ```
    /// use carafe_core::csrf::{CrossOrigin, CsrfPolicy, OriginHeaders, same_origin};
    /// # use carafe_core::session::RequestHead;
    /// # struct Head(&'static [(&'static str, &'static str)]);
    /// # impl RequestHead for Head {
    /// #     fn lines(&self, name: &str) -> impl Iterator<Item = &[u8]> {
    /// #         let named = self.0.iter().filter(move |(known, _)| *known == name);
    /// #         named.map(|(_, value)| value.as_bytes())
    /// #     }
    /// # }
    ///
    /// let head = Head(&[("origin", "https://shop.example"), ("host", "shop.example:443")]);
    /// let http_1 = OriginHeaders::of(&head, None);
    /// assert_eq!(same_origin("POST", &http_1, &CsrfPolicy::new()), Ok(()));
    ///
    /// let http_2 = OriginHeaders::of(&head, Some("other.example"));
    /// assert_eq!(same_origin("POST", &http_2, &CsrfPolicy::new()), Err(CrossOrigin::Origin));
    /// ```
    pub fn of(head: &'h impl RequestHead, authority: Option<&'h str>) -> Self {
        let authority = authority.map(|authority| Header::One(authority.as_bytes()));
        Self {
            fetch_site: Header::of(head, "sec-fetch-site"),
            origin: Header::of(head, "origin"),
            host: authority.unwrap_or_else(|| Header::of(head, "host")),
            is_upgrade: head.lines("upgrade").next().is_some(),
        }
    }
}

/// Checks that a request comes from the application's own origin, or from a trusted one.
///
/// Requests with the methods GET, HEAD and OPTIONS are accepted, because they must not change
/// anything, except for WebSocket handshakes. Browsers set `Sec-Fetch-Site` and `Origin`
/// themselves, and a page cannot change them.
///
/// ```
/// use carafe_core::csrf::{CsrfPolicy, OriginHeaders, same_origin};
/// # use carafe_core::session::RequestHead;
/// # struct Head(&'static [(&'static str, &'static str)]);
/// # impl RequestHead for Head {
/// #     fn lines(&self, name: &str) -> impl Iterator<Item = &[u8]> {
/// #         let named = self.0.iter().filter(move |(known, _)| *known == name);
/// #         named.map(|(_, value)| value.as_bytes())
/// #     }
/// # }
///
/// let head = Head(&[("host", "shop.example"), ("sec-fetch-site", "cross-site")]);
/// let headers = OriginHeaders::of(&head, None);
/// assert!(same_origin("POST", &headers, &CsrfPolicy::new()).is_err());
/// assert!(same_origin("GET", &headers, &CsrfPolicy::new()).is_ok());
/// ```
///
/// # Errors
/// [`CrossOrigin`] with the reason.
pub fn same_origin(
    method: &str,
    headers: &OriginHeaders<'_>,
    policy: &CsrfPolicy,
) -> Result<(), CrossOrigin> {
    if matches!(method, "GET" | "HEAD" | "OPTIONS") && !headers.is_upgrade {
        return Ok(());
    }
    let refused = match (headers.fetch_site, headers.origin) {
        (Header::Several, _) | (_, Header::Several) => return Err(CrossOrigin::Malformed),
        (Header::One(b"same-origin" | b"none"), _) => return Ok(()),
        (Header::One(_), _) => CrossOrigin::FetchSite,
        (Header::Absent, Header::Absent) => match policy.unlabeled {
            Unlabeled::Accept => return Ok(()),
            Unlabeled::Reject => return Err(CrossOrigin::Unlabeled),
        },
        (Header::Absent, Header::One(origin)) => {
            let parsed = Origin::parse(origin);
            let is_own = parsed.is_some_and(|origin| origin.is_of(headers.host));
            if is_own {
                return Ok(());
            }
            CrossOrigin::Origin
        }
    };
    match policy.trusts(headers.origin) {
        true => Ok(()),
        false => Err(refused),
    }
}

/// Checks a request like [`same_origin`], unless its session token is not in a cookie.
///
/// `slot` is the slot of the session layer around the check, if there is one. Browsers send neither
/// a bearer token nor a header of the application automatically.
///
/// ```
/// use std::sync::Arc;
///
/// use carafe_core::csrf::{CrossOrigin, CsrfPolicy, OriginHeaders, check};
/// use carafe_core::session::{ServerSide, SessionConfig, SessionManager, Transport};
/// use carafe_core::store::MemoryStore;
/// # use carafe_core::session::RequestHead;
/// # struct Head(&'static [(&'static str, &'static str)]);
/// # impl RequestHead for Head {
/// #     fn lines(&self, name: &str) -> impl Iterator<Item = &[u8]> {
/// #         let named = self.0.iter().filter(move |(known, _)| *known == name);
/// #         named.map(|(_, value)| value.as_bytes())
/// #     }
/// # }
///
/// let config = SessionConfig::default()
///     .with_transports([Transport::cookie(), Transport::bearer("x-session-token")]);
/// let manager = Arc::new(SessionManager::new(ServerSide::new(MemoryStore::new()), config)?);
///
/// // Another origin's page calls an API with a token that its own script has added.
/// let head = Head(&[("origin", "https://app.example"), ("authorization", "Bearer abc")]);
/// let headers = OriginHeaders::of(&head, Some("api.example"));
/// let slot = manager.begin();
/// slot.note_token(&head);
/// assert_eq!(check("POST", &headers, Some(&slot), &CsrfPolicy::new()), Ok(()));
/// assert_eq!(check("POST", &headers, None, &CsrfPolicy::new()), Err(CrossOrigin::Origin));
/// # Ok::<(), carafe_core::cookie::CookieError>(())
/// ```
///
/// # Errors
/// As [`same_origin`].
pub fn check(
    method: &str,
    headers: &OriginHeaders<'_>,
    slot: Option<&Slot>,
    policy: &CsrfPolicy,
) -> Result<(), CrossOrigin> {
    if slot.is_some_and(Slot::presents_token) {
        return Ok(());
    }
    same_origin(method, headers, policy)
}

/// The reason why a request was rejected.
///
/// `Display` says what the headers showed, for the log. The response to the client has no reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CrossOrigin {
    /// `Sec-Fetch-Site` is neither `same-origin` nor `none`.
    FetchSite,
    /// `Origin` is another host, or `null`.
    Origin,
    /// The request has neither header, and [`Unlabeled::Reject`] is set.
    Unlabeled,
    /// One of the headers occurs twice.
    Malformed,
}

impl CrossOrigin {
    /// Returns a short, stable word for logs and metrics.
    ///
    /// ```
    /// use carafe_core::csrf::CrossOrigin;
    ///
    /// assert_eq!(CrossOrigin::FetchSite.code(), "fetch-site");
    /// assert_eq!(
    ///     CrossOrigin::FetchSite.to_string(),
    ///     "Sec-Fetch-Site says that another site sent the request",
    /// );
    /// ```
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::FetchSite => "fetch-site",
            Self::Origin => "origin",
            Self::Unlabeled => "unlabeled",
            Self::Malformed => "malformed",
        }
    }

    /// Writes the headers of the response and logs one event. Returns the response's status.
    ///
    /// The status is 403, and the response gets `Cache-Control: no-store` unless the header is set.
    #[must_use]
    pub fn answer(self, head: &mut impl ResponseHead) -> u16 {
        tracing::warn!(reason = self.code(), "request refused: {self}");
        head.set_if_absent(Field::CacheControl, "no-store");
        403
    }
}

impl fmt::Display for CrossOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FetchSite => "Sec-Fetch-Site says that another site sent the request",
            Self::Origin => "Origin is not the host of the request",
            Self::Unlabeled => "the request has neither Sec-Fetch-Site nor Origin",
            Self::Malformed => "the request has Sec-Fetch-Site or Origin twice",
        })
    }
}

impl Error for CrossOrigin {}

/// A scheme, host and port, in lower case and without the scheme's default port.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    /// The host, with the port unless it is the scheme's default.
    host: String,
}

impl Origin {
    /// Parses the ASCII serialization of an origin. `null` is not an origin.
    fn parse(text: &[u8]) -> Option<Self> {
        let text = str::from_utf8(text).ok()?.to_ascii_lowercase();
        let (scheme, host) = text.split_once("://")?;
        let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        let is_host = |byte: u8| byte.is_ascii_graphic() && !b"/\\?#@,\"<>".contains(&byte);
        if scheme.is_empty() || host.is_empty() {
            return None;
        }
        if !scheme.bytes().all(is_scheme) || !host.bytes().all(is_host) {
            return None;
        }
        Some(Self {
            scheme: scheme.to_owned(),
            host: without_default_port(scheme, host).to_owned(),
        })
    }

    /// Returns whether this is the origin of a host.
    ///
    /// The scheme is not compared, because a server may not know it.
    fn is_of(&self, host: Header<'_>) -> bool {
        let Header::One(host) = host else {
            return false;
        };
        let host = host.to_ascii_lowercase();
        str::from_utf8(&host)
            .is_ok_and(|host| without_default_port(&self.scheme, host) == self.host)
    }
}

fn without_default_port<'h>(scheme: &str, host: &'h str) -> &'h str {
    let port = match scheme {
        "http" | "ws" => ":80",
        "https" | "wss" => ":443",
        _ => return host,
    };
    host.strip_suffix(port).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Head(Vec<(&'static str, String)>);

    impl RequestHead for Head {
        fn lines(&self, name: &str) -> impl Iterator<Item = &[u8]> {
            let ours = self.0.iter().filter(move |(known, _)| *known == name);
            ours.map(|(_, value)| value.as_bytes())
        }
    }

    fn head(lines: &[(&'static str, &str)]) -> Head {
        let lines = lines.iter();
        Head(
            lines
                .map(|(name, value)| (*name, (*value).to_owned()))
                .collect(),
        )
    }

    fn decided(method: &str, lines: &[(&'static str, &str)], policy: &CsrfPolicy) -> &'static str {
        let head = head(lines);
        let decided = same_origin(method, &OriginHeaders::of(&head, None), policy);
        decided.map_or_else(CrossOrigin::code, |()| "ok")
    }

    const SITE: &str = "sec-fetch-site";

    #[test]
    fn the_decision_table() {
        let plain = CsrfPolicy::new();
        let strict = CsrfPolicy::new().with_unlabeled(Unlabeled::Reject);
        let trusting = CsrfPolicy::new()
            .with_trusted_origin("https://Login.example:443")
            .unwrap();
        let host = ("host", "shop.example");
        for (lines, expected) in [
            // Fetch Metadata takes precedence.
            (&[host, (SITE, "same-origin")][..], ["ok", "ok", "ok"]),
            (&[host, (SITE, "none")], ["ok", "ok", "ok"]),
            (&[host, (SITE, "same-site")], ["fetch-site"; 3]),
            (&[host, (SITE, "cross-site")], ["fetch-site"; 3]),
            (&[host, (SITE, "SAME-ORIGIN")], ["fetch-site"; 3]),
            (&[host, (SITE, "")], ["fetch-site"; 3]),
            (
                &[host, (SITE, "same-origin"), (SITE, "cross-site")],
                ["malformed"; 3],
            ),
            (
                &[
                    host,
                    (SITE, "same-origin"),
                    ("origin", "https://evil.example"),
                ],
                ["ok"; 3],
            ),
            (
                &[
                    host,
                    (SITE, "cross-site"),
                    ("origin", "https://shop.example"),
                ],
                ["fetch-site"; 3],
            ),
            // Without Fetch Metadata, the origin is checked.
            (&[host, ("origin", "https://shop.example")], ["ok"; 3]),
            (&[host, ("origin", "HTTPS://SHOP.EXAMPLE:443")], ["ok"; 3]),
            (
                &[
                    ("host", "shop.example:443"),
                    ("origin", "https://shop.example"),
                ],
                ["ok"; 3],
            ),
            (
                &[
                    ("host", "shop.example:80"),
                    ("origin", "http://shop.example"),
                ],
                ["ok"; 3],
            ),
            (
                &[
                    ("host", "Shop.Example:8443"),
                    ("origin", "https://shop.example:8443"),
                ],
                ["ok"; 3],
            ),
            (
                &[("host", "[::1]:5000"), ("origin", "http://[::1]:5000")],
                ["ok"; 3],
            ),
            (
                &[host, ("origin", "https://shop.example:8443")],
                ["origin"; 3],
            ),
            (
                &[
                    ("host", "shop.example:443"),
                    ("origin", "http://shop.example"),
                ],
                ["origin"; 3],
            ),
            (&[host, ("origin", "https://evil.example")], ["origin"; 3]),
            (
                &[host, ("origin", "https://shop.example.evil.example")],
                ["origin"; 3],
            ),
            (
                &[
                    host,
                    ("origin", "https://evil.example/https://shop.example"),
                ],
                ["origin"; 3],
            ),
            (
                &[host, ("origin", "https://shop.example@evil.example")],
                ["origin"; 3],
            ),
            (
                &[host, ("origin", "https://evil.example\\shop.example")],
                ["origin"; 3],
            ),
            (&[host, ("origin", "shop.example")], ["origin"; 3]),
            (&[host, ("origin", "null")], ["origin"; 3]),
            (&[host, ("origin", "")], ["origin"; 3]),
            (
                &[
                    host,
                    ("origin", "https://shop.example"),
                    ("origin", "https://a.example"),
                ],
                ["malformed"; 3],
            ),
            (&[("origin", "https://shop.example")], ["origin"; 3]),
            (
                &[host, host, ("origin", "https://shop.example")],
                ["origin"; 3],
            ),
            // Trusted origins.
            (
                &[host, ("origin", "https://login.example")],
                ["origin", "origin", "ok"],
            ),
            (
                &[
                    host,
                    (SITE, "cross-site"),
                    ("origin", "https://LOGIN.example"),
                ],
                ["fetch-site", "fetch-site", "ok"],
            ),
            (&[host, ("origin", "http://login.example")], ["origin"; 3]),
            (
                &[host, ("origin", "https://login.example:444")],
                ["origin"; 3],
            ),
            // Neither header.
            (&[host], ["ok", "unlabeled", "ok"]),
            (&[], ["ok", "unlabeled", "ok"]),
        ] {
            for method in [
                "POST", "PUT", "PATCH", "DELETE", "CONNECT", "TRACE", "get", "NEW",
            ] {
                let found =
                    [&plain, &strict, &trusting].map(|policy| decided(method, lines, policy));
                assert_eq!(found, expected, "{method} {lines:?}");
            }
            for method in ["GET", "HEAD", "OPTIONS"] {
                assert_eq!(decided(method, lines, &strict), "ok", "{method} {lines:?}");
            }
            // The handshake of a WebSocket is a GET that must be checked.
            let mut upgrade = lines.to_vec();
            upgrade.push(("upgrade", "websocket"));
            assert_eq!(decided("GET", &upgrade, &plain), expected[0], "{lines:?}");
        }
    }

    #[test]
    fn the_authority_of_the_target_replaces_the_host() {
        let head = head(&[
            ("host", "other.example"),
            ("origin", "https://shop.example"),
        ]);
        let policy = CsrfPolicy::new();
        for (authority, is_accepted) in [
            (Some("shop.example"), true),
            (Some("shop.example:443"), true),
            (Some("other.example"), false),
            (None, false),
        ] {
            let headers = OriginHeaders::of(&head, authority);
            let accepted = same_origin("POST", &headers, &policy).is_ok();
            assert_eq!(accepted, is_accepted, "{authority:?}");
        }
    }

    #[test]
    fn a_trusted_origin_has_no_path() {
        for (text, is_origin) in [
            ("https://login.example", true),
            ("http://127.0.0.1:5000", true),
            ("app+x://host", true),
            ("https://login.example/", false),
            ("login.example", false),
            ("https://", false),
            ("://a", false),
            ("null", false),
            ("*", false),
            ("https://a b", false),
            ("https://a@b", false),
        ] {
            let policy = CsrfPolicy::new().with_trusted_origin(text);
            assert_eq!(policy.is_ok(), is_origin, "{text}");
        }
    }
}
