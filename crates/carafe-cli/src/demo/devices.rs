//! "Your devices": logging in as somebody, the list of that user's sessions, and ending them.
//!
//! There are no passwords: whoever types a name is that user, because this is about what comes after the proof. Who is
//! logged in, and which session is this one, is asked of the visitor's session and never of the form.

use axum::{
    Form,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use carafe_core::{
    clock::Timestamp,
    session::{Session, SessionError, SessionManager},
    store::{Handle, StoreError, Summary, Which},
};
use serde::Deserialize;

use super::{
    Shared,
    page::{self, Problem},
    user_agent,
    visit::Visit,
    way::WayId,
};

/// Characters of a user's name.
pub(super) const LONGEST_NAME: usize = 40;

/// The category of messages that are shown above the list.
pub(super) const NOTE: &str = "devices";

/// The sessions of whoever is logged in.
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
    pub(super) handle: Handle,
    pub(super) is_this: bool,
}

#[derive(Deserialize)]
pub(super) struct LogInForm {
    name: String,
}

#[derive(Deserialize)]
pub(super) struct RevokeForm {
    handle: String,
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

/// `POST /devices/log-out`: ends this session.
pub(super) async fn log_out(State(demo): State<Shared>, headers: HeaderMap) -> Response {
    change(&demo, &headers, async |session, _| Ok(session.log_out()?)).await
}

/// `POST /devices/revoke`: ends one session of this user.
pub(super) async fn revoke(
    State(demo): State<Shared>,
    headers: HeaderMap,
    Form(form): Form<RevokeForm>,
) -> Response {
    change(&demo, &headers, async |session, manager| {
        let (Some(user), Some(handle)) = (session.user(), Handle::parse(&form.handle)) else {
            return Ok(());
        };
        if session.handle() == Some(handle) {
            return Ok(session.log_out()?);
        }
        let ended = manager.end_sessions_of(&user, Which::Only(handle)).await?;
        note(session, &ended_text(ended))
    })
    .await
}

/// `POST /devices/revoke-others`: ends every session of this user but this one.
pub(super) async fn revoke_others(State(demo): State<Shared>, headers: HeaderMap) -> Response {
    change(&demo, &headers, async |session, manager| {
        let (Some(user), Some(own)) = (session.user(), session.handle()) else {
            return Ok(());
        };
        let ended = manager.end_sessions_of(&user, Which::AllBut(own)).await?;
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
        let ways = demo.ways();
        let visit = Visit::begin(&ways, headers).await?;
        let manager = &ways.way(WayId::Stored).manager;
        work(visit.session(WayId::Stored), manager).await?;
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
        // A person keeps something else where messages stand.
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
    /// The list for the user whose session has the handle `own`, if somebody is logged in.
    pub(super) async fn of(
        manager: &SessionManager,
        user: Option<String>,
        own: Option<Handle>,
        note: Option<String>,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let records = match &user {
            Some(user) => manager.sessions_of(user, now).await?,
            None => Vec::new(),
        };
        let device = |session: Summary| Device::new(session, own);
        let mut list: Vec<_> = records.into_iter().map(device).collect();
        list.sort_by_key(|device| !device.is_this);
        Ok(Self { user, list, note })
    }
}

impl Device {
    fn new(record: Summary, own: Option<Handle>) -> Self {
        Self {
            name: record
                .device
                .unwrap_or_else(|| "An unknown device".to_owned()),
            created: record.created,
            last_seen: record.last_seen,
            handle: record.handle,
            is_this: own == Some(record.handle),
        }
    }
}
