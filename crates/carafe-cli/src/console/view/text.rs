//! Small pieces of text: times, users, devices, numbers.

use carafe_core::clock::Timestamp;
use maud::{Markup, html};

use crate::human::{ago, printable, span, thousands, utc};

/// How long ago, with the time in full behind it.
pub(super) fn past(at: Timestamp, now: Timestamp) -> Markup {
    time(at, &ago(now.seconds_since(at)))
}

/// In how long.
pub(super) fn future(at: Timestamp, now: Timestamp) -> Markup {
    let left = at.seconds_since(now);
    let text = match left {
        ..=0 => "over".to_owned(),
        _ => format!("in {}", span(left.unsigned_abs())),
    };
    time(at, &text)
}

/// A text about a time, with the time itself for machines and for whoever points at it.
pub(super) fn time(at: Timestamp, text: &str) -> Markup {
    let full = utc(at);
    // `2023-11-14 22:13:20 UTC`; a time past the calendar's end has another form.
    let for_machines = match (full.get(..10), full.get(11..19)) {
        (Some(date), Some(time)) if full.len() == 23 => Some(format!("{date}T{time}Z")),
        _ => None,
    };
    html! { time datetime=[for_machines] title=(full) { (text) } }
}

/// Text that somebody else has chosen, kept from turning the line around.
pub(super) fn foreign(text: &str) -> Markup {
    html! { bdi { (printable(text)) } }
}

/// `about 1,200` where it is an estimate.
pub(super) fn number(count: u64, exact: bool) -> String {
    let digits = thousands(usize::try_from(count).unwrap_or(usize::MAX));
    match exact {
        true => digits,
        false => format!("about {digits}"),
    }
}

/// The address of a search.
pub(super) fn query(name: &str, value: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair(name, value);
    query.finish()
}
