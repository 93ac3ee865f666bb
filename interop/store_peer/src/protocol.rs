//! Lines in, lines out.

use std::fmt::Display;

use serde::Deserialize;
use serde_json::{Value as Json, json};

/// One line of input.
#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Request {
    /// Selects a store and settings for the following requests.
    Use(Settings),
    /// A request arrives, and its session is opened.
    Begin {
        request: String,
        cookie: Option<String>,
        /// The client, for Flask-Login's session protection.
        #[serde(default)]
        client: Option<Client>,
    },
    /// The handler performs the steps, and the response is sent.
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
    /// Lifetime, in seconds.
    pub(crate) lifetime: u64,
    /// The key that signs ids, if ids are signed.
    pub(crate) secret: Option<String>,
    #[serde(default)]
    pub(crate) preset: Preset,
}

/// An adapter's information about a client; header values have one character per byte.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Client {
    pub(crate) peer: std::net::IpAddr,
    pub(crate) forwarded_for: Option<String>,
    pub(crate) user_agent: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Store {
    Redis,
    Postgres,
    MySql,
    Sqlite,
    /// No store: the cookies contain the sessions, in the format of `preset`.
    Cookie,
}

/// The framework that shares the sessions.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Preset {
    #[default]
    Flask,
    Quart,
    Starlette,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    MsgPack,
    Json,
}

/// A change of the session by a handler. Values are JSON text with Flask's tags.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Step {
    Set(String, String),
    Remove(String),
    /// Adds a message with a JSON text as its value.
    Flash(String, String),
    /// Takes the messages, and stores them under this key as pairs of a category and a value.
    Flashes(String),
    Increment(String),
    Clear,
    Permanent,
    Renew,
    LogIn(String),
    LogOut,
}

/// One line of output.
pub(crate) struct Answer(Json);

impl Answer {
    pub(crate) fn done() -> Self {
        Self(json!({ "ok": true }))
    }

    /// Returns the handler's view: the members as pairs of a key and JSON text, and the metadata.
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

    pub(crate) fn sent(set_cookie: Option<&str>, remember_cookie: Option<&str>) -> Self {
        Self(json!({ "ok": true, "set_cookie": set_cookie, "remember_cookie": remember_cookie }))
    }

    /// Returns Carafe's error for the request.
    pub(crate) fn refused(code: &str, error: impl Display) -> Self {
        Self(json!({ "ok": false, "error": code, "text": error.to_string() }))
    }

    /// Returns a bug of the harness or of this program.
    pub(crate) fn fault(why: impl Display) -> Self {
        Self(json!({ "fault": why.to_string() }))
    }

    pub(crate) fn line(&self) -> String {
        self.0.to_string()
    }
}
