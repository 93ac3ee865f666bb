//! All SQL for Flask-Session's table.
//!
//! Each placeholder occurs once and in order; `{n}` is a placeholder for a time.

use sqlx::SqlStr;

use super::dialect::FlaskDialect;
use crate::statements::{ASKED, SELECT, sql};

const FOUND: &str = ", {name}, data, {expires}, {number}";
const LOAD: &str = "session_id = $2 AND {exact} = $3 AND expiry > {4}";

const CREATE: &str = "INSERT INTO carafe_sessions (session_id, data, expiry) VALUES ($1, $2, {3})";

/// Conditional on the value that the new one was computed from.
const REPLACE: &str = "UPDATE carafe_sessions SET data = $1, expiry = GREATEST(expiry, {2}) \
     WHERE session_id = $3 AND {exact} = $4 AND data = $5 AND expiry > {6}";

const TOUCH: &str = "UPDATE carafe_sessions SET expiry = GREATEST(expiry, {1}) \
     WHERE session_id = $2 AND {exact} = $3 AND expiry > {4}";

const DELETE: &str = "DELETE FROM carafe_sessions WHERE session_id = $1 AND {exact} = $2";

/// The cursor is the row's primary key.
///
/// `session_id` would put session ids into the migration's file. Flask-Session treats a row without
/// an expiry as expired; a row without data is unreadable, and a row without a name belongs to no
/// session.
const WALK: &str = "SELECT {name}, COALESCE(data, ''), COALESCE({expires}, 0), {number} \
     FROM carafe_sessions WHERE id > $1 AND session_id IS NOT NULL ORDER BY id LIMIT $2";

/// The second column is required by `Dialect::keys`.
const COUNT: &str = "SELECT COUNT(*), NULL FROM carafe_sessions WHERE expiry > {1}";

/// The SQL statements of one store.
pub(super) struct Statements {
    pub(super) load: SqlStr,
    pub(super) lock: SqlStr,
    pub(super) create: SqlStr,
    pub(super) replace: SqlStr,
    pub(super) touch: SqlStr,
    pub(super) delete: SqlStr,
    pub(super) sweep: SqlStr,
    pub(super) walk: SqlStr,
    pub(super) count: SqlStr,
}

impl Statements {
    /// Returns the statements for the table `name`, which must be checked.
    pub(super) fn about<D: FlaskDialect>(name: &str) -> Self {
        let sql = |parts: &[&str]| sql::<D>(&filled::<D>(&parts.concat()), name);
        let counted = |parts: &[&str]| sql(&[&D::counted(filled::<D>(&parts.concat()))]);
        let asked = |join: &str| sql(&[SELECT, D::CALL, FOUND, ASKED, join]);
        Self {
            load: asked(&["carafe_sessions r ON ", LOAD].concat()),
            lock: asked(&D::locked(LOAD)),
            create: counted(&[CREATE, D::UNLESS_TAKEN]),
            replace: counted(&[REPLACE]),
            touch: counted(&[TOUCH]),
            delete: counted(&[DELETE]),
            sweep: sql(&[D::SWEEP_ROWS]),
            walk: sql(&[WALK]),
            count: sql(&[COUNT]),
        }
    }
}

fn filled<D: FlaskDialect>(text: &str) -> String {
    let text = text
        .replace("{name}", D::NAME_BYTES)
        .replace("{exact}", D::EXACT)
        .replace("{expires}", D::EXPIRES)
        .replace("{number}", D::NUMBER);
    (1..=6).fold(text, |text, n| {
        let moment = D::MOMENT.replace('@', &format!("${n}"));
        text.replace(&format!("{{{n}}}"), &moment)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(all(feature = "mysql", feature = "postgres"))]
    #[test]
    fn placeholders_stand_once_and_in_order() {
        let asked = ["$1 ", LOAD].concat();
        for text in [&asked, CREATE, REPLACE, TOUCH, DELETE, WALK, COUNT] {
            let postgres = filled::<sqlx::Postgres>(text);
            let numbers: Vec<_> = postgres
                .split('$')
                .skip(1)
                .filter_map(|rest| rest.chars().next()?.to_digit(10))
                .collect();
            assert_eq!(
                numbers,
                (1..=numbers.len() as u32).collect::<Vec<_>>(),
                "{postgres}"
            );
            assert!(!filled::<sqlx::MySql>(text).contains(['{', '@']), "{text}");
        }
    }
}
