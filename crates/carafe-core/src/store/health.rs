//! The state of a store, for operators to check before a deployment.
//!
//! Each store has its own `health` method, because the facts differ. A `Health` never contains an
//! ID, a user or a session's data.

use std::fmt;

/// The findings of a store about itself and its server.
///
/// ```
/// use carafe_core::store::Health;
///
/// let mut health = Health::default();
/// health.fact("sessions", 1_200);
/// assert!(health.is_good());
///
/// health.problem("the table has no index; run `carafe store setup`");
/// assert!(!health.is_good());
/// assert_eq!(
///     health.to_string(),
///     "sessions: 1200\nPROBLEM: the table has no index; run `carafe store setup`\n",
/// );
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Facts, such as `("journal mode", "wal")`, in the order in which to show them.
    pub facts: Vec<(&'static str, String)>,
    /// Problems, each with its remedy, as a sentence without a period. Empty if none was found.
    pub problems: Vec<String>,
}

impl Health {
    /// Returns whether no problem was found.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.problems.is_empty()
    }

    /// Adds a fact.
    pub fn fact(&mut self, name: &'static str, value: impl fmt::Display) {
        self.facts.push((name, value.to_string()));
    }

    /// Adds a problem.
    pub fn problem(&mut self, text: impl Into<String>) {
        self.problems.push(text.into());
    }
}

impl fmt::Display for Health {
    /// Writes one line for each fact and each problem.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.facts {
            writeln!(f, "{name}: {value}")?;
        }
        for problem in &self.problems {
            writeln!(f, "PROBLEM: {problem}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_is_so_and_what_is_wrong() {
        let mut health = Health::default();
        health.fact("schema", format_args!("version {}", 1));
        assert!(health.is_good());
        health.problem("an index is missing: migrate");
        assert!(!health.is_good());
        assert_eq!(
            health.to_string(),
            "schema: version 1\nPROBLEM: an index is missing: migrate\n"
        );
    }
}
