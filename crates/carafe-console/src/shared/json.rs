//! JSON text in colors. The text is unchanged.

use maud::{Markup, html};

use super::json_text::{Kind, Token, pretty, tokens};

/// JSON text without changes. Long texts may break after commas.
pub fn exact(text: &str) -> Markup {
    html! {
        @for token in tokens(text) {
            (tinted(token))
            @if token.text == "," { wbr; }
        }
    }
}

/// A block with one line per member.
pub fn block(text: &str) -> Markup {
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
