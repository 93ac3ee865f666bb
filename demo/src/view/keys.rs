//! "Rotate the key": the keys by their IDs, and the changes of this visitor's cookies.

use maud::{Markup, html};

use super::{
    card::{card, message},
    icon::Icon,
};
use crate::{
    key_list::Listed,
    page::Page,
    panel::{Panel, Reissue},
};
use carafe_console::shared::human::utc;

pub(super) fn keys(page: &Page<'_>) -> Markup {
    let about = html! {
        "A new key signs and encrypts from now on, and the old one is still accepted. Nobody is logged out: "
        "each cookie is written again when it is next used."
    };
    card("keys", "Rotate the key", &about, &doing(page), &there(page))
}

fn doing(page: &Page<'_>) -> Markup {
    html! {
        form method="post" action="/keys/rotate" { button.button.button-primary { "Rotate the key" } }
        @for panel in &page.panels {
            @if let Some(reissued) = &panel.reissued { (rewritten(panel, reissued)) }
        }
        p.note {
            "What is written again keeps its time, so a rotation prolongs nothing. "
            "The server-side session has no key: its cookie is a random id."
        }
    }
}

fn rewritten(panel: &Panel<'_>, reissued: &Reissue) -> Markup {
    message(
        "info",
        "status",
        Icon::Check,
        &html! {
            strong { (panel.mode.title) " cookie written again" }
            p { (change(reissued)) }
        },
    )
}

/// The change of the cookie.
pub(super) fn change(reissued: &Reissue) -> Markup {
    html! { (reissued.part) " " code { (reissued.from) } " → " code { (reissued.to) } }
}

fn there(page: &Page<'_>) -> Markup {
    html! {
        ol.keys role="list" { @for (n, key) in page.keys.iter().enumerate() { (entry(n, key)) } }
    }
}

fn entry(n: usize, key: &Listed) -> Markup {
    html! {
        li.key {
            code { (key) }
            @if n == 0 {
                span.badge { "Current" } span.key-use { "signs, encrypts, accepts" }
            } @else {
                span.badge.badge-quiet { "Fallback " (n) }
                span.key-use {
                    "accepts"
                    @if let Some(until) = key.until { ", until " (utc(until).get(..10).unwrap_or_default()) }
                }
            }
        }
    }
}
