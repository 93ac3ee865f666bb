//! Flash messages, stored by one request and shown by the next, in Flask's location and format.

use std::borrow::Cow;

use super::SessionError;
use crate::json::{self, JsonDialect, Value};

/// Flask's key for flashed messages.
pub(super) const KEY: &str = "_flashes";

/// Flask's default category, for entries without one.
const DEFAULT_CATEGORY: &str = "message";

/// A flashed message for the next page that takes messages.
///
/// ```
/// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
/// # futures_executor::block_on(async {
/// # let side = ServerSide::new(MemoryStore::new());
/// # let manager = SessionManager::new(side, SessionConfig::default())?;
/// # let manager = std::sync::Arc::new(manager);
/// # let mut client = TestClient::new(&manager);
/// # let request = client.begin().await?;
/// // Flask's `flash("Saved.")`, and a value that is not a string.
/// request.session().flash("message", "Saved.")?;
/// request.session().flash("rows", &[1, 2])?;
/// # client.finish(request, 200).await?;
/// let flashes = client.session().await?.take_flashes()?;
/// assert_eq!((flashes[0].category.as_str(), flashes[0].message.as_str()), ("message", "Saved."));
/// assert_eq!(flashes[1].message, "[1,2]", "the JSON text");
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Flash {
    /// The category, such as `message` (Flask's default), `info` or `error`.
    pub category: String,
    /// The text of the message. For a message that is not a string, its JSON text.
    pub message: String,
    /// Whether the text is HTML marked as safe (Python's `Markup`). Otherwise, escape it.
    pub is_markup: bool,
    /// The original message.
    ///
    /// An entry that is not a pair of category and message appears here as a whole. Only code that
    /// writes `_flashes` directly creates such entries.
    pub value: Value,
}

/// Returns the list with another message, which is a tuple if the format has tuples, as in Flask.
pub(super) fn append(
    list: Option<&str>,
    category: &str,
    message: &str,
    style: JsonDialect,
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
    let list = list.map_or(Ok(Cow::Borrowed("[]")), |text| as_list(text, style))?;
    let open = list.strip_suffix(']').unwrap_or(&list);
    let separator = if open.trim() == "[" { "" } else { comma };
    Ok(format!("{open}{separator}{entry}]"))
}

/// Returns the text of the list to append to.
///
/// A value that is not a list becomes the first entry. Only code that writes `_flashes` directly
/// creates such values.
fn as_list(text: &str, style: JsonDialect) -> Result<Cow<'_, str>, SessionError> {
    if text.starts_with('[') {
        return Ok(Cow::Borrowed(text));
    }
    let value = Value::parse(text, style.tags).map_err(|error| SessionError::shape(KEY, &error))?;
    let list = json::to_text(&Value::List(entries(value)), style);
    Ok(list
        .map_err(|error| SessionError::encode(KEY, error))?
        .into())
}

/// Returns the messages of a list: tuples as in Flask, or pairs as in server-side stores.
pub(super) fn parse(list: &str, style: JsonDialect) -> Result<Vec<Flash>, SessionError> {
    let value = Value::parse(list, style.tags).map_err(|error| SessionError::shape(KEY, &error))?;
    Ok(entries(value).into_iter().map(Flash::of).collect())
}

fn entries(value: Value) -> Vec<Value> {
    match value {
        Value::List(entries) | Value::Tuple(entries) => entries,
        Value::Null => Vec::new(),
        other => vec![other],
    }
}

impl Flash {
    fn of(entry: Value) -> Self {
        let (category, value) = match entry {
            Value::Tuple(pair) | Value::List(pair) if is_pair(&pair) => {
                let [category, message] =
                    <[Value; 2]>::try_from(pair).expect("a pair has two items");
                (text(&category), message)
            }
            other => (DEFAULT_CATEGORY.to_owned(), other),
        };
        Self {
            category,
            message: text(&value),
            is_markup: matches!(value, Value::Markup(_)),
            value,
        }
    }
}

/// Returns whether the items are a category and a message.
///
/// Flask accepts any value as a category. A container is never treated as one.
fn is_pair(items: &[Value]) -> bool {
    let is_container =
        |value: &Value| matches!(value, Value::List(_) | Value::Tuple(_) | Value::Dict(_));
    matches!(items, [category, _] if !is_container(category))
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) | Value::Markup(text) => text.to_string(),
        other => other.to_string(),
    }
}
