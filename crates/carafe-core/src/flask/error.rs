//! The errors of a configuration: all problems, one line each, without any key.

use std::fmt;

/// All problems of a rejected configuration, so that one start reports all of them.
///
/// `Display` writes one line per problem, and so does `Debug`, which is used if `main` returns the
/// error.
///
/// ```
/// use carafe_core::flask::FlaskConfig;
///
/// let text = r#"{
///     "SECRET_KEY": "0123456789abcdef0123456789abcdef",
///     "SESSION_COOKIE_SECURE": 0,
///     "PERMANENT_SESSION_LIFETIME": -1
/// }"#;
/// let error = FlaskConfig::from_json(text).unwrap_err();
/// let keys: Vec<_> = error.problems().iter().map(|problem| problem.key()).collect();
/// assert_eq!(keys, ["SESSION_COOKIE_SECURE", "PERMANENT_SESSION_LIFETIME"]);
/// assert_eq!(error.to_string().lines().count(), 2);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigError {
    problems: Vec<Problem>,
}

/// A problem and its solution.
///
/// ```
/// use carafe_core::flask::FlaskConfig;
///
/// let text = r#"{"SECRET_KEY": "flask-spec-secret", "SESSION_COOKIE_SAMESITE": "Loose"}"#;
/// let error = FlaskConfig::from_json(text).unwrap_err();
/// let problem = &error.problems()[0];
/// assert_eq!(problem.key(), "SESSION_COOKIE_SAMESITE");
/// assert!(problem.reason().starts_with(r#"is the text "Loose"; write "Lax", "Strict""#));
/// ```
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

    /// Returns the problems; at least one.
    ///
    /// ```
    /// use carafe_core::flask::FlaskConfig;
    ///
    /// let error = FlaskConfig::from_json("{}").unwrap_err();
    /// assert_eq!(error.problems()[0].key(), "SECRET_KEY");
    /// ```
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

    /// Returns the name of the setting in its source, with its prefix if it is a variable.
    ///
    /// Returns the source itself if the source cannot be read.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the setting's value and a valid alternative, on one line.
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
