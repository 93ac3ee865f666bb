//! "Your devices": logging in, the list of the user's sessions, and revoking them.
//!
//! There are no passwords: a visitor who types a name is that user. The
//! user and the own session come from the visitor's session and never from the form.

use axum::{
    Form,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use carafe_core::{
    clock::Timestamp,
    session::{Session, SessionError, SessionManager},
    store::{PublicId, Selection, SessionMeta, StoreError},
};
use serde::Deserialize;

use super::{
    Shared,
    mode::ModeId,
    page::{self, Problem},
    visit::Visit,
};
use carafe_console::shared::user_agent;

/// Characters of a user's name.
pub(super) const LONGEST_NAME: usize = 40;

/// The category of messages that are shown above the list.
pub(super) const NOTE: &str = "devices";

/// The sessions of the user who is logged in.
pub(super) struct Devices {
    pub(super) user: Option<String>,
    /// This one first, then the newest ids.
    pub(super) list: Vec<Device>,
    pub(super) note: Option<String>,
}

/// A session, as its user knows it.
pub(super) struct Device {
    pub(super) name: String,
    pub(super) created: Timestamp,
    pub(super) last_seen: Timestamp,
    pub(super) public_id: PublicId,
    pub(super) is_this: bool,
}

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
        return page::refused(&demo, &headers, problem).await;
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

/// `POST /devices/revoke-others`: revokes every session of this user but this one.
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

/// Does `work` with the visitor's server-side session, and sends the browser back to the list.
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
        Ok(ended) => page::back_to("/#devices", ended.headers),
        Err(trouble) => page::unavailable(&trouble),
    }
}

type Trouble = Box<dyn std::error::Error + Send + Sync>;

fn note(session: &Session, text: &str) -> Result<(), Trouble> {
    match session.flash(NOTE, text) {
        // The visitor uses the key of messages for another value.
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

impl Devices {
    /// Returns the list for a user with the session `own`, if a user is logged in.
    pub(super) async fn of(
        manager: &SessionManager,
        user: Option<String>,
        own: Option<PublicId>,
        note: Option<String>,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let records = match &user {
            Some(user) => manager.sessions_of(user, None, now).await?,
            None => Vec::new(),
        };
        let device = |session: SessionMeta| Device::new(session, own);
        let mut list: Vec<_> = records.into_iter().map(device).collect();
        list.sort_by_key(|device| !device.is_this);
        Ok(Self { user, list, note })
    }
}

impl Device {
    fn new(record: SessionMeta, own: Option<PublicId>) -> Self {
        Self {
            name: record
                .device
                .unwrap_or_else(|| "An unknown device".to_owned()),
            created: record.meta.created,
            last_seen: record.meta.last_seen,
            public_id: record.meta.public_id,
            is_this: own == Some(record.meta.public_id),
        }
    }
}
