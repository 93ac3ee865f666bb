//! The list of sessions, and the results of a search.

use carafe_core::{
    clock::Timestamp,
    store::{PublicId, SessionMeta},
};
use maud::{Markup, html};

use super::text::{beginning, foreign, future, listed, past, query};
use crate::{
    context::Context,
    search::{Listed, MOST_OF_A_USER, SearchResults},
    shared::user_agent,
};

/// Size up to which a row shows a device note in full, in bytes.
const SHORT: usize = 24;

/// A page of the list.
pub(crate) fn list(context: &Context, listed: &Listed, now: Timestamp) -> Markup {
    html! {
        h1 { "Sessions" }
        (search(context, ""))
        section.list-box aria-label="Live sessions, the newest id first" {
            div id="list" data-live {
                @if listed.is_later {
                    p.list-place { "Older sessions. " a href=(context.href("/sessions")) { "Back to the newest" } }
                }
                (table(context, &listed.sessions, now))
                (pager(context, listed))
            }
        }
    }
}

/// The results of a search: the session with that public ID, and the sessions of that user.
pub(crate) fn found(context: &Context, found: &SearchResults, now: Timestamp) -> Markup {
    let is_empty = found.session.is_none() && found.of_user.is_empty();
    html! {
        h1 { "Sessions" }
        (search(context, &found.query))
        div.found id="found" data-live {
            @if is_empty {
                p.nothing {
                    strong data-announce { "Nothing found" }
                    "No live session has the public ID " (foreign(&found.query)) ", and no user with this name has one."
                }
            }
            @if let Some(session) = &found.session {
                section.list-box aria-labelledby="by-public-id" {
                    div.list-head { h2 id="by-public-id" { "The session with this public ID" } }
                    (table(context, std::slice::from_ref(session), now))
                }
            }
            @if !found.of_user.is_empty() { (of_user(context, found, now)) }
        }
    }
}

fn of_user(context: &Context, found: &SearchResults, now: Timestamp) -> Markup {
    let revoke = format!("/revoke-user?{}", query("name", &found.query));
    html! {
        section.list-box aria-labelledby="by-user" {
            div.list-head {
                h2 id="by-user" data-announce { (listed(found.of_user.len(), found.has_more)) " of " (foreign(&found.query)) }
                @if !context.settings.is_read_only() {
                    a.button.button-danger.button-small id="revoke-user" href=(context.href(&revoke)) {
                        "Revoke all of this user…"
                    }
                }
            }
            @if found.has_more { p.note { "The newest " (MOST_OF_A_USER) " are shown." } }
            (table(context, &found.of_user, now))
        }
    }
}

fn search(context: &Context, text: &str) -> Markup {
    html! {
        form.search role="search" method="get" action=(context.href("/sessions")) {
            div.field {
                label for="q" { "User or public ID" }
                input.input id="q" name="q" type="search" value=(text) autocomplete="off" autocapitalize="none" spellcheck="false";
            }
            button.button.button-primary { "Search" }
            @if !text.is_empty() { a.button href=(context.href("/sessions")) { "Show all" } }
        }
    }
}

/// The sessions as a table. It has explicit roles, because on a phone its style makes each row a
/// card.
pub(super) fn table(context: &Context, sessions: &[SessionMeta], now: Timestamp) -> Markup {
    if sessions.is_empty() {
        return html! { p.nothing { strong { "No live sessions" } "New sessions appear here." } };
    }
    html! {
        table.sessions role="table" {
            thead role="rowgroup" {
                tr role="row" {
                    @for head in ["Session", "User", "Device", "Client", "Created", "Last used", "Expires"] {
                        th scope="col" role="columnheader" { (head) }
                    }
                }
            }
            tbody role="rowgroup" { @for session in sessions { (row(context, session, now)) } }
        }
    }
}

fn row(context: &Context, session: &SessionMeta, now: Timestamp) -> Markup {
    let public_id = session.public_id.to_string();
    let href = context.href(&format!("/sessions/{public_id}"));
    html! {
        tr role="row" {
            th.cell-session scope="row" role="rowheader" { a id={ "s-" (public_id) } href=(href) { code { (public_id) } } }
            td.cell-user role="cell" { div.clamped { (user(context, session.user.as_deref())) } }
            td.cell-device role="cell" { div.clamped { (device(session.device.as_deref())) } }
            td.cell-client role="cell" { span.cell-name aria-hidden="true" { "Client: " } (client(session.public_id)) }
            td.cell-began role="cell" { span.cell-name aria-hidden="true" { "Began " } (past(session.created, now)) }
            td.cell-used role="cell" { span.cell-name aria-hidden="true" { "Used " } (past(session.last_seen, now)) }
            td.cell-expires role="cell" { span.cell-name aria-hidden="true" { "Expires " } (future(session.expires, now)) }
        }
    }
}

/// A user, linked to the user's sessions.
pub(super) fn user(context: &Context, user: Option<&str>) -> Markup {
    match user {
        None => html! { span.absent { "not logged in" } },
        Some(name) => {
            let href = context.href(&format!("/sessions?{}", query("q", name)));
            html! { a href=(href) { (foreign(name)) } }
        }
    }
}

/// A device note in a few words, with the beginning of the full note as its title.
fn device(device: Option<&str>) -> Markup {
    let Some(note) = device else {
        return unknown();
    };
    let title = beginning(note);
    match user_agent::short_note(note) {
        Some(short) => html! { bdi title=(title) { (short) } },
        None => html! { bdi title=[(title.len() > SHORT).then_some(&title)] { (title) } },
    }
}

/// The kind of client that a session belongs to.
pub(super) fn client(session: PublicId) -> Markup {
    match session.client() {
        Some(client) => html! { (client) },
        None => unknown(),
    }
}

pub(super) fn unknown() -> Markup {
    html! { span.absent { "unknown" } }
}

fn pager(context: &Context, listed: &Listed) -> Markup {
    html! {
        @if listed.next.is_some() || listed.is_later {
            nav.pager aria-label="Pages" {
                @if listed.is_later { a.button id="first" href=(context.href("/sessions")) { "Newest" } }
                @if let Some(next) = listed.next {
                    a.button id="next" href=(context.href(&format!("/sessions?after={next}"))) { "Older" }
                }
            }
        }
    }
}
