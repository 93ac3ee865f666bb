//! All SQL statements. Each placeholder occurs once and in order, so that `?` can replace `$n`.

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use crate::{dialect::Dialect, table};

/// The columns of a row, in the order of `Columns`.
macro_rules! columns {
    ($of:literal) => {
        columns!($of, concat!($of, "target, "), $of, "data, ")
    };
    (summary) => {
        columns!("", "target, ", "'' AS ", "data, ")
    };
    ($of:literal, $target:expr, $($data:literal),*) => {
        concat!(
            $target,
            $($data,)*
            $of,
            "user_id, ",
            $of,
            "handle, ",
            $of,
            "device, ",
            $of,
            "created, ",
            $of,
            "renewed, ",
            $of,
            "last_seen, ",
            $of,
            "expires, ",
            $of,
            "authenticated, ",
            $of,
            "renewal, ",
            $of,
            "version"
        )
    };
}

/// `created` and `renewed` of a former key.
///
/// The value is beyond all ranges that are read in the indices that contain it.
macro_rules! parked {
    () => {
        "9223372036854775807"
    };
}
/// Assignments that turn a session into a marker. `$until` is its expiry.
macro_rules! retired {
    ($until:literal) => {
        concat!(
            "target = store_key, data = '', user_id = NULL, device = NULL, authenticated = NULL, renewal = NULL, created = ",
            $crate::statements::parked!(),
            ", renewed = ",
            $crate::statements::parked!(),
            ", expires = ",
            $until
        )
    };
}
pub(crate) use {parked, retired};

pub(crate) const PARKED: i64 = i64::MAX;

/// The start of a query that always returns one row; continued with a join.
///
/// The first column, [`Dialect::CALL`], identifies the call: see `dialect::answer`.
pub(crate) const SELECT: &str = "SELECT ";
pub(crate) const ASKED: &str = " FROM (SELECT 1 AS one) asked LEFT JOIN ";

/// A key leads to its own row or, if that is a pointer, to the row of its target.
///
/// The second column is the requested key, the third the target of either row: see
/// `Columns::found`.
const LOADED: &str = concat!(
    ", a.store_key, ",
    columns!("r.", "COALESCE(r.target, a.target), ", "r.", "data, ")
);
const LOAD: &str = "carafe_sessions a ON a.store_key = $2 AND a.expires > $3 \
     LEFT JOIN carafe_sessions r ON r.store_key = COALESCE(a.target, a.store_key) AND r.expires > $4";

const FOUND: &str = concat!(", r.store_key, ", columns!("r."));
const FIND: &str = "store_key = $2 AND expires > $3";

/// Continued with the dialect's `BEHIND_OF_USER` or `OLDEST_OF_USER`.
const OF_USER: &str = concat!(
    "SELECT store_key, ",
    columns!(summary),
    " FROM carafe_sessions WHERE "
);

/// Continued with the dialect's `BEHIND`, `ORDER` and the dialect's `PAGE`.
const NEWEST: &str = concat!(
    "SELECT store_key, ",
    columns!(summary),
    " FROM carafe_sessions WHERE expires > $1 AND target IS NULL AND "
);
const ORDER: &str = " ORDER BY renewed DESC, handle DESC LIMIT ";

const FIND_BY_PUBLIC_ID: &str = concat!(
    "SELECT store_key, ",
    columns!(""),
    " FROM carafe_sessions WHERE handle = $1 AND COALESCE(expires > $2 AND target IS NULL, FALSE)"
);

/// Continued with the dialect's `START` and with `LIMIT`, like the next two.
const WALK: &str = concat!(
    "SELECT store_key, ",
    columns!(""),
    " FROM carafe_sessions WHERE store_key > "
);
const LIMIT: &str = " ORDER BY store_key LIMIT $2";

/// Rows in key order, from a key upward or below it.
const ROWS: &str = concat!(
    "SELECT store_key, ",
    columns!(summary),
    " FROM carafe_sessions WHERE store_key "
);
/// Counts at most `$2` of these keys and, with the dialect's `LARGEST`, returns the last one.
///
/// Selects no other column, so that an index suffices.
const KEYS: &str = " FROM (SELECT store_key FROM carafe_sessions WHERE store_key ";
/// From a key upward, and below it.
const SIDES: [&str; 2] = [">= ", "< "];

/// Turns sessions into markers that expire at `$1`, in one statement.
///
/// Pointers to the sessions lead to markers afterwards. Continued with a condition.
const RETIRE: &str = concat!("UPDATE carafe_sessions SET ", retired!("$1"));
const BY_KEY: &str = " WHERE store_key = $2 AND target IS NULL";
/// A session keeps its public id under every key. COALESCE hides the other conditions from the
/// planner, which without statistics may read all sessions, or all sessions of the user.
const BY_PUBLIC_ID: &str = " WHERE handle = $2 AND COALESCE(target IS NULL, FALSE)";
const OF_THIS_USER: &str = " AND COALESCE(user_id = $3, FALSE)";

