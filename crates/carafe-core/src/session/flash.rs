//! Flash messages: written by one request, shown by the next, in Flask's place and shape.

use super::handle::SessionError;
use crate::json::{self, Style, Value};

/// The key under which Flask keeps flashed messages.
pub(super) const KEY: &str = "_flashes";

/// A message for the next page that asks for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flash {
    /// Such as `message` (Flask's default), `info` or `error`.
    pub category: String,
    /// The text.
    pub message: String,
    /// Whether the text is HTML that was marked as safe (Python's `Markup`); otherwise escape it.
    pub is_markup: bool,
}

/// The list with one more message: a tuple where the format has tuples, as Flask writes it.
pub(super) fn append(
    list: Option<&str>,
    category: &str,
    message: &str,
    style: Style,
) -> Result<String, SessionError> {
    let quoted =
        |text: &str| json::to_text(text, style).map_err(|error| SessionError::encode(KEY, error));
    let comma = if style.spaced { ", " } else { "," };
    let pair = format!("[{}{comma}{message}]", quoted(category)?);
    let entry = match (style.tags, style.spaced) {
        (true, false) => format!("{{\" t\":{pair}}}"),
        (true, true) => format!("{{\" t\": {pair}}}"),
        (false, _) => pair,
    };
    let Some(list) = list else {
        return Ok(format!("[{entry}]"));
    };
    let open = list
        .strip_suffix(']')
        .ok_or_else(|| SessionError::shape(KEY, "it is not a list"))?;
    let separator = if open.trim_start() == "[" { "" } else { comma };
    Ok(format!("{open}{separator}{entry}]"))
}

/// The messages of a list: tuples as Flask writes them, or pairs as server-side stores keep them.
pub(super) fn parse(list: &str, style: Style) -> Result<Vec<Flash>, SessionError> {
    let value = Value::parse(list, style.tags).map_err(|error| SessionError::shape(KEY, &error))?;
    let Value::List(entries) = value else {
        return Err(SessionError::shape(KEY, "it is not a list"));
    };
    entries
        .iter()
        .map(message)
        .collect::<Option<_>>()
        .ok_or_else(|| {
            SessionError::shape(KEY, "its entries are not pairs of category and message")
        })
}

fn message(entry: &Value) -> Option<Flash> {
    let (Value::Tuple(pair) | Value::List(pair)) = entry else {
        return None;
    };
    let [Value::String(category), message] = pair.as_slice() else {
        return None;
    };
    let (text, is_markup) = match message {
        Value::String(text) => (text, false),
        Value::Markup(text) => (text, true),
        _ => return None,
    };
    Some(Flash {
        category: category.as_str()?.into_owned(),
        message: text.as_str()?.into_owned(),
        is_markup,
    })
}
