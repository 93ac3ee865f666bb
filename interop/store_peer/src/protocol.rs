//! Lines in, lines out.

use std::fmt::Display;

use serde::Deserialize;
use serde_json::{Value as Json, json};

/// One line.
#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Request {
    /// From now on, this store with these settings.
    Use(Settings),
    /// A request arrives, and its session is opened.
    Begin {
        request: String,
        cookie: Option<String>,
    },
    /// Its handler does this, and its response leaves.
    Finish { request: String, steps: Vec<Step> },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) store: Store,
    pub(crate) url: String,
    pub(crate) format: Format,
    pub(crate) prefix: String,
    pub(crate) table: Option<String>,
    /// Seconds.
    pub(crate) lifetime: u64,
    /// The key that signs ids, where they are signed.
    pub(crate) secret: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Store {
    Redis,
    Postgres,
    MySql,
    Sqlite,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    MsgPack,
    Json,
}

/// What a handler does to its session. Values are JSON text with Flask's tags.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Step {
    Set(String, String),
    Remove(String),
    Increment(String),
    Clear,
    Permanent,
    Renew,
    LogIn(String),
    LogOut,
}

/// One line back.
pub(crate) struct Answer(Json);

impl Answer {
    pub(crate) fn done() -> Self {
        Self(json!({ "ok": true }))
    }

    /// What the handler sees: the members as pairs of a key and JSON text, and what is known beside them.
    pub(crate) fn seen(
        session: &[(String, String)],
        user: Option<&str>,
        handle: Option<&str>,
        rejection: Option<&str>,
    ) -> Self {
        Self(json!({
            "ok": true, "session": session, "user": user, "handle": handle, "rejection": rejection,
        }))
    }

    pub(crate) fn sent(set_cookie: Option<&str>) -> Self {
        Self(json!({ "ok": true, "set_cookie": set_cookie }))
    }

    /// What Carafe says to the request.
    pub(crate) fn refused(code: &str, error: impl Display) -> Self {
        Self(json!({ "ok": false, "error": code, "text": error.to_string() }))
    }

    /// A bug of the harness or of this program.
    pub(crate) fn fault(why: impl Display) -> Self {
        Self(json!({ "fault": why.to_string() }))
    }

    pub(crate) fn line(&self) -> String {
        self.0.to_string()
    }
}
