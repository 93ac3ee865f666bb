//! The actions of the panels' forms, of the race and of the reader. `device_actions` has those of
//! the list of devices, [`super`] the rotation of the key.

use axum::{
    Form,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Redirect, Response},
};
use carafe_core::{
    clock::Timestamp,
    error::ErrorChain,
    json::{self, JsonDialect, Value},
    session::{Session, SessionError},
    store::StoreError,
};
use serde::Deserialize;

use super::{
    mode::Mode,
    mode_id::ModeId,
    modes::Modes,
    page::Problem,
    panel::{REMOVED, SET, Trouble, Typed},
    reader::{ReadForm, Reader},
    response,
    state::Shared,
    tamper,
    visit::{Ended, Visit, append_set_cookie, sent},
};

/// An action on a session or its cookie.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Action {
    Set,
    Remove,
    Permanent,
    Clear,
    Tamper,
    Restore,
}

/// The fields of all small forms.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ActionForm {
    key: String,
    value: String,
    r#as: String,
    permanent: bool,
}

#[derive(Deserialize)]
pub(super) struct IndexQuery {
    sample: Option<String>,
}

/// `GET /`: the page; with `?sample`, a filled-in reader.
pub(super) async fn index(
    State(demo): State<Shared>,
    headers: HeaderMap,
    Query(query): Query<IndexQuery>,
) -> Response {
    let reader = query
        .sample
        .map_or_else(Reader::default, |_| Reader::sample());
    response::page(&demo, &headers, StatusCode::OK, &reader, None).await
}

/// `POST /read`: the page with the reader's result. Not a redirect, because that would put the key
/// into a URL.
pub(super) async fn read(
    State(demo): State<Shared>,
    headers: HeaderMap,
    Form(form): Form<ReadForm>,
) -> Response {
    response::page(&demo, &headers, StatusCode::OK, &Reader::read(form), None).await
}

/// `POST /{mode}/{action}`: performs the action and redirects to the page.
pub(super) async fn act(
    State(demo): State<Shared>,
    Path((id, action)): Path<(ModeId, Action)>,
    headers: HeaderMap,
    Form(form): Form<ActionForm>,
) -> Response {
    let modes = demo.modes();
    if matches!(action, Action::Tamper | Action::Restore) {
        return tampered(modes.mode(id), action, &headers).await;
    }
    match changed(&modes, id, action, &headers, &form).await {
        Ok(ended) => response::back_to(anchor(id), ended.headers),
        Err(trouble) => {
            let problem = Problem::Panel {
                mode: id,
                trouble,
                typed: form.typed(action),
            };
            response::refused(&demo, &headers, problem).await
        }
    }
}

/// Returns the `Set-Cookie` header of the changed session, or the problem of the form.
async fn changed(
    modes: &Modes,
    id: ModeId,
    action: Action,
    headers: &HeaderMap,
    form: &ActionForm,
) -> Result<Ended, Trouble> {
    let visit = Visit::begin(modes, headers)
        .await
        .map_err(|error| Trouble::Refused(ErrorChain::of(&error).to_string()))?;
    let session = visit.session(id);
    match action {
        Action::Set => session
            .insert(&form.key, &form.parsed()?)
            .and_then(|()| note(session, SET, &form.key)),
        Action::Remove => session
            .remove(&form.key)
            .and_then(|_| note(session, REMOVED, &form.key)),
        Action::Permanent => session.set_permanent(form.permanent).and_then(|()| {
            let message = if form.permanent {
                "Made permanent"
            } else {
                "Until the browser is closed"
            };
            note(session, "info", message)
        }),
        // No flash message, because that would create a session again. Also removes a rejected
        // cookie.
        Action::Clear | Action::Tamper | Action::Restore => session.log_out(),
    }
    .map_err(|error| Trouble::Refused(ErrorChain::of(&error).to_string()))?;
    visit
        .end(StatusCode::SEE_OTHER)
        .await
        .map_err(|error| Trouble::Refused(ErrorChain::of(&error).to_string()))
}

/// Adds a message for the next page, unless the visitor uses the key of messages for another value.
fn note(session: &Session, category: &str, message: &str) -> Result<(), SessionError> {
    match session.flash(category, message) {
        Err(SessionError::Decode { .. }) => Ok(()),
        done => done,
    }
}

/// Changes one character of the cookie in the browser, or changes it back.
async fn tampered(mode: &Mode, action: Action, headers: &HeaderMap) -> Response {
    let mut answer = HeaderMap::new();
    if let Some(cookie) = sent(mode, headers) {
        match tampered_line(mode, action, &cookie).await {
            Ok(Some(line)) => append_set_cookie(&mut answer, &line),
            Ok(None) => {}
            Err(error) => return response::unavailable(&error),
        }
    }
    response::back_to(anchor(mode.id), answer)
}

/// Returns `None` if there is nothing to change, such as after a second click.
async fn tampered_line(
    mode: &Mode,
    action: Action,
    cookie: &str,
) -> Result<Option<String>, StoreError> {
    let now = Timestamp::now();
    let Some(other) = tamper::change(mode, cookie) else {
        return Ok(None);
    };
    let good = match action {
        Action::Restore if tamper::changed_at(mode, cookie, now).await?.is_some() => &other,
        Action::Tamper if mode.look(cookie, now).await?.is_authentic() => cookie,
        _ => return Ok(None),
    };
    tamper::set_cookie(mode, &other, good, now).await
}

const fn anchor(id: ModeId) -> &'static str {
    match id {
        ModeId::Signed => "/#signed",
        ModeId::Encrypted => "/#encrypted",
        ModeId::Stored => "/#stored",
    }
}

/// `POST /race`: runs the race with the visitor's own session and redirects to the page.
pub(super) async fn race(State(demo): State<Shared>, headers: HeaderMap) -> Response {
    match demo.race.run(&headers).await {
        Ok(set_cookie) => {
            let vary = (header::VARY, HeaderValue::from_static("Cookie"));
            let mut answer = HeaderMap::from_iter([vary]);
            if let Some(line) = set_cookie {
                append_set_cookie(&mut answer, &line);
            }
            response::back_to("/#race", answer)
        }
        Err(trouble) => response::unavailable(&trouble),
    }
}

/// `GET` of a path that only accepts forms, such as after a reload.
pub(super) async fn to_the_page() -> Redirect {
    Redirect::to("/")
}

impl ActionForm {
    fn is_text(&self) -> bool {
        self.r#as == "text"
    }

    fn parsed(&self) -> Result<Value, Trouble> {
        if self.is_text() {
            return Ok(Value::from(self.value.as_str()));
        }
        Value::parse(&self.value, true).map_err(|_| self.not_json())
    }

    fn not_json(&self) -> Trouble {
        let quoted = json::to_text(&self.value, JsonDialect::COMPACT).unwrap_or_default();
        Trouble::NotJson {
            value: short(&self.value),
            quoted: short(&quoted),
        }
    }

    /// Returns the typed values for the form to show again.
    fn typed(self, action: Action) -> Typed {
        match action {
            Action::Set => Typed {
                as_text: self.is_text(),
                is_invalid: true,
                key: self.key,
                value: self.value,
            },
            _ => Typed::default(),
        }
    }
}

/// Returns the beginning of a long text.
fn short(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
