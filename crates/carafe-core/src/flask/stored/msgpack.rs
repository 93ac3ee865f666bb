//! Converts between MessagePack, as written by `msgspec.msgpack`, and JSON text with Flask's tags.
//!
//! Bytes and timestamps have tags. Another extension type, or a timestamp outside Python's years,
//! becomes `{ext: [type, bytes]}` with `ext` encoded as in `key`, which is unique to extension
//! types.

use rmpv::{Integer, Value as Packed};

use super::{Members, Unreadable, Unwritable, date::Moment, key};
use crate::{
    base64,
    json::{JsonDialect, MAX_DEPTH, Number, Text, Value, string, validate, write_float},
};

/// The extension type of timestamps.
const TIMESTAMP: i8 = -1;
/// The key of an extension type, before it is encoded.
///
/// The key is not JSON text, so it differs from every key that was read.
const EXTENSION: &str = "ext";
/// `MAX_DEPTH` in the units of `rmpv`.
///
/// `rmpv` counts two per list or dictionary, and up to three for the content of the innermost one.
/// With a smaller limit, a session that was written could not be read.
const READ_DEPTH: usize = 2 * MAX_DEPTH + 3;

/// Returns the members of a dictionary.
pub(super) fn read(bytes: &[u8]) -> Result<Members, Unreadable> {
    if has_reserved_type(bytes) {
        return Err(Unreadable::Neither);
    }
    let mut rest = bytes;
    let value = rmpv::decode::read_value_with_max_depth(&mut rest, READ_DEPTH);
    let value = value.map_err(|error| match error {
        rmpv::decode::Error::DepthLimitExceeded => Unreadable::TooDeep,
        _ => Unreadable::Neither,
    })?;
    if !rest.is_empty() {
        return Err(Unreadable::Neither);
    }
    match value {
        Packed::Map(pairs) => members(&pairs),
        _ => Err(Unreadable::NotADictionary),
    }
}

/// Returns whether the bytes contain the reserved type C1, which no writer uses.
///
/// `rmpv` would read the type as nil, so that invalid data would become a session.
fn has_reserved_type(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some((&kind, content)) = rest.split_first() {
        // The length of truncated data does not matter, because the reader fails on it.
        let length = |bytes: usize| {
            let digits = content.get(..bytes).unwrap_or_default();
            let number = digits
                .iter()
                .fold(0_usize, |number, &digit| number << 8 | usize::from(digit));
            number.saturating_add(bytes)
        };
        let skipped = match kind {
            0xc1 => return true,
            0xa0..=0xbf => usize::from(kind & 0x1f),
            0xc4 | 0xd9 => length(1),
            0xc5 | 0xda => length(2),
            0xc6 | 0xdb => length(4),
            0xc7 => length(1).saturating_add(1),
            0xc8 => length(2).saturating_add(1),
            0xc9 => length(4).saturating_add(1),
            0xcc | 0xd0 => 1,
            0xcd | 0xd1 | 0xd4 | 0xdc | 0xde => 2,
            0xd5 => 3,
            0xca | 0xce | 0xd2 | 0xdd | 0xdf => 4,
            0xd6 => 5,
            0xcb | 0xcf | 0xd3 => 8,
            0xd7 => 9,
            0xd8 => 17,
            _ => 0,
        };
        rest = content.get(skipped..).unwrap_or_default();
    }
    false
}

fn members(pairs: &[(Packed, Packed)]) -> Result<Members, Unreadable> {
    let members: Members = pairs
        .iter()
        .map(|(key, value)| Ok((key_text(key)?, text(value)?)))
        .collect::<Result<_, Unreadable>>()?;
    let odd = members.iter().any(|(raw, _)| key::json_of(raw).is_some());
    if odd && !distinct(&members) {
        return Err(Unreadable::TwoKeys);
    }
    Ok(members)
}

fn distinct(members: &Members) -> bool {
    let mut keys: Vec<_> = members.iter().map(|(raw, _)| raw).collect();
    keys.sort_by(|a, b| string::compare(a, b));
    keys.windows(2)
        .all(|pair| string::compare(pair[0], pair[1]).is_ne())
}

/// Returns the text of a key.
///
/// Rejects a dictionary in a key, because Python does not allow one, and each level would double
/// the escapes of the level below.
fn key_text(key: &Packed) -> Result<String, Unreadable> {
    match key {
        Packed::String(_) => text(key),
        other if has_map(other) => Err(Unreadable::MapInKey),
        other => {
            let text = text(other)?;
            // Otherwise the text could not be parsed when it is written.
            validate(&text, true).map_err(|_| Unreadable::TooDeep)?;
            Ok(key::spelled(&text))
        }
    }
}

fn has_map(value: &Packed) -> bool {
    match value {
        Packed::Map(_) => true,
        Packed::Array(items) => items.iter().any(has_map),
        _ => false,
    }
}

