//! `GET /sessions/{public_id}`: one session with its contents.

use axum::{
    extract::{Extension, Path},
    http::StatusCode,
    response::Response,
};
use carafe_core::{
    clock::Timestamp,
    store::{PublicId, StoreError},
};
use serde::Deserialize;

use crate::{
    context::Context,
    view::{self, Section},
};

/// The parameter of a session's path. A named field, because the application may mount the console
/// under a path with parameters of its own.
#[derive(Deserialize)]
pub(super) struct SessionPath {
    pub(super) public_id: String,
}

pub(super) async fn page(
    Extension(context): Extension<Context>,
    Path(path): Path<SessionPath>,
) -> Response {
    let Ok(public_id) = path.public_id.parse::<PublicId>() else {
        return not_there(&context);
    };
    let now = Timestamp::now();
    let (status, body) = match context.store.find(public_id, now).await {
        Ok(None) => return not_there(&context),
        Ok(Some(record)) => (StatusCode::OK, view::session(&context, &record, now)),
        Err(error @ StoreError::Corrupt(_)) => {
            let why = context.store.error_text(&error);
            let body = view::damaged(&context, public_id, &why);
            (StatusCode::INTERNAL_SERVER_ERROR, body)
        }
        Err(error) => return view::trouble(&context, Section::Sessions, &error),
    };
    view::page(&context, status, Section::Sessions, "Session", &body)
}

/// Returns a 404 for a session that was revoked, has expired or never existed.
pub(super) fn not_there(context: &Context) -> Response {
    let text = "No live session has this public ID. The session has expired, was revoked, or never existed.";
    view::refusal(context, StatusCode::NOT_FOUND, text)
}
