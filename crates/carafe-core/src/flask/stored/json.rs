//! Converts between JSON, as written by `msgspec.json`, and JSON text with Flask's tags.
//!
//! The stored text has no tags, so a dictionary that looks like a tag is escaped. When written,
//! types that JSON lacks are converted as in `msgspec`: to Base64, RFC 3339, the text of a UUID,
//! and `null` for `NaN`.

use super::{Members, Unreadable, Unwritable, date::Moment, key};
use crate::{
    base64,
    json::{JsonDialect, Number, ScanError, Text, Value, string, write_object},
};

const UTF_8: JsonDialect = JsonDialect::COMPACT;

/// Returns the members of a dictionary.
pub(super) fn read(bytes: &[u8]) -> Result<Members, Unreadable> {
    let text = str::from_utf8(bytes).map_err(|_| Unreadable::Neither)?;
    let value = Value::parse(text, false).map_err(|error| match error {
        ScanError::TooDeep => Unreadable::TooDeep,
        _ => Unreadable::Neither,
    })?;
    let Value::Dict(members) = value else {
        return Err(Unreadable::NotADictionary);
    };
    Ok(tagged_members(&members))
}

fn tagged_members(members: &[(Text, Value)]) -> Members {
    members
        .iter()
        .map(|(key, value)| (respelled(key), tagged(value)))
        .collect()
}

/// Returns the text of a value without tags. Numbers keep their text.
fn tagged(value: &Value) -> String {
    match value {
        Value::Number(number) => number.as_text().to_owned(),
        Value::String(text) => respelled(text),
        Value::Bool(value) => value.to_string(),
        Value::List(items) => {
            let items: Vec<_> = items.iter().map(tagged).collect();
            format!("[{}]", items.join(","))
        }
        Value::Dict(members) => {
            let members = tagged_members(members);
            let members = members.iter().map(|(key, text)| (&**key, &**text));
            write_object(members, JsonDialect::QUART)
        }
        // Values read without tags have no other type.
        _ => "null".to_owned(),
    }
}

/// Rewrites a string so that it cannot be mistaken for a key that is not a string.
fn respelled(key: &Text) -> String {
    let mut raw = String::new();
    string::rewrite(key.as_raw(), true, &mut raw);
    raw
}

/// Returns a dictionary as `msgspec` would write it.
pub(super) fn write<'m>(
    members: impl Iterator<Item = (&'m str, &'m str)>,
) -> Result<Vec<u8>, Unwritable> {
    let mut out = String::from("{");
    for (raw, text) in members {
        let value = Value::parse(text, true).map_err(|_| Unwritable::Text)?;
        if out.len() > 1 {
            out.push(',');
        }
        push_key(raw, &mut out)?;
        push(&value, &mut out)?;
    }
    out.push('}');
    Ok(out.into_bytes())
}

fn push(value: &Value, out: &mut String) -> Result<(), Unwritable> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => out.push_str(number_text(number)),
        Value::String(text) | Value::Markup(text) => push_text(text.as_raw(), out)?,
        Value::List(items) | Value::Tuple(items) => push_list(items, out)?,
        Value::Dict(members) => push_dict(members, out)?,
        Value::Bytes(bytes) => string::write(&base64::encode_standard(bytes), UTF_8.ascii, out),
        Value::Uuid(uuid) => string::write(&uuid.to_string(), UTF_8.ascii, out),
        Value::DateTime(text) => match Moment::of_raw(text.as_raw()) {
            Some(moment) => string::write(&moment.rfc_3339(), UTF_8.ascii, out),
            None => out.push_str("null"),
        },
    }
    Ok(())
}

/// Returns the JSON text of a number. JSON has no `NaN` and no infinities.
fn number_text(number: &Number) -> &str {
    let text = number.as_text();
    let is_float = text.contains(['.', 'e', 'E', 'N', 'I']);
    if is_float && !number.as_f64().is_finite() {
        "null"
    } else {
        text
    }
}

fn push_text(raw: &str, out: &mut String) -> Result<(), Unwritable> {
    if !raw.starts_with('"') {
        string::write(raw, UTF_8.ascii, out); // Markup of another type, only in handwritten cookies.
        return Ok(());
    }
    let text = string::decode(raw).map_err(|_| Unwritable::Surrogate)?;
    string::write(&text, UTF_8.ascii, out);
    Ok(())
}

fn push_list(items: &[Value], out: &mut String) -> Result<(), Unwritable> {
    out.push('[');
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        push(item, out)?;
    }
    out.push(']');
    Ok(())
}

fn push_dict(members: &[(Text, Value)], out: &mut String) -> Result<(), Unwritable> {
    out.push('{');
    for (place, (key, value)) in members.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        push_key(key.as_raw(), out)?;
        push(value, out)?;
    }
    out.push('}');
    Ok(())
}

/// Appends a key and its colon. A key that is not a string is converted as `msgspec` does.
fn push_key(raw: &str, out: &mut String) -> Result<(), Unwritable> {
    match key::json_of(raw) {
        None => push_text(raw, out)?,
        Some(json) => match Value::parse(&json, true) {
            Ok(Value::Number(number)) => string::write(number_text(&number), UTF_8.ascii, out),
            Ok(value @ (Value::Bytes(_) | Value::DateTime(_))) => push(&value, out)?,
            Ok(_) => return Err(Unwritable::Key),
            Err(_) => return Err(Unwritable::Extension),
        },
    }
    out.push(':');
    Ok(())
}
