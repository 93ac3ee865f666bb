//! Coming in with the token, and leaving.

use axum::{
    Form,
    extract::{Extension, RawQuery, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
};
use carafe::{Session, Timestamp};
use serde::Deserialize;

use super::{Shared, operator::Operator, view};

#[derive(Deserialize)]
pub(super) struct EntryForm {
    token: String,
}

/// `GET /enter`: the form.
pub(super) async fn page(State(console): State<Shared>, RawQuery(query): RawQuery) -> Response {
    let problem = (query.as_deref() == Some("refused")).then_some(
        "Your browser has not kept the cookie. It asks for a secure connection or an address of this machine; \
         Safari keeps no such cookie over plain HTTP even here: use another browser, or a proxy with TLS.",
    );
    view::entry(&console, StatusCode::OK, problem).into_response()
}

/// `POST /enter`: lets in whoever has the token.
pub(super) async fn enter(
    State(console): State<Shared>,
    session: Session,
    Form(form): Form<EntryForm>,
) -> Response {
    let now = Timestamp::now();
    if let Some(seconds) = console.tries.shut_for(now) {
        let text = format!("Too many wrong tokens. Try again in {seconds} seconds.");
        let page = view::entry(&console, StatusCode::TOO_MANY_REQUESTS, Some(&text));
        return ([(header::RETRY_AFTER, seconds)], page).into_response();
    }
    if !console.token.is(form.token.trim()) {
        console.tries.wrong(now);
        let text = "This is not the token of this console. It prints a new one at each start.";
        return view::entry(&console, StatusCode::FORBIDDEN, Some(text)).into_response();
    }
    match Operator::let_in(&session, now) {
        Ok(()) => Redirect::to(&console.base.href("/?entered")).into_response(),
        Err(error) => {
            let text = error.to_string();
            view::entry(&console, StatusCode::INTERNAL_SERVER_ERROR, Some(&text)).into_response()
        }
    }
}

/// `POST /leave`: takes the session away.
pub(super) async fn leave(
    State(console): State<Shared>,
    Extension(operator): Extension<Operator>,
) -> Redirect {
    operator.leave();
    Redirect::to(&console.base.href("/enter"))
}
