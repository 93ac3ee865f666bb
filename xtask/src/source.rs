//! Source files, and their code as tokens.

use std::{fs, path::Path};

use crate::steps::Outcome;

/// Reads the source files below `folder`, except those of tests and conformance suites.
pub(crate) fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, String)>) -> Outcome {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let file = format!("{prefix}{name}");
        if matches!(name.as_str(), "tests" | "tests.rs" | "conformance") {
            continue;
        }
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{file}/"), files)?;
        } else if name.ends_with(".rs") {
            files.push((file, fs::read_to_string(entry.path())?));
        }
    }
    Ok(())
}

/// Splits code into identifiers, `::` and single characters.
pub(crate) fn tokens(code: &str) -> Vec<&str> {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let mut rest = code.trim_start();
    let mut found = Vec::new();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            _ if is_word(first) => rest.find(|next| !is_word(next)).unwrap_or(rest.len()),
            ':' if rest.starts_with("::") => 2,
            _ => first.len_utf8(),
        };
        let (token, behind) = rest.split_at(length);
        found.push(token);
        rest = behind.trim_start();
    }
    found
}

/// Returns the code of a source file without comments, literals and items for tests.
pub(crate) fn code_of(source: &str) -> String {
    without_test_items(&without_literals(source))
}

/// Replaces each comment and each string or character literal by a space.
fn without_literals(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let is_in_word = code.ends_with(|last: char| last.is_alphanumeric() || last == '_');
        let length = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => block_comment(rest),
            '"' => quoted(rest, '"'),
            'r' | 'b' | 'c' if !is_in_word => prefixed_string(rest),
            '\'' => character(rest),
            _ => 0,
        };
        if length == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            code.push(' ');
            rest = &rest[length..];
        }
    }
    code
}

fn block_comment(text: &str) -> usize {
    let (mut at, mut depth) = (2, 1);
    while depth > 0 {
        let Some(next) = text[at..].find(['/', '*']) else {
            return text.len();
        };
        at += next;
        if text[at..].starts_with("/*") {
            (at, depth) = (at + 2, depth + 1);
        } else if text[at..].starts_with("*/") {
            (at, depth) = (at + 2, depth - 1);
        } else {
            at += 1;
        }
    }
    at
}

/// Returns the length of a literal that begins and ends with `quote`.
fn quoted(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, next) in text.char_indices().skip(1) {
        match next {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if next == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Returns the length of a string literal with a prefix such as `b` or `br#`; 0 for other text.
fn prefixed_string(text: &str) -> usize {
    let prefix = text.len() - text.trim_start_matches(['b', 'c', 'r']).len();
    let is_raw = text[..prefix].ends_with('r');
    let rest = &text[prefix..];
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    if prefix > 2 || !rest[hashes..].starts_with('"') || (hashes > 0 && !is_raw) {
        return 0;
    }
    if !is_raw {
        return prefix + quoted(rest, '"');
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let start = prefix + hashes + 1;
    let found = text[start..].find(&end).map(|at| start + at + end.len());
    found.unwrap_or(text.len())
}

/// Returns the length of a character literal; 0 for a lifetime.
fn character(text: &str) -> usize {
    let mut characters = text.chars().skip(1);
    match (characters.next(), characters.next()) {
        (Some('\\'), _) | (Some(_), Some('\'')) => quoted(text, '\''),
        _ => 0,
    }
}

/// Removes each item with an attribute such as `#[cfg(test)]` from code without literals.
fn without_test_items(code: &str) -> String {
    let mut kept = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find("#[cfg(") {
        let attribute = rest[at..].find(']').map_or(rest.len(), |end| at + end + 1);
        let is_for_tests = tokens(&rest[at..attribute]).contains(&"test");
        if is_for_tests && !rest[at..attribute].contains("not") {
            kept.push_str(&rest[..at]);
            rest = &rest[attribute..];
            rest = &rest[item_length(rest)..];
        } else {
            kept.push_str(&rest[..attribute]);
            rest = &rest[attribute..];
        }
    }
    kept.push_str(rest);
    kept
}

/// Returns the length of the item at the start of `code`: up to its semicolon or its closing brace.
fn item_length(code: &str) -> usize {
    let mut depth = 0_usize;
    for (at, next) in code.char_indices() {
        match next {
            '{' | '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}
