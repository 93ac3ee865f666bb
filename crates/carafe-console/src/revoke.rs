//! Revocation of one session, of all sessions of a user and of all sessions. Each has a page that
//! asks for a confirmation, and a POST.

use axum::{
    Form,
    extract::{Extension, Path, Query},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use carafe_core::{
    clock::Timestamp,
    store::{PublicId, StoreError},
};
use maud::Markup;
use serde::Deserialize;

use crate::{
    audit,
    context::Context,
    end_all,
    revocation::{Target, WORDS},
    search,
    session::{SessionPath, not_there},
    view::{self, Section, sessions},
};

#[derive(Deserialize)]
pub(super) struct UserForm {
    name: String,
}

#[derive(Deserialize)]
pub(super) struct AllForm {
    typed: String,
}

/// `GET /sessions/{public_id}/revoke`.
pub(super) async fn ask_one(
    Extension(context): Extension<Context>,
    Path(path): Path<SessionPath>,
) -> Response {
    let Ok(public_id) = path.public_id.parse::<PublicId>() else {
        return not_there(&context);
    };
    let now = Timestamp::now();
    let body = match context.store.find(public_id, now).await {
        Ok(None) => return not_there(&context),
        Ok(Some(record)) => view::ask_one(&context, public_id, Some(&record.meta), now),
        // A session with an unreadable record can be revoked.
        Err(StoreError::Corrupt(_)) => view::ask_one(&context, public_id, None, now),
        Err(error) => return view::trouble(&context, Section::Sessions, &error),
    };
    asked(&context, "Revoke a session", &body)
}

/// `POST /sessions/{public_id}/revoke`.
pub(super) async fn one(
    Extension(context): Extension<Context>,
    Path(path): Path<SessionPath>,
) -> Response {
    let Ok(public_id) = path.public_id.parse::<PublicId>() else {
        return not_there(&context);
    };
    let done = context.store.delete_by_public_id(public_id).await;
    if let Ok(true) = done {
        audit::session_revoked(&context.operator, public_id);
    }
    let note = |was_there| match was_there {
        true => format!("Revoked session {public_id}"),
        false => format!("Session {public_id} had already expired or been revoked"),
    };
    told(&context, done.map(note), "/sessions").await
}

/// `GET /revoke-user?name=…`.
pub(super) async fn ask_user(
    Extension(context): Extension<Context>,
    Query(form): Query<UserForm>,
) -> Response {
    match search::of_user(&context.store, &form.name, Timestamp::now()).await {
        Err(error) => view::trouble(&context, Section::Sessions, &error),
        Ok((sessions, has_more)) => {
            let count = sessions.len();
            let body = view::ask_user(&context, &form.name, count, has_more);
            asked(&context, "Revoke all sessions of a user", &body)
        }
    }
}

/// `POST /revoke-user`.
pub(super) async fn user(
    Extension(context): Extension<Context>,
    Form(form): Form<UserForm>,
) -> Response {
    // Few sessions are revoked before the response, many in the background.
    match search::of_user(&context.store, &form.name, Timestamp::now()).await {
        Err(error) => return view::trouble(&context, Section::Sessions, &error),
        Ok((_, false)) => {}
        Ok((_, true)) => {
            let target = Target::User(form.name);
            return started(&context, target, "/sessions").await;
        }
    }
    let done = context.store.delete_by_user(&form.name).await;
    let target = Target::User(form.name.clone());
    match done {
        Ok(count) => audit::sessions_revoked(&context.operator, &target, count),
        Err(_) => audit::revocation_failed(&context.operator, &target, None),
    }
    let note = |count| format!("Revoked {} of {}", sessions(count), form.name);
    told(&context, done.map(note), "/sessions").await
}

/// `GET /end-all`.
pub(super) async fn ask_all(Extension(context): Extension<Context>) -> Response {
    match context.statistics.get_or_ask(&context.store).await {
        Err(error) => view::trouble(&context, Section::Overview, &error),
        Ok(statistics) => {
            let body = view::ask_all(&context, &statistics, None);
            asked(&context, "Revoke all sessions", &body)
        }
    }
}

/// `POST /end-all`: requires the confirmation text.
pub(super) async fn all(
    Extension(context): Extension<Context>,
    Form(form): Form<AllForm>,
) -> Response {
    if !form.typed.trim().eq_ignore_ascii_case(WORDS) {
        return match context.statistics.get_or_ask(&context.store).await {
            Err(error) => view::trouble(&context, Section::Overview, &error),
            Ok(statistics) => {
                let body = view::ask_all(&context, &statistics, Some(&form.typed));
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                let section = Section::None;
                view::page(&context, status, section, "Revoke all sessions", &body)
            }
        };
    }
    started(&context, Target::All, "/").await
}

/// Starts a revocation in steps. The page at `path` shows its progress.
async fn started(context: &Context, target: Target, path: &str) -> Response {
    if !end_all::start(context, target).await {
        context
            .note("Nothing was changed: another revocation is in progress. Try again when it is complete.");
    }
    Redirect::to(&context.href(path)).into_response()
}

fn asked(context: &Context, title: &str, body: &Markup) -> Response {
    view::page(context, StatusCode::OK, Section::None, title, body)
}

/// Redirects to `path`, where a message reports the outcome.
async fn told(context: &Context, done: Result<String, StoreError>, path: &str) -> Response {
    match done {
        Err(error) => view::trouble(context, Section::Sessions, &error),
        Ok(note) => {
            context.statistics.forget().await;
            context.note(&note);
            Redirect::to(&context.href(path)).into_response()
        }
    }
}
