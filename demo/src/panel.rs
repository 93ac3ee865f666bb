//! The data of a panel: from the session before its commit, and from the cookie after it.

use carafe_core::{
    clock::Timestamp,
    json::Value,
    key::KeyUse,
    session::{Flash, Rejection, Session},
    store::{PublicId, StoreError},
};

use super::{
    cookie_parts::{Role, parts},
    devices,
    mode::{Found, Mode},
    mode_id::ModeId,
    race, tamper,
    visit::Turn,
};
use carafe_program::inspection::Verdict;

/// The data of one panel.
pub(super) struct Panel<'d> {
    pub(super) mode: &'d Mode,
    pub(super) banner: Option<Banner>,
    /// The cookie that the browser holds after this response.
    pub(super) cookie: Option<BrowserCookie>,
    /// The key change, if the cookie was reissued under a newer key.
    pub(super) reissued: Option<Reissue>,
    /// Whether the request's cookie was rejected.
    pub(super) is_rejected: bool,
    pub(super) rows: Vec<Row>,
    pub(super) is_permanent: bool,
    /// The typed values, if they were rejected.
    pub(super) typed: Typed,
}

/// A cookie in the browser.
pub(super) struct BrowserCookie {
    pub(super) value: String,
    pub(super) found: Found,
    /// The offset of the character that the demo changed.
    pub(super) changed_at: Option<usize>,
}

/// A key and its value, as JSON text.
pub(super) struct Row {
    pub(super) key: String,
    pub(super) text: String,
    pub(super) kind: &'static str,
}

/// A message above a panel.
pub(super) enum Banner {
    Set {
        key: String,
        text: String,
    },
    Removed {
        key: String,
    },
    Info(String),
    Rejected {
        code: &'static str,
        reason: String,
    },
    /// The store has no record for the ID in the cookie.
    Over,
    /// The cookie was reissued under a newer key.
    Reissued(Reissue),
    Problem(Trouble),
}

/// A reissued cookie: the name of the part that shows the change, and that part before and after.
#[derive(Clone)]
pub(super) struct Reissue {
    pub(super) part: &'static str,
    pub(super) from: String,
    pub(super) to: String,
}

/// The fields of the form that sets a value.
#[derive(Default)]
pub(super) struct Typed {
    pub(super) key: String,
    pub(super) value: String,
    pub(super) as_text: bool,
    pub(super) is_invalid: bool,
}

/// Why a value was not set.
pub(super) enum Trouble {
    /// The value, and the same as a JSON string, both truncated.
    NotJson { value: String, quoted: String },
    /// The error of the session.
    Refused(String),
}

/// Flash categories of the demo; the message is the key that was set or removed.
pub(super) const SET: &str = "set";
pub(super) const REMOVED: &str = "removed";

/// A session as read by its handler.
pub(super) struct Seen {
    flash: Option<Flash>,
    rows: Vec<Row>,
    is_permanent: bool,
    rejection: Option<Rejection>,
    pub(super) user: Option<String>,
    pub(super) public_id: Option<PublicId>,
    pub(super) race: Option<race::Counts>,
}

impl Seen {
    /// Takes the flash messages, so it must precede the commit.
    pub(super) fn of(session: &Session) -> Self {
        // `take_flashes` fails only after the head of the response was sent.
        let flash = session.take_flashes().unwrap_or_default().pop();
        let row = |key: String| Some(Row::new(session.json_text(&key)?, key));
        Self {
            flash,
            rows: session.keys().into_iter().filter_map(row).collect(),
            is_permanent: session.is_permanent(),
            rejection: session.rejection(),
            user: session.user(),
            public_id: session.public_id(),
            race: race::Counts::of(session),
        }
    }

    /// Returns the message for the list of devices.
    pub(super) fn device_note(&self) -> Option<String> {
        let flash = self.flash.as_ref()?;
        (flash.category == devices::NOTE).then(|| flash.message.clone())
    }
}

impl<'d> Panel<'d> {
    /// # Errors
    /// Errors of the store of the session.
    pub(super) async fn new(
        turn: &Turn<'d>,
        seen: &mut Seen,
        held: Option<String>,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let typed = match &held {
            None => Typed::first(),
            Some(_) => Typed::default(),
        };
        let cookie = match held {
            Some(value) => Some(BrowserCookie::new(turn.mode, value, now).await?),
            None => None,
        };
        let reissued = reissue(turn, cookie.as_ref(), now).await?;
        Ok(Self {
            mode: turn.mode,
            banner: banner(seen, cookie.as_ref()).or(reissued.clone().map(Banner::Reissued)),
            is_rejected: seen.rejection.is_some(),
            cookie,
            reissued,
            rows: std::mem::take(&mut seen.rows),
            is_permanent: seen.is_permanent,
            typed,
        })
    }

