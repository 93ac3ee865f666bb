//! The open sessions of operators.
//!
//! An operator's cookie is encrypted and contains its session, so by itself it would stay valid
//! until it expires. Only a session that is registered here is accepted: leaving removes it, which
//! invalidates every copy of the cookie.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use carafe_core::clock::Timestamp;

/// Seconds after which the token is required again, even from an active operator.
pub(super) const ABSOLUTE: i64 = 12 * 60 * 60;

/// Maximum number of open sessions. Only clients with the token open one.
const MOST: usize = 1_000;

/// The open sessions by identifier, each with its start time.
#[derive(Default)]
pub(super) struct Entered {
    // A plain lock, never held across an await.
    since: Mutex<HashMap<String, Timestamp>>,
}

impl Entered {
    /// Registers a session. If there are too many, the oldest one is removed.
    pub(super) fn add(&self, id: &str, now: Timestamp) {
        let mut since = self.since();
        since.retain(|_, &mut at| is_open(at, now));
        if since.len() >= MOST {
            let oldest = since.iter().min_by_key(|(_, at)| **at);
            if let Some(oldest) = oldest.map(|(id, _)| id.clone()) {
                since.remove(&oldest);
            }
        }
        since.insert(id.to_owned(), now);
    }

    /// Returns whether a session is open.
    pub(super) fn contains(&self, id: &str, now: Timestamp) -> bool {
        self.since().get(id).is_some_and(|&at| is_open(at, now))
    }

    /// Closes a session.
    pub(super) fn remove(&self, id: &str) {
        self.since().remove(id);
    }

    fn since(&self) -> std::sync::MutexGuard<'_, HashMap<String, Timestamp>> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_open(since: Timestamp, now: Timestamp) -> bool {
    now.seconds_since(since) < ABSOLUTE
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_unix(1_700_000_000);

    #[test]
    fn a_session_is_open_until_it_is_left_and_half_a_day_at_most() {
        let entered = Entered::default();
        assert!(!entered.contains("a", NOON));
        entered.add("a", NOON);
        entered.add("b", NOON.saturating_add(1));
        assert!(entered.contains("a", NOON.saturating_add(ABSOLUTE - 1)));
        assert!(!entered.contains("a", NOON.saturating_add(ABSOLUTE)));
        entered.remove("b");
        assert!(!entered.contains("b", NOON.saturating_add(1)));
    }

    #[test]
    fn the_number_of_sessions_is_bounded() {
        let entered = Entered::default();
        for n in 0..=MOST as i64 {
            entered.add(&n.to_string(), NOON.saturating_add(n));
        }
        assert_eq!(entered.since().len(), MOST);
        assert!(!entered.contains("0", NOON) && entered.contains("1", NOON));
        entered.add("later", NOON.saturating_add(2 * ABSOLUTE));
        assert_eq!(entered.since().len(), 1, "expired ones are dropped");
    }
}
