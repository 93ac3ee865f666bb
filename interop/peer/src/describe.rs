//! Lossless conversion of values to descriptions and back.
//!
//! `interop/description.py` is the same in Python.

use std::fmt::Write as _;

use carafe_core::{
    clock::Timestamp,
    json::{JsonDialect, Number, Text, Value, tag, to_text},
};
use serde_bytes::ByteBuf;
use serde_json::{Value as Json, json};

use crate::protocol::Failure;

type Revived<T> = Result<T, Failure>;

pub(crate) fn describe(value: &Value) -> Json {
    let all = |items: &[Value]| items.iter().map(describe).collect::<Json>();
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => json!(value),
        Value::Number(number) => describe_number(number),
        Value::String(text) => describe_text(text),
        Value::List(items) => all(items),
        Value::Tuple(items) => json!({ "tuple": all(items) }),
        Value::Dict(members) => {
            let pair = |(key, value): &(Text, Value)| json!([describe_text(key), describe(value)]);
            json!({ "dict": members.iter().map(pair).collect::<Json>() })
        }
        Value::Bytes(bytes) => json!({ "bytes": hex(bytes) }),
        Value::Markup(text) => json!({ "markup": describe_text(text) }),
        Value::Uuid(uuid) => json!({ "uuid": hex(&uuid.as_u128().to_be_bytes()) }),
        Value::DateTime(_) => value.date().map_or(
            Json::Null,
            |date| json!({ "datetime": [date.timestamp().unix(), date.offset_seconds()] }),
        ),
        other => json!({ "unknown": other.to_string() }),
    }
}

/// Describes a number. Python's integers have no `-0`, and all NaNs are described alike.
fn describe_number(number: &Number) -> Json {
    match number.as_text() {
        "-0" => json!({ "int": "0" }),
        text if !text.contains(['.', 'e', 'E', 'N', 'I']) => json!({ "int": text }),
        _ if number.as_f64().is_nan() => json!({ "float": "7ff8000000000000" }),
        _ => json!({ "float": hex(&number.as_f64().to_bits().to_be_bytes()) }),
    }
}

/// Describes a text, as WTF-8 if Rust cannot represent it.
///
/// `serde_json` returns WTF-8 when it reads a string as bytes.
fn describe_text(text: &Text) -> Json {
    if let Some(text) = text.as_str() {
        return json!(text);
    }
    match serde_json::from_str::<ByteBuf>(text.as_raw()) {
        Ok(bytes) => json!({ "text": hex(&bytes) }),
        Err(_) => json!({ "unknown": text.as_raw() }),
    }
}

pub(crate) fn revive(description: &Json) -> Revived<Value> {
    match description {
        Json::Null => Ok(Value::Null),
        Json::Bool(value) => Ok((*value).into()),
        Json::String(text) => Ok(text.as_str().into()),
        Json::Array(items) => Ok(Value::List(revive_all(items)?)),
        Json::Object(fields) => match fields.iter().next() {
            Some((kind, content)) if fields.len() == 1 => revive_kind(kind, content),
            _ => Err(unknown(description)),
        },
        Json::Number(_) => Err(unknown(description)),
    }
}

pub(crate) fn revive_text(description: &Json) -> Revived<Text> {
    match revive(description)? {
        Value::String(text) => Ok(text),
        _ => Err(unknown(description)),
    }
}

fn revive_kind(kind: &str, content: &Json) -> Revived<Value> {
    match (kind, content) {
        ("int", Json::String(digits)) => parsed(digits),
        ("float", Json::String(bits)) => number(bits).map(f64::from_bits).map(Value::from),
        ("text", Json::String(wtf_8)) => parsed(&escaped(&bytes(wtf_8)?)),
        ("bytes", Json::String(digits)) => bytes(digits).map(Value::Bytes),
        ("uuid", Json::String(digits)) => {
            number(digits).map(|bits| Value::Uuid(tag::Uuid::from_u128(bits)))
        }
        ("markup", text) => revive_text(text).map(Value::Markup),
        ("tuple", Json::Array(items)) => revive_all(items).map(Value::Tuple),
        ("dict", Json::Array(pairs)) => {
            let members = pairs.iter().map(revive_pair);
            members.collect::<Revived<_>>().map(Value::Dict)
        }
        ("datetime", Json::Array(parts)) => revive_date(parts),
        _ => Err(unknown(content)),
    }
}

fn revive_all(items: &[Json]) -> Revived<Vec<Value>> {
    items.iter().map(revive).collect()
}

