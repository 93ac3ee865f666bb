//! [`admit`]: the checks before each page, in one place so that no page can leave one out.

use std::sync::Arc;

use axum::{
    body::{Body, to_bytes},
    extract::{Extension, Request, State},
    http::{Method, StatusCode},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use url::form_urlencoded;

use crate::{
    context::Context,
    csrf,
    operator::Operator,
    sampling,
    shared::{headers::protect, site::is_of_this_site},
    state::Console,
    view,
};

/// Maximum size of a form, in bytes. No form of the console is larger.
const LONGEST_FORM: usize = 16 * 1024;

/// Rejects cross-site requests, requests without an operator, and forms without their token.
pub(crate) async fn admit(
    State(console): State<Arc<Console>>,
    request: Request,
    next: Next,
) -> Response {
    sampling::start(&console);
    let mut response = match admitted(console, request).await {
        Ok(request) => next.run(request).await,
        Err(refusal) => refusal,
    };
    protect(response.headers_mut());
    response
}

async fn admitted(console: Arc<Console>, mut request: Request) -> Result<Request, Response> {
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD);
    if !is_safe && !is_of_this_site(request.headers()) {
        let text = "This form was sent by another site.\n";
        return Err((StatusCode::FORBIDDEN, text).into_response());
    }
    let Some(operator) = request.extensions().get::<Operator>().cloned() else {
        let text = "Only operators may use this console.\n";
        return Err((StatusCode::FORBIDDEN, text).into_response());
    };
    let context = Context::new(console, operator, &request);
    if !is_safe {
        request = match with_token(&context, request).await {
            Ok(request) => request,
            Err((status, text)) => return Err(view::refusal(&context, status, text)),
        };
    }
    request.extensions_mut().insert(context);
    Ok(request)
}

/// Returns the request if its form carries the token.
async fn with_token(
    context: &Context,
    request: Request,
) -> Result<Request, (StatusCode, &'static str)> {
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, LONGEST_FORM).await else {
        return Err((StatusCode::PAYLOAD_TOO_LARGE, "This form is too long."));
    };
    let sent = form_urlencoded::parse(&bytes).find(|(name, _)| name == csrf::FIELD);
    if !sent.is_some_and(|(_, token)| context.tokens.accepts(&context.operator, &token)) {
        let text = "This form does not belong to your current session. Go back, reload the page and try \
                    again. Nothing was changed.";
        return Err((StatusCode::FORBIDDEN, text));
    }
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

/// Rejects the pages that change something while the console is read-only.
pub(crate) async fn writable(
    Extension(context): Extension<Context>,
    request: Request,
    next: Next,
) -> Response {
    if context.settings.is_read_only() {
        let text = "This console is read-only.";
        return view::refusal(&context, StatusCode::FORBIDDEN, text);
    }
    next.run(request).await
}

/// The response to an unknown path.
pub(crate) async fn not_found(Extension(context): Extension<Context>) -> Response {
    view::refusal(&context, StatusCode::NOT_FOUND, "This page does not exist.")
}
