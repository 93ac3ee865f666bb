//! Small pieces of text: times, users, devices, numbers.

use carafe_core::clock::Timestamp;
use maud::{Markup, html};

use crate::shared::human::{ago, printable, span, thousands, utc};

/// A past time, such as `2 h ago`.
pub(super) fn past(at: Timestamp, now: Timestamp) -> Markup {
    time(at, &ago(now.seconds_since(at)))
}

/// A future time, such as `in 2 h`.
pub(super) fn future(at: Timestamp, now: Timestamp) -> Markup {
    let left = at.seconds_since(now);
    let text = match left {
        ..=0 => "expired".to_owned(),
        _ => format!("in {}", span(left.unsigned_abs())),
    };
    time(at, &text)
}

/// A text for a time, with the exact time for machines and as a tooltip.
pub(super) fn time(at: Timestamp, text: &str) -> Markup {
    let full = utc(at);
    // `2023-11-14 22:13:20 UTC`. A time outside the calendar's range has another form.
    let for_machines = match (full.get(..10), full.get(11..19)) {
        (Some(date), Some(time)) if full.len() == 23 => Some(format!("{date}T{time}Z")),
        _ => None,
    };
    html! { time datetime=[for_machines] title=(full) { (text) } }
}

/// Text from a client. It cannot change the direction of the line.
pub(super) fn foreign(text: &str) -> Markup {
    html! { bdi { (printable(text)) } }
}

/// Maximum length of untrusted text in a list, in characters. A real `User-Agent` header has at
/// most 300.
const BEGINNING: usize = 400;

/// Returns the beginning of a text from a client.
pub(super) fn beginning(text: &str) -> String {
    match text.char_indices().nth(BEGINNING) {
        None => printable(text).into_owned(),
        Some((end, _)) => format!("{}…", printable(&text[..end])),
    }
}

/// Returns `1,200`, or `about 1,200` for an estimate.
pub(super) fn number(count: u64, exact: bool) -> String {
    let digits = thousands(usize::try_from(count).unwrap_or(usize::MAX));
    match exact {
        true => digits,
        false => format!("about {digits}"),
    }
}

/// Returns a query string with one parameter.
pub(super) fn query(name: &str, value: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair(name, value);
    query.finish()
}

/// `1 session`, `2,000 sessions`.
pub(crate) fn sessions(count: u64) -> String {
    let number = thousands(usize::try_from(count).unwrap_or(usize::MAX));
    let word = if count == 1 { "session" } else { "sessions" };
    format!("{number} {word}")
}

/// [`sessions`] for a list that may be truncated.
pub(super) fn listed(count: usize, has_more: bool) -> String {
    let text = sessions(count as u64);
    if has_more {
        format!("more than {text}")
    } else {
        text
    }
}
