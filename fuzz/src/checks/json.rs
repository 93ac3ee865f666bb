//! The JSON of sessions.

use std::collections::BTreeMap;

use carafe_core::{
    json::{
        EncodeError, JsonDialect, Value, from_text, scan_root as scan,
        tag::{Bytes, DateTime, Markup, Tuple, Uuid},
        to_text, validate, write_object,
    },
    session::SessionData,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Flask's dialect without sorting, which would change the compared order.
const UNSORTED: JsonDialect = JsonDialect {
    sort_keys: false,
    ..JsonDialect::FLASK
};
const UNTAGGED: JsonDialect = JsonDialect {
    tags: false,
    ..UNSORTED
};

/// Checks a payload: the scanner and the parser agree, and rewriting a payload is idempotent.
pub fn scan_root(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for style in [JsonDialect::FLASK, JsonDialect::STARLETTE] {
        judges_agree(&text, style.tags);
        let Ok(root) = scan(&text, style.tags) else {
            continue;
        };
        for (key, value) in root.iter() {
            assert!(validate(key, style.tags).is_ok() && validate(value, style.tags).is_ok());
        }
        let written = write_object(root.iter(), style);
        let again = scan(&written, style.tags).expect("what was written is read");
        assert_eq!(write_object(again.iter(), style), written);
        assert_eq!(sorted(again.iter()), sorted(root.iter()));
        let session = SessionData::parse(text.clone().into_owned(), style).expect("scanned above");
        assert!(session.iter().eq(root.iter()));
        if !style.tags {
            is_the_dict(root.iter(), &text);
        }
    }
}

/// Checks that, without tags, the members equal those of the parsed value.
///
/// Of members with the same key, the last value is at the position of the first.
fn is_the_dict<'m>(members: impl Iterator<Item = (&'m str, &'m str)>, text: &str) {
    let value = |text: &str| Value::parse(text, false).expect("it was scanned");
    let Value::Dict(dict) = value(text) else {
        panic!("the scanner found members in {text:?}");
    };
    let parts: Vec<_> = members
        .map(|(key, text)| (value(key), value(text)))
        .collect();
    let dict: Vec<_> = dict
        .into_iter()
        .map(|(key, text)| (Value::String(key), text))
        .collect();
    assert_eq!(parts, dict);
}

fn judges_agree(text: &str, tags: bool) {
    let (root, valid) = (scan(text, tags), validate(text, tags));
    assert!(root.is_err() || valid.is_ok(), "only the root is accepted");
    let is_object = text
        .trim_start_matches([' ', '\t', '\n', '\r'])
        .starts_with('{');
    assert!(
        root.is_ok() || valid.is_err() || tags || !is_object,
        "only the value is accepted"
    );
    assert_eq!(
        Value::parse(text, tags).is_ok(),
        valid.is_ok(),
        "the value is judged otherwise"
    );
}

fn sorted<'m>(members: impl Iterator<Item = (&'m str, &'m str)>) -> Vec<(&'m str, &'m str)> {
    let mut members: Vec<_> = members.collect();
    members.sort_unstable();
    members
}

/// Checks a value: its text reads as the same value, and no typed read panics.
pub fn json_value(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for style in [UNSORTED, UNTAGGED] {
        types_read(&text, style);
        let Ok(value) = Value::parse(&text, style.tags) else {
            continue;
        };
        let _ = (value.to_string(), value.as_str(), value.date());
        let written = match to_text(&value, style) {
            Ok(written) => written,
            // A value may nest two levels deeper when read than when written, which leaves room for
            // the session around it.
            Err(EncodeError::TooDeep) => continue,
            Err(error) => panic!("{value:?} is not written: {error}"),
        };
        let again = Value::parse(&written, style.tags).expect("what was written is read");
        assert!(same(&value, &again), "{value:?} became {again:?}");
        assert_eq!(to_text(&again, style), Ok(written));
    }
}

/// Returns whether two values are equal except for the spelling of numbers and strings.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => match (one.as_i128(), other.as_i128()) {
            (Some(one), Some(other)) => one == other,
            _ => one.as_f64() == other.as_f64() || one.as_f64().is_nan() && other.as_f64().is_nan(),
        },
        (Value::String(one), Value::String(other))
        | (Value::Markup(one), Value::Markup(other))
        | (Value::DateTime(one), Value::DateTime(other)) => one.as_str() == other.as_str(),
        (Value::List(one), Value::List(other)) | (Value::Tuple(one), Value::Tuple(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Dict(one), Value::Dict(other)) => {
            let pairs = || one.iter().zip(other);
            one.len() == other.len()
                && pairs().all(|(one, other)| {
                    one.0.as_str() == other.0.as_str() && same(&one.1, &other.1)
                })
        }
        _ => one == other,
    }
}

#[derive(Deserialize, Serialize)]
struct Profile {
    name: String,
    age: Option<u8>,
    point: Tuple<(i32, f32)>,
    role: Role,
    #[serde(default)]
    rest: BTreeMap<String, Box<Profile>>,
}

#[derive(Deserialize, Serialize)]
enum Role {
    Guest,
    Member(Uuid),
    Admin { since: DateTime, key: Bytes },
}

fn types_read(text: &str, style: JsonDialect) {
    reads::<bool>(text, style);
    reads::<u8>(text, style);
    reads::<i128>(text, style);
    reads::<f32>(text, style);
    reads::<char>(text, style);
    reads::<String>(text, style);
    reads::<Option<i64>>(text, style);
    reads::<Vec<Option<String>>>(text, style);
    reads::<(i64, String)>(text, style);
    reads::<[f64; 2]>(text, style);
    reads::<BTreeMap<String, Vec<f64>>>(text, style);
    reads::<BTreeMap<i32, bool>>(text, style);
    reads::<Bytes>(text, style);
    reads::<Markup>(text, style);
    reads::<Uuid>(text, style);
    reads::<DateTime>(text, style);
    reads::<Tuple<Vec<i32>>>(text, style);
    reads::<Role>(text, style);
    reads::<Profile>(text, style);
}

/// Checks that a value of type `T` is written as a text that reads as the same value.
fn reads<T: DeserializeOwned + Serialize>(text: &str, style: JsonDialect) {
    if let Ok(value) = from_text::<T>(text, style.tags) {
        assert!(validate(text, style.tags).is_ok());
        if let Ok(written) = to_text(&value, style) {
            let again = from_text::<T>(&written, style.tags).map(|again| to_text(&again, style));
            assert_eq!(again, Ok(Ok(written)), "{}", std::any::type_name::<T>());
        }
    }
}
