//! Lets through who has come in, and forms that carry their session's CSRF token. One place for all pages, so that
//! none of them can forget it.

use axum::{
    body::{Body, to_bytes},
    extract::{Extension, Request, State},
    http::{Method, StatusCode},
    middleware::Next,
    response::{IntoResponse as _, Redirect, Response},
};
use carafe::{Session, Timestamp};
use url::form_urlencoded;

use super::{Shared, operator::Operator, view};

/// No form of ours is longer.
const LONGEST_FORM: usize = 16 * 1024;

pub(super) async fn gate(
    State(console): State<Shared>,
    session: Session,
    request: Request,
    next: Next,
) -> Response {
    let Some(operator) = Operator::of(session, Timestamp::now()) else {
        return Redirect::to(&console.base.href(entry_for(&request))).into_response();
    };
    let operator = operator.asking(request.headers());
    let mut request = match *request.method() {
        Method::GET | Method::HEAD => request,
        _ => match with_token(&operator, request).await {
            Ok(request) => request,
            Err(refusal) => return view::refusal(&console, &operator, refusal.0, refusal.1),
        },
    };
    request.extensions_mut().insert(operator);
    next.run(request).await
}

/// Refuses what changes something while the console is read-only.
pub(super) async fn writable(
    State(console): State<Shared>,
    Extension(operator): Extension<Operator>,
    request: Request,
    next: Next,
) -> Response {
    if console.read_only {
        let text = "This console is read-only: it was started with --read-only.";
        return view::refusal(&console, &operator, StatusCode::FORBIDDEN, text);
    }
    next.run(request).await
}

/// An address that is none.
pub(super) async fn nothing_here(
    State(console): State<Shared>,
    Extension(operator): Extension<Operator>,
) -> Response {
    let text = "There is no such page.";
    view::refusal(&console, &operator, StatusCode::NOT_FOUND, text)
}

/// A browser that comes back from the door without a cookie has refused it.
fn entry_for(request: &Request) -> &'static str {
    match request.uri().query() {
        Some("entered") => "/enter?refused",
        _ => "/enter",
    }
}

/// The request, once its form has been seen to carry the token.
async fn with_token(
    operator: &Operator,
    request: Request,
) -> Result<Request, (StatusCode, &'static str)> {
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, LONGEST_FORM).await else {
        return Err((StatusCode::PAYLOAD_TOO_LARGE, "This form is too long."));
    };
    let sent = form_urlencoded::parse(&bytes).find(|(name, _)| name == "csrf");
    if !sent.is_some_and(|(_, token)| operator.has_sent(&token)) {
        let text = "This form is not from a page of this session, or from one before you last came in. \
                    Go back, load the page again and repeat it. Nothing was done.";
        return Err((StatusCode::FORBIDDEN, text));
    }
    Ok(Request::from_parts(parts, Body::from(bytes)))
}
