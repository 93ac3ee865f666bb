//! The failure of a command: one line, and an exit code.

use std::fmt;

/// The failure of a command. The text is one line and never holds a key or a password.
#[derive(Debug)]
pub enum Failure {
    /// The command failed: exit code 1.
    Trouble(String),
    /// The command was called with invalid arguments: exit code 2, as in clap's own errors.
    Usage(String),
    /// The named session does not exist: exit code 3.
    NotFound(String),
    /// The store cannot be reached or cannot be used: exit code 4.
    Unavailable(String),
    /// A signal stopped the command, and the same command would continue: exit code 5.
    Stopped(String),
}

/// The documentation of the exit codes. A macro, so that other texts can include it.
#[macro_export]
macro_rules! exit_codes {
    () => {
        "\
Exit codes:
  0  done
  1  trouble: refused, problems found, stores that differ
  2  the command was called with something it cannot use
  3  no session has the public ID
  4  the store cannot be reached or used
  5  stopped before the end; the same command continues"
    };
}

pub const EXIT_CODES: &str = exit_codes!();

impl Failure {
    pub fn trouble(text: impl fmt::Display) -> Self {
        Self::Trouble(text.to_string())
    }

    pub fn usage(text: impl fmt::Display) -> Self {
        Self::Usage(text.to_string())
    }

    pub fn not_found(text: impl fmt::Display) -> Self {
        Self::NotFound(text.to_string())
    }

    pub fn unavailable(text: impl fmt::Display) -> Self {
        Self::Unavailable(text.to_string())
    }

    pub fn stopped(text: impl fmt::Display) -> Self {
        Self::Stopped(text.to_string())
    }

    /// Returns the failure with `more` appended to its text.
    pub fn and(self, more: &str) -> Self {
        let with = |text| format!("{text}; {more}");
        match self {
            Self::Trouble(text) => Self::Trouble(with(text)),
            Self::Usage(text) => Self::Usage(with(text)),
            Self::NotFound(text) => Self::NotFound(with(text)),
            Self::Unavailable(text) => Self::Unavailable(with(text)),
            Self::Stopped(text) => Self::Stopped(with(text)),
        }
    }

    /// Returns the text of the failure.
    pub fn text(&self) -> &str {
        match self {
            Self::Trouble(text)
            | Self::Usage(text)
            | Self::NotFound(text)
            | Self::Unavailable(text)
            | Self::Stopped(text) => text,
        }
    }
}
