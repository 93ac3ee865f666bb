//! The frame of every page: head, header, navigation, messages, footer.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse as _, Response},
};
use carafe_core::{clock::Timestamp, store::StoreError};
use maud::{DOCTYPE, Markup, html};

use super::text::{past, sessions};
use crate::{
    context::Context,
    csrf::FIELD,
    monitored_store::{Outage, is_outage},
    revocation::{Progress, Target},
    shared::{
        human::printable,
        icon::{self, Icon, icon},
    },
};

/// Seconds between two updates by the script.
const EVERY: u32 = 3;

/// The tab of the navigation that a page belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Overview,
    Sessions,
    None,
}

/// Returns a page, or a 304 if the script has this version of it.
pub(crate) fn page(
    context: &Context,
    status: StatusCode,
    section: Section,
    title: &str,
    body: &Markup,
) -> Response {
    let inside = html! {
        (site_header(context, section))
        main.page-width id="main" {
            (notes(context))
            (body)
        }
        p.visually-hidden id="announcements" role="status" aria-live="polite" {}
    };
    let html = document(context, title, &inside).into_string();
    let tag = tag(&html);
    if context.is_live && context.known.as_deref() == Some(&tag) && status == StatusCode::OK {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let mut response = (status, Html(html)).into_response();
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// Returns a page that says why a request was rejected.
pub(crate) fn refusal(context: &Context, status: StatusCode, text: &str) -> Response {
    let title = match status {
        StatusCode::NOT_FOUND => "Not found",
        _ => "Request rejected",
    };
    page(context, status, Section::None, title, &message(title, text))
}

/// Returns the page of a store that has failed.
pub(crate) fn trouble(context: &Context, section: Section, error: &StoreError) -> Response {
    if is_outage(error) {
        // The banner above shows the error.
        let text = "The store does not respond. This page retries automatically; without JavaScript, reload \
                    the page.";
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let body = message("Store unavailable", text);
        return page(context, status, section, "Store unavailable", &body);
    }
    let text = context.store.error_text(error);
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    let body = message("Error", &text);
    page(context, status, section, "Error", &body)
}

/// A title and one sentence.
pub(crate) fn message(title: &str, text: &str) -> Markup {
    html! { h1 { (title) } p.nothing.message { (text) } }
}

fn document(context: &Context, title: &str, inside: &Markup) -> Markup {
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
                link rel="stylesheet" href=(context.href("/style.css"));
                script src=(context.href("/console.js")) defer {}
            }
            body data-every=(EVERY) {
                a.skip-link href="#main" { "Skip to the content" }
                (inside)
            }
        }
    }
}

fn site_header(context: &Context, section: Section) -> Markup {
    let tab = |to, path: &str, name: &str| {
        let current = (to == section).then_some("page");
        html! { li { a href=(context.href(path)) aria-current=[current] { (name) } } }
    };
    html! {
        header.site-header {
            div.page-width {
                (brand(context))
                (store_of(context))
            }
            div.page-width.bar-row {
                nav aria-label="Console" {
                    ul.tabs role="list" {
                        (tab(Section::Overview, "/", "Overview"))
                        (tab(Section::Sessions, "/sessions", "Sessions"))
                    }
                }
                div.tools {
                    // Hidden unless scripts run.
                    span.live hidden id="live" { span.live-dot aria-hidden="true" {} span id="live-text" { "Live" } }
                    button.button.button-small type="button" hidden id="live-pause" { "Pause" }
                    @if context.settings.has_log_out {
                        form method="post" action=(context.href("/leave")) {
                            (csrf(context))
                            button.button.button-small { "Log out" }
                        }
                    }
                }
            }
        }
    }
}

fn brand(context: &Context) -> Markup {
    html! {
        p.brand {
            (icon::mark()) "Carafe" span.brand-room { "console" }
            @if context.settings.is_read_only() { " " span.badge.badge-quiet { "Read-only" } }
        }
    }
}

fn store_of(context: &Context) -> Markup {
    html! {
        @if let Some((kind, address)) = &context.settings.store_name {
            p.store { span.store-kind { (kind) } " " code { (address) } }
        }
    }
}

/// The banners: an outage, the progress of a revocation, the operator's messages.
fn notes(context: &Context) -> Markup {
    let now = Timestamp::now();
    let progress = context.end_all.progress(now);
    html! {
        div.notes id="store-state" data-live {
            @if let Some(outage) = context.store.outage() { (outage_banner(&outage, now)) }
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
            @for note in context.take_notes() {
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
                strong data-announce { "The store does not respond" }
                p { "Since " (past(outage.since, now)) ". Each page load tries again." }
                p.outage-why { (outage.why) }
            }
        }
    }
}

/// The line on each page about a revocation in steps.
fn progress_text(progress: &Progress) -> Option<String> {
    let text = match progress {
        Progress::Nothing => return None,
        Progress::Running { target, ended } => {
            let what = match target {
                Target::All => "all sessions".to_owned(),
                Target::User(user) => format!("all sessions of {}", printable(user)),
            };
            format!("Revoking {what}: {} so far", sessions(*ended))
        }
        Progress::Done { target, ended, .. } => match target {
            Target::All => format!("Revoked all sessions: {}", sessions(*ended)),
            Target::User(user) => {
                format!("Revoked {} of {}", sessions(*ended), printable(user))
            }
        },
        Progress::Failed { ended, why, .. } => format!(
            "Revoked {}, then the store failed. Some sessions may be left: repeat the revocation. {why}",
            sessions(*ended)
        ),
    };
    Some(text)
}

/// The hidden field of every form.
pub(super) fn csrf(context: &Context) -> Markup {
    html! { input type="hidden" name=(FIELD) value=(context.form_token()); }
}

/// The entity tag of a page.
fn tag(html: &str) -> String {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};

    let mut hasher = DefaultHasher::new();
    html.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}
