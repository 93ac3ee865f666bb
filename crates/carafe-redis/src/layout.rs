//! How a record lies in Redis: as the fields of a hash. `found` reads them.
//!
//! The crate's page shows an example. A member of the dictionary is one field, so that scripts merge
//! without parsing JSON; its value begins with a number that keeps the order of insertion. The field is
//! named by the key in one spelling (ASCII), whatever spelling the JSON text has, because two writers
//! of one key must meet in one field; an odd spelling stands in the value, since no byte may get lost.

use std::fmt::Write as _;

use carafe_core::{
    clock::Timestamp,
    json::string,
    store::{Record, StoreKey},
};

use crate::names::tag_of_key;

/// The fields of a hash, as Redis gave them or gets them.
pub(crate) type Fields = Vec<(String, String)>;

/// The version of this layout.
pub(crate) const VERSION: &str = "1";
/// What Redis's whole numbers in sorted sets and Lua still hold; the last second of the year 9999.
const LAST: i64 = 253_402_300_799;

/// Until when the index lists a session that expires at `expires`: a lifetime longer than needed, so
/// that it hears of a refresh once a lifetime and not each time.
pub(crate) fn listed_until(expires: Timestamp, now: Timestamp) -> Timestamp {
    let lifetime = expires.seconds_since(now).max(0);
    let until = expires.saturating_add(lifetime).unix();
    Timestamp::from_unix(until.min(LAST).max(expires.unix()))
}

/// The field of a key of the dictionary.
pub(crate) fn field_of(key: &str) -> String {
    let mut quoted = String::new();
    string::write(key, true, &mut quoted);
    format!("d:{}", unquoted(&quoted))
}

/// A new record as the fields of its hash.
pub(crate) fn fields_of(key: &StoreKey, record: &Record, listed: Timestamp) -> Fields {
    let mut fields = vec![("v".to_owned(), VERSION.to_owned())];
    let mut fact = |name: &str, text: String| fields.push((name.to_owned(), text));
    fact("key", tag_of_key(key));
    fact("handle", record.handle.to_string());
    fact("created", second(record.created));
    fact("renewed", second(record.renewed));
    fact("seen", second(record.last_seen));
    fact("expires", second(record.expires));
    fact("version", record.version.to_string());
    fact("listed", second(listed));
    fact("next", record.data.len().to_string());
    let given = [("user", &record.user), ("device", &record.device)];
    for (name, text) in given {
        if let Some(text) = text {
            fact(name, text.clone());
        }
    }
    if let Some(at) = record.authenticated {
        fact("auth", second(at));
    }
    let members = record.data.iter().enumerate();
    fields.extend(members.map(|(place, (raw, text))| field_of_member(place, raw, text)));
    fields
}

fn field_of_member(place: usize, raw: &str, text: &str) -> (String, String) {
    // A key that is no Unicode text is nobody's to write, so its own spelling can name it.
    let field = string::decode(raw).map_or_else(
        |_| format!("d:{}", unquoted(raw)),
        |key| field_of(key.as_ref()),
    );
    let value = if field.strip_prefix("d:") == Some(unquoted(raw)) {
        format!("{place}:{text}")
    } else {
        format!("{place}+{}:{raw}{text}", raw.len())
    };
    (field, value)
}

fn unquoted(raw: &str) -> &str {
    raw.strip_prefix('"')
        .and_then(|raw| raw.strip_suffix('"'))
        .unwrap_or(raw)
}

/// A moment as Redis keeps it.
pub(crate) fn second(at: Timestamp) -> String {
    let mut text = String::with_capacity(12);
    // Writing to a `String` cannot fail.
    let _ = write!(text, "{}", at.unix());
    text
}
