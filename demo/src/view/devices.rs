//! "Your devices": the log-in form, and the sessions of the user who is logged in.

use carafe_core::clock::Timestamp;
use maud::{Markup, html};

use super::{
    card::{card, message},
    icon::Icon,
};
use crate::{
    devices::{Device, Devices, LONGEST_NAME},
    mode_id::ModeId,
    page::Page,
    panel::Panel,
};
use carafe_console::shared::human::{ago, utc};

pub(super) fn devices(page: &Page<'_>) -> Markup {
    let about = html! {
        "Log in here and in another browser, or in a private window. Both see both, "
        "and either can end the other."
    };
    let doing = match &page.devices.user {
        Some(user) => logged_in(user, page),
        None => log_in(page),
    };
    card(
        "devices",
        "Your devices",
        &about,
        &doing,
        &there(&page.devices),
    )
}

fn log_in(page: &Page<'_>) -> Markup {
    let typed = page.log_in.as_ref();
    let stored = page
        .panels
        .iter()
        .find(|panel| panel.mode.id == ModeId::Stored);
    html! {
        @if stored.is_some_and(Panel::is_over) {
            (message("rejected", "alert", Icon::Cross, &html! {
                strong { "Your session is over" }
                p { "It was ended, here or on another device, or it has expired. This browser still has the id, and the database has nothing for it." }
            }))
        }
        @if let Some((_, why)) = typed {
            (message("problem", "alert", Icon::Warning, &html! { strong { "Not logged in" } p id="log-in-problem" { (why) } }))
        }
        form.log-in method="post" action="/devices/log-in#devices" {
            div.field {
                label for="log-in-name" { "Name" }
                input.input id="log-in-name" name="name" value=(typed.map_or("", |(name, _)| name)) placeholder="ada"
                    required maxlength=(LONGEST_NAME) autocomplete="off" autocapitalize="none" spellcheck="false"
                    aria-invalid=[typed.map(|_| "true")] aria-describedby=[typed.map(|_| "log-in-problem")];
            }
            button.button.button-primary { "Log in" }
        }
        p.note { "No password: this is about what comes after it. A log-in gives the session a new id, and the old one is dead at once." }
    }
}

fn logged_in(user: &str, page: &Page<'_>) -> Markup {
    html! {
        @if let Some(note) = &page.devices.note {
            (message("info", "status", Icon::Check, &html! { strong { (note) } }))
        }
        p.who { "You are " strong { (user) } "." }
        div.button-row {
            form method="post" action="/devices/log-out" { button.button { "Log out" } }
            form method="post" action="/devices/revoke-others" {
                button.button.button-danger disabled[page.devices.list.len() < 2] { "Log out everywhere else" }
            }
        }
        p.note { "A session ends after 30 minutes without use and after 12 hours in any case; its id changes every 15 minutes. A use is noted at most every 90 seconds." }
    }
}

fn there(devices: &Devices) -> Markup {
    let now = Timestamp::now();
    html! {
        @if devices.user.is_none() {
            p.nothing { strong { "Nobody is logged in." } " The sessions of a user appear here." }
        } @else {
            ul.devices role="list" { @for device in &devices.list { (entry(device, now)) } }
        }
    }
}

fn entry(device: &Device, now: Timestamp) -> Markup {
    html! {
        li.device {
            div {
                h3 { (device.name) @if device.is_this { " " span.badge { "This browser" } } }
                p { "Since " (time(device.created)) ", last seen " (ago(now.seconds_since(device.last_seen))) }
                p { code { (device.public_id) } }
            }
            @if !device.is_this {
                form method="post" action="/devices/revoke" {
                    input type="hidden" name="public_id" value=(device.public_id);
                    button.button.button-danger { "Revoke" span.visually-hidden { " " (device.name) } }
                }
            }
        }
    }
}

/// A time without seconds, for sessions that are at most a few hours old.
fn time(at: Timestamp) -> Markup {
    let text = utc(at);
    // `2023-11-14 22:13:20 UTC`. A time outside the calendar's range has another form.
    let short = text.get(11..16).filter(|_| text.len() == 23);
    html! { time title=(text) { (short.unwrap_or(&text)) @if short.is_some() { " UTC" } } }
}
