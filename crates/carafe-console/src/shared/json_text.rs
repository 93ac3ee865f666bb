//! Splits JSON text into tokens, for colors and for a readable layout.
//!
//! Tokens are never changed, so numbers and strings stay exact.

/// A piece of JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'t> {
    pub kind: Kind,
    pub text: &'t str,
}

/// The kind of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The key of a member, with its quotes.
    Key,
    /// A string, with its quotes.
    String,
    /// A number, `true`, `false` or `null`, or text that is not JSON.
    Literal,
    /// One of `{}[],:`.
    Mark,
    /// White space.
    Blank,
}

/// Returns the tokens of `text`. Concatenated, they equal `text`, even if it is not JSON.
pub fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (kind, length) = first_token(first, rest);
        // Lengths end after an ASCII character or at the end of the text.
        let (token, behind) = rest.split_at(length);
        found.push(Token { kind, text: token });
        rest = behind;
    }
    found
}

/// Returns the tokens of `text`, with each member of the outermost object on its own line and a
/// space after inner commas and colons.
pub fn pretty(text: &str) -> Vec<Token<'_>> {
    let mut out = Vec::new();
    let mut depth = 0_usize;
    let is_blank = |token: &Token<'_>| token.kind == Kind::Blank;
    let tokens: Vec<_> = tokens(text)
        .into_iter()
        .filter(|token| !is_blank(token))
        .collect();
    for (at, token) in tokens.iter().enumerate() {
        let opens = matches!(token.text, "{" | "[") && token.kind == Kind::Mark;
        let closes = matches!(token.text, "}" | "]") && token.kind == Kind::Mark;
        let was_empty = at > 0 && closes && matches!(tokens[at - 1].text, "{" | "[");
        depth = if closes {
            depth.saturating_sub(1)
        } else {
            depth + usize::from(opens)
        };
        if closes && depth == 0 && !was_empty {
            out.push(blank("\n"));
        }
        out.push(*token);
        let next_closes = tokens
            .get(at + 1)
            .is_some_and(|next| matches!(next.text, "}" | "]"));
        out.extend(gap(token, depth, next_closes).map(blank));
    }
    out
}

/// Returns the white space after a token.
fn gap(token: &Token<'_>, depth: usize, next_closes: bool) -> Option<&'static str> {
    match (token.kind, token.text, depth) {
        (Kind::Mark, "{" | "[", 1) if !next_closes => Some("\n  "),
        (Kind::Mark, ",", 1) => Some("\n  "),
        (Kind::Mark, "," | ":", _) => Some(" "),
        _ => None,
    }
}

const fn blank(text: &'static str) -> Token<'static> {
    Token {
        kind: Kind::Blank,
        text,
    }
}

fn first_token(first: char, rest: &str) -> (Kind, usize) {
    match first {
        '"' => {
            let length = string_length(rest);
            let is_key = rest[length..].trim_ascii_start().starts_with(':');
            (if is_key { Kind::Key } else { Kind::String }, length)
        }
        '{' | '}' | '[' | ']' | ',' | ':' => (Kind::Mark, 1),
        ' ' | '\t' | '\n' | '\r' => (Kind::Blank, 1),
        _ => {
            let ends = |c: char| "{}[],:\" \t\n\r".contains(c);
            (Kind::Literal, rest.find(ends).unwrap_or(rest.len()))
        }
    }
}

/// Returns the length of the string at the start of `rest`, including its quotes. An unterminated
/// string extends to the end.
fn string_length(rest: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(tokens: &[Token<'_>]) -> String {
        tokens.iter().map(|token| token.text).collect()
    }

    #[test]
    fn tokens_keep_every_byte() {
        for text in [
            "",
            r#"{"a":[1,-2.5e+3,true,"x\"y\\"],"b" : {}}"#,
            "not json at all é",
            "\"open",
            "\"open\\",
            "{{\"é\":é}}",
        ] {
            assert_eq!(joined(&tokens(text)), text);
        }
        let kinds: Vec<_> = tokens(r#"{"a":"b"}"#)
            .iter()
            .map(|token| token.kind)
            .collect();
        assert_eq!(
            kinds,
            [Kind::Mark, Kind::Key, Kind::Mark, Kind::String, Kind::Mark]
        );
    }

    #[test]
    fn the_outermost_members_get_lines() {
        let text = r#"{"cart":["a",{"b":[]}],"n":1}"#;
        let lines = "{\n  \"cart\": [\"a\", {\"b\": []}],\n  \"n\": 1\n}";
        assert_eq!(joined(&pretty(text)), lines);
        assert_eq!(joined(&pretty("{}")), "{}");
        assert_eq!(joined(&pretty(r#"{"}":"{"}"#)), "{\n  \"}\": \"{\"\n}");
    }
}
