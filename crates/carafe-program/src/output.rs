//! Writes all output of the command.
//!
//! Text for standard error is escaped here. A [`line()`] contains color codes, so its caller
//! escapes untrusted text with [`printable`]. A closed pipe (`carafe … | head -1`) is not an error.

use std::{
    io::{ErrorKind, Write},
    process::ExitCode,
};

use carafe_console::shared::human::printable;
use carafe_core::json;
use clap::builder::styling::{AnsiColor, Style};

use crate::failure::Failure;

/// Writes `text` and a line break to standard output, with its colors if a terminal supports them.
pub fn line(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::trouble(format_args!("cannot write: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes one JSON object in ASCII on a line of its own, with the fields in order.
pub fn json<T: serde::Serialize>(report: &T) -> Result<(), Failure> {
    // Starlette's dialect is Python's default `json.dumps`.
    let text = json::to_text(report, json::JsonDialect::STARLETTE).map_err(Failure::trouble)?;
    // The only control character that ASCII JSON does not escape. It can only be inside a string.
    line(&text.replace('\u{7f}', "\\u007f"))
}

/// Writes one line about the output to standard error.
pub fn note(text: &str) -> Result<(), Failure> {
    let style = Style::new().dimmed();
    // Errors while writing to stderr are ignored.
    let _ = writeln!(
        anstream::stderr().lock(),
        "{style}{}{style:#}",
        printable(text)
    );
    Ok(())
}

/// Writes a one-line warning to standard error.
pub fn warning(text: &str) {
    to_stderr("warning", text);
}

/// Writes a failure to stderr, and returns its exit code.
pub fn failure(failure: &Failure) -> ExitCode {
    let (kind, code) = match failure {
        Failure::Trouble(_) => ("error", 1),
        Failure::Usage(_) => ("error", 2),
        Failure::NotFound(_) => ("error", 3),
        Failure::Unavailable(_) => ("error", 4),
        Failure::Stopped(_) => ("stopped", 5),
    };
    to_stderr(kind, failure.text());
    ExitCode::from(code)
}

/// Writes `kind: text` to stderr. Errors while writing are ignored.
fn to_stderr(kind: &str, text: &str) {
    let color = match kind {
        "error" => AnsiColor::Red,
        _ => AnsiColor::Yellow,
    };
    let style = Style::new().bold().fg_color(Some(color.into()));
    let _ = writeln!(
        anstream::stderr().lock(),
        "{style}{kind}:{style:#} {}",
        printable(text)
    );
}
