//! All SQL. Each placeholder stands once and in order, so that `?` can take its place where `$n` is unknown.

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use crate::{dialect::Dialect, table};

/// The columns of a row, in the order of `Columns`.
macro_rules! columns {
    ($of:literal) => {
        columns!($of, $of, "data, ")
    };
    (summary) => {
        columns!("", "'' AS ", "data, ")
    };
    ($of:literal, $($data:literal),*) => {
        concat!(
            $of,
            "target, ",
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
            "version"
        )
    };
}

/// What a query begins with whose answer is one row, whether there is something or not; goes on with a join. Its
/// first column, [`Dialect::CALL`], says to which call it is the answer: see `dialect::answer`.
pub(crate) const SELECT: &str = "SELECT ";
pub(crate) const ASKED: &str = " FROM (SELECT 1 AS one) asked LEFT JOIN ";

/// A key leads to its own row or, if that is an alias, to the row of its target. The second column is the
/// key that was asked for.
const LOADED: &str = concat!(", a.store_key, ", columns!("r."));
const LOAD: &str = "carafe_sessions a ON a.store_key = $2 AND a.expires > $3 \
     LEFT JOIN carafe_sessions r ON r.store_key = COALESCE(a.target, a.store_key) AND r.expires > $4";

const FOUND: &str = concat!(", r.store_key, ", columns!("r."));
const FIND: &str = "store_key = $2 AND expires > $3";

const OF_USER: &str = concat!(
    "SELECT store_key, ",
    columns!(summary),
    " FROM carafe_sessions WHERE user_id = $1 AND expires > $2 \
     ORDER BY renewed DESC, handle DESC"
);

/// Goes on in the dialect's `BEHIND` and `PAGE`.
const NEWEST: &str = concat!(
    "SELECT store_key, ",
    columns!(summary),
    " FROM carafe_sessions WHERE expires > $1 AND target IS NULL AND "
);
const PAGE: &str = " ORDER BY renewed DESC, handle DESC LIMIT $5";

const OF_HANDLE: &str = concat!(
    "SELECT store_key, ",
    columns!(""),
    " FROM carafe_sessions WHERE handle = $1 AND expires > $2 AND target IS NULL"
);

/// Goes on in the dialect's `START` and `LIMIT`, as the next three do.
const WALK: &str = concat!(
    "SELECT store_key, ",
    columns!(""),
    " FROM carafe_sessions WHERE store_key > "
);
const LIMIT: &str = " ORDER BY store_key LIMIT $2";

/// Rows in the order of their keys, from one on or up to it.
const ROWS: &str = concat!(
    "SELECT store_key, ",
    columns!(summary),
    " FROM carafe_sessions WHERE store_key "
);
/// How many of these keys there are as far as `$2`, and, in the dialect's words, the last of them. Asks for no
/// other column, so that an index can answer.
const KEYS: &str = " FROM (SELECT store_key FROM carafe_sessions WHERE store_key ";
/// From a key on, and what comes before it.
const SIDES: [&str; 2] = [">= ", "< "];

/// Goes on in `ITSELF` for the session, which has the handle in whatever row it is moved to; and once more
/// for its aliases, which lead nowhere by then.
const DELETE_OF_HANDLE: &str = "DELETE FROM carafe_sessions WHERE handle = $1";
const ITSELF: &str = " AND target IS NULL";

const BEGUN: &str = concat!(
    "(SELECT store_key, ",
    columns!(summary),
    " FROM carafe_sessions WHERE created <= $2 AND target IS NULL ORDER BY created LIMIT 1) r ON TRUE"
);

const CREATE: &str = concat!(
    "INSERT INTO carafe_sessions (store_key, ",
    columns!(""),
    ") \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
);

/// A row that is ours: nobody else can change it.
const REPLACE: &str = "UPDATE carafe_sessions SET store_key = $1, data = $2, user_id = $3, device = $4, \
     renewed = $5, last_seen = $6, expires = $7, authenticated = $8, version = $9 \
     WHERE store_key = $10 AND target IS NULL";

/// What `REPLACE` ends in where others can. The version says who wrote last; the data says that it is still
/// what this version was, for a row that was damaged meanwhile must stay as it is.
const IF_UNCHANGED: &str = " AND version = $11 AND data = $12 AND expires > $13";

const TOUCH: &str = "UPDATE carafe_sessions SET last_seen = GREATEST(last_seen, $1), \
     expires = GREATEST(expires, $2), version = version + 1 \
     WHERE store_key = $3 AND expires > $4 AND target IS NULL";