const ANY_OF_USER: &str = concat!(
    "(SELECT store_key, ",
    columns!(summary),
    " FROM carafe_sessions WHERE user_id = $2 AND handle <> $3 LIMIT 1) r ON TRUE"
);

const BEGUN: &str = concat!(
    "(SELECT store_key, ",
    columns!(summary),
    " FROM carafe_sessions WHERE created <= $2 AND target IS NULL ORDER BY created LIMIT 1) r ON TRUE"
);

const CREATE: &str = concat!(
    "INSERT INTO carafe_sessions (store_key, ",
    columns!(""),
    ") \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
);

/// Replaces a row that this transaction has locked.
const REPLACE: &str = "UPDATE carafe_sessions SET store_key = $1, data = $2, user_id = $3, device = $4, \
     renewed = $5, last_seen = $6, expires = $7, authenticated = $8, renewal = $9, version = $10 \
     WHERE store_key = $11 AND target IS NULL";

/// The suffix of `REPLACE` for an unlocked row.
///
/// The version detects other writers; the data detects a row that was damaged in the meantime,
/// which must stay as it is.
const IF_UNCHANGED: &str = " AND version = $12 AND data = $13 AND expires > $14";

const TOUCH: &str = "UPDATE carafe_sessions SET last_seen = GREATEST(last_seen, $1), \
     expires = GREATEST(expires, $2), version = version + 1 \
     WHERE store_key = $3 AND expires > $4 AND target IS NULL";

/// A touch that confirms the renewal `$5`.
const CONFIRM: &str = "UPDATE carafe_sessions SET last_seen = GREATEST(last_seen, $1), \
     expires = GREATEST(expires, $2), renewal = $3, version = version + 1 \
     WHERE store_key = $4 AND renewal = $5 AND expires > $6 AND target IS NULL";

/// Extends the lifetime of a pointer.
const PROLONG: &str = "UPDATE carafe_sessions SET expires = GREATEST(expires, $1) \
     WHERE store_key = $2 AND target <> store_key";

/// Redirects the pointers to `$3` to `$1`. Pointers have the public id of their session.
const LEAD_ON: &str = "UPDATE carafe_sessions SET target = $1 WHERE handle = $2 AND target = $3";

/// The SQL statements of one store.
pub(crate) struct Statements {
    pub(crate) load: SqlStr,
    pub(crate) find: SqlStr,
    pub(crate) lock: SqlStr,
    pub(crate) of_user: SqlStr,
    pub(crate) oldest_of_user: SqlStr,
    pub(crate) lock_oldest_of_user: SqlStr,
    pub(crate) any_of_user: SqlStr,
    pub(crate) create: SqlStr,
    pub(crate) replace: SqlStr,
    pub(crate) replace_unchanged: SqlStr,
    pub(crate) touch: SqlStr,
    pub(crate) confirm: SqlStr,
    pub(crate) prolong: SqlStr,
    pub(crate) lead_on: SqlStr,
    pub(crate) retire: SqlStr,
    pub(crate) retire_of_user: SqlStr,
    pub(crate) retire_oldest_of_user: SqlStr,
    pub(crate) retire_one_of_user: SqlStr,
    pub(crate) retire_by_public_id: SqlStr,
    pub(crate) retire_begun: SqlStr,
    pub(crate) sweep: SqlStr,
    pub(crate) newest: SqlStr,
    pub(crate) find_by_public_id: SqlStr,
    pub(crate) walk: SqlStr,
    pub(crate) rows: [SqlStr; 2],
    pub(crate) keys: [SqlStr; 2],
    pub(crate) begun: SqlStr,
    pub(crate) begin: SqlStr,
    pub(crate) commit: SqlStr,
    pub(crate) rollback: SqlStr,
}

