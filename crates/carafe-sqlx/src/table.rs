//! Table names that are safe to use in SQL without quoting.

use std::{error::Error, fmt};

/// The table name in this crate's SQL, which is replaced by the configured one.
pub(crate) const DEFAULT: &str = "carafe_sessions";
/// Maximum length: a name with a suffix such as `_expires` must fit into Postgres' 63 bytes.
const LONGEST: usize = 48;

/// The error for an invalid table name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidTable(String);

/// Returns `name` if it is valid.
pub(crate) fn checked(name: &str) -> Result<&str, InvalidTable> {
    let starts_well = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_');
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if starts_well && name.len() <= LONGEST && name.chars().all(is_plain) {
        Ok(name)
    } else {
        Err(InvalidTable(name.to_owned()))
    }
}

/// Returns `sql` for the table `name`.
pub(crate) fn renamed(sql: &str, name: &str) -> String {
    sql.replace(DEFAULT, name)
}

impl fmt::Display for InvalidTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(name) = self;
        write!(
            f,
            "a table's name is 1 to {LONGEST} of a-z, 0-9 and _, not {name:?}"
        )
    }
}

impl Error for InvalidTable {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_mean_more_than_themselves_are_refused() {
        assert_eq!(checked("shop_sessions2"), Ok("shop_sessions2"));
        let long = "x".repeat(LONGEST + 1);
        for name in ["", "2x", "Users", "a b", "a;drop", "a\"b", "é", &long] {
            assert_eq!(checked(name), Err(InvalidTable(name.to_owned())), "{name}");
        }
    }
}