fn revive_pair(pair: &Json) -> Revived<(Text, Value)> {
    match pair.as_array().map(Vec::as_slice) {
        Some([key, value]) => Ok((revive_text(key)?, revive(value)?)),
        _ => Err(unknown(pair)),
    }
}

/// Returns the date in UTC, as Flask writes it, whatever the offset.
fn revive_date(parts: &[Json]) -> Revived<Value> {
    let seconds = parts.first().and_then(Json::as_i64);
    let seconds = seconds.ok_or_else(|| Failure::fault("a datetime without seconds"))?;
    let date = tag::DateTime::from(Timestamp::from_unix(seconds));
    let text = to_text(&date, JsonDialect::FLASK)?;
    Ok(Value::parse(&text, true)?)
}

/// Parses a JSON text, for values without another constructor.
///
/// Such values are integers of any size and unusual strings.
fn parsed(json: &str) -> Revived<Value> {
    Value::parse(json, false).map_err(|error| Failure::fault(format!("{json}: {error}")))
}

/// Returns WTF-8 as a JSON string in which every character is escaped.
fn escaped(wtf_8: &[u8]) -> String {
    let mut json = String::from("\"");
    for unit in code_points(wtf_8).flat_map(units) {
        // Writing to a `String` does not fail.
        let _ = write!(json, "\\u{unit:04x}");
    }
    json + "\""
}

/// Decodes UTF-8, lone surrogates included.
fn code_points(bytes: &[u8]) -> impl Iterator<Item = u32> {
    let continues = |byte: u8| byte & 0xc0 == 0x80;
    let characters = bytes.chunk_by(move |_, &next| continues(next));
    characters.filter_map(|character| {
        let (&first, rest) = character.split_first()?;
        let first = u32::from(first) & (0x7f >> first.leading_ones());
        Some(
            rest.iter()
                .fold(first, |code, &byte| code << 6 | u32::from(byte & 0x3f)),
        )
    })
}

/// Encodes a code point in UTF-16; a surrogate is its own code unit.
fn units(code: u32) -> Vec<u16> {
    match char::from_u32(code) {
        Some(letter) => letter.encode_utf16(&mut [0; 2]).to_vec(),
        None => u16::try_from(code).into_iter().collect(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(digits: &str) -> Revived<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    let pairs =
        pairs.map(|pair| std::str::from_utf8(pair).map_or(Err(unknown(&json!(digits))), number));
    pairs.collect()
}

/// Parses a hexadecimal number.
fn number<N: TryFrom<u128>>(digits: &str) -> Revived<N> {
    let number = u128::from_str_radix(digits, 16).ok();
    let number = number.and_then(|number| number.try_into().ok());
    number.ok_or_else(|| unknown(&json!(digits)))
}

fn unknown(description: &Json) -> Failure {
    Failure::Fault(format!("no such description: {description}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_survive() {
        for description in [
            json!(null),
            json!([true, "é\u{0}😀", []]),
            json!({ "int": "-123456789012345678901234567890123456789012345678901234567890" }),
            json!({ "float": "8000000000000000" }),
            json!({ "float": "fff0000000000000" }),
            json!({ "float": "7ff8000000000000" }),
            json!({ "text": "61eda080f09f9880c3a9edbfbf" }),
            json!({ "dict": [[{ "text": "edb080" }, { "tuple": [{ "int": "1" }, "a"] }]] }),
            json!({ "bytes": "00ff" }),
            json!({ "uuid": "00000000000000000000000000000001" }),
            json!({ "markup": { "text": "eda080" } }),
            json!({ "datetime": [253_402_300_799_i64, 0] }),
        ] {
            let value = revive(&description).unwrap_or(Value::Null);
            assert_eq!(describe(&value), description, "{value:?}");
            let text = to_text(&value, JsonDialect::FLASK).unwrap();
            assert_eq!(
                Value::parse(&text, true).map(|value| describe(&value)),
                Ok(description)
            );
        }
    }

    #[test]
    fn what_describes_nothing_is_a_fault() {
        for description in [
            json!(1),
            json!({}),
            json!({ "int": "" }),
            json!({ "float": "1ffffffffffffffff" }),
            json!({ "bytes": "0g" }),
            json!({ "dict": [["a"]] }),
            json!({ "other": 1 }),
        ] {
            assert!(
                matches!(revive(&description), Err(Failure::Fault(_))),
                "{description}"
            );
        }
    }
}
