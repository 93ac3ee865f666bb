//! Taking sessions away: one, a user's, those that are over, and those that are too old. Rows that cannot be read go like all
//! others, since nothing of them is kept; a log-out always works.

use carafe_core::{
    clock::Timestamp,
    store::{Handle, StoreError, StoreKey, Which},
};
use rusqlite::{Connection, params};

use crate::{rows, sql};

const DELETE: &str = "DELETE FROM sessions WHERE key = ?1";
const DELETE_ALIASES: &str = "DELETE FROM session_aliases WHERE alias_of = ?1";
const TARGET: &str = "SELECT alias_of FROM session_aliases WHERE key = ?1";

/// ?1 is the user, ?2 a handle or NULL for all, ?3 whether that handle is the one meant or the one spared.
macro_rules! of_user {
    () => {
        "FROM sessions WHERE user = ?1 AND (?2 IS NULL OR (handle = ?2) = ?3)"
    };
}
const ALIASES_OF_USER: &str = concat!(
    "DELETE FROM session_aliases WHERE alias_of IN (SELECT key ",
    of_user!(),
    ")"
);
const SESSIONS_OF_USER: &str = concat!("DELETE ", of_user!());

const ALIASES_OF_HANDLE: &str = "DELETE FROM session_aliases WHERE alias_of IN \
    (SELECT key FROM sessions WHERE handle = ?1)";
const SESSION_OF_HANDLE: &str = "DELETE FROM sessions WHERE handle = ?1";

/// The same keys for both statements: nothing else writes in between.
macro_rules! begun {
    () => {
        "(SELECT key FROM sessions WHERE created <= ?1 ORDER BY created, rowid LIMIT ?2)"
    };
}
pub(crate) const ALIASES_OF_BEGUN: &str =
    concat!("DELETE FROM session_aliases WHERE alias_of IN ", begun!());
pub(crate) const BEGUN: &str = concat!("DELETE FROM sessions WHERE key IN ", begun!());

const SWEEP: &str = "DELETE FROM sessions WHERE key IN \
    (SELECT key FROM sessions WHERE expires <= ?1 ORDER BY expires LIMIT ?2)";
const SWEEP_ALIASES: &str = "DELETE FROM session_aliases WHERE key IN \
    (SELECT key FROM session_aliases WHERE alias_until <= ?1 ORDER BY alias_until LIMIT ?2)";

/// An alias leads to its record whatever the time: deleting through the old id ends the session.
pub(crate) fn session(db: &Connection, key: &StoreKey) -> Result<bool, StoreError> {
    let target = sql::first(db, TARGET, params![key.as_bytes()], |row| {
        rows::key(row, 0, "alias_of")
    })?;
    let key = target.as_ref().unwrap_or(key);
    sql::execute(db, DELETE_ALIASES, params![key.as_bytes()])?;
    Ok(sql::execute(db, DELETE, params![key.as_bytes()])? > 0)
}

pub(crate) fn of_user(db: &Connection, user: &str, which: Which) -> Result<u64, StoreError> {
    let (handle, meant) = match which {
        Which::All => (None, true),
        Which::Only(one) => (Some(one), true),
        Which::AllBut(one) => (Some(one), false),
    };
    let handle = handle.as_ref().map(Handle::to_string);
    sql::execute(db, ALIASES_OF_USER, params![user, handle, meant])?;
    let deleted = sql::execute(db, SESSIONS_OF_USER, params![user, handle, meant])?;
    Ok(deleted as u64)
}

pub(crate) fn of_handle(db: &Connection, handle: Handle) -> Result<bool, StoreError> {
    let handle = handle.to_string();
    sql::execute(db, ALIASES_OF_HANDLE, params![handle])?;
    Ok(sql::execute(db, SESSION_OF_HANDLE, params![handle])? > 0)
}

/// 0 means that none is left: this transaction sees what every other one has committed.
pub(crate) fn begun(db: &Connection, until: Timestamp, limit: usize) -> Result<u64, StoreError> {
    let values = params![until.unix(), sql::count(limit)];
    sql::execute(db, ALIASES_OF_BEGUN, values)?;
    Ok(sql::execute(db, BEGUN, values)? as u64)
}

/// Sessions first, then aliases, `limit` rows in all.
pub(crate) fn expired(db: &Connection, limit: usize, now: Timestamp) -> Result<usize, StoreError> {
    let sessions = sql::execute(db, SWEEP, params![now.unix(), sql::count(limit)])?;
    let aliases = sql::execute(
        db,
        SWEEP_ALIASES,
        params![now.unix(), sql::count(limit - sessions)],
    )?;
    Ok(sessions + aliases)
}
