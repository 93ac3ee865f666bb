//! Joins the texts of members into a payload. Values are copied byte for byte.

use super::{JsonDialect, string, tags::Tag};

/// Returns the payload that consists of these members: key texts (quotes included) and value texts.
///
/// Keys are sorted if the dialect sorts them. If the only member's key is a tag, the key is escaped
/// as Flask does.
///
/// ```
/// use carafe_core::json::{JsonDialect, write_object};
/// let members = [(r#""n""#, "7"), (r#""a""#, "[ 1 ]")];
/// assert_eq!(write_object(members.into_iter(), JsonDialect::FLASK), r#"{"a":[ 1 ],"n":7}"#);
/// let text = write_object(members.into_iter(), JsonDialect::STARLETTE);
/// assert_eq!(text, r#"{"n": 7, "a": [ 1 ]}"#);
/// let tag = std::iter::once((r#"" u""#, "1"));
/// assert_eq!(write_object(tag, JsonDialect::FLASK), r#"{" di":{" u__":1}}"#);
/// ```
#[must_use]
pub fn write_object<'m>(
    members: impl Iterator<Item = (&'m str, &'m str)> + Clone,
    style: JsonDialect,
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
    fn of<'m>(members: impl Iterator<Item = (&'m str, &'m str)>, style: JsonDialect) -> Self {
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

/// Writes the text of [`write_object`] for members in their final order.
///
/// A single member must not have a tag as its key. The bytes must be UTF-8. `room` is the capacity
/// to reserve, in bytes.
pub(crate) fn join<'m>(
    members: impl Iterator<Item = (&'m [u8], &'m [u8])>,
    room: usize,
    style: JsonDialect,
) -> String {
    let mut out = Vec::with_capacity(room);
    // Pushing single bytes avoids the call that copying a slice of unknown length costs.
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
    // One check of the whole text is cheaper than one per member.
    String::from_utf8(out).expect("texts that are joined with ASCII are text")
}

#[cold]
fn escaped(key: &str, value: &str, style: JsonDialect) -> String {
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
            assert_eq!(write_object(root.iter(), JsonDialect::FLASK), payload);
        }
    }

    #[test]
    fn an_escape_without_tags_is_none() {
        let member = std::iter::once((r#"" t""#, "1"));
        assert_eq!(write_object(member, JsonDialect::STARLETTE), r#"{" t": 1}"#);
        assert_eq!(write_object(std::iter::empty(), JsonDialect::FLASK), "{}");
    }

    proptest! {
        #[test]
        fn one_allocation_of_the_right_size(keys in prop::collection::btree_set("[a-z]{0,6}", 0..12)) {
            let keys: Vec<_> = keys.iter().map(|key| format!("\"{key}\"")).collect();
            let text = write_object(keys.iter().map(|key| (key.as_str(), "[1]")), JsonDialect::FLASK);
            prop_assert!(text.capacity() <= text.len() + 1);
            let back = scan_root(&text, true).expect("we wrote it");
            prop_assert_eq!(write_object(back.iter(), JsonDialect::FLASK), text.clone());
            let backwards = keys.iter().rev().map(|key| (key.as_str(), "[1]"));
            prop_assert_eq!(write_object(backwards, JsonDialect::FLASK), text);
        }
    }
}