impl Statements {
    /// Returns the statements for the table `name`, which must be checked.
    pub(crate) fn about<D: Dialect>(name: &str) -> Self {
        let sql = |parts: &[&str]| sql::<D>(&parts.concat(), name);
        let counted = |parts: &[&str]| sql(&[&D::counted(parts.concat())]);
        let asked = |columns: &str, join: &str| sql(&[SELECT, D::CALL, columns, ASKED, join]);
        Self {
            load: asked(LOADED, LOAD),
            find: asked(FOUND, &["carafe_sessions r ON ", FIND].concat()),
            lock: asked(FOUND, &D::locked(FIND)),
            of_user: sql(&[OF_USER, D::BEHIND_OF_USER]),
            oldest_of_user: sql(&[OF_USER, D::OLDEST_OF_USER]),
            lock_oldest_of_user: sql(&[OF_USER, D::OLDEST_OF_USER, " FOR UPDATE"]),
            any_of_user: asked(", r.*", ANY_OF_USER),
            create: counted(&[CREATE, D::UNLESS_TAKEN]),
            replace: counted(&[REPLACE]),
            replace_unchanged: counted(&[REPLACE, IF_UNCHANGED]),
            touch: counted(&[TOUCH]),
            confirm: counted(&[CONFIRM]),
            prolong: counted(&[PROLONG]),
            lead_on: counted(&[LEAD_ON]),
            retire: counted(&[RETIRE, BY_KEY]),
            retire_of_user: counted(&[D::RETIRE_OF_USER]),
            retire_oldest_of_user: counted(&[D::RETIRE_OLDEST_OF_USER]),
            retire_one_of_user: counted(&[RETIRE, BY_PUBLIC_ID, OF_THIS_USER]),
            retire_by_public_id: counted(&[RETIRE, BY_PUBLIC_ID]),
            retire_begun: counted(&[D::RETIRE_BEGUN]),
            sweep: sql(&[D::SWEEP]),
            newest: sql(&[NEWEST, D::BEHIND, ORDER, D::PAGE]),
            find_by_public_id: sql(&[FIND_BY_PUBLIC_ID]),
            walk: sql(&[WALK, D::START, LIMIT]),
            rows: SIDES.map(|side| sql(&[ROWS, side, D::START, LIMIT])),
            keys: SIDES.map(|side| {
                let from = [KEYS, side, D::START, LIMIT].concat();
                sql(&["SELECT COUNT(*), ", D::LARGEST, &from, ") looked"])
            }),
            begun: asked(", r.*", BEGUN),
            begin: sql(&[D::BEGIN]),
            commit: sql(&["COMMIT"]),
            rollback: sql(&["ROLLBACK"]),
        }
    }
}

/// Returns `text` in the dialect and for the table.
///
/// Injection is impossible: the only dynamic part is a checked name.
pub(crate) fn sql<D: Dialect>(text: &str, table: &str) -> SqlStr {
    AssertSqlSafe(D::placeholders(table::renamed(text, table))).into_sql_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_stand_once_and_in_order() {
        let update = [REPLACE, IF_UNCHANGED].concat();
        let asked = [&["$1 ", LOAD], &["$1 ", FIND], &["$1 ", BEGUN]].map(|parts| parts.concat());
        for text in [
            &asked[0],
            &asked[1],
            &asked[2],
            &["$1 ", ANY_OF_USER].concat(),
            CREATE,
            &update,
            TOUCH,
            CONFIRM,
            PROLONG,
            LEAD_ON,
            &[RETIRE, BY_KEY].concat(),
            &[RETIRE, BY_PUBLIC_ID, OF_THIS_USER].concat(),
            FIND_BY_PUBLIC_ID,
            &["$1 ", LIMIT].concat(),
            #[cfg(feature = "postgres")]
            &sqlx::Postgres::counted(update.clone()),
            #[cfg(feature = "postgres")]
            &[NEWEST, sqlx::Postgres::BEHIND, ORDER, sqlx::Postgres::PAGE].concat(),
            #[cfg(feature = "postgres")]
            &[OF_USER, sqlx::Postgres::BEHIND_OF_USER].concat(),
            #[cfg(feature = "postgres")]
            &[OF_USER, sqlx::Postgres::OLDEST_OF_USER].concat(),
            #[cfg(feature = "postgres")]
            sqlx::Postgres::RETIRE_BEGUN,
            #[cfg(feature = "postgres")]
            sqlx::Postgres::RETIRE_OF_USER,
            #[cfg(feature = "postgres")]
            sqlx::Postgres::RETIRE_OLDEST_OF_USER,
            #[cfg(feature = "mysql")]
            &[NEWEST, sqlx::MySql::BEHIND, ORDER, sqlx::MySql::PAGE].concat(),
            #[cfg(feature = "mysql")]
            &[OF_USER, sqlx::MySql::BEHIND_OF_USER].concat(),
            #[cfg(feature = "mysql")]
            &[OF_USER, sqlx::MySql::OLDEST_OF_USER].concat(),
            #[cfg(feature = "mysql")]
            sqlx::MySql::RETIRE_BEGUN,
            #[cfg(feature = "mysql")]
            sqlx::MySql::RETIRE_OF_USER,
            #[cfg(feature = "mysql")]
            sqlx::MySql::RETIRE_OLDEST_OF_USER,
        ] {
            let numbers: Vec<usize> = text
                .split('$')
                .skip(1)
                .map(|rest| {
                    let end = rest
                        .find(|c: char| !c.is_ascii_digit())
                        .unwrap_or(rest.len());
                    rest[..end].parse().expect("a number")
                })
                .collect();
            assert_eq!(numbers, (1..=numbers.len()).collect::<Vec<_>>(), "{text}");
        }
    }
}
