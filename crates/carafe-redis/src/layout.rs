//! Encodes a record as one string. `value` parses it.
//!
//! ```text
//! 3 LISTED TAG VERSION SEEN EXPIRES CREATED RENEWED HANDLE AUTH RENEWAL USER DEVICE⏎
//! user ‖ device ‖ dictionary
//! ```
//!
//! The first line consists of words separated by one space: decimal integers, and `-` for an absent
//! value. `HANDLE` is the public id. `USER` and `DEVICE` are the lengths of those texts in bytes,
//! so that they may contain anything. The dictionary is its JSON text, unchanged. `RENEWAL` is
//! `SessionMeta::opaque`. The words that scripts rewrite come first, so that scripts need not parse
//! the rest. The documentation of the crate shows an example. Values of layout 2, which has no
//! `RENEWAL`, are read, and are written in layout 3 with the next change.

use carafe_core::{
    clock::Timestamp,
    store::{PublicId, Record, StoreError, StoreKey},
};

use crate::names::{append_tag, append_text, text_of_key};

/// Version of this layout.
pub(crate) const VERSION: &str = "3";
/// Version of the previous layout, which is still read.
pub(crate) const PREVIOUS_VERSION: &str = "2";
/// The second word of a pointer to another key.
pub(crate) const POINTER: &str = ">";
/// The second word of the marker under a retired key.
pub(crate) const MARKER: &str = "!";
/// The second word of a key that is reserved for a moving record.
pub(crate) const RESERVED: &str = "?";
/// Stands for an absent value.
pub(crate) const NONE: &str = "-";
/// Latest second that the integers of sorted sets and Lua represent: the last one of the year 9999.
const MAX_SECOND: i64 = 253_402_300_799;

/// Upper bound of the size of a value, in bytes.
const MAX_VALUE_BYTES: usize = 16 << 20;

/// Rejects a value that is too large.
pub(crate) const fn check_size(size: usize) -> Result<(), StoreError> {
    match size > MAX_VALUE_BYTES {
        true => Err(StoreError::TooLarge {
            size,
            limit: MAX_VALUE_BYTES,
        }),
        false => Ok(()),
    }
}

/// Returns the second until which the index lists a session that expires at `expires`: one lifetime
/// longer than needed, so that the index is updated once per lifetime and not with each use.
pub(crate) fn listed_until(expires: Timestamp, now: Timestamp) -> Timestamp {
    let lifetime = expires.seconds_since(now).max(0);
    let until = expires.saturating_add(lifetime).unix();
    Timestamp::from_unix(until.min(MAX_SECOND).max(expires.unix()))
}

/// Returns the second at which Redis drops the key of a session that expires at `expires`, as in
/// `value.lua`. This only frees memory: the caller's clock decides whether a session has expired.
pub(crate) fn purge_at(expires: Timestamp) -> i64 {
    (expires.unix().min(MAX_SECOND) + 60).max(1)
}

/// Encodes a record without the prefix that [`value_of`] adds.
pub(crate) fn rest_of(key: &StoreKey, record: &Record) -> String {
    let data = record.data.payload(Record::STYLE);
    let meta = &record.meta;
    let (user, device) = (meta.user.as_deref(), meta.device.as_deref());
    let texts = [user, device].map(Option::unwrap_or_default);
    let length = 240 + texts[0].len() + texts[1].len() + data.len();
    let mut rest = String::with_capacity(length);
    rest.push(' ');
    append_tag(&mut rest, key);
    number(&mut rest, meta.version);
    for at in [meta.last_seen, meta.expires, meta.created, meta.renewed] {
        number(&mut rest, at.unix());
    }
    rest.push(' ');
    append_text(&mut rest, meta.public_id.as_bytes());
    put(&mut rest, meta.authenticated.map(Timestamp::unix));
    rest.push(' ');
    rest.push_str(meta.opaque().as_deref().unwrap_or(NONE));
    put(&mut rest, user.map(str::len));
    put(&mut rest, device.map(str::len));
    rest.push('\n');
    rest.extend([texts[0], texts[1], &data]);
    rest
}

/// Returns a whole value, with the second until which the indices list its session.
pub(crate) fn value_of(listed: Timestamp, rest: &str) -> String {
    format!("{VERSION} {}{rest}", listed.unix())
}

/// Returns the part of a value of any version that [`rest_of`] writes.
pub(crate) fn rest_in(value: &str) -> Option<&str> {
    let behind = value.strip_prefix(VERSION);
    let behind = behind.or_else(|| value.strip_prefix(PREVIOUS_VERSION));
    let behind = behind?.strip_prefix(' ')?;
    Some(&behind[behind.find(' ')?..])
}

/// Returns the value of a key that leads to another one, at least until `until`.
pub(crate) fn pointer(to: &StoreKey, until: Timestamp) -> String {
    let until = until.unix();
    format!("{VERSION} {POINTER} {} {until}", text_of_key(to))
}

/// Returns the value of a key that is retired until `until`, because its session was moved to `to`
/// or was deleted.
pub(crate) fn marker(until: Timestamp, to: Option<&StoreKey>) -> String {
    let to = to.map_or_else(|| NONE.to_owned(), text_of_key);
    format!("{VERSION} {MARKER} {} {to}", until.unix())
}

/// Returns a pointer or a marker that carries the value of the moving record.
pub(crate) fn carrying(trace: &str, value: &str) -> String {
    format!("{trace}\n{value}")
}

/// Splits the result of [`carrying`].
pub(crate) fn carried(trace: &str) -> Option<(&str, &str)> {
    trace.split_once('\n')
}

/// Returns the value of a key that is reserved for a session that moves here from another key.
pub(crate) fn reservation(public_id: PublicId, from: &StoreKey, user: Option<&str>) -> String {
    let mut value = format!("{VERSION} {RESERVED} {public_id} {}", text_of_key(from));
    put(&mut value, user.map(str::len));
    value.push('\n');
    value.push_str(user.unwrap_or_default());
    value
}

/// Formats a time as Redis stores it.
pub(crate) fn second(at: Timestamp) -> String {
    itoa::Buffer::new().format(at.unix()).to_owned()
}

/// Encodes an argument for a script that distinguishes an absent text from an empty one.
pub(crate) fn optional_text(text: Option<&str>) -> String {
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
