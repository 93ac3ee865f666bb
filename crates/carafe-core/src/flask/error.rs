//! What is wrong with a configuration: all of it, one line each, never a key.

use std::fmt;

/// Why a configuration was refused: everything that is wrong with it, so that a start fails once.
///
/// `Display` has one line per problem, and so has `Debug`, which is what a `main` that returns it prints.
///
/// ```
/// use carafe_core::flask::FlaskConfig;
///
/// let text = r#"{"SECRET_KEY": "0123456789abcdef0123456789abcdef", "SESSION_COOKIE_SECURE": 0, "PERMANENT_SESSION_LIFETIME": -1}"#;
/// let error = FlaskConfig::from_json(text).unwrap_err();
/// let keys: Vec<_> = error.problems().iter().map(|problem| problem.key()).collect();
/// assert_eq!(keys, ["SESSION_COOKIE_SECURE", "PERMANENT_SESSION_LIFETIME"]);
/// assert_eq!(error.to_string().lines().count(), 2);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigError {
    problems: Vec<Problem>,
}

/// One thing that is wrong, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    key: String,
    reason: String,
}

impl ConfigError {
    pub(super) fn of(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Self { problems })
        }
    }

    /// The problems; there is at least one.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl Problem {
    pub(super) fn new(key: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            reason: reason.into(),
        }
    }

    /// The setting as it is spelled where it was found, with its prefix if it was a variable; or the
    /// source that could not be read.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What it is and what it should be, on one line.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.reason)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, problem) in self.problems.iter().enumerate() {
            let separator = if position == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ConfigError {}
