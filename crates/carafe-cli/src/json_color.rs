//! JSON text in the colors of a terminal.

use carafe_console::shared::json_text::{Kind, Token};
use clap::builder::styling::{AnsiColor, Style};

use crate::human::printable;

/// Returns the token in the color of its kind, safe to write to a terminal.
pub(crate) fn colored(token: Token<'_>) -> String {
    let style = match token.kind {
        Kind::Key => AnsiColor::Blue.on_default(),
        Kind::String => AnsiColor::Green.on_default(),
        Kind::Literal => AnsiColor::Yellow.on_default(),
        Kind::Mark | Kind::Blank => Style::new(),
    };
    format!("{style}{}{style:#}", printable(token.text))
}
