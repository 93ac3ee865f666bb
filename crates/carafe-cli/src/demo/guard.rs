//! What surrounds every request of the demo: no forms from other sites, no names but our own, and
//! headers that leave a page nothing to do but show itself.
//!
//! The demo signs what it is told with its key, which may be that of a real application. So a page on
//! the web must not reach it, neither by a form nor by a name that it lets point to this machine.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{Demo, Shared};

/// No script, no frame, no foreign form target; styles from here, icons in the page.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Headers of every response. The referrer stays for this origin, because browsers that are told to
/// send none send `Origin: null` with forms.
const HEADERS: [(header::HeaderName, &str); 4] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

pub(super) async fn guard(State(demo): State<Shared>, request: Request, next: Next) -> Response {
    let mut response = match refusal(&demo, request.method(), request.headers()) {
        None => next.run(request).await,
        Some(refusal) => refusal.into_response(),
    };
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

fn refusal(demo: &Demo, method: &Method, headers: &HeaderMap) -> Option<(StatusCode, String)> {
    if demo.is_local && !is_local_name(headers) {
        let text = format!("This demo answers to {} only.\n", demo.address);
        return Some((StatusCode::MISDIRECTED_REQUEST, text));
    }
    let is_safe = matches!(*method, Method::GET | Method::HEAD);
    let text = "This form was sent by another site.\n".to_owned();
    (!is_safe && !is_of_this_site(headers)).then_some((StatusCode::FORBIDDEN, text))
}

/// Whether the request was sent to an address or to `localhost`, which nobody can point elsewhere
/// (DNS rebinding).
fn is_local_name(headers: &HeaderMap) -> bool {
    let Some(host) = headers
        .get(header::HOST)
        .map(|host| host.to_str().unwrap_or_default())
    else {
        return true;
    };
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let is_address = host.parse::<IpAddr>().is_ok() || host.parse::<SocketAddr>().is_ok();
    is_address || name == "localhost" || name.ends_with(".localhost")
}

/// Whether the browser says that a page of this server sent the form (OWASP CSRF Prevention Cheat
/// Sheet, "Fetch Metadata headers"); older ones name the origin, and what names none is no browser.
fn is_of_this_site(headers: &HeaderMap) -> bool {
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
}
