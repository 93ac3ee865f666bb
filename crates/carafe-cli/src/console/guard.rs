//! What surrounds every request: no names but ours, no forms from other sites, and headers that leave a page
//! nothing to do but what the console's own script and forms do.

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::{Console, Shared};
use crate::web::site::{is_local_name, is_named, is_of_this_site};

/// Own scripts from own files only, no frames, no foreign targets.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Headers of every response.
const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // Not `no-referrer`: browsers then send `Origin: null` with forms.
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

/// What the script sends when it looks again: nobody has done anything.
pub(super) const LIVE: HeaderName = HeaderName::from_static("x-carafe-live");

pub(super) async fn guard(State(console): State<Shared>, request: Request, next: Next) -> Response {
    let is_live = request.headers().contains_key(LIVE);
    let mut response = match refusal(&console, &request) {
        None => next.run(request).await,
        Some(refusal) => refusal.into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if is_live {
        // A page that looks again by itself is no use of the session: whoever has gone is logged out in time.
        headers.remove(header::SET_COOKIE);
    }
    response
}

fn refusal(console: &Console, request: &Request) -> Option<(StatusCode, &'static str)> {
    let headers = request.headers();
    if !is_local_name(headers) && !is_named(headers, &console.hosts) {
        let text = "The console does not know this name for itself; --allow-host adds one.\n";
        return Some((StatusCode::MISDIRECTED_REQUEST, text));
    }
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD);
    let text = "This form was sent by another site.\n";
    (!is_safe && !is_of_this_site(headers)).then_some((StatusCode::FORBIDDEN, text))
}
