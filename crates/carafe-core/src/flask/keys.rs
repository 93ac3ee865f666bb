//! The secret keys: one that signs, and others that only verify. No message contains a byte of a
//! key.

use std::borrow::Cow;

use super::{key_bytes, settings::Settings, value};
use crate::{
    json::Value,
    key::{KeyError, KeyRing, SecretKey},
};

const CURRENT: &str = "SECRET_KEY";
const FALLBACKS: &str = "SECRET_KEY_FALLBACKS";

/// Returns the key ring, or `None` after reporting a problem.
pub(super) fn read(settings: &mut Settings, weak: bool) -> Option<KeyRing> {
    if !settings.has(CURRENT) && settings.is_good() {
        settings.refuse(CURRENT, "is missing; `carafe key` makes one");
    }
    let current = settings.read(CURRENT, |value| current(value, weak));
    let fallbacks = settings.read(FALLBACKS, |value| fallbacks(value, weak));
    let mut ring = KeyRing::new(current?);
    for (position, key) in fallbacks.into_iter().flatten().enumerate() {
        match ring.clone().with_fallback(key) {
            Ok(longer) => ring = longer,
            Err(error) => settings.refuse(
                FALLBACKS,
                format!("item {}: {error}; leave it out", position + 1),
            ),
        }
    }
    Some(ring)
}

fn current(value: &Value, weak: bool) -> Result<SecretKey, String> {
    match value {
        Value::Null => Err("is null; `carafe key` makes a key".to_owned()),
        Value::String(_) | Value::Bytes(_) | Value::Dict(_) => secret(value, weak),
        Value::Number(_) => Err(
            "is read as a number, with which Flask fails; put it into double quotes inside the value, or take a key \
             with letters in it"
                .to_owned(),
        ),
        _ => Err(format!("is {}, with which Flask fails; write text", value::kind(value))),
    }
}

fn fallbacks(value: &Value, weak: bool) -> Result<Vec<SecretKey>, String> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::List(items) => {
            let numbered = items.iter().enumerate();
            numbered.map(|(position, item)| fallback(position, item, weak)).collect()
        }
        Value::String(_) => Err(
            "is text and no list, and Flask would accept each of its characters as a key, so that anybody could forge \
             sessions; write a JSON list, as [\"old key\"], or [] for none"
                .to_owned(),
        ),
        Value::Dict(_) => Err(
            "is an object, and Flask would accept its keys as secrets; write a JSON list, as [\"old key\"]".to_owned(),
        ),
        _ => Err(format!(
            "is {}; write a JSON list, as [\"old key\"], or [] for none",
            value::kind(value)
        )),
    }
}

fn fallback(position: usize, item: &Value, weak: bool) -> Result<SecretKey, String> {
    let key = match item {
        Value::String(_) | Value::Bytes(_) | Value::Dict(_) => secret(item, weak),
        _ => Err(format!("is {}; write text", value::kind(item))),
    };
    key.map_err(|reason| format!("item {} {reason}", position + 1))
}

fn secret(value: &Value, weak: bool) -> Result<SecretKey, String> {
    let bytes = match value {
        Value::Bytes(bytes) => Cow::Borrowed(bytes.as_slice()),
        Value::Dict(_) => {
            let bytes = key_bytes::of_object(value).map_err(|error| error.to_string())?;
            Cow::Owned(bytes.to_vec())
        }
        _ => Cow::Owned(
            value::text(value)
                .ok_or("holds half a surrogate pair, which is no text; write another key")?
                .into_bytes(),
        ),
    };
    let key = if weak {
        SecretKey::dangerous_weak(&bytes)
    } else {
        SecretKey::short(&bytes)
    };
    key.map_err(|error| match error {
        KeyError::Empty => {
            "is empty, often from a variable that is not set; `carafe key` makes a key".to_owned()
        }
        weak => format!("is refused: {weak}"),
    })
}
