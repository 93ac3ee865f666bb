//! The checks of every request: forms of other sites and foreign host names are rejected, and
//! response headers restrict what a page may load.
//!
//! The demo signs arbitrary values with its key, which may be the key of a real application. So a
//! page on the web must not reach it, neither by a form nor by DNS rebinding.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::state::{Demo, Shared};
use carafe_console::shared::site::{is_local_name, is_of_this_site};

/// No scripts, no frames, no foreign form targets. Styles come from this origin, icons are data
/// URLs.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Headers of every response. `same-origin`, because browsers send `Origin: null` with forms under
/// `no-referrer`.
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
