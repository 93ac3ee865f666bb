//! `GET /sessions/{handle}`: one session with what is in it.

use axum::{
    extract::{Extension, Path, State},
    http::StatusCode,
    response::Response,
};
use carafe::Timestamp;
use carafe_core::store::{Handle, StoreError};

use super::{
    Shared,
    operator::Operator,
    view::{self, Section},
};

pub(super) async fn page(
    State(console): State<Shared>,
    Extension(operator): Extension<Operator>,
    Path(text): Path<String>,
) -> Response {
    let Some(handle) = Handle::parse(&text) else {
        return not_there(&console, &operator);
    };
    let now = Timestamp::now();
    let (status, body) = match console.store.of_handle(handle, now).await {
        Ok(None) => return not_there(&console, &operator),
        Ok(Some(record)) => (StatusCode::OK, view::session(&console, &record, now)),
        Err(error @ StoreError::Corrupt(_)) => {
            let why = console.store.says(&error);
            let body = view::damaged(&console, handle, &why);
            (StatusCode::INTERNAL_SERVER_ERROR, body)
        }
        Err(error) => return view::trouble(&console, &operator, Section::Sessions, &error),
    };
    view::page(
        &console,
        &operator,
        status,
        Section::Sessions,
        "Session",
        &body,
    )
}

/// It has ended, or the address is wrong: nobody can tell which.
pub(super) fn not_there(console: &Shared, operator: &Operator) -> Response {
    let text = "This session is not there. It has ended, or it never was.";
    view::refusal(console, operator, StatusCode::NOT_FOUND, text)
}
