//! Deletes sessions: one, a user's, expired ones, and those created before a time.
//!
//! Unreadable rows are deleted like all others, because no part of them is needed, so a log-out
//! always succeeds.
//!
//! An explicit deletion leaves a marker at each key of a session. The keys are selected by a
//! subquery that returns the same keys to each of the statements, because no other transaction
//! writes in between.

use carafe_core::{
    clock::Timestamp,
    store::{PublicId, Selection, StoreError, StoreKey, retired_until},
};
use rusqlite::{Connection, Params, params};

use crate::{find, rows, sql};

/// Upper bound on the sessions deleted per call.
///
/// All other writes wait, and each session has entries in five indices.
const STEP: usize = 100;

const TARGET: &str = "SELECT leads_to FROM session_former_keys WHERE key = ?1";

/// Statements that retire the sessions of a subquery's keys. ?1 is the expiry of the markers.
pub(crate) struct Retire {
    /// Turns the pointers to the sessions into markers.
    pub(crate) pointers: &'static str,
    /// Inserts a marker at the key of each session.
    pub(crate) markers: &'static str,
    pub(crate) sessions: &'static str,
}

macro_rules! retire {
    ($keys:literal) => {
        Retire {
            pointers: concat!(
                "UPDATE session_former_keys SET leads_to = NULL, kept_until = ?1 WHERE leads_to IN (",
                $keys,
                ")"
            ),
            markers: concat!(
                "INSERT INTO session_former_keys (leads_to, kept_until, key) SELECT NULL, ?1, key FROM (",
                $keys,
                ")"
            ),
            sessions: concat!("DELETE FROM sessions WHERE key IN (", $keys, ")"),
        }
    };
}

const BY_KEY: Retire = retire!("SELECT key FROM sessions WHERE key = ?2");
pub(crate) const BY_PUBLIC_ID: Retire =
    retire!("SELECT key FROM sessions WHERE handle = ?2 AND (?3 IS NULL OR +user = ?3)");
/// ?3 is the public id of the session to keep, or NULL.
pub(crate) const BY_USER: Retire = retire!(
    "SELECT key FROM sessions WHERE user = ?2 AND handle IS NOT ?3 \
     ORDER BY renewed DESC, handle DESC LIMIT ?4"
);
/// Selects the ?4 sessions with the oldest ids.
///
/// ?3 is the public id of the session that sorts as the newest of its second.
pub(crate) const OLDEST_BY_USER: Retire = retire!(
    "SELECT key FROM (SELECT key, renewed, handle, 0 AS own FROM \
     (SELECT key, renewed, handle FROM sessions WHERE user = ?2 AND handle <> ?3 AND +expires > ?5 \
     ORDER BY renewed, handle LIMIT ?4) UNION ALL \
     SELECT key, renewed, handle, 1 FROM sessions WHERE handle = ?3 AND +user = ?2 AND +expires > ?5) \
     ORDER BY renewed, own, handle LIMIT ?4"
);
pub(crate) const BEGUN: Retire =
    retire!("SELECT key FROM sessions WHERE created <= ?2 ORDER BY created, rowid LIMIT ?3");

const SWEEP: &str = "DELETE FROM sessions WHERE key IN \
    (SELECT key FROM sessions WHERE expires <= ?1 ORDER BY expires LIMIT ?2)";
const SWEEP_FORMER_KEYS: &str = "DELETE FROM session_former_keys WHERE key IN \
    (SELECT key FROM session_former_keys WHERE kept_until <= ?1 ORDER BY kept_until LIMIT ?2)";

impl Retire {
    /// Runs the statements and returns the number of deleted sessions.
    fn run(&self, db: &Connection, values: impl Params + Copy) -> Result<u64, StoreError> {
        sql::execute(db, self.pointers, values)?;
        // Markers are inserted before the sessions are deleted, because the subquery selects from
        // `sessions`.
        if sql::execute(db, self.markers, values)? == 0 {
            return Ok(0);
        }
        Ok(sql::execute(db, self.sessions, values)? as u64)
    }
}

/// Deletes the session of `key`.
///
/// A pointer is followed regardless of its expiry, so deletion through an old id revokes the
/// session.
pub(crate) fn session(db: &Connection, key: &StoreKey, now: Timestamp) -> Result<bool, StoreError> {
    let former = sql::first(db, TARGET, params![key.as_bytes()], |row| {
        rows::key_or_null(row, 0, "leads_to")
    })?;
    let key = match &former {
        None => key,
        Some(None) => return Ok(false),
        Some(Some(target)) => target,
    };
    let values = params![retired_until(now).unix(), key.as_bytes()];
    Ok(BY_KEY.run(db, values)? > 0)
}

/// Deletes at most `limit` and at most [`STEP`] sessions of `user`, the newest id first.
pub(crate) fn of_user(
    db: &Connection,
    user: &str,
    which: Selection,
    limit: usize,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let until = retired_until(now).unix();
    let spared = match which {
        Selection::Only(_) if limit == 0 => return Ok(0),
        Selection::Only(one) => return BY_PUBLIC_ID.run(db, params![until, one.to_string(), user]),
        Selection::AllBut(one) => Some(one.to_string()),
        Selection::All => None,
    };
    BY_USER.run(
        db,
        params![until, user, spared, sql::count(limit.min(STEP))],
    )
}

/// Deletes at most `limit` sessions of `user` until `keep` live ones are left.
///
/// The session with the oldest id is deleted first.
pub(crate) fn surplus(
    db: &Connection,
    user: &str,
    keep: usize,
    own: PublicId,
    limit: usize,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let most = keep.saturating_add(limit);
    let surplus = find::count_of_user(db, user, most, now)?.saturating_sub(keep);
    if surplus == 0 {
        return Ok(0);
    }
    let (until, own) = (retired_until(now).unix(), own.to_string());
    OLDEST_BY_USER.run(
        db,
        params![until, user, own, sql::count(surplus), now.unix()],
    )
}

pub(crate) fn by_public_id(
    db: &Connection,
    public_id: PublicId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let values = params![
        retired_until(now).unix(),
        public_id.to_string(),
        None::<String>
    ];
    Ok(BY_PUBLIC_ID.run(db, values)? > 0)
}

/// Deletes sessions created up to `until`.
///
/// A return value of 0 means that none is left, because this transaction sees all other commits.
pub(crate) fn begun(
    db: &Connection,
    until: Timestamp,
    limit: usize,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let limit = sql::count(limit.min(STEP));
    let values = params![retired_until(now).unix(), until.unix(), limit];
    BEGUN.run(db, values)
}

/// Deletes expired sessions, then expired former keys, `limit` rows in total.
pub(crate) fn expired(db: &Connection, limit: usize, now: Timestamp) -> Result<usize, StoreError> {
    let sessions = sql::execute(db, SWEEP, params![now.unix(), sql::count(limit)])?;
    let values = params![now.unix(), sql::count(limit - sessions)];
    Ok(sessions + sql::execute(db, SWEEP_FORMER_KEYS, values)?)
}
