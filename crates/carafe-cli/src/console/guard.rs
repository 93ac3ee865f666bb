//! The checks of every request: known host names only, and no forms of other sites. Also sets the
//! headers of every response, including the entry page.

use axum::{
    extract::{Request, State},
    http::{Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use carafe_console::{
    LIVE_HEADER,
    shared::{
        headers::protect,
        site::{is_local_name, is_named, is_of_this_site},
    },
};

use super::door::{Door, Shared};

pub(super) async fn guard(State(door): State<Shared>, request: Request, next: Next) -> Response {
    let is_live = request.headers().contains_key(LIVE_HEADER);
    let mut response = match refusal(&door, &request) {
        None => next.run(request).await,
        Some(refusal) => refusal.into_response(),
    };
    let headers = response.headers_mut();
    protect(headers);
    if is_live {
        // A page that updates itself must not extend the session of an absent operator.
        headers.remove(header::SET_COOKIE);
    }
    response
}

fn refusal(door: &Door, request: &Request) -> Option<(StatusCode, &'static str)> {
    let headers = request.headers();
    if !is_local_name(headers) && !is_named(headers, &door.hosts) {
        let text = "This host name is not allowed; --allow-host adds one.\n";
        return Some((StatusCode::MISDIRECTED_REQUEST, text));
    }
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD);
    let text = "This form was sent by another site.\n";
    (!is_safe && !is_of_this_site(headers)).then_some((StatusCode::FORBIDDEN, text))
}
