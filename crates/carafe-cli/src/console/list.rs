//! `GET /sessions`: all sessions page by page, or those that a search finds.

use axum::{
    extract::{Extension, Query, State},
    http::StatusCode,
    response::Response,
};
use carafe::Timestamp;
use carafe_core::store::{Handle, Position, StoreError, Summary};
use serde::Deserialize;

use super::{
    Shared,
    operator::Operator,
    view::{self, Section},
    watched::Watched,
};

/// Sessions on a page.
pub(super) const PAGE: usize = 50;
/// A user with more sessions than this shows the newest of them.
pub(super) const MOST_OF_A_USER: usize = 200;

#[derive(Deserialize)]
pub(super) struct ListQuery {
    #[serde(default)]
    q: String,
    after: Option<String>,
}

/// A page of the list.
pub(super) struct Listed {
    pub(super) sessions: Vec<Summary>,
    /// Whether it begins behind newer ones.
    pub(super) is_later: bool,
    /// Where the next page begins.
    pub(super) next: Option<Position>,
}

/// What a search has found.
pub(super) struct Found {
    pub(super) query: String,
    /// The session with this handle.
    pub(super) session: Option<Summary>,
    /// The sessions of the user with this name, at most [`MOST_OF_A_USER`].
    pub(super) of_user: Vec<Summary>,
    /// How many the user has.
    pub(super) count: usize,
}

pub(super) async fn page(
    State(console): State<Shared>,
    Extension(operator): Extension<Operator>,
    Query(query): Query<ListQuery>,
) -> Response {
    let (now, text) = (Timestamp::now(), query.q.trim());
    let after = query.after.as_deref().filter(|after| !after.is_empty());
    let place = after.map(Position::parse);
    if place == Some(None) {
        let text = "This address names no place in the list. Begin with the newest sessions.";
        return view::refusal(&console, &operator, StatusCode::BAD_REQUEST, text);
    }
    let body = match text {
        "" => listed(&console.store, place.flatten(), now)
            .await
            .map(|listed| view::list(&console, &listed, now)),
        _ => found(&console.store, text, now)
            .await
            .map(|found| view::found(&console, &found, now)),
    };
    let section = Section::Sessions;
    match body {
        Err(error) => view::trouble(&console, &operator, section, &error),
        Ok(body) => view::page(
            &console,
            &operator,
            StatusCode::OK,
            section,
            "Sessions",
            &body,
        ),
    }
}

async fn listed(
    store: &Watched,
    after: Option<Position>,
    now: Timestamp,
) -> Result<Listed, StoreError> {
    // One more than is shown says whether there is a next page.
    let mut sessions = store.newest(after, PAGE + 1, now).await?;
    let has_more = sessions.len() > PAGE;
    sessions.truncate(PAGE);
    let last = sessions.last().map(Summary::position);
    Ok(Listed {
        is_later: after.is_some(),
        next: last.filter(|_| has_more),
        sessions,
    })
}

/// What has the form of a handle may be a user's name as well: both are looked up.
async fn found(store: &Watched, text: &str, now: Timestamp) -> Result<Found, StoreError> {
    let session = match Handle::parse(text) {
        Some(handle) => store.of_handle(handle, now).await?,
        None => None,
    };
    let mut of_user = store.of_user(text, now).await?;
    let count = of_user.len();
    of_user.truncate(MOST_OF_A_USER);
    Ok(Found {
        query: text.to_owned(),
        session: session.map(|record| record.summary()),
        of_user,
        count,
    })
}
