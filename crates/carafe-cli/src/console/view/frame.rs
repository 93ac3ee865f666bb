//! The frame of every page: head, header, navigation, messages, footer.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse as _, Response},
};
use carafe::Timestamp;
use carafe_core::store::StoreError;
use maud::{DOCTYPE, Markup, html};

use super::text::past;
use crate::{
    console::{
        Console,
        end_all::Progress,
        operator::Operator,
        revoke::progress_text,
        watched::{Outage, is_outage},
    },
    web::icon::{self, Icon, icon},
};

/// Seconds between two looks of the script.
const EVERY: u32 = 3;

/// Where a page belongs in the navigation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::console) enum Section {
    Overview,
    Sessions,
    None,
}

/// A page; 304 without one where the script has it already.
pub(in crate::console) fn page(
    console: &Console,
    operator: &Operator,
    status: StatusCode,
    section: Section,
    title: &str,
    body: &Markup,
) -> Response {
    let inside = html! {
        (site_header(console, operator, section))
        main.page-width id="main" {
            (notes(console, operator))
            (body)
        }
        p.visually-hidden id="announcements" role="status" aria-live="polite" {}
    };
    let html = document(console, title, &inside).into_string();
    let tag = tag(&html);
    if operator.is_live && operator.known.as_deref() == Some(&tag) && status == StatusCode::OK {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let mut response = (status, Html(html)).into_response();
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// A page that says why there is no other.
pub(in crate::console) fn refusal(
    console: &Console,
    operator: &Operator,
    status: StatusCode,
    text: &str,
) -> Response {
    let title = match status {
        StatusCode::NOT_FOUND => "Not there",
        _ => "Not done",
    };
    page(
        console,
        operator,
        status,
        Section::None,
        title,
        &message(title, text),
    )
}

/// The page of a store that has given no answer.
pub(in crate::console) fn trouble(
    console: &Console,
    operator: &Operator,
    section: Section,
    error: &StoreError,
) -> Response {
    if is_outage(error) {
        // The banner above says the rest.
        let text = "Nothing can be shown while the store does not answer. This page tries again by itself; \
                    without scripts, load it again.";
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let body = message("Store down", text);
        return page(console, operator, status, section, "Store down", &body);
    }
    let text = console.store.says(error);
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    let body = message("Trouble", &text);
    page(console, operator, status, section, "Trouble", &body)
}

/// One sentence instead of a page.
pub(in crate::console) fn message(title: &str, text: &str) -> Markup {
    html! { h1 { (title) } p.nothing.message { (text) } }
}

/// The door.
pub(in crate::console) fn entry(
    console: &Console,
    status: StatusCode,
    problem: Option<&str>,
) -> (StatusCode, Html<String>) {
    let inside = html! {
        header.site-header { div.page-width { (brand(console)) (store_of(console)) } }
        main.page-width id="main" {
            section.door aria-labelledby="door-title" {
                h1 id="door-title" { "Enter the token" }
                @if let Some(problem) = problem {
                    div.banner.banner-problem role="alert" { (icon(Icon::Warning)) div id="problem" { (problem) } }
                }
                form method="post" action=(console.base.href("/enter")) {
                    div.field {
                        label for="token" { "Token" }
                        input.input.code-input id="token" name="token" type="password" required autofocus
                            autocomplete="off" spellcheck="false"
                            aria-invalid=[problem.map(|_| "true")] aria-describedby=[problem.map(|_| "problem")];
                        p.field-hint { "The console has printed it in its terminal at start." }
                    }
                    button.button.button-primary { "Enter" }
                }
            }
        }
    };
    let html = document(console, "Enter", &inside).into_string();
    (status, Html(html))
}

fn document(console: &Console, title: &str, inside: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (title) " · Carafe console" }
                link rel="icon" href=(icon::FAVICON);
                link rel="stylesheet" href=(console.base.href("/style.css"));
                script src=(console.base.href("/console.js")) defer {}
            }
            body data-every=(EVERY) {
                a.skip-link href="#main" { "Skip to the content" }
                (inside)
            }
        }
    }
}

fn site_header(console: &Console, operator: &Operator, section: Section) -> Markup {
    let tab = |to, path: &str, name: &str| {
        let current = (to == section).then_some("page");
        html! { li { a href=(console.base.href(path)) aria-current=[current] { (name) } } }
    };
    html! {
        header.site-header {
            div.page-width {
                (brand(console))
                (store_of(console))
            }
            div.page-width.bar-row {
                nav aria-label="Console" {
                    ul.tabs role="list" {
                        (tab(Section::Overview, "/", "Overview"))
                        (tab(Section::Sessions, "/sessions", "Sessions"))
                    }
                }
                div.tools {
                    // Shown by the script, which is what they are about.
                    span.live hidden id="live" { span.live-dot aria-hidden="true" {} span id="live-text" { "Live" } }
                    button.button.button-small type="button" hidden id="live-pause" { "Pause" }
                    form method="post" action=(console.base.href("/leave")) {
                        (csrf(operator))
                        button.button.button-small { "Leave" }
                    }
                }
            }
        }
    }
}

fn brand(console: &Console) -> Markup {
    html! {
        p.brand {
            (icon::mark()) "Carafe" span.brand-room { "console" }
            @if console.read_only { " " span.badge.badge-quiet { "Read-only" } }
        }
    }
}

fn store_of(console: &Console) -> Markup {
    html! {
        p.store { span.store-kind { (console.store.kind()) } " " code { (console.store.url()) } }
    }
}

/// What has happened: messages of this operator, the end of all sessions, an outage.
fn notes(console: &Console, operator: &Operator) -> Markup {
    let now = Timestamp::now();
    let progress = console.end_all.progress(now);
    html! {
        div.notes id="store-state" data-live {
            @if let Some(outage) = console.store.outage() { (outage_banner(&outage, now)) }
            @if let Some(text) = progress_text(&progress) {
                @let (kind, picture) = match progress {
                    Progress::Failed { .. } => ("rejected", Icon::Cross),
                    Progress::Running { .. } => ("info", Icon::Clock),
                    _ => ("info", Icon::Check),
                };
                div class={ "banner banner-" (kind) } role="status" {
                    (icon(picture)) div { strong data-announce { (text) } }
                }
            }
        }
        div.notes {
            @for note in operator.notes() {
                div.banner.banner-info role="status" { (icon(Icon::Check)) div { strong { (note) } } }
            }
        }
    }
}

fn outage_banner(outage: &Outage, now: Timestamp) -> Markup {
    html! {
        div.banner.banner-rejected role="alert" {
            (icon(Icon::Cross))
            div {
                strong data-announce { "The store does not answer" }
                p { "Since " (past(outage.since, now)) ". It is asked again whenever a page is loaded." }
                p.outage-why { (outage.why) }
            }
        }
    }
}

/// The hidden field of every form.
pub(super) fn csrf(operator: &Operator) -> Markup {
    html! { input type="hidden" name="csrf" value=(operator.csrf); }
}

/// A version of the page for the script.
fn tag(html: &str) -> String {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};

    let mut hasher = DefaultHasher::new();
    html.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}
