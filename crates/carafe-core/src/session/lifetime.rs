//! The lifetime that one session sets for itself, such as "keep me signed in".

use std::time::Duration;

use super::{
    Patch, SessionData,
    expiry::seconds,
    keys::{LIFETIME, PERMANENT},
};
use crate::json;

/// The values in a dictionary that determine when its session expires, as JSON text.
#[derive(Clone, Copy)]
pub(super) struct Terms<'d> {
    permanent: Option<&'d str>,
    lifetime: Option<&'d str>,
}

impl<'d> Terms<'d> {
    pub(super) fn of(data: &'d SessionData) -> Self {
        let [permanent, lifetime] = data.texts_of([PERMANENT, LIFETIME]);
        Self {
            permanent,
            lifetime,
        }
    }

    /// Returns the terms after `changes`.
    pub(super) fn after(self, changes: &'d Patch) -> Self {
        Self {
            permanent: changes.text_over(PERMANENT, || self.permanent),
            lifetime: changes.text_over(LIFETIME, || self.lifetime),
        }
    }

    /// Returns the lifetime that the session has set.
    pub(super) fn lifetime(self) -> Option<Duration> {
        self.lifetime.and_then(parse)
    }

    pub(super) fn is_permanent(self) -> bool {
        is_permanent(self.permanent)
    }
}

impl SessionData {
    /// Returns the lifetime that the session has set.
    pub(super) fn lifetime(&self) -> Option<Duration> {
        self.text_of(LIFETIME).and_then(parse)
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
