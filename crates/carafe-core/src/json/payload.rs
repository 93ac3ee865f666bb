//! Whole payloads and values: the grammar of the scanner together with the rules of the tags.
//!
//! A root other than an untagged object is read like `dict(loads(payload) or ())`: a falsy value is
//! an empty session, a list of pairs is a dict, and a tag at the root is applied. All of these
//! payloads are rare, so the code is cold. Carafe never writes such payloads.

use super::{
    ScanError,
    scan::Scanner,
    spans::{Members, Root},
    string,
    tags::{Tag, kind_of},
};

/// Validates a whole payload and finds its members.
///
/// With `tags`, the root and the tags follow Flask's rules. Without `tags`, the root must be an
/// object, and a key that begins with a space is an ordinary key.
///
/// ```
/// use carafe_core::json::scan_root;
/// let root = scan_root(r#"{"n": 7, "name": "alice"}"#, true)?;
/// let members: Vec<_> = root.iter().collect();
/// assert_eq!(members, [(r#""n""#, "7"), (r#""name""#, r#""alice""#)]);
/// assert!(scan_root("[1,2]", true).is_err());
/// # Ok::<(), carafe_core::json::ScanError>(())
/// ```
///
/// # Errors
///
/// Returns an error if Flask cannot read the payload either, or if the payload exceeds a limit of
/// [`ScanError`].
pub fn scan_root(text: &str, tags: bool) -> Result<Root<'_>, ScanError> {
    let mut scanner = Scanner::new(text)?;
    scanner.blanks();
    if scanner.peek() != b'{' {
        return other_than_object(text, tags);
    }
    let mut root = Root::borrowed(text, Members::default());
    scanner = scanner.root_members(&mut root.members)?;
    scanner.end()?;
    if scanner.suspect && tags {
        return with_tags(text, root.members);
    }
    Ok(root)
}

/// Validates one value: the grammar, the limits and, with `tags`, the tags inside the value.
///
/// ```
/// use carafe_core::json::validate;
/// assert!(validate("[1, NaN, {}]", true).is_ok());
/// assert!(validate("[1,]", true).is_err());
/// assert!(validate(r#"{" t":5}"#, true).is_err());
/// ```
///
/// # Errors
///
/// Returns the errors of [`scan_root`], except that the value need not be an object.
pub fn validate(text: &str, tags: bool) -> Result<(), ScanError> {
    let mut scanner = Scanner::new(text)?;
    scanner.blanks();
    scanner.value()?;
    scanner.end()?;
    if scanner.suspect && tags {
        kind_of(text)?;
    }
    Ok(())
}

/// Returns an error unless `text` is exactly one value that a session can contain.
///
/// Whitespace around the value is an error.
pub(crate) fn check_member_value(text: &str, tags: bool) -> Result<(), ScanError> {
    let mut scanner = Scanner::new(text)?.at_depth(1);
    scanner.value()?;
    if scanner.position() != text.len() {
        let at = scanner.position();
        return Err(ScanError::Syntax { at });
    }
    if scanner.suspect && tags {
        kind_of(text)?;
    }
    Ok(())
}

#[cold]
fn other_than_object(text: &str, tags: bool) -> Result<Root<'_>, ScanError> {
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

/// Reads an object in which some key may be a tag.
#[cold]
fn with_tags(text: &str, members: Members) -> Result<Root<'_>, ScanError> {
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

/// Returns the member that Flask reads from a dict inside a ` di` tag.
///
/// Flask reads the first member and removes the last two characters of its key.
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

/// Reads a list or tuple of pairs: each item is a list or tuple of a string and a value.
fn pairs(list: &str) -> Option<Root<'static>> {
    let pair = |item| match elements(item)?.as_slice() {
        [key, value] if key.starts_with('"') => Some((*key, *value)),
        _ => None,
    };
    let pairs: Option<Vec<_>> = elements(list)?.into_iter().map(pair).collect();
    Some(Root::rebuilt(pairs?.into_iter()))
}

/// Returns the texts of an array's items. The array may be inside a tuple tag.
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

/// Removes the whitespace that JSON allows around a value.
fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\r'])
}

#[cfg(test)]
mod tests {
    use crate::json::{JsonDialect, ScanError, scan_root, write_object};

    fn dict(text: &str) -> Result<String, ScanError> {
        let root = scan_root(text, true)?;
        Ok(write_object(
            root.iter(),
            JsonDialect {
                tags: false,
                ..JsonDialect::FLASK
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
