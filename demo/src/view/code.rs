//! The six lines of Rust at the foot of the page, with syntax colors.

use maud::{Markup, html};

/// The lines. `tests/footer_code.rs` checks that they compile.
const LINES: &str = include_str!("six_lines.txt");

const KEYWORDS: [&str; 4] = ["async", "fn", "let", "use"];

pub(super) fn code_block(labelled_by: &str) -> Markup {
    html! {
        pre.code tabindex="0" role="region" aria-labelledby=(labelled_by) {
            code { @for word in words(LINES.trim_end()) { (tinted(word.0, word.1)) } }
        }
    }
}

/// Splits the text into words and the text between them, each with the rest that follows, which
/// identifies function names.
fn words(text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => rest[1..].find('"').map_or(rest.len(), |end| end + 2),
            _ if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (word, behind) = rest.split_at(length);
        found.push((word, behind));
        rest = behind;
    }
    found
}

fn tinted(word: &str, behind: &str) -> Markup {
    let first = word.chars().next().unwrap_or(' ');
    let class = match first {
        '"' => "tok-string",
        _ if KEYWORDS.contains(&word) => "tok-keyword",
        _ if first.is_ascii_digit() => "tok-number",
        _ if first.is_ascii_uppercase() || matches!(word, "u64") => "tok-type",
        _ if is_word(first) && behind.starts_with(['(', '!']) => "tok-function",
        _ => return html! { (word) },
    };
    html! { span class=(class) { (word) } }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
