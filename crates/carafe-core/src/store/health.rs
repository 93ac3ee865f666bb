//! How a store is: what an operator wants to know before visitors depend on it. A store says it in a method
//! `health` of its own, since each has something else to say. Never holds an id, a user or a session's data.

use std::fmt;

/// What a store has found out about itself and its server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// What is so, such as `("journal mode", "wal")`, in the order in which to show it.
    pub facts: Vec<(&'static str, String)>,
    /// What is wrong, each a sentence without its full stop that says what to do; empty if all is well.
    pub problems: Vec<String>,
}

impl Health {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.problems.is_empty()
    }

    /// Notes what is so.
    pub fn fact(&mut self, name: &'static str, value: impl fmt::Display) {
        self.facts.push((name, value.to_string()));
    }

    /// Notes what is wrong.
    pub fn problem(&mut self, text: impl Into<String>) {
        self.problems.push(text.into());
    }
}

impl fmt::Display for Health {
    /// A line for each fact and each problem.
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
