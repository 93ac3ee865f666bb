//! The checks of every request of the demo: no forms from other sites, no names but our own, and
//! headers that leave a page nothing to do but show itself.
//!
//! The demo signs what it is told with its key, which may be that of a real application. So a page
//! on the web must not reach it, neither by a form nor by a name that it lets point to this
//! machine.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::state::{Demo, Shared};
use carafe_console::shared::site::{is_local_name, is_of_this_site};

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
