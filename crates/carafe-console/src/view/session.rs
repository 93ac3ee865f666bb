//! One session: its times and its contents.

use carafe_core::{
    clock::Timestamp,
    store::{PublicId, Record},
};
use maud::{Markup, html};

use super::{
    list::{client, unknown, user},
    text::{foreign, future, past},
};
use crate::{
    context::Context,
    shared::{
        human::{printable, span, thousands, utc},
        json, user_agent,
    },
};

/// Size from which a value is folded, in bytes.
const LONG: usize = 400;
/// Size from which a value has no colors, which would slow the page down, in bytes.
const VERY_LONG: usize = 32 * 1024;
/// Characters of a folded value that are shown before the fold.
const BEGINNING: usize = 60;

pub(crate) fn session(context: &Context, record: &Record, now: Timestamp) -> Markup {
    html! {
        (title(context, record.meta.public_id, true))
        div.session-page {
            section.card-box aria-labelledby="facts-title" id="facts" data-live {
                h2 id="facts-title" { "Details" }
                (facts(context, record, now))
            }
            section.card-box aria-labelledby="content-title" id="content" data-live {
                (content(record))
            }
        }
    }
}

/// A session with an unreadable record. It can be revoked.
pub(crate) fn damaged(context: &Context, public_id: PublicId, why: &str) -> Markup {
    html! {
        (title(context, public_id, true))
        p.nothing.message { strong { "This session cannot be read" } (why) ". The record stays unchanged and can be revoked." }
    }
}

fn title(context: &Context, public_id: PublicId, is_there: bool) -> Markup {
    html! {
        div.title-row {
            h1 { "Session " code { (public_id) } }
            @if is_there && !context.settings.is_read_only() {
                a.button.button-danger id="revoke" href=(context.href(&format!("/sessions/{public_id}/revoke"))) { "Revoke…" }
            }
        }
    }
}

/// A `User-Agent` header in a few words and in full, or any other note unchanged.
fn device(device: Option<&str>) -> Markup {
    let Some(note) = device else {
        return unknown();
    };
    html! {
        @if let Some(short) = user_agent::short_note(note) {
            bdi { (short) } span.exact { (foreign(note)) }
        } @else {
            (foreign(note))
        }
    }
}

fn facts(context: &Context, record: &Record, now: Timestamp) -> Markup {
    let fact = |name: &str, value: &Markup| html! { div.fact { dt { (name) } dd { (value) } } };
    let both = |at: Timestamp, relative: &Markup| html! { (relative) span.exact { (utc(at)) } };
    let ago = |at| both(at, &past(at, now));
    let idle = span(
        now.seconds_since(record.meta.last_seen)
            .max(0)
            .unsigned_abs(),
    );
    html! {
        dl.facts {
            (fact("User", &user(context, record.meta.user.as_deref())))
            (fact("Device", &device(record.meta.device.as_deref())))
            (fact("Client", &client(record.meta.public_id)))
            (fact("Created", &ago(record.meta.created)))
            (fact("Last used", &ago(record.meta.last_seen)))
            (fact("Idle for", &html! { (idle) }))
            (fact("Expires", &both(record.meta.expires, &future(record.meta.expires, now))))
            (fact("Last log-in", &match record.meta.authenticated {
                Some(at) => ago(at),
                None => html! { span.absent { "never" } },
            }))
            (fact("Current ID since", &ago(record.meta.renewed)))
            (fact("Changes", &html! { (thousands(usize::try_from(record.meta.version).unwrap_or(usize::MAX))) }))
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
            h2 id="content-title" { "Content" }
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
