//! Looks up records by key or user.
//!
//! Read-only; runs on a reader's connection and inside the writer's transaction.

use carafe_core::{
    clock::Timestamp,
    store::{KeyState, Position, Record, SessionMeta, StoreError, StoreKey},
};
use rusqlite::{Connection, Row, params};

use crate::{
    rows::{self, columns, summary_columns},
    sql,
};

const BY_KEY: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM sessions AS s WHERE s.key = ?1 AND s.expires > ?2"
);
/// `leads_to` distinguishes a pointer, even to an expired session, from a marker.
pub(crate) const BY_FORMER_KEY: &str = concat!(
    "SELECT ",
    columns!(),
    ", f.leads_to, f.key FROM session_former_keys AS f",
    " LEFT JOIN sessions AS s ON s.key = f.leads_to AND s.expires > ?2",
    " WHERE f.key = ?1 AND (f.leads_to IS NOT NULL OR f.kept_until > ?2)"
);
/// No `LIMIT`: rows are read until the list is full, because some may be unreadable.
pub(crate) const BY_USER: &str = concat!(
    "SELECT ",
    summary_columns!(),
    " FROM sessions AS s WHERE s.user = ?1 AND (s.renewed, s.handle) < (?2, ?3) AND +s.expires > ?4",
    " ORDER BY s.renewed DESC, s.handle DESC"
);
/// Counts a user's live sessions, at most ?3.
pub(crate) const COUNT_BY_USER: &str = "SELECT count(*) FROM (SELECT 1 FROM sessions \
    WHERE user = ?1 AND +expires > ?2 ORDER BY renewed DESC, handle DESC LIMIT ?3)";
const IN_USE: &str = "SELECT 1 FROM sessions WHERE key = ?1 \
    UNION ALL SELECT 1 FROM session_former_keys WHERE key = ?1";

/// Returns the state of `key`.
///
/// Runs two statements on possibly different snapshots. No state is missed between them: a key that
/// loses its record becomes a former key in the same commit, and a commit that moves a record
/// updates the pointers to it.
pub(crate) fn state(
    db: &Connection,
    key: &StoreKey,
    now: Timestamp,
) -> Result<KeyState, StoreError> {
    Ok(found(db, key, now)?.1)
}

/// Returns the live record that `key` leads to, with the record's own key.
pub(crate) fn record(
    db: &Connection,
    key: &StoreKey,
    now: Timestamp,
) -> Result<Option<(StoreKey, Record)>, StoreError> {
    let (own, state) = found(db, key, now)?;
    Ok(state.into_record().map(|record| (own, record)))
}

/// Returns the state of `key` and the own key of the record it leads to.
fn found(
    db: &Connection,
    key: &StoreKey,
    now: Timestamp,
) -> Result<(StoreKey, KeyState), StoreError> {
    if let Some((own, record)) = current(db, key, now)? {
        return Ok((own, KeyState::Current(Box::new(record))));
    }
    let values = params![key.as_bytes(), now.unix()];
    let former = sql::first(db, BY_FORMER_KEY, values, former)?;
    Ok(former.unwrap_or((*key, KeyState::Absent)))
}

fn former(row: &Row<'_>) -> Result<(StoreKey, KeyState), StoreError> {
    let former = rows::key(row, 13, "key")?;
    Ok(match rows::key_or_null(row, 12, "leads_to")? {
        None => (former, KeyState::Retired),
        Some(own) => match rows::key_or_null(row, 0, "key")? {
            Some(_) => (own, KeyState::Moved(Box::new(rows::record(row)?))),
            None => (own, KeyState::Absent),
        },
    })
}

/// Returns the live record stored under `key` itself.
pub(crate) fn current(
    db: &Connection,
    key: &StoreKey,
    now: Timestamp,
) -> Result<Option<(StoreKey, Record)>, StoreError> {
    sql::first(db, BY_KEY, params![key.as_bytes(), now.unix()], rows::read)
}

/// Returns at most `limit` live sessions of `user` after `after`, the newest id first.
pub(crate) fn of_user(
    db: &Connection,
    user: &str,
    after: Option<Position>,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<SessionMeta>, StoreError> {
    let (renewed, handle) = sql::behind(after);
    let values = params![user, renewed, handle, now.unix()];
    sql::readable(db, BY_USER, values, limit, rows::summary)
}

/// Counts the live sessions of `user`; exact if fewer than `most`.
pub(crate) fn count_of_user(
    db: &Connection,
    user: &str,
    most: usize,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let values = params![user, now.unix(), sql::count(most)];
    let count: Option<i64> = sql::first(db, COUNT_BY_USER, values, |row| {
        row.get(0).map_err(crate::error::of_statement)
    })?;
    Ok(count
        .and_then(|count| usize::try_from(count).ok())
        .unwrap_or_default())
}

/// Returns whether a record, a pointer or a marker uses `key`, expired or not.
pub(crate) fn is_in_use(db: &Connection, key: &StoreKey) -> Result<bool, StoreError> {
    let found = sql::first(db, IN_USE, params![key.as_bytes()], |_| Ok(()))?;
    Ok(found.is_some())
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;
    use crate::connect;

    #[test]
    fn a_statement_is_planned_once() {
        let db = connect::memory().unwrap();
        let key = StoreKey::of_id("nobody's");
        for now in 0..3 {
            let now = Timestamp::from_unix(now);
            assert!(record(&db, &key, now).unwrap().is_none());
            assert!(of_user(&db, "absent", None, 10, now).unwrap().is_empty());
            assert_eq!(count_of_user(&db, "absent", 10, now).unwrap(), 0);
            assert!(!is_in_use(&db, &key).unwrap());
        }
        for sql in [BY_KEY, BY_FORMER_KEY, BY_USER, COUNT_BY_USER, IN_USE] {
            let statement = db.prepare_cached(sql).unwrap();
            assert_eq!(statement.get_status(StatementStatus::RePrepare), 0, "{sql}");
        }
    }
}
