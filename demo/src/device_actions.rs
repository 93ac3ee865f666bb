//! The actions of "Your devices": logging in and out, and revoking sessions.
//!
//! There are no passwords: a visitor who types a name is logged in as that user. The user and the
//! current session come from the visitor's session, never from the form.

use axum::{
    Form,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use carafe_console::shared::user_agent;
use carafe_core::{
    session::{Session, SessionError, SessionManager},
    store::{PublicId, Selection},
};
use serde::Deserialize;

use super::{
    devices::{LONGEST_NAME, NOTE},
    mode_id::ModeId,
    page::Problem,
    response,
    state::Shared,
    visit::Visit,
};

#[derive(Deserialize)]
pub(super) struct LogInForm {
    name: String,
}

#[derive(Deserialize)]
pub(super) struct RevokeForm {
    public_id: String,
}

/// `POST /devices/log-in`.
pub(super) async fn log_in(
    State(demo): State<Shared>,
    headers: HeaderMap,
    Form(form): Form<LogInForm>,
) -> Response {
    let name = form.name.trim();
    if let Some(why) = refusal_of(name) {
        let problem = Problem::LogIn {
            why,
            typed: form.name,
        };
        return response::refused(&demo, &headers, problem).await;
    }
    let device = user_agent::device(&headers);
    change(&demo, &headers, async |session, _| {
        session.log_in(name)?;
        session.set_device(&device)?;
        note(session, &format!("Logged in as {name}"))
    })
    .await
}

/// `POST /devices/log-out`: revokes this session.
pub(super) async fn log_out(State(demo): State<Shared>, headers: HeaderMap) -> Response {
    change(&demo, &headers, async |session, _| Ok(session.log_out()?)).await
}

/// `POST /devices/revoke`: revokes one session of this user.
pub(super) async fn revoke(
    State(demo): State<Shared>,
    headers: HeaderMap,
    Form(form): Form<RevokeForm>,
) -> Response {
    change(&demo, &headers, async |session, manager| {
        let (Some(user), Ok(public_id)) = (session.user(), form.public_id.parse::<PublicId>())
        else {
            return Ok(());
        };
        if session.public_id() == Some(public_id) {
            return Ok(session.log_out()?);
        }
        let ended = manager
            .end_sessions_of(&user, Selection::Only(public_id))
            .await?;
        note(session, &ended_text(ended))
    })
    .await
}

/// `POST /devices/revoke-others`: revokes every other session of this user.
pub(super) async fn revoke_others(State(demo): State<Shared>, headers: HeaderMap) -> Response {
    change(&demo, &headers, async |session, manager| {
        let (Some(user), Some(own)) = (session.user(), session.public_id()) else {
            return Ok(());
        };
        let ended = manager
            .end_sessions_of(&user, Selection::AllBut(own))
            .await?;
        note(session, &ended_text(ended))
    })
    .await
}

/// Calls `work` with the visitor's server-side session and redirects to the list.
async fn change(
    demo: &Shared,
    headers: &HeaderMap,
    work: impl AsyncFnOnce(&Session, &SessionManager) -> Result<(), Trouble>,
) -> Response {
    let done = async {
        let modes = demo.modes();
        let visit = Visit::begin(&modes, headers).await?;
        let manager = &modes.mode(ModeId::Stored).manager;
        work(visit.session(ModeId::Stored), manager).await?;
        Ok::<_, Trouble>(visit.end(StatusCode::SEE_OTHER).await?)
    };
    match done.await {
        Ok(ended) => response::back_to("/#devices", ended.headers),
        Err(trouble) => response::unavailable(&trouble),
    }
}

type Trouble = Box<dyn std::error::Error + Send + Sync>;

fn note(session: &Session, text: &str) -> Result<(), Trouble> {
    match session.flash(NOTE, text) {
        // The visitor uses the key of the flash messages for another value.
        Err(SessionError::Decode { .. }) => Ok(()),
        done => Ok(done?),
    }
}

fn refusal_of(name: &str) -> Option<String> {
    match name.chars().count() {
        0 => Some("Type a name.".to_owned()),
        1..=LONGEST_NAME => None,
        count => Some(format!(
            "A name has at most {LONGEST_NAME} characters here; this one has {count}."
        )),
    }
}

fn ended_text(sessions: u64) -> String {
    match sessions {
        0 => "There was no other session to end".to_owned(),
        1 => "Ended 1 session".to_owned(),
        more => format!("Ended {more} sessions"),
    }
}
