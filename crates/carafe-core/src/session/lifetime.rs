//! The lifetime that one session sets for itself, such as "keep me signed in".

use std::time::Duration;

use super::{
    SessionData,
    expiry::seconds,
    keys::{LIFETIME, PERMANENT},
};
use crate::json;

impl SessionData {
    /// Returns the lifetime that the session has set.
    pub(super) fn lifetime(&self) -> Option<Duration> {
        self.text_of(LIFETIME).and_then(parse)
    }

    pub(super) fn is_permanent(&self) -> bool {
        is_permanent(self.text_of(PERMANENT))
    }
}

/// Returns what the text of the key [`PERMANENT`] says: Python's truth of the value.
pub(super) fn is_permanent(text: Option<&str>) -> bool {
    text.is_some_and(json::is_truthy)
}

/// Returns the lifetime in the text of the key [`LIFETIME`].
pub(super) fn parse(text: &str) -> Option<Duration> {
    let seconds = json::from_text::<u64>(text, false).ok()?;
    Some(Duration::from_secs(seconds))
}

/// Returns whether a session that was issued `age` seconds ago has expired by its own lifetime.
pub(super) fn has_expired(own: Option<Duration>, age: i64) -> bool {
    own.is_some_and(|own| age > seconds(own))
}
