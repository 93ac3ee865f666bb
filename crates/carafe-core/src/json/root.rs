//! Roots that are not plainly an object, as Flask reads them: `dict(loads(payload) or ())`.
//!
//! What is false is an empty session, a list of pairs is a dict, and a tag at the root counts. All of
//! it is rare and cold; nothing in here writes payloads.

use super::{
    ScanError,
    check::{Tag, kind_of},
    members::{Members, Root},
    scan::{Scanner, validate},
    string,
};

#[cold]
pub(super) fn other_than_object(text: &str, tags: bool) -> Result<Root<'_>, ScanError> {
    validate(text, tags)?;
    let text = trim(text);
    if !tags {
        return Err(ScanError::NotAnObject);
    }
    if !kind_of(text)?.truth() {
        return Ok(Root::empty());
    }
    pairs(text).ok_or(ScanError::NotAnObject)
}

/// An object in which some key may be a tag's.
#[cold]
pub(super) fn with_tags(text: &str, members: Members) -> Result<Root<'_>, ScanError> {
    let kind = kind_of(text)?;
    let Some((tag, content)) = only_tag(text, &members) else {
        return Ok(Root::borrowed(text, members));
    };
    if !kind.truth() {
        return Ok(Root::empty());
    }
    let root = match tag {
        Tag::Dict => unescaped(content)
            .map(|(key, value)| Root::rebuilt(std::iter::once((key.as_str(), value)))),
        Tag::Tuple => pairs(content),
        _ => None,
    };
    root.ok_or(ScanError::NotAnObject)
}

fn only_tag<'t>(text: &'t str, members: &Members) -> Option<(Tag, &'t str)> {
    match **members {
        [member] => Some((Tag::of_key(member.key.of(text))?, member.value.of(text))),
        _ => None,
    }
}

/// The one member of a dict that stands in a ` di` tag: the first, its key two characters shorter.
fn unescaped(inner: &str) -> Option<(String, &str)> {
    let members = members_of(inner)?;
    if let Some((Tag::Dict, deeper)) = only_tag(inner, &members) {
        let (key, value) = unescaped(deeper)?;
        return Some((string::without_last_two(&key), value));
    }
    let first = members.first()?;
    Some((
        string::without_last_two(first.key.of(inner)),
        first.value.of(inner),
    ))
}

pub(super) fn members_of(object: &str) -> Option<Members> {
    let scanner = Scanner::new(object).ok()?;
    let mut members = Members::default();
    let object = scanner.peek() == b'{' && scanner.root_members(&mut members).is_ok();
    object.then_some(members)
}

/// A list or tuple of lists or tuples of a string and a value.
fn pairs(list: &str) -> Option<Root<'static>> {
    let pair = |item| match elements(item)?.as_slice() {
        [key, value] if key.starts_with('"') => Some((*key, *value)),
        _ => None,
    };
    let pairs: Option<Vec<_>> = elements(list)?.into_iter().map(pair).collect();
    Some(Root::rebuilt(pairs?.into_iter()))
}

/// The texts in an array, or in a tuple around one.
fn elements(text: &str) -> Option<Vec<&str>> {
    let mut text = text;
    while let Some((Tag::Tuple, inner)) = only_tag(text, &members_of(text).unwrap_or_default()) {
        text = inner;
    }
    let mut scanner = Scanner::new(text).ok()?;
    let mut found = Vec::new();
    scanner.expect(b'[').ok()?;
    scanner.blanks();
    while !scanner.take(b']') {
        let start = scanner.position();
        scanner.value().ok()?;
        found.push(scanner.text_from(start));
        scanner.blanks();
        scanner.take(b',');
        scanner.blanks();
    }
    Some(found)
}

/// Without the blanks JSON allows around a value.
fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\r'])
}

#[cfg(test)]
mod tests {
    use crate::json::{ScanError, Style, scan_root, write_object};

    fn dict(text: &str) -> Result<String, ScanError> {
        let root = scan_root(text, true)?;
        Ok(write_object(
            root.iter(),
            Style {
                tags: false,
                ..Style::FLASK
            },
        ))
    }

    #[test]
    fn what_is_false_is_empty() {
        for text in [
            "null",
            "false",
            "0",
            "0.0",
            "-0",
            "-0.0e5",
            "1e-400",
            "\"\"",
            "[]",
            " [ ] ",
            "{}",
            " { } ",
            r#"{" b":""}"#,
            r#"{" m":""}"#,
            r#"{" t":[]}"#,
            r#"{" t":""}"#,
            r#"{" d":"bad"}"#,
        ] {
            assert_eq!(dict(text).as_deref(), Ok("{}"), "{text}");
        }
    }

    #[test]
    fn pairs_and_escapes_are_objects() {
        for (text, object) in [
            (r#"[["a",1]]"#, r#"{"a":1}"#),
            (
                r#" [ [ "a" , 1 ] , ["b",{" t":[1]}], ["a",3] ] "#,
                r#"{"a":3,"b":{" t":[1]}}"#,
            ),
            (r#"{" t":[["a",1]]}"#, r#"{"a":1}"#),
            (r#"{" t":[{" t":["a",1]}]}"#, r#"{"a":1}"#),
            (r#"[[" u",1]]"#, r#"{" u":1}"#),
            (r#"{" di":{" u__":"not-a-uuid"}}"#, r#"{" u":"not-a-uuid"}"#),
            (r#"{" di":{"abc":1,"d":2}}"#, r#"{"a":1}"#),
            (r#"{" di":{"a":1}}"#, r#"{"":1}"#),
            (
                r#"{ " di" : { "\ud83c\udf77__" : 1 } }"#,
                r#"{"\ud83c\udf77":1}"#,
            ),
            (r#"{" di":{" di":{"abcdef":1}}}"#, r#"{"ab":1}"#),
            (r#"{" di":{" di__":{" t":[]}}}"#, r#"{" di":{" t":[]}}"#),
        ] {
            assert_eq!(dict(text).as_deref(), Ok(object), "{text}");
        }
    }

    #[test]
    fn the_rest_is_an_error() {
        for text in [
            "5",
            "true",
            "NaN",
            "\"abc\"",
            "[1]",
            "[[1,2]]",
            r#"[["a"]]"#,
            r#"[["a",1,2]]"#,
            r#"{" t":"abc"}"#,
            r#"{" b":"YQ=="}"#,
            r#"{" m":"x"}"#,
            r#"{" u":"12345678123456781234567812345678"}"#,
            r#"{" d":"Tue, 14 Nov 2023 22:13:20 GMT"}"#,
        ] {
            assert_eq!(dict(text), Err(ScanError::NotAnObject), "{text}");
        }
        assert_eq!(dict(r#"{" t":5}"#), Err(ScanError::BadTag));
    }

    #[test]
    fn without_tags_the_root_is_an_object() {
        assert!(scan_root("{}", false).is_ok());
        assert!(scan_root(r#"{" t":5}"#, false).is_ok());
        for text in ["null", "[]", "\"\"", "0", r#"[["a",1]]"#] {
            assert_eq!(
                scan_root(text, false).map(drop),
                Err(ScanError::NotAnObject),
                "{text}"
            );
        }
        assert!(matches!(
            scan_root("[", false),
            Err(ScanError::Syntax { .. })
        ));
    }
}
