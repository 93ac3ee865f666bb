//! The list of sessions, and what a search has found.

use carafe_core::{clock::Timestamp, store::Summary};
use maud::{Markup, html};

use super::text::{foreign, future, past, query};
use crate::console::{
    Console,
    list::{Found, Listed, MOST_OF_A_USER},
    revoke::sessions,
};

/// A page of the list.
pub(in crate::console) fn list(console: &Console, listed: &Listed, now: Timestamp) -> Markup {
    html! {
        h1 { "Sessions" }
        (search(console, ""))
        section.list-box aria-label="Live sessions, the newest id first" {
            div id="list" data-live {
                @if listed.is_later {
                    p.list-place { "Older sessions. " a href=(console.base.href("/sessions")) { "Back to the newest" } }
                }
                (table(console, &listed.sessions, now))
                (pager(console, listed))
            }
        }
    }
}

/// What a search has found: the session with that handle, the sessions of that user.
pub(in crate::console) fn found(console: &Console, found: &Found, now: Timestamp) -> Markup {
    let is_empty = found.session.is_none() && found.of_user.is_empty();
    html! {
        h1 { "Sessions" }
        (search(console, &found.query))
        div.found id="found" data-live {
            @if is_empty {
                p.nothing {
                    strong data-announce { "Nothing found" }
                    "There is no live session with the handle " (foreign(&found.query)) ", and none of a user of this name."
                }
            }
            @if let Some(session) = &found.session {
                section.list-box aria-labelledby="by-handle" {
                    div.list-head { h2 id="by-handle" { "The session with this handle" } }
                    (table(console, std::slice::from_ref(session), now))
                }
            }
            @if !found.of_user.is_empty() { (of_user(console, found, now)) }
        }
    }
}

fn of_user(console: &Console, found: &Found, now: Timestamp) -> Markup {
    let revoke = format!("/revoke-user?{}", query("name", &found.query));
    html! {
        section.list-box aria-labelledby="by-user" {
            div.list-head {
                h2 id="by-user" data-announce { (sessions(found.count as u64)) " of " (foreign(&found.query)) }
                @if !console.read_only {
                    a.button.button-danger.button-small id="revoke-user" href=(console.base.href(&revoke)) {
                        "Revoke all of this user…"
                    }
                }
            }
            @if found.count > found.of_user.len() { p.note { "The newest " (MOST_OF_A_USER) " are shown." } }
            (table(console, &found.of_user, now))
        }
    }
}

fn search(console: &Console, text: &str) -> Markup {
    html! {
        form.search role="search" method="get" action=(console.base.href("/sessions")) {
            div.field {
                label for="q" { "User or handle" }
                input.input id="q" name="q" type="search" value=(text) autocomplete="off" autocapitalize="none" spellcheck="false";
            }
            button.button.button-primary { "Search" }
            @if !text.is_empty() { a.button href=(console.base.href("/sessions")) { "Show all" } }
        }
    }
}

/// The sessions as a table; on a phone each is a small card, so the roles are said.
pub(super) fn table(console: &Console, sessions: &[Summary], now: Timestamp) -> Markup {
    if sessions.is_empty() {
        return html! { p.nothing { strong { "No live session" } "Whoever comes next appears here." } };
    }
    html! {
        table.sessions role="table" {
            thead role="rowgroup" {
                tr role="row" {
                    @for head in ["Session", "User", "Device", "Began", "Last used", "Expires"] {
                        th scope="col" role="columnheader" { (head) }
                    }
                }
            }
            tbody role="rowgroup" { @for session in sessions { (row(console, session, now)) } }
        }
    }
}

fn row(console: &Console, session: &Summary, now: Timestamp) -> Markup {
    let handle = session.handle.to_string();
    let href = console.base.href(&format!("/sessions/{handle}"));
    html! {
        tr role="row" {
            th.cell-session scope="row" role="rowheader" { a id={ "s-" (handle) } href=(href) { code { (handle) } } }
            td.cell-user role="cell" { (user(console, session.user.as_deref())) }
            td.cell-device role="cell" { (device(session.device.as_deref())) }
            td.cell-began role="cell" { span.cell-name aria-hidden="true" { "Began " } (past(session.created, now)) }
            td.cell-used role="cell" { span.cell-name aria-hidden="true" { "Used " } (past(session.last_seen, now)) }
            td.cell-expires role="cell" { span.cell-name aria-hidden="true" { "Expires " } (future(session.expires, now)) }
        }
    }
}

/// The user, as a way to all sessions of theirs.
pub(super) fn user(console: &Console, user: Option<&str>) -> Markup {
    match user {
        None => html! { span.absent { "not logged in" } },
        Some(name) => {
            let href = console
                .base
                .href(&format!("/sessions?{}", query("q", name)));
            html! { a href=(href) { (foreign(name)) } }
        }
    }
}

pub(super) fn device(device: Option<&str>) -> Markup {
    match device {
        None => html! { span.absent { "unknown" } },
        Some(note) => foreign(note),
    }
}

fn pager(console: &Console, listed: &Listed) -> Markup {
    html! {
        @if listed.next.is_some() || listed.is_later {
            nav.pager aria-label="Pages" {
                @if listed.is_later { a.button id="first" href=(console.base.href("/sessions")) { "Newest" } }
                @if let Some(next) = listed.next {
                    a.button id="next" href=(console.base.href(&format!("/sessions?after={next}"))) { "Older" }
                }
            }
        }
    }
}
