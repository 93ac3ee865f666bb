//! One session: its facts, and its dictionary.

use carafe_core::{
    clock::Timestamp,
    store::{Handle, Record},
};
use maud::{Markup, html};

use super::{
    list::{device, user},
    text::{future, past},
};
use crate::{
    console::Console,
    human::{printable, span, thousands, utc},
    web::json,
};

/// Bytes of a value that is folded.
const LONG: usize = 400;
/// Bytes of a value that gets no colours: a million of them would be a slow page.
const VERY_LONG: usize = 32 * 1024;
/// Characters of a folded value that stand before the fold.
const BEGINNING: usize = 60;

pub(in crate::console) fn session(console: &Console, record: &Record, now: Timestamp) -> Markup {
    html! {
        (title(console, record.handle, true))
        div.session-page {
            section.card-box aria-labelledby="facts-title" id="facts" data-live {
                h2 id="facts-title" { "About it" }
                (facts(console, record, now))
            }
            section.card-box aria-labelledby="content-title" id="content" data-live {
                (content(record))
            }
        }
    }
}

/// A session whose record nobody can read; it can be ended.
pub(in crate::console) fn damaged(console: &Console, handle: Handle, why: &str) -> Markup {
    html! {
        (title(console, handle, true))
        p.nothing.message { strong { "This session cannot be read" } (why) ". It is left as it is; it can be revoked." }
    }
}

fn title(console: &Console, handle: Handle, is_there: bool) -> Markup {
    html! {
        div.title-row {
            h1 { "Session " code { (handle) } }
            @if is_there && !console.read_only {
                a.button.button-danger id="revoke" href=(console.base.href(&format!("/sessions/{handle}/revoke"))) { "Revoke…" }
            }
        }
    }
}

fn facts(console: &Console, record: &Record, now: Timestamp) -> Markup {
    let fact = |name: &str, value: &Markup| html! { div.fact { dt { (name) } dd { (value) } } };
    let both = |at: Timestamp, relative: &Markup| html! { (relative) span.exact { (utc(at)) } };
    let ago = |at| both(at, &past(at, now));
    let idle = span(now.seconds_since(record.last_seen).max(0).unsigned_abs());
    html! {
        dl.facts {
            (fact("User", &user(console, record.user.as_deref())))
            (fact("Device", &device(record.device.as_deref())))
            (fact("Began", &ago(record.created)))
            (fact("Last used", &ago(record.last_seen)))
            (fact("Idle for", &html! { (idle) }))
            (fact("Expires", &both(record.expires, &future(record.expires, now))))
            (fact("Last log-in", &match record.authenticated {
                Some(at) => ago(at),
                None => html! { span.absent { "never" } },
            }))
            (fact("Present id since", &ago(record.renewed)))
            (fact("Changes", &html! { (thousands(usize::try_from(record.version).unwrap_or(usize::MAX))) }))
        }
    }
}

fn content(record: &Record) -> Markup {
    let size: usize = record
        .data
        .iter()
        .map(|(key, value)| key.len() + value.len())
        .sum();
    html! {
        div.list-head {
            h2 id="content-title" { "What is in it" }
            p.note { (thousands(record.data.len())) @if record.data.len() == 1 { " key, " } @else { " keys, " } (thousands(size)) " bytes" }
        }
        @if record.data.is_empty() {
            p.nothing { strong { "Nothing" } "The session has no keys." }
        } @else {
            dl.members {
                @for (at, (key, value)) in record.data.iter().enumerate() {
                    div.member {
                        dt { code.tok-key { (printable(key)) } }
                        dd { (member(at, value)) }
                    }
                }
            }
        }
    }
}

fn member(at: usize, value: &str) -> Markup {
    if value.len() <= LONG {
        return json::block(&printable(value));
    }
    let beginning: String = printable(value).chars().take(BEGINNING).collect();
    html! {
        details id={ "value-" (at) } {
            summary { code { (beginning) "…" } " " span.note { (thousands(value.len())) " bytes" } }
            @if value.len() <= VERY_LONG {
                (json::block(&printable(value)))
            } @else {
                pre.code.code-wrap { code { (printable(value)) } }
            }
        }
    }
}
