//! Writes all text of the command. Text for standard error is escaped here. A [`line()`] contains color codes, so its
//! caller escapes untrusted text with [`printable`]. A closed pipe (`carafe … | head -1`) is not an error.

use std::{
    io::{ErrorKind, Write},
    process::ExitCode,
};

use carafe_console::shared::human::printable;
use carafe_core::json;
use clap::builder::styling::{AnsiColor, Style};

use crate::failure::Failure;

/// Writes `text` and a line break to standard output, with its colours if a terminal wants them.
pub fn line(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::trouble(format_args!("cannot write: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes one JSON object on a line of its own: ASCII, fields as they come.
pub fn json<T: serde::Serialize>(report: &T) -> Result<(), Failure> {
    // Starlette's style is Python's plain `json.dumps`.
    let text = json::to_text(report, json::JsonDialect::STARLETTE).map_err(Failure::trouble)?;
    // The one control character that JSON's ASCII leaves as it is; it can only be in a string.
    line(&text.replace('\u{7f}', "\\u007f"))
}

/// One line for people about what was printed, apart from it: on standard error.
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

/// One line about something that is not good and stops nothing.
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
