//! `GET /sessions`: all sessions page by page, or the results of a search.

use axum::{
    extract::{Extension, Query},
    http::StatusCode,
    response::Response,
};
use carafe_core::{clock::Timestamp, store::Position};
use serde::Deserialize;

use crate::{
    context::Context,
    search::{found, listed},
    view::{self, Section},
};

#[derive(Deserialize)]
pub(super) struct ListQuery {
    #[serde(default)]
    q: String,
    after: Option<String>,
}

pub(super) async fn page(
    Extension(context): Extension<Context>,
    Query(query): Query<ListQuery>,
) -> Response {
    let (now, text) = (Timestamp::now(), query.q.trim());
    let after = query.after.as_deref().filter(|after| !after.is_empty());
    let Ok(position) = after.map(str::parse::<Position>).transpose() else {
        let text = "This address is not a position in the list. Start with the newest sessions.";
        return view::refusal(&context, StatusCode::BAD_REQUEST, text);
    };
    let body = match text {
        "" => listed(&context.store, position, now)
            .await
            .map(|listed| view::list(&context, &listed, now)),
        _ => found(&context.store, text, now)
            .await
            .map(|found| view::found(&context, &found, now)),
    };
    let section = Section::Sessions;
    match body {
        Err(error) => view::trouble(&context, section, &error),
        Ok(body) => view::page(&context, StatusCode::OK, section, "Sessions", &body),
    }
}
