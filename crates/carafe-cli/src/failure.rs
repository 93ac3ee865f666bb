//! Why a command ended without its result: one line, and an exit code.

use std::{fmt, process::ExitCode};

/// What stopped a command. The text is one line for a person and never holds a key.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command was called with something it cannot use: exit code 2, as clap's own errors.
    Usage(String),
    /// The world did not play along: exit code 1.
    Trouble(String),
}

impl Failure {
    pub(crate) fn usage(text: impl fmt::Display) -> Self {
        Self::Usage(text.to_string())
    }

    pub(crate) fn trouble(text: impl fmt::Display) -> Self {
        Self::Trouble(text.to_string())
    }

    /// Says what is wrong, and gives the code to exit with.
    pub(crate) fn report(&self) -> ExitCode {
        let (Self::Usage(text) | Self::Trouble(text)) = self;
        crate::output::to_stderr("error", text);
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Trouble(_) => ExitCode::from(1),
        }
    }
}
