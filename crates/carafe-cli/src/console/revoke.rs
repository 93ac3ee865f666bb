//! Ending sessions: one, all of a user, all. Each has a page that asks and a POST that does it.

use axum::{
    Form,
    extract::{Extension, Path, Query, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use carafe::Timestamp;
use carafe_core::store::{Handle, StoreError};
use maud::Markup;
use serde::Deserialize;

use super::{
    Shared, end_all,
    end_all::Progress,
    operator::Operator,
    session::not_there,
    view::{self, Section},
};
use crate::human::thousands;

/// What has to be typed before all sessions are ended.
pub(super) const WORDS: &str = "end all sessions";

#[derive(Deserialize)]
pub(super) struct UserForm {
    name: String,
}

#[derive(Deserialize)]
pub(super) struct AllForm {
    typed: String,
}

/// `GET /sessions/{handle}/revoke`.
pub(super) async fn ask_one(
    State(console): State<Shared>,
    Extension(operator): Extension<Operator>,
    Path(text): Path<String>,
) -> Response {
    let Some(handle) = Handle::parse(&text) else {
        return not_there(&console, &operator);
    };
    let now = Timestamp::now();
    let body = match console.store.of_handle(handle, now).await {
        Ok(None) => return not_there(&console, &operator),
        Ok(Some(record)) => {
            view::ask_one(&console, &operator, handle, Some(&record.summary()), now)
        }
        // What cannot be read can be ended.
        Err(StoreError::Corrupt(_)) => view::ask_one(&console, &operator, handle, None, now),
        Err(error) => return view::trouble(&console, &operator, Section::Sessions, &error),
    };
    asked(&console, &operator, "Revoke a session", &body)
}

/// `POST /sessions/{handle}/revoke`.
pub(super) async fn one(
    State(console): State<Shared>,
    Extension(operator): Extension<Operator>,
    Path(text): Path<String>,
) -> Response {
    let Some(handle) = Handle::parse(&text) else {
        return not_there(&console, &operator);
    };
    let done = console.store.delete_of_handle(handle).await;
    let note = |was_there| match was_there {
        true => format!("Revoked session {handle}"),
        false => format!("Session {handle} had ended already"),
    };
    told(&console, &operator, done.map(note), "/sessions").await
}

/// `GET /revoke-user?name=…`.
pub(super) async fn ask_user(
    State(console): State<Shared>,
    Extension(operator): Extension<Operator>,
    Query(form): Query<UserForm>,
) -> Response {
    match console.store.of_user(&form.name, Timestamp::now()).await {
        Err(error) => view::trouble(&console, &operator, Section::Sessions, &error),
        Ok(sessions) => {
            let body = view::ask_user(&console, &operator, &form.name, sessions.len());
            asked(&console, &operator, "Revoke all sessions of a user", &body)
        }
    }
}

/// `POST /revoke-user`.
pub(super) async fn user(
    State(console): State<Shared>,
    Extension(operator): Extension<Operator>,
    Form(form): Form<UserForm>,
) -> Response {
    let done = console.store.delete_of_user(&form.name).await;
    let note = |count| format!("Revoked {} of {}", sessions(count), form.name);
    told(&console, &operator, done.map(note), "/sessions").await
}

/// `GET /end-all`.
pub(super) async fn ask_all(
    State(console): State<Shared>,
    Extension(operator): Extension<Operator>,
) -> Response {
    match console.statistics.get_or_ask(&console.store).await {
        Err(error) => view::trouble(&console, &operator, Section::Overview, &error),
        Ok(statistics) => {
            let body = view::ask_all(&console, &operator, &statistics, None);
            asked(&console, &operator, "End all sessions", &body)
        }
    }
}

/// `POST /end-all`: if the words were typed.
pub(super) async fn all(
    State(console): State<Shared>,
    Extension(operator): Extension<Operator>,
    Form(form): Form<AllForm>,
) -> Response {
    if !form.typed.trim().eq_ignore_ascii_case(WORDS) {
        return match console.statistics.get_or_ask(&console.store).await {
            Err(error) => view::trouble(&console, &operator, Section::Overview, &error),
            Ok(statistics) => {
                let body = view::ask_all(&console, &operator, &statistics, Some(&form.typed));
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                let section = Section::None;
                view::page(
                    &console,
                    &operator,
                    status,
                    section,
                    "End all sessions",
                    &body,
                )
            }
        };
    }
    if !end_all::start(&console).await {
        operator.note("All sessions are being ended already");
    }
    Redirect::to(&console.base.href("/")).into_response()
}

fn asked(console: &Shared, operator: &Operator, title: &str, body: &Markup) -> Response {
    view::page(
        console,
        operator,
        StatusCode::OK,
        Section::None,
        title,
        body,
    )
}

/// The outcome as a message on the page at `path`.
async fn told(
    console: &Shared,
    operator: &Operator,
    done: Result<String, StoreError>,
    path: &str,
) -> Response {
    match done {
        Err(error) => view::trouble(console, operator, Section::Sessions, &error),
        Ok(note) => {
            console.statistics.forget().await;
            operator.note(&note);
            Redirect::to(&console.base.href(path)).into_response()
        }
    }
}

/// `1 session`, `2,000 sessions`.
pub(super) fn sessions(count: u64) -> String {
    let number = thousands(usize::try_from(count).unwrap_or(usize::MAX));
    let word = if count == 1 { "session" } else { "sessions" };
    format!("{number} {word}")
}

/// What the pages say about the end of all sessions.
pub(super) fn progress_text(progress: &Progress) -> Option<String> {
    match progress {
        Progress::Nothing => None,
        Progress::Running { ended } => Some(format!(
            "All sessions are being ended: {} so far",
            sessions(*ended)
        )),
        Progress::Done { ended, .. } => Some(format!("Ended all sessions: {}", sessions(*ended))),
        Progress::Failed { ended, why, .. } => Some(format!(
            "Ended {}, then the store failed, so some may be left; end all again for the rest. {why}",
            sessions(*ended)
        )),
    }
}
