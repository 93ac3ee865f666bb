//! [`Operator`]: the user of the console.

use std::fmt;

/// The user of the console, as authenticated by the application.
///
/// The application inserts it into the extensions of each request that may access the console.
#[derive(Clone, PartialEq, Eq)]
pub struct Operator {
    name: String,
    session: String,
}

impl Operator {
    /// Returns an operator with this name, which audit events carry.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            session: String::new(),
        }
    }

    /// Binds the forms of the console to one log-in of the operator.
    ///
    /// `session` is a text that differs between two log-ins, such as the public ID of the
    /// operator's own session. A form from a page of an earlier log-in is then rejected. Without
    /// it, forms are bound to the name alone.
    #[must_use]
    pub fn with_session(self, session: impl Into<String>) -> Self {
        Self {
            session: session.into(),
            ..self
        }
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns a text that is unique for each log-in.
    pub(crate) fn binding(&self) -> String {
        let Self { name, session } = self;
        // The length prefix distinguishes `ab` + `c` from `a` + `bc`.
        format!("{}:{name}{session}", name.len())
    }
}

impl fmt::Debug for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The session text may be a secret of the application.
        f.debug_struct("Operator")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bindings_differ_by_name_and_by_session() {
        let of = |name: &str, session: &str| Operator::new(name).with_session(session).binding();
        assert_ne!(of("ab", "c"), of("a", "bc"));
        assert_ne!(of("ada", "1"), of("ada", "2"));
        assert_ne!(of("1:a", ""), of("a", "1:"));
        assert_eq!(of("ada", ""), Operator::new("ada").binding());
    }

    #[test]
    fn the_session_is_not_in_debug() {
        let text = format!("{:?}", Operator::new("ada").with_session("secret"));
        assert!(text.contains("ada") && !text.contains("secret"), "{text}");
    }
}
