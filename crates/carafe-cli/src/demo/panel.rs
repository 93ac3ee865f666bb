//! What a panel shows, as data: taken from a session before its commit and from the cookie after it.

use carafe_core::{
    clock::Timestamp,
    json::Value,
    session::{Flash, Rejection, Session},
};

use super::{
    tamper,
    visit::Turn,
    way::{Way, WayId},
};
use crate::inspection::{Inspection, Verdict};

/// One panel.
pub(super) struct Panel<'d> {
    pub(super) way: &'d Way,
    pub(super) banner: Option<Banner>,
    /// The cookie that the browser holds after this response.
    pub(super) cookie: Option<Held>,
    /// Whether the request's cookie was refused.
    pub(super) is_rejected: bool,
    pub(super) rows: Vec<Row>,
    pub(super) is_permanent: bool,
    /// What was typed, if it could not be set.
    pub(super) typed: Typed,
}

/// A cookie in the browser.
pub(super) struct Held {
    pub(super) value: String,
    pub(super) inspection: Inspection,
    /// The character that was changed by the demo.
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
    Set { key: String, text: String },
    Removed { key: String },
    Info(String),
    Rejected { code: &'static str, reason: String },
    Problem(Trouble),
}

/// The fields of the form that sets a value.
#[derive(Default)]
pub(super) struct Typed {
    pub(super) key: String,
    pub(super) value: String,
    pub(super) as_text: bool,
    pub(super) is_invalid: bool,
}

/// Something that went wrong in a form, to be shown with what was typed.
pub(super) struct Problem {
    pub(super) way: WayId,
    pub(super) trouble: Trouble,
    pub(super) typed: Typed,
}

/// Why something was not set.
pub(super) enum Trouble {
    /// The value, and the same as a JSON string, both cut if they are long.
    NotJson { value: String, quoted: String },
    /// What the session says.
    Refused(String),
}

/// Flash categories of the demo; the message is the key that was set or removed.
pub(super) const SET: &str = "set";
pub(super) const REMOVED: &str = "removed";

/// A session as its handler sees it.
pub(super) struct Seen {
    flash: Option<Flash>,
    rows: Vec<Row>,
    is_permanent: bool,
    rejection: Option<Rejection>,
}

impl Seen {
    /// Takes the messages, so it comes before the commit.
    pub(super) fn of(session: &Session) -> Self {
        // What is under `_flashes` may be a value that a person has set there.
        let flash = session.take_flashes().unwrap_or_default().pop();
        let row = |key: String| Some(Row::new(session.json_text(&key)?, key));
        Self {
            flash,
            rows: session.keys().into_iter().filter_map(row).collect(),
            is_permanent: session.is_permanent(),
            rejection: session.rejection(),
        }
    }
}

impl<'d> Panel<'d> {
    pub(super) fn new(turn: &Turn<'d>, seen: Seen, held: Option<String>, now: Timestamp) -> Self {
        let typed = if held.is_none() {
            Typed::first()
        } else {
            Typed::default()
        };
        let cookie = held.map(|value| Held::new(turn.way, value, now));
        Self {
            way: turn.way,
            banner: banner(&seen, cookie.as_ref()),
            is_rejected: seen.rejection.is_some(),
            cookie,
            rows: seen.rows,
            is_permanent: seen.is_permanent,
            typed,
        }
    }

    /// The panel with a problem of its form.
    pub(super) fn with_problem(self, problem: Problem) -> Self {
        Self {
            banner: Some(Banner::Problem(problem.trouble)),
            typed: problem.typed,
            ..self
        }
    }
}

impl Typed {
    /// Something to begin with: one click makes a session.
    fn first() -> Self {
        Self {
            key: "visits".to_owned(),
            value: "1".to_owned(),
            ..Self::default()
        }
    }
}

impl Held {
    fn new(way: &Way, value: String, now: Timestamp) -> Self {
        Self {
            inspection: way.inspect(&value, now),
            changed_at: tamper::changed_at(way, &value, now),
            value,
        }
    }
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

fn banner(seen: &Seen, cookie: Option<&Held>) -> Option<Banner> {
    if let Some(rejection) = &seen.rejection {
        return Some(rejected(rejection, cookie));
    }
    let Flash {
        category, message, ..
    } = seen.flash.clone()?;
    let value = seen.rows.iter().find(|row| row.key == message);
    Some(match (category.as_str(), value) {
        (SET, Some(row)) => Banner::Set {
            key: message,
            text: row.text.clone(),
        },
        (REMOVED, _) => Banner::Removed { key: message },
        _ => Banner::Info(message),
    })
}

fn rejected(rejection: &Rejection, cookie: Option<&Held>) -> Banner {
    let inspection = cookie.map(|held| &held.inspection);
    let reason = inspection
        .filter(|found| found.verdict != Verdict::Ok)
        .and_then(|found| found.reason.clone());
    Banner::Rejected {
        code: rejection.code(),
        reason: reason.unwrap_or_else(|| rejection.to_string()),
    }
}
