//! Rejects requests without an operator. A single middleware for all pages of the console, so that
//! no page can omit the check.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Redirect, Response},
};
use carafe::{Session, Timestamp};

use super::{door::Shared, operator::OperatorSession};

/// Adds the operator to the request, or redirects to the entry page.
pub(super) async fn gate(
    State(door): State<Shared>,
    session: Session,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(operator) = OperatorSession::of(session, &door.entered, Timestamp::now()) else {
        return Redirect::to(&door.base.href(entry_for(&request))).into_response();
    };
    let extensions = request.extensions_mut();
    extensions.insert(operator.operator());
    extensions.insert(operator);
    next.run(request).await
}

/// Returns the entry page to redirect to. A browser that comes from the entry page without a cookie
/// has rejected the cookie.
fn entry_for(request: &Request) -> &'static str {
    match request.uri().query() {
        Some("entered") => "/enter?refused",
        _ => "/enter",
    }
}
