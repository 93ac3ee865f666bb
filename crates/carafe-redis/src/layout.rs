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

use carafe_core::{
    clock::Timestamp,
    store::{Handle, Record, StoreKey},
};

use crate::names::{append_tag, append_text, text_of_key};

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

/// The second until which Redis keeps what expires then, as in `value.lua`: it only frees memory, and the caller's clock
/// decides.
pub(crate) fn dropped_at(expires: Timestamp) -> i64 {
    (expires.unix().min(LAST) + 60).max(1)
}

/// A record's value from behind the second until which the indices list it: what only a change changes.
pub(crate) fn rest_of(key: &StoreKey, record: &Record) -> String {
    let data = record.data.payload(Record::STYLE);
    let (user, device) = (record.user.as_deref(), record.device.as_deref());
    let texts = [user, device].map(Option::unwrap_or_default);
    let length = 160 + texts[0].len() + texts[1].len() + data.len();
    let mut rest = String::with_capacity(length);
    rest.push(' ');
    append_tag(&mut rest, key);
    number(&mut rest, record.version);
    for at in [
        record.last_seen,
        record.expires,
        record.created,
        record.renewed,
    ] {
        number(&mut rest, at.unix());
    }
    rest.push(' ');
    append_text(&mut rest, record.handle.as_bytes());
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

/// What lies under a key to which a session is on its way from another one.
pub(crate) fn reservation(handle: Handle, from: &StoreKey, user: Option<&str>) -> String {
    let mut value = format!("{VERSION} {RESERVED} {handle} {}", text_of_key(from));
    put(&mut value, user.map(str::len));
    value.push('\n');
    value.push_str(user.unwrap_or_default());
    value
}

/// A moment as Redis keeps it.
pub(crate) fn second(at: Timestamp) -> String {
    itoa::Buffer::new().format(at.unix()).to_owned()
}

/// A text for a script that may be absent or empty, which is not the same.
pub(crate) fn given(text: Option<&str>) -> String {
    text.map(|text| format!("+{text}")).unwrap_or_default()
}

pub(crate) fn flag(set: bool) -> &'static str {
    if set { "1" } else { "" }
}

fn put(line: &mut String, given: Option<impl itoa::Integer>) {
    match given {
        Some(given) => number(line, given),
        None => line.extend([" ", NONE]),
    }
}

fn number(line: &mut String, number: impl itoa::Integer) {
    line.push(' ');
    line.push_str(itoa::Buffer::new().format(number));
}
