//! The pages that ask for a confirmation before sessions are revoked.

use carafe_core::{
    clock::Timestamp,
    store::{PublicId, SessionMeta},
};
use maud::{Markup, html};

use super::{
    frame::csrf,
    text::{foreign, listed, number, past, query},
};
use crate::{context::Context, revocation::WORDS, statistics::Statistics};

/// Asks for confirmation for one session. `session` is `None` if its record cannot be read.
pub(crate) fn ask_one(
    context: &Context,
    public_id: PublicId,
    session: Option<&SessionMeta>,
    now: Timestamp,
) -> Markup {
    let path = format!("/sessions/{public_id}");
    let about = html! {
        @if let Some(session) = session {
            p {
                @match &session.user { Some(user) => { "The session belongs to " strong { (foreign(user)) } }, None => "No user is logged in with this session" }
                ". It was created " (past(session.created, now)) " and last used " (past(session.last_seen, now)) "."
            }
        } @else { p { "This session cannot be read." } }
        p.note { "The client is logged out at its next request. This cannot be undone." }
    };
    let title = html! { "Revoke session " code { (public_id) } "?" };
    let form = html! { button.button.button-danger-full id="confirm" { "Revoke this session" } };
    asked(
        context,
        &title,
        &about,
        &format!("{path}/revoke"),
        &form,
        &path,
    )
}

/// Asks for confirmation for all sessions of a user.
pub(crate) fn ask_user(context: &Context, name: &str, count: usize, has_more: bool) -> Markup {
    let about = html! {
        p { strong { (foreign(name)) } " has " (listed(count, has_more)) "." }
        p.note { "Each of these clients is logged out at its next request. This cannot be undone." }
    };
    let title = html! { "Revoke all sessions of " (foreign(name)) "?" };
    let form = html! {
        input type="hidden" name="name" value=(name);
        button.button.button-danger-full id="confirm" {
            "Revoke " @if has_more { "all sessions" } @else { (listed(count, false)) }
        }
    };
    let back = format!("/sessions?{}", query("q", name));
    asked(context, &title, &about, "/revoke-user", &form, &back)
}

/// Asks for confirmation for all sessions. `typed` is the rejected confirmation text.
pub(crate) fn ask_all(context: &Context, statistics: &Statistics, typed: Option<&str>) -> Markup {
    let about = html! {
        p { "There are " strong { (number(statistics.total, statistics.exact)) } " live sessions. All sessions that exist now are revoked." }
        p.note { "All users are logged out and lose the content of their sessions, such as a cart. This cannot be undone." }
    };
    let form = html! {
        div.field {
            label for="typed" { "Type " q { (WORDS) } " to confirm" }
            input.input id="typed" name="typed" value=[typed] required autocomplete="off" autocapitalize="none" spellcheck="false"
                aria-invalid=[typed.map(|_| "true")] aria-describedby=[typed.map(|_| "typed-problem")];
            @if typed.is_some() { p.field-problem id="typed-problem" role="alert" { "The text does not match. No session was revoked." } }
        }
        button.button.button-danger-full id="confirm" { "Revoke all sessions" }
    };
    let title = html! { "Revoke all sessions?" };
    asked(context, &title, &about, "/end-all", &form, "/")
}

fn asked(
    context: &Context,
    title: &Markup,
    about: &Markup,
    action: &str,
    form: &Markup,
    back: &str,
) -> Markup {
    html! {
        section.question aria-labelledby="question-title" {
            h1 id="question-title" { (title) }
            (about)
            form method="post" action=(context.href(action)) {
                (csrf(context))
                (form)
                a.button href=(context.href(back)) { "Cancel" }
            }
        }
    }
}
