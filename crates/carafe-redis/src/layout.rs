//! How a record lies in Redis: as one text. `found` reads it.
//!
//! ```text
//! 2 LISTED TAG VERSION SEEN EXPIRES CREATED RENEWED HANDLE AUTH USER DEVICE⏎…user……device……dictionary…
//! ```
//!
//! The first line is words with one blank between them: whole numbers in decimal digits, and `-` for what is not
//! given. `USER` and `DEVICE` are the lengths of those texts in bytes, so that any text survives. The dictionary is
//! its JSON text as it came. What the scripts rewrite stands in front: they need to know nothing of the rest.
//! The crate's page shows an example.

use std::fmt::Write as _;

use carafe_core::{
    clock::Timestamp,
    json,
    store::{Handle, Record, StoreKey},
};

use crate::names::{tag_of_key, text_of_key};

/// The version of this layout.
pub(crate) const VERSION: &str = "2";
/// What stands for [`VERSION`]'s next word in the name of another key.
pub(crate) const ALIAS: &str = ">";
/// The same in a key that is kept for a record on its way.
pub(crate) const RESERVED: &str = "?";
/// What is not given.
pub(crate) const NONE: &str = "-";
/// What Redis's whole numbers in sorted sets and Lua still hold; the last second of the year 9999.
const LAST: i64 = 253_402_300_799;

/// Until when the index lists a session that expires at `expires`: a lifetime longer than needed, so
/// that it hears of a refresh once a lifetime and not each time.
pub(crate) fn listed_until(expires: Timestamp, now: Timestamp) -> Timestamp {
    let lifetime = expires.seconds_since(now).max(0);
    let until = expires.saturating_add(lifetime).unix();
    Timestamp::from_unix(until.min(LAST).max(expires.unix()))
}

/// A record's value from behind the second until which the indices list it: what only a change changes.
pub(crate) fn rest_of(key: &StoreKey, record: &Record) -> String {
    let data = json::write_object(record.data.iter(), Record::STYLE);
    let (user, device) = (record.user.as_deref(), record.device.as_deref());
    let texts = [user, device].map(Option::unwrap_or_default);
    let length = 160 + texts[0].len() + texts[1].len() + data.len();
    let mut rest = String::with_capacity(length);
    // Writing to a `String` cannot fail.
    let _ = write!(
        rest,
        " {} {} {} {} {} {} {}",
        tag_of_key(key),
        record.version,
        record.last_seen.unix(),
        record.expires.unix(),
        record.created.unix(),
        record.renewed.unix(),
        record.handle,
    );
    put(&mut rest, record.authenticated.map(Timestamp::unix));
    put(&mut rest, user.map(str::len));
    put(&mut rest, device.map(str::len));
    rest.push('\n');
    rest.extend([texts[0], texts[1], &data]);
    rest
}

/// A value that begins with the second until which the indices list its session.
pub(crate) fn value_of(listed: Timestamp, rest: &str) -> String {
    format!("{VERSION} {}{rest}", listed.unix())
}

/// The part of a value that [`rest_of`] writes.
pub(crate) fn rest_in(value: &str) -> Option<&str> {
    let behind = value.strip_prefix(VERSION)?.strip_prefix(' ')?;
    Some(&behind[behind.find(' ')?..])
}

/// What lies under a key that leads to another one until then.
pub(crate) fn alias(to: &StoreKey, until: Timestamp) -> String {
    format!("{VERSION} {ALIAS} {} {}", text_of_key(to), until.unix())
}

/// What lies under a key to which a session is on its way.
pub(crate) fn reservation(handle: Handle, user: Option<&str>) -> String {
    let mut value = format!("{VERSION} {RESERVED} {handle}");
    put(&mut value, user.map(str::len));
    value.push('\n');
    value.push_str(user.unwrap_or_default());
    value
}

/// A moment as Redis keeps it.
pub(crate) fn second(at: Timestamp) -> String {
    at.unix().to_string()
}

/// A text for a script that may be absent or empty, which is not the same.
pub(crate) fn given(text: Option<&str>) -> String {
    text.map(|text| format!("+{text}")).unwrap_or_default()
}

pub(crate) fn flag(set: bool) -> &'static str {
    if set { "1" } else { "" }
}

fn put(line: &mut String, number: Option<impl std::fmt::Display>) {
    let _ = match number {
        Some(number) => write!(line, " {number}"),
        None => write!(line, " {NONE}"),
    };
}
