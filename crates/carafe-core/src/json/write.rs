//! Joins the texts of members to a payload. Values are copied byte for byte.

use super::{Style, check::Tag, string};

/// The payload of these members: key texts (quotes included) and value texts.
///
/// Keys are sorted if the style sorts. A lone member whose key is a tag's is escaped as Flask does.
///
/// ```
/// use carafe_core::json::{Style, write_object};
/// let members = [(r#""n""#, "7"), (r#""a""#, "[ 1 ]")];
/// assert_eq!(write_object(members.into_iter(), Style::FLASK), r#"{"a":[ 1 ],"n":7}"#);
/// assert_eq!(write_object(members.into_iter(), Style::STARLETTE), r#"{"n": 7, "a": [ 1 ]}"#);
/// let tag = std::iter::once((r#"" u""#, "1"));
/// assert_eq!(write_object(tag, Style::FLASK), r#"{" di":{" u__":1}}"#);
/// ```
#[must_use]
pub fn write_object<'m>(
    members: impl Iterator<Item = (&'m str, &'m str)> + Clone,
    style: Style,
) -> String {
    let plan = Plan::of(members.clone(), style);
    if plan.count == 1
        && style.tags
        && let Some((key, value)) = members.clone().next()
        && Tag::of_key(key).is_some()
    {
        return escaped(key, value, style);
    }
    let bytes = |(key, value): (&'m str, &'m str)| (key.as_bytes(), value.as_bytes());
    if plan.sorted {
        return join(members.map(bytes), plan.length, style);
    }
    let mut sorted: Vec<_> = members.collect();
    sorted.sort_by(|a, b| string::compare(a.0, b.0));
    join(sorted.into_iter().map(bytes), plan.length, style)
}

#[derive(Clone, Copy)]
struct Plan {
    count: usize,
    length: usize,
    sorted: bool,
}

impl Plan {
    fn of<'m>(members: impl Iterator<Item = (&'m str, &'m str)>, style: Style) -> Self {
        let each = style.comma().len() + style.colon().len();
        let mut plan = Self {
            count: 0,
            length: 2,
            sorted: true,
        };
        let mut last: Option<&str> = None;
        for (key, value) in members {
            plan.count += 1;
            plan.length += key.len() + value.len() + each;
            let ordered = |last| !style.sort_keys || string::compare(last, key).is_le();
            plan.sorted = plan.sorted && last.is_none_or(ordered);
            last = Some(key);
        }
        plan
    }
}

/// [`write_object`] for members in their order, of which none is alone with a tag's key. They are bytes that are text, for which `room`
/// should be enough.
pub(crate) fn join<'m>(
    members: impl Iterator<Item = (&'m [u8], &'m [u8])>,
    room: usize,
    style: Style,
) -> String {
    let mut out = Vec::with_capacity(room);
    // By byte, because copying one or two through a slice of unknown length is a call.
    let put = |sign, out: &mut Vec<u8>| {
        out.push(sign);
        if style.spaced {
            out.push(b' ');
        }
    };
    out.push(b'{');
    for (number, (key, value)) in members.enumerate() {
        if number > 0 {
            put(b',', &mut out);
        }
        out.extend_from_slice(key);
        put(b':', &mut out);
        out.extend_from_slice(value);
    }
    out.push(b'}');
    // Once for all, which is cheaper than for each.
    String::from_utf8(out).expect("texts that are joined with ASCII are text")
}

#[cold]
fn escaped(key: &str, value: &str, style: Style) -> String {
    let open_key = key.strip_suffix('"').unwrap_or(key);
    let colon = style.colon();
    format!("{{\" di\"{colon}{{{open_key}__\"{colon}{value}}}}}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json::scan_root;

    #[test]
    fn payloads_survive_scanning_and_writing() {
        for payload in [
            "{}",
            r#"{"user_id":42}"#,
            r#"{" t":1," u":2}"#,
            r#"{" di":{" u__":"not-a-uuid"}}"#,
            r#"{"b":{" b":"AP/+aGVsbG8="},"e":{" b":""}}"#,
            r#"{"_flashes":[{" t":["message","Hello"]},{" t":["error","Bad <thing>"]}]}"#,
            r#"{"big":123456789012345678901234567890123456789012345678901234567890,"n":NaN}"#,
            r#"{"s":"\ud800","x":{" zz":1}}"#,
            r#"{"":1," ":2,"A":3,"a":4,"\u00e9":5,"\ud800":6,"\uff5e":7,"\ud83c\udf77":8}"#,
        ] {
            let root = scan_root(payload, true).expect(payload);
            assert_eq!(write_object(root.iter(), Style::FLASK), payload);
        }
    }

    #[test]
    fn an_escape_without_tags_is_none() {
        let member = std::iter::once((r#"" t""#, "1"));
        assert_eq!(write_object(member, Style::STARLETTE), r#"{" t": 1}"#);
        assert_eq!(write_object(std::iter::empty(), Style::FLASK), "{}");
    }

    proptest! {
        #[test]
        fn one_allocation_of_the_right_size(keys in prop::collection::btree_set("[a-z]{0,6}", 0..12)) {
            let keys: Vec<_> = keys.iter().map(|key| format!("\"{key}\"")).collect();
            let text = write_object(keys.iter().map(|key| (key.as_str(), "[1]")), Style::FLASK);
            prop_assert!(text.capacity() <= text.len() + 1);
            let back = scan_root(&text, true).expect("we wrote it");
            prop_assert_eq!(write_object(back.iter(), Style::FLASK), text.clone());
            let backwards = keys.iter().rev().map(|key| (key.as_str(), "[1]"));
            prop_assert_eq!(write_object(backwards, Style::FLASK), text);
        }
    }
}