const DELETE: &str = "DELETE FROM carafe_sessions WHERE store_key = $1 AND target IS NULL";

const DELETE_OF_USER: &str = "DELETE FROM carafe_sessions WHERE user_id = $1";

/// The SQL texts of one store.
pub(crate) struct Statements {
    pub(crate) load: SqlStr,
    pub(crate) find: SqlStr,
    pub(crate) lock: SqlStr,
    pub(crate) of_user: SqlStr,
    pub(crate) create: SqlStr,
    pub(crate) replace: SqlStr,
    pub(crate) replace_unchanged: SqlStr,
    pub(crate) touch: SqlStr,
    pub(crate) delete: SqlStr,
    pub(crate) delete_of_user: SqlStr,
    pub(crate) delete_only: SqlStr,
    pub(crate) delete_all_but: SqlStr,
    pub(crate) sweep: SqlStr,
    pub(crate) newest: SqlStr,
    pub(crate) of_handle: SqlStr,
    pub(crate) walk: SqlStr,
    pub(crate) rows: [SqlStr; 2],
    pub(crate) keys: [SqlStr; 2],
    pub(crate) delete_of_handle: SqlStr,
    pub(crate) delete_aliases: SqlStr,
    pub(crate) delete_begun: SqlStr,
    pub(crate) begun: SqlStr,
    pub(crate) begin: SqlStr,
    pub(crate) commit: SqlStr,
    pub(crate) rollback: SqlStr,
}

impl Statements {
    /// For the table of this name, which was checked.
    pub(crate) fn about<D: Dialect>(name: &str) -> Self {
        let sql = |parts: &[&str]| sql::<D>(&parts.concat(), name);
        let counted = |parts: &[&str]| sql(&[&D::counted(parts.concat())]);
        let asked = |columns: &str, join: &str| sql(&[SELECT, D::CALL, columns, ASKED, join]);
        Self {
            load: asked(LOADED, LOAD),
            find: asked(FOUND, &["carafe_sessions r ON ", FIND].concat()),
            lock: asked(FOUND, &D::locked(FIND)),
            of_user: sql(&[OF_USER]),
            create: counted(&[CREATE, D::UNLESS_TAKEN]),
            replace: counted(&[REPLACE]),
            replace_unchanged: counted(&[REPLACE, IF_UNCHANGED]),
            touch: counted(&[TOUCH]),
            delete: counted(&[DELETE]),
            delete_of_user: counted(&[DELETE_OF_USER]),
            delete_only: counted(&[DELETE_OF_USER, " AND handle = $2"]),
            delete_all_but: counted(&[DELETE_OF_USER, " AND handle <> $2"]),
            sweep: sql(&[D::SWEEP]),
            newest: sql(&[NEWEST, D::BEHIND, PAGE]),
            of_handle: sql(&[OF_HANDLE]),
            walk: sql(&[WALK, D::START, LIMIT]),
            rows: SIDES.map(|side| sql(&[ROWS, side, D::START, LIMIT])),
            keys: SIDES.map(|side| {
                let from = [KEYS, side, D::START, LIMIT].concat();
                sql(&["SELECT COUNT(*), ", D::LARGEST, &from, ") looked"])
            }),
            delete_of_handle: counted(&[DELETE_OF_HANDLE, ITSELF]),
            delete_aliases: counted(&[DELETE_OF_HANDLE]),
            delete_begun: counted(&[D::DELETE_BEGUN]),
            begun: asked(", r.*", BEGUN),
            begin: sql(&[D::BEGIN]),
            commit: sql(&["COMMIT"]),
            rollback: sql(&["ROLLBACK"]),
        }
    }
}

/// `text` in the dialect and about the table. Safe: the only part that is not ours is a checked name.
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
            OF_USER,
            CREATE,
            &update,
            TOUCH,
            DELETE,
            DELETE_OF_USER,
            OF_HANDLE,
            &["$1 ", LIMIT].concat(),
            #[cfg(feature = "postgres")]
            &sqlx::Postgres::counted(update.clone()),
            #[cfg(feature = "postgres")]
            &[NEWEST, sqlx::Postgres::BEHIND, PAGE].concat(),
            #[cfg(feature = "postgres")]
            sqlx::Postgres::DELETE_BEGUN,
            #[cfg(feature = "mysql")]
            &[NEWEST, sqlx::MySql::BEHIND, PAGE].concat(),
            #[cfg(feature = "mysql")]
            sqlx::MySql::DELETE_BEGUN,
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
