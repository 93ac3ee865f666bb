//! Why a command ended without its result: one line, and an exit code.

use std::{fmt, process::ExitCode};

/// What stopped a command. The text is one line for a person and never holds a key or a password.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The world did not play along: exit code 1.
    Trouble(String),
    /// The command was called with something it cannot use: exit code 2, as clap's own errors.
    Usage(String),
    /// What the command names is not there: exit code 3.
    NotFound(String),
    /// The store cannot be reached or used: exit code 4.
    Unavailable(String),
    /// Somebody asked the command to stop; the same command goes on: exit code 5.
    Stopped(String),
}

/// The codes, as every place that documents them says it. A macro, so that it may be a part of other texts.
macro_rules! exit_codes {
    () => {
        "\
Exit codes:
  0  done
  1  trouble: refused, problems found, stores that differ
  2  the command was called with something it cannot use
  3  there is no session with the handle
  4  the store cannot be reached or used
  5  stopped before the end; the same command goes on"
    };
}

pub(crate) const EXIT_CODES: &str = exit_codes!();
pub(crate) use exit_codes;

impl Failure {
    pub(crate) fn trouble(text: impl fmt::Display) -> Self {
        Self::Trouble(text.to_string())
    }

    pub(crate) fn usage(text: impl fmt::Display) -> Self {
        Self::Usage(text.to_string())
    }

    pub(crate) fn not_found(text: impl fmt::Display) -> Self {
        Self::NotFound(text.to_string())
    }

    #[allow(dead_code, reason = "a program without stores opens none")]
    pub(crate) fn unavailable(text: impl fmt::Display) -> Self {
        Self::Unavailable(text.to_string())
    }

    pub(crate) fn stopped(text: impl fmt::Display) -> Self {
        Self::Stopped(text.to_string())
    }

    /// The same, with something more to say.
    pub(crate) fn and(self, more: &str) -> Self {
        let with = |text| format!("{text}; {more}");
        match self {
            Self::Trouble(text) => Self::Trouble(with(text)),
            Self::Usage(text) => Self::Usage(with(text)),
            Self::NotFound(text) => Self::NotFound(with(text)),
            Self::Unavailable(text) => Self::Unavailable(with(text)),
            Self::Stopped(text) => Self::Stopped(with(text)),
        }
    }

    /// The line.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Trouble(text)
            | Self::Usage(text)
            | Self::NotFound(text)
            | Self::Unavailable(text)
            | Self::Stopped(text) => text,
        }
    }

    /// Says what is wrong, and gives the code to exit with.
    pub(crate) fn report(&self) -> ExitCode {
        let (kind, code) = match self {
            Self::Trouble(_) => ("error", 1),
            Self::Usage(_) => ("error", 2),
            Self::NotFound(_) => ("error", 3),
            Self::Unavailable(_) => ("error", 4),
            Self::Stopped(_) => ("stopped", 5),
        };
        crate::output::to_stderr(kind, self.text());
        ExitCode::from(code)
    }
}
