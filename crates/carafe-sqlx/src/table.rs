//! The name of a table, safe to stand in SQL without quotation marks.

use std::{error::Error, fmt};

/// What the SQL texts of this crate call the table; another name takes its place.
pub(crate) const DEFAULT: &str = "carafe_sessions";
/// With `_expires` after it, a name must fit into Postgres's 63 bytes.
const LONGEST: usize = 48;

/// A name that cannot be a table's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidTable(String);

/// `name`, if it is one.
pub(crate) fn checked(name: &str) -> Result<&str, InvalidTable> {
    let starts_well = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_');
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if starts_well && name.len() <= LONGEST && name.chars().all(is_plain) {
        Ok(name)
    } else {
        Err(InvalidTable(name.to_owned()))
    }
}

/// `sql` about the table `name`.
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
