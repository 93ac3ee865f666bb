//! The pages to enter with the token and to leave.

use axum::{
    Form,
    extract::{Extension, RawQuery, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
};
use carafe::{Session, Timestamp};
use serde::Deserialize;

use super::{
    door::{Door, Shared},
    entry_page,
    operator::OperatorSession,
};

#[derive(Deserialize)]
pub(super) struct EntryForm {
    token: String,
}

/// `GET /enter`: the form.
pub(super) async fn page(State(door): State<Shared>, RawQuery(query): RawQuery) -> Response {
    let problem = (query.as_deref() == Some("refused")).then_some(
        "Your browser did not store the cookie, which requires HTTPS or an address of this machine. Safari \
         requires HTTPS even on this machine: use another browser, or a proxy with TLS.",
    );
    entry_page::entry(&door, StatusCode::OK, problem).into_response()
}

/// `POST /enter`: opens a session for a client that has the token.
pub(super) async fn enter(
    State(door): State<Shared>,
    session: Session,
    Form(form): Form<EntryForm>,
) -> Response {
    let now = Timestamp::now();
    // Before the rate limit, so that wrong tokens of other clients do not lock the operator out.
    if !door.token.is(form.token.trim()) {
        return refused(&door, now);
    }
    match OperatorSession::open(&session, &door.entered, now) {
        Ok(()) => Redirect::to(&door.base.href("/?entered")).into_response(),
        Err(error) => {
            let text = error.to_string();
            entry_page::entry(&door, StatusCode::INTERNAL_SERVER_ERROR, Some(&text)).into_response()
        }
    }
}

/// The response to a wrong token.
fn refused(door: &Door, now: Timestamp) -> Response {
    match door.tries.wrong(now) {
        None => {
            let text = "This is not the token of this console. The console prints a new token at each start.";
            entry_page::entry(door, StatusCode::FORBIDDEN, Some(text)).into_response()
        }
        Some(seconds) => {
            let text = format!(
                "This is not the token of this console, and there were too many wrong attempts. The correct \
                 token is accepted at any time. Other attempts are rejected for {seconds} seconds."
            );
            let page = entry_page::entry(door, StatusCode::TOO_MANY_REQUESTS, Some(&text));
            ([(header::RETRY_AFTER, seconds)], page).into_response()
        }
    }
}

/// `POST /leave`: logs the operator out.
pub(super) async fn leave(
    State(door): State<Shared>,
    Extension(operator): Extension<OperatorSession>,
) -> Redirect {
    operator.leave(&door.entered);
    Redirect::to(&door.base.href("/enter"))
}