fn text(value: &Packed) -> Result<String, Unreadable> {
    let mut out = String::new();
    match value {
        Packed::Nil => out.push_str("null"),
        Packed::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
        Packed::Integer(number) => out = number.to_string(),
        Packed::F32(number) => write_float(f64::from(*number), &mut out),
        Packed::F64(number) => write_float(*number, &mut out),
        Packed::String(text) => {
            let text = text.as_str().ok_or(Unreadable::Neither)?;
            string::write(text, true, &mut out);
        }
        Packed::Binary(bytes) => out = format!("{{\" b\":\"{}\"}}", base64::encode_standard(bytes)),
        Packed::Array(items) => {
            let items: Result<Vec<_>, _> = items.iter().map(text).collect();
            out = format!("[{}]", items?.join(","));
        }
        Packed::Map(pairs) => out = dict(&members(pairs)?),
        Packed::Ext(kind, bytes) => out = extension(*kind, bytes),
    }
    Ok(out)
}

/// Escapes a dictionary that looks like a tag as Flask does.
fn dict(members: &Members) -> String {
    let pairs = members.iter().map(|(key, text)| (&**key, &**text));
    crate::json::write_object(pairs, JsonDialect::QUART)
}

fn extension(kind: i8, bytes: &[u8]) -> String {
    let moment = (kind == TIMESTAMP).then(|| Moment::of_bytes(bytes)?.tagged());
    moment.flatten().unwrap_or_else(|| {
        let (key, content) = (key::spelled(EXTENSION), base64::encode_standard(bytes));
        format!("{{{key}:[{kind},{{\" b\":\"{content}\"}}]}}")
    })
}

/// Returns a dictionary as `msgspec` would write it.
pub(super) fn write<'m>(
    members: impl Iterator<Item = (&'m str, &'m str)>,
) -> Result<Vec<u8>, Unwritable> {
    let pairs = members.map(|(raw, text)| {
        let value = Value::parse(text, true).map_err(|_| Unwritable::Text)?;
        Ok((packed_key(raw)?, packed(&value)?))
    });
    let root = Packed::Map(pairs.collect::<Result<_, Unwritable>>()?);
    let mut bytes = Vec::new();
    rmpv::encode::write_value(&mut bytes, &root).expect("a vector takes all that is written");
    Ok(bytes)
}

fn packed(value: &Value) -> Result<Packed, Unwritable> {
    Ok(match value {
        Value::Null => Packed::Nil,
        Value::Bool(value) => Packed::Boolean(*value),
        Value::Number(number) => packed_number(number)?,
        Value::String(text) | Value::Markup(text) => packed_text(text)?,
        Value::List(items) | Value::Tuple(items) => {
            Packed::Array(items.iter().map(packed).collect::<Result<_, _>>()?)
        }
        Value::Dict(members) => packed_dict(members)?,
        Value::Bytes(bytes) => Packed::Binary(bytes.clone()),
        Value::Uuid(uuid) => Packed::String(uuid.to_string().into()),
        // Text that is not a date is None in Python.
        Value::DateTime(text) => Moment::of_raw(text.as_raw())
            .map_or(Packed::Nil, |moment| Packed::Ext(TIMESTAMP, moment.bytes())),
    })
}

fn packed_number(number: &Number) -> Result<Packed, Unwritable> {
    let text = number.as_text();
    if text.contains(['.', 'e', 'E', 'N', 'I']) {
        return Ok(Packed::F64(number.as_f64()));
    }
    let integer = number.as_i128().ok_or(Unwritable::Integer)?;
    let small = i64::try_from(integer).map(Integer::from);
    let large = u64::try_from(integer).map(Integer::from);
    let either = small.or(large).map_err(|_| Unwritable::Integer)?;
    Ok(Packed::Integer(either))
}

fn packed_text(text: &Text) -> Result<Packed, Unwritable> {
    match text.as_str() {
        Some(text) => Ok(Packed::String(text.into_owned().into())),
        None if text.as_raw().starts_with('"') => Err(Unwritable::Surrogate),
        // Markup of another type only occurs in handwritten cookies.
        None => Ok(Packed::String(text.as_raw().into())),
    }
}

fn packed_dict(members: &[(Text, Value)]) -> Result<Packed, Unwritable> {
    if let [(key, Value::List(parts))] = members
        && key::json_of_text(key).as_deref() == Some(EXTENSION)
        && let [Value::Number(kind), Value::Bytes(bytes)] = &parts[..]
        && let Some(Ok(kind)) = kind.as_i128().map(i8::try_from)
    {
        return Ok(Packed::Ext(kind, bytes.clone()));
    }
    let pairs = members
        .iter()
        .map(|(key, value)| Ok((packed_key(key.as_raw())?, packed(value)?)));
    Ok(Packed::Map(pairs.collect::<Result<_, Unwritable>>()?))
}

fn packed_key(raw: &str) -> Result<Packed, Unwritable> {
    let odd = key::json_of(raw).and_then(|json| Value::parse(&json, true).ok());
    match odd {
        Some(value) => packed(&value),
        None => string::decode(raw)
            .map(|key| Packed::String(key.into_owned().into()))
            .map_err(|_| Unwritable::Surrogate),
    }
}
