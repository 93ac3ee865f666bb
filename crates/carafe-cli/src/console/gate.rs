//! Lets in operators only. One place for all pages of the console, so that no page can leave it
//! out.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Redirect, Response},
};
use carafe::{Session, Timestamp};

use super::{door::Shared, operator::OperatorSession};

/// Names the operator for the pages, or redirects to the entry page.
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

/// A browser that comes from the entry page without a cookie has refused the cookie.
fn entry_for(request: &Request) -> &'static str {
    match request.uri().query() {
        Some("entered") => "/enter?refused",
        _ => "/enter",
    }
}
