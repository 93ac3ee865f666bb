//! The pages that ask before sessions are ended.

use carafe_core::{
    clock::Timestamp,
    store::{Handle, Summary},
};
use maud::{Markup, html};

use super::{
    frame::csrf,
    text::{foreign, number, past, query},
};
use crate::console::{
    Console,
    operator::Operator,
    revoke::{WORDS, sessions},
    statistics::Statistics,
};

/// One session; without a summary if it cannot be read.
pub(in crate::console) fn ask_one(
    console: &Console,
    operator: &Operator,
    handle: Handle,
    session: Option<&Summary>,
    now: Timestamp,
) -> Markup {
    let path = format!("/sessions/{handle}");
    let about = html! {
        @if let Some(session) = session {
            p {
                @match &session.user { Some(user) => { "It belongs to " strong { (foreign(user)) } }, None => "Nobody is logged in with it" }
                ", began " (past(session.created, now)) " and was last used " (past(session.last_seen, now)) "."
            }
        } @else { p { "It cannot be read." } }
        p.note { "Whoever has it is logged out at the next request. This cannot be undone." }
    };
    let title = html! { "Revoke session " code { (handle) } "?" };
    let form = html! { button.button.button-danger-full id="confirm" { "Revoke this session" } };
    asked(
        console,
        operator,
        &title,
        &about,
        &format!("{path}/revoke"),
        &form,
        &path,
    )
}

/// All sessions of a user.
pub(in crate::console) fn ask_user(
    console: &Console,
    operator: &Operator,
    name: &str,
    count: usize,
) -> Markup {
    let about = html! {
        p { strong { (foreign(name)) } " has " (sessions(count as u64)) "." }
        p.note { "Every one of them is logged out at its next request. This cannot be undone." }
    };
    let title = html! { "Revoke all sessions of " (foreign(name)) "?" };
    let form = html! {
        input type="hidden" name="name" value=(name);
        button.button.button-danger-full id="confirm" { "Revoke " (sessions(count as u64)) }
    };
    let back = format!("/sessions?{}", query("q", name));
    asked(
        console,
        operator,
        &title,
        &about,
        "/revoke-user",
        &form,
        &back,
    )
}

/// All sessions of all users. `typed` is what was typed instead of the words.
pub(in crate::console) fn ask_all(
    console: &Console,
    operator: &Operator,
    statistics: &Statistics,
    typed: Option<&str>,
) -> Markup {
    let about = html! {
        p { "There are " strong { (number(statistics.total, statistics.exact)) } " live sessions. All that have begun by now end." }
        p.note { "Everybody is logged out and loses what is in the session, such as a cart. This cannot be undone." }
    };
    let form = html! {
        div.field {
            label for="typed" { "Type " q { (WORDS) } " to confirm" }
            input.input id="typed" name="typed" value=[typed] required autocomplete="off" autocapitalize="none" spellcheck="false"
                aria-invalid=[typed.map(|_| "true")] aria-describedby=[typed.map(|_| "typed-problem")];
            @if typed.is_some() { p.field-problem id="typed-problem" role="alert" { "These are not the words. Nothing was ended." } }
        }
        button.button.button-danger-full id="confirm" { "End all sessions" }
    };
    let title = html! { "End all sessions?" };
    asked(console, operator, &title, &about, "/end-all", &form, "/")
}

fn asked(
    console: &Console,
    operator: &Operator,
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
            form method="post" action=(console.base.href(action)) {
                (csrf(operator))
                (form)
                a.button href=(console.base.href(back)) { "Cancel" }
            }
        }
    }
}
