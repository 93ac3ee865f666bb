//! The parameters of `flask-session+URL`: a store in Flask-Session's layout, for `carafe migrate`
//! to take sessions from.
//!
//! | parameter | Flask-Session's setting |
//! |---|---|
//! | `key_prefix` | `SESSION_KEY_PREFIX`, by default `session:` |
//! | `table` | `SESSION_SQLALCHEMY_TABLE`, by default `sessions` |
//! | `lifetime` | `PERMANENT_SESSION_LIFETIME`, by default 31 days; determines the last use |
//! | `format` | `SESSION_SERIALIZATION_FORMAT`; both formats are read, regardless of the value |

use std::time::Duration;

use carafe_core::flask::stored::{FlaskSession, Format};

use super::StoreUrl;
use crate::failure::Failure;

/// The parameters of this layout, which drivers do not know.
pub(super) const PARAMETERS: [&str; 3] = [KEY_PREFIX, LIFETIME, FORMAT];
pub(super) const TABLE: &str = "table";
const KEY_PREFIX: &str = "key_prefix";
const LIFETIME: &str = "lifetime";
const FORMAT: &str = "format";

/// Flask-Session's default.
const DEFAULT_TABLE: &str = "sessions";

/// Returns the table of a URL.
pub(super) fn table(url: &StoreUrl) -> String {
    let given = url.inner().parameter(TABLE);
    given.unwrap_or_else(|| DEFAULT_TABLE.to_owned())
}

/// Returns the layout that a URL describes.
pub(super) fn layout(url: &StoreUrl) -> Result<FlaskSession, Failure> {
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
