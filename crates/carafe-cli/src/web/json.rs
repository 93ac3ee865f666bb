//! JSON text in colours. The text stays as it is.

use maud::{Markup, html};

use crate::json_text::{Kind, Token, pretty, tokens};

/// The exact text; long ones may break behind commas.
pub(crate) fn exact(text: &str) -> Markup {
    html! {
        @for token in tokens(text) {
            (tinted(token))
            @if token.text == "," { wbr; }
        }
    }
}

/// A block that people can read, with one line per member.
pub(crate) fn block(text: &str) -> Markup {
    html! {
        pre.code.code-wrap { code { @for token in pretty(text) { (tinted(token)) } } }
    }
}

fn tinted(token: Token<'_>) -> Markup {
    match token.kind {
        Kind::Key => html! { span.tok-key { (token.text) } },
        Kind::String => html! { span.tok-string { (token.text) } },
        Kind::Literal => html! { span.tok-number { (token.text) } },
        Kind::Mark | Kind::Blank => html! { (token.text) },
    }
}
