//! Checks the origin of requests to a server on this machine.
//!
//! A page on the web must not reach such a server, neither by a form nor by a name that resolves to
//! this machine. The checks never read a session.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderValue, header};

/// Returns whether the request was sent to an address or to `localhost`, which cannot resolve to
/// another host (DNS rebinding).
pub fn is_local_name(headers: &HeaderMap) -> bool {
    let Some(host) = host(headers) else {
        return true;
    };
    let name = name_of(host);
    let is_address = host.parse::<IpAddr>().is_ok() || host.parse::<SocketAddr>().is_ok();
    is_address || name == "localhost" || name.ends_with(".localhost")
}

/// Returns whether a page of this server sent the form, according to `Sec-Fetch-Site` (OWASP CSRF
/// Prevention Cheat Sheet, "Fetch Metadata headers") or to `Origin` in older browsers. Clients that
/// send neither are not browsers.
pub fn is_of_this_site(headers: &HeaderMap) -> bool {
    let text = |name| {
        headers
            .get(name)
            .map(|value: &HeaderValue| value.to_str().unwrap_or("null"))
    };
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, None) => true,
        (None, Some(origin)) => origin
            .split_once("://")
            .is_some_and(|(_, host)| Some(host) == text("host")),
    }
}

/// Returns whether the request was sent to one of `names`, which the operator has configured. Ports
/// are ignored.
pub fn is_named(headers: &HeaderMap, names: &[String]) -> bool {
    host(headers).is_some_and(|host| {
        let name = name_of(host);
        names.iter().any(|known| known.eq_ignore_ascii_case(name))
    })
}

/// Returns the `Host` header, or an empty text if it is not ASCII.
fn host(headers: &HeaderMap) -> Option<&str> {
    let host = headers.get(header::HOST)?;
    Some(host.to_str().unwrap_or_default())
}

/// Returns a host without its port.
fn name_of(host: &str) -> &str {
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_other_sites_are_known_by_their_headers() {
        for (headers, ours) in [
            (&[("sec-fetch-site", "same-origin")][..], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (
                &[
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "http://a:1"),
                    ("host", "a:1"),
                ],
                false,
            ),
            (&[("origin", "http://a:1"), ("host", "a:1")], true),
            (&[("origin", "http://b:1"), ("host", "a:1")], false),
            (&[("origin", "http://a:2"), ("host", "a:1")], false),
            (&[("origin", "null"), ("host", "a:1")], false),
            (&[("origin", "null")], false),
            (&[("host", "a:1")], true),
        ] {
            let map = headers.iter().map(|&(name, value)| {
                (
                    header::HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            });
            assert_eq!(is_of_this_site(&map.collect()), ours, "{headers:?}");
        }
    }

    #[test]
    fn names_that_somebody_may_own_are_not_ours() {
        for (host, ours) in [
            ("127.0.0.1:5000", true),
            ("127.0.0.1", true),
            ("[::1]:5000", true),
            ("localhost:5000", true),
            ("localhost", true),
            ("demo.localhost:5000", true),
            ("evil.example:5000", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example:5000", false),
            ("", false),
        ] {
            let map = [(header::HOST, HeaderValue::from_static(host))];
            assert_eq!(is_local_name(&map.into_iter().collect()), ours, "{host}");
        }
        assert!(is_local_name(&HeaderMap::new()));
    }

    #[test]
    fn listed_names_are_ours_with_any_port() {
        let names = ["ops.example".to_owned()];
        for (host, ours) in [
            ("ops.example", true),
            ("OPS.example:443", true),
            ("ops.example.evil", false),
            ("evil.ops.example", false),
            ("", false),
        ] {
            let map = [(header::HOST, HeaderValue::from_static(host))];
            assert_eq!(is_named(&map.into_iter().collect(), &names), ours, "{host}");
        }
        assert!(!is_named(&HeaderMap::new(), &names));
    }
}
