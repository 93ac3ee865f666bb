//! The way out for all text. A reader that has gone away (`carafe … | head -1`) is no error.

use std::io::{ErrorKind, Write};

use carafe_core::json;
use clap::builder::styling::{AnsiColor, Style};

use crate::failure::Failure;

/// Writes `text` and a line break to standard output, with its colours if a terminal wants them.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::trouble(format_args!("cannot write: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes one JSON object on a line of its own: ASCII, fields as they come.
pub(crate) fn json<T: serde::Serialize>(report: &T) -> Result<(), Failure> {
    // Starlette's style is Python's plain `json.dumps`.
    line(&json::to_text(report, json::Style::STARLETTE).map_err(Failure::trouble)?)
}

/// One line for people about what was printed, apart from it: on standard error.
pub(crate) fn note(text: &str) -> Result<(), Failure> {
    let style = Style::new().dimmed();
    // Where nobody can be told, nobody is.
    let _ = writeln!(anstream::stderr().lock(), "{style}{text}{style:#}");
    Ok(())
}

/// One line about something that is not good and stops nothing.
pub(crate) fn warning(text: &str) {
    to_stderr("warning", text);
}

/// `kind: text` on standard error. Where nobody can be told, nobody is.
pub(crate) fn to_stderr(kind: &str, text: &str) {
    let color = match kind {
        "error" => AnsiColor::Red,
        _ => AnsiColor::Yellow,
    };
    let style = Style::new().bold().fg_color(Some(color.into()));
    let _ = writeln!(anstream::stderr().lock(), "{style}{kind}:{style:#} {text}");
}
