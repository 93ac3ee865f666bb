//! Looking: what a key or a user leads to. Runs on a reader's connection and inside the writer's
//! transaction alike, and never changes anything.

use carafe_core::{
    clock::Timestamp,
    store::{Record, StoreError, StoreKey, Summary},
};
use rusqlite::{Connection, params};

use crate::{
    rows::{self, columns, summary_columns},
    sql,
};

const BY_KEY: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM sessions AS s WHERE s.key = ?1 AND s.expires > ?2"
);
pub(crate) const BY_ALIAS: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM session_aliases AS a JOIN sessions AS s ON s.key = a.alias_of",
    " WHERE a.key = ?1 AND a.alias_until > ?2 AND s.expires > ?2"
);
const BY_USER: &str = concat!(
    "SELECT ",
    summary_columns!(),
    " FROM sessions AS s WHERE s.user = ?1 AND s.expires > ?2",
    " ORDER BY s.renewed DESC, s.handle DESC"
);
const IN_USE: &str = "SELECT 1 FROM sessions WHERE key = ?1 \
    UNION ALL SELECT 1 FROM session_aliases WHERE key = ?1";

/// The live record of `key` or of what it is an alias of, under the key that it has now.
///
/// Two statements, each on a state of its own, and yet nothing is missed between them: a key that has no
/// record any more became an alias in the same commit, and an alias is led on by the commit that moves its
/// record.
pub(crate) fn record(
    db: &Connection,
    key: &StoreKey,
    now: Timestamp,
) -> Result<Option<(StoreKey, Record)>, StoreError> {
    match unaliased(db, key, now)? {
        None => sql::first(
            db,
            BY_ALIAS,
            params![key.as_bytes(), now.unix()],
            rows::read,
        ),
        found => Ok(found),
    }
}

/// The live record of `key` itself.
pub(crate) fn unaliased(
    db: &Connection,
    key: &StoreKey,
    now: Timestamp,
) -> Result<Option<(StoreKey, Record)>, StoreError> {
    sql::first(db, BY_KEY, params![key.as_bytes(), now.unix()], rows::read)
}

/// The live sessions of `user`, the newest id first.
pub(crate) fn of_user(
    db: &Connection,
    user: &str,
    now: Timestamp,
) -> Result<Vec<Summary>, StoreError> {
    let values = params![user, now.unix()];
    sql::readable(db, BY_USER, values, usize::MAX, rows::summary)
}

/// Whether a record or an alias has `key`, expired or not.
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
            assert!(of_user(&db, "nobody", now).unwrap().is_empty());
            assert!(!is_in_use(&db, &key).unwrap());
        }
        for sql in [BY_KEY, BY_ALIAS, BY_USER, IN_USE] {
            let statement = db.prepare_cached(sql).unwrap();
            assert_eq!(statement.get_status(StatementStatus::RePrepare), 0, "{sql}");
        }
    }
}
