//! `flask-session+URL`: a store in Flask-Session's layout, for `carafe migrate` to take sessions from.
//!
//! | parameter | Flask-Session's setting |
//! |---|---|
//! | `key_prefix` | `SESSION_KEY_PREFIX`, `session:` unless given |
//! | `table` | `SESSION_SQLALCHEMY_TABLE`, `sessions` unless given |
//! | `lifetime` | `PERMANENT_SESSION_LIFETIME` in seconds, 31 days unless given: tells when a session was last used |
//! | `format` | `SESSION_SERIALIZATION_FORMAT`; both are read, whatever it says |

use std::time::Duration;

use carafe_core::{
    error::ErrorChain,
    flask::stored::{FlaskSession, Format, Walk},
};
use carafe_sqlite::{FlaskSessionStore, SqliteOptions};

use super::{StoreKind, StoreUrl};
use crate::failure::Failure;

/// The parameters of this layout, which no driver takes.
#[allow(dead_code, reason = "an SQLite file has no driver's parameters")]
pub(super) const PARAMETERS: [&str; 3] = [KEY_PREFIX, LIFETIME, FORMAT];
pub(super) const TABLE: &str = "table";
const KEY_PREFIX: &str = "key_prefix";
const LIFETIME: &str = "lifetime";
const FORMAT: &str = "format";

/// Flask-Session's own.
const DEFAULT_TABLE: &str = "sessions";

/// An operator waits for the turn that a visitor would not wait for.
const DEADLINE: Duration = Duration::from_secs(10);

/// Opens the store, which Flask-Session has made.
pub(super) async fn open(url: &StoreUrl) -> Result<Box<dyn Walk>, Failure> {
    let layout = layout(url)?;
    match url.kind() {
        StoreKind::Sqlite => open_sqlite(url, layout),
        #[cfg(feature = "redis")]
        StoreKind::Redis => super::redis::open_flask_session(url, layout).await,
        #[cfg(feature = "postgres")]
        StoreKind::Postgres => super::sql::open_flask_session_in_postgres(url, layout).await,
        #[cfg(feature = "mysql")]
        StoreKind::MySql => super::sql::open_flask_session_in_mysql(url, layout).await,
        #[allow(unreachable_patterns, reason = "with all features there is no other")]
        other => Err(super::url::not_built_in(other)),
    }
}

/// The table that a URL means.
pub(super) fn table(url: &StoreUrl) -> String {
    let given = url.inner().parameter(TABLE);
    given.unwrap_or_else(|| DEFAULT_TABLE.to_owned())
}

fn open_sqlite(url: &StoreUrl, layout: FlaskSession) -> Result<Box<dyn Walk>, Failure> {
    let known = [KEY_PREFIX, LIFETIME, FORMAT, TABLE];
    let checked = url.inner().check_parameters(&known);
    checked.map_err(|error| Failure::usage(format_args!("{url}: {error}")))?;
    let place = url.inner().place();
    let file = place.strip_prefix("//").unwrap_or(place);
    let options = SqliteOptions::default().deadline(DEADLINE);
    let store = FlaskSessionStore::open(file, &table(url), layout, options);
    let store = store
        .map_err(|error| Failure::unavailable(format_args!("{url}: {}", ErrorChain::of(&error))))?;
    Ok(Box::new(store))
}

fn layout(url: &StoreUrl) -> Result<FlaskSession, Failure> {
    let format = match url.inner().parameter(FORMAT).as_deref() {
        None | Some("msgpack") => Format::MsgPack,
        Some("json") => Format::Json,
        Some(other) => {
            return Err(Failure::usage(format_args!(
                "{url}: format must be msgpack or json, not {other:?}"
            )));
        }
    };
    let mut layout = FlaskSession::new(format);
    if let Some(prefix) = url.inner().parameter(KEY_PREFIX) {
        layout = layout.with_prefix(prefix);
    }
    if let Some(text) = url.inner().parameter(LIFETIME) {
        let seconds = text.parse().ok().filter(|seconds| *seconds > 0);
        let seconds = seconds.ok_or_else(|| {
            Failure::usage(format_args!(
                "{url}: lifetime must be a number of seconds, not {text:?}"
            ))
        })?;
        layout = layout.with_lifetime(Duration::from_secs(seconds));
    }
    Ok(layout)
}