    /// Returns the panel with a problem of its form.
    pub(super) fn with_problem(self, trouble: Trouble, typed: Typed) -> Self {
        Self {
            banner: Some(Banner::Problem(trouble)),
            typed,
            ..self
        }
    }

    /// Returns whether the session was revoked or has expired, other than through a changed cookie.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.banner, Some(Banner::Over))
    }
}

impl Typed {
    /// Example values for the form: one click creates a session.
    fn first() -> Self {
        Self {
            key: "visits".to_owned(),
            value: "1".to_owned(),
            ..Self::default()
        }
    }
}

impl BrowserCookie {
    async fn new(mode: &Mode, value: String, now: Timestamp) -> Result<Self, StoreError> {
        Ok(Self {
            found: mode.look(&value, now).await?,
            changed_at: tamper::changed_at(mode, &value, now).await?,
            value,
        })
    }
}

/// Returns the change if the request's cookie was written again under the current key.
async fn reissue(
    turn: &Turn<'_>,
    held: Option<&BrowserCookie>,
    now: Timestamp,
) -> Result<Option<Reissue>, StoreError> {
    let (Some(sent), Some(held)) = (&turn.sent, held) else {
        return Ok(None);
    };
    let key_of = |found: &Found| found.token().and_then(|token| token.key);
    let before = key_of(&turn.mode.look(sent, now).await?);
    if !matches!(before, Some(KeyUse::Fallback(_))) || key_of(&held.found) != Some(KeyUse::Current)
    {
        return Ok(None);
    }
    Ok(Some(Reissue {
        part: match turn.mode.id {
            ModeId::Encrypted => "Key id",
            ModeId::Signed | ModeId::Stored => "Signature",
        },
        from: mark_of_key(turn.mode.id, sent),
        to: mark_of_key(turn.mode.id, &held.value),
    }))
}

/// Returns the part of a cookie that identifies its key: the key ID, or the start of the signature.
fn mark_of_key(mode: ModeId, cookie: &str) -> String {
    if mode == ModeId::Encrypted
        && let Some(id) = super::cookie_parts::key_id(cookie)
    {
        return format!("{:08x}", u32::from_be_bytes(id));
    }
    let signature = parts(mode, cookie)
        .into_iter()
        .find(|part| part.role == Role::Signature);
    let text = signature.map_or("", |part| part.text);
    format!("{}…", text.get(..6).unwrap_or(text))
}

impl Row {
    fn new(text: String, key: String) -> Self {
        let kind = match Value::parse(&text, true) {
            Ok(Value::Null) => "null",
            Ok(Value::Bool(_)) => "boolean",
            Ok(Value::Number(_)) => "number",
            Ok(Value::String(_)) => "string",
            Ok(Value::List(_)) => "array",
            Ok(Value::Tuple(_)) => "tuple",
            Ok(Value::Dict(_)) => "object",
            Ok(Value::Bytes(_)) => "bytes",
            Ok(Value::Markup(_)) => "markup",
            Ok(Value::Uuid(_)) => "uuid",
            Ok(Value::DateTime(_)) => "datetime",
            Ok(_) | Err(_) => "",
        };
        Self { key, text, kind }
    }
}

fn banner(seen: &Seen, cookie: Option<&BrowserCookie>) -> Option<Banner> {
    if let Some(rejection) = &seen.rejection {
        return Some(rejected(rejection, cookie));
    }
    let Flash {
        category, message, ..
    } = seen.flash.clone()?;
    let value = seen.rows.iter().find(|row| row.key == message);
    match (category.as_str(), value) {
        (SET, Some(row)) => Some(Banner::Set {
            key: message,
            text: row.text.clone(),
        }),
        (REMOVED, _) => Some(Banner::Removed { key: message }),
        (devices::NOTE, _) => None,
        _ => Some(Banner::Info(message)),
    }
}

fn rejected(rejection: &Rejection, cookie: Option<&BrowserCookie>) -> Banner {
    let was_changed_here = cookie.is_some_and(|held| held.changed_at.is_some());
    let is_unknown = matches!(rejection, Rejection::UnknownId | Rejection::Retired);
    if is_unknown && !was_changed_here {
        return Banner::Over;
    }
    let inspection = cookie.and_then(|held| held.found.token());
    let reason = inspection
        .filter(|found| found.verdict != Verdict::Ok)
        .and_then(|found| found.reason.clone());
    Banner::Rejected {
        code: rejection.code(),
        reason: reason.unwrap_or_else(|| rejection.to_string()),
    }
}
