//! The valid values of each setting.
//!
//! Every function returns a one-line error with the value and a valid alternative. For keys, only
//! [`kind`] is used, which omits the value.

use std::time::Duration;

use crate::{
    cookie::SameSite,
    json::{Number, Value},
};

/// 7,000 years, in seconds.
///
/// With a longer lifetime, the year in `Expires` would have five digits, and Flask fails.
const LONGEST: f64 = 220_898_664_000.0;

/// Parses true or false. `trap` says how Flask interprets any other value.
pub(super) fn switch(value: &Value, trap: &str) -> Result<bool, String> {
    match value {
        Value::Bool(on) => Ok(*on),
        _ => Err(format!("is {}; write true or false ({trap})", shown(value))),
    }
}

/// Parses a positive number of whole seconds.
pub(super) fn lifetime(value: &Value) -> Result<Duration, String> {
    let wanted = |why: &str| {
        format!(
            "is {}{why}; write a number of seconds over 0, such as 3600",
            shown(value)
        )
    };
    let Value::Number(number) = value else {
        return Err(wanted(""));
    };
    // Flask drops the fraction, too.
    let seconds = number.as_f64().trunc();
    if seconds > LONGEST || seconds.is_nan() {
        return Err(wanted(", which is too long for the date of a cookie"));
    }
    if seconds < 1.0 {
        return Err(wanted(", so every session would expire immediately"));
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// Parses a `SameSite` value, or null.
pub(super) fn same_site(value: &Value) -> Result<Option<SameSite>, String> {
    let word = value.as_str().and_then(|word| word.parse().ok());
    match (value, word) {
        (Value::Null, _) => Ok(None),
        (_, Some(word)) => Ok(Some(word)),
        _ => Err(format!(
            "is {}; write \"Lax\", \"Strict\" or \"None\", or null for no attribute",
            shown(value)
        )),
    }
}

/// Parses a host name, or null for the current host only.
///
/// Rejects Python's names for null and false, which would be host names.
pub(super) fn domain(value: &Value) -> Result<Option<String>, String> {
    let wanted = || {
        format!(
            "is {}; write a host name, or null for this host only",
            shown(value)
        )
    };
    if matches!(value, Value::Null | Value::Bool(false)) {
        return Ok(None);
    }
    let text = text(value).ok_or_else(wanted)?;
    let nothing = ["", "none", "null", "false"];
    if nothing.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return Err(wanted());
    }
    Ok(Some(text))
}

/// Returns the domain that Flask 1.0 to 2.2 derives from a server name.
///
/// Returns `None` for a name without a dot, for which those versions warn, and for an IP address,
/// for which a domain has no effect.
pub(super) fn server_name(value: &Value) -> Result<Option<String>, String> {
    let wanted = || format!("is {}; write a host name, or null", shown(value));
    let name = match value {
        Value::Null | Value::Bool(false) => return Ok(None),
        _ => text(value).ok_or_else(wanted)?,
    };
    let host = match name.rsplit_once(':') {
        Some((host, _)) => host,
        None => &name,
    };
    let host = host.trim_start_matches('.');
    let is_ip = host.parse::<std::net::IpAddr>().is_ok() || host.starts_with('[');
    Ok(Some(host.to_owned()).filter(|host| host.contains('.') && !is_ip))
}

/// Parses a path. Null, or the empty string as in Flask, means the application's root.
pub(super) fn path(value: &Value) -> Result<Option<String>, String> {
    match text(value) {
        Some(path) => Ok(Some(path).filter(|path| !path.is_empty())),
        None if *value == Value::Null => Ok(None),
        None => Err(format!(
            "is {}; write a path such as \"/app\", or null for APPLICATION_ROOT",
            shown(value)
        )),
    }
}

/// Parses the application's path.
///
/// Without a path, Flask sends an empty `Path` or none, and browsers then use the directory of the
/// page.
pub(super) fn root(value: &Value) -> Result<String, String> {
    text(value)
        .filter(|root| !root.is_empty())
        .ok_or_else(|| format!("is {}; write a path such as \"/\"", shown(value)))
}

/// Returns whether Flask-Login protects sessions.
pub(super) fn protection(value: &Value) -> Result<bool, String> {
    match value {
        Value::Null | Value::Bool(false) => Ok(false),
        _ => match value.as_str().as_deref() {
            Some("basic" | "strong") => Ok(true),
            _ => Err(format!(
                "is {}; write \"basic\" or \"strong\", or null for none",
                shown(value)
            )),
        },
    }
}

/// Parses a cookie name. The cookie policy checks its characters.
pub(super) fn name(value: &Value) -> Result<String, String> {
    text(value).ok_or_else(|| {
        format!(
            "is {}; write a name in double quotes, such as \"session\"",
            shown(value)
        )
    })
}

/// Parses a number of bytes, or null.
pub(super) fn size(value: &Value) -> Result<(), String> {
    let bytes = |number: &Number| number.as_i128().is_some_and(|bytes| bytes >= 0);
    match value {
        Value::Null => Ok(()),
        Value::Number(number) if bytes(number) => Ok(()),
        _ => Err(format!(
            "is {}; write a number of bytes, such as 4093, or null",
            shown(value)
        )),
    }
}

pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => text.as_str().map(std::borrow::Cow::into_owned),
        _ => None,
    }
}

/// Returns the value on one line, truncated. Must not be used for keys.
fn shown(value: &Value) -> String {
    match value {
        Value::Number(number) => format!("the number {}", start_of(number.as_text())),
        Value::String(text) => format!("the text {:?}", start_of(&text.to_string())),
        _ => kind(value).to_owned(),
    }
}

fn start_of(text: &str) -> String {
    const MOST: usize = 40;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Returns the kind of a value, without the value.
pub(super) const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(true) => "true",
        Value::Bool(false) => "false",
        Value::Number(_) => "a number",
        Value::String(_) | Value::Markup(_) => "text",
        Value::List(_) | Value::Tuple(_) => "a list",
        Value::Dict(_) => "an object",
        Value::Bytes(_) | Value::Uuid(_) | Value::DateTime(_) => "of a type that JSON lacks",
    }
}
