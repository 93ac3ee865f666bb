//! The HTML of the entry page.

use axum::{http::StatusCode, response::Html};
use carafe_console::{
    Access,
    shared::icon::{self, Icon, icon},
};
use maud::{DOCTYPE, Markup, html};

use super::door::Door;

/// Returns the page with the form for the token, and with a problem above it.
pub(super) fn entry(
    door: &Door,
    status: StatusCode,
    problem: Option<&str>,
) -> (StatusCode, Html<String>) {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { "Enter · Carafe console" }
                link rel="icon" href=(icon::FAVICON);
                link rel="stylesheet" href=(door.base.href("/style.css"));
                script src=(door.base.href("/enter.js")) defer {}
            }
            body {
                a.skip-link href="#main" { "Skip to the content" }
                header.site-header {
                    div.page-width {
                        p.brand {
                            (icon::mark()) "Carafe" span.brand-room { "console" }
                            @if door.access == Access::ReadOnly { " " span.badge.badge-quiet { "Read-only" } }
                        }
                        p.store { span.store-kind { (door.store_kind) } " " code { (door.store_url) } }
                    }
                }
                main.page-width id="main" { (form(door, problem)) }
            }
        }
    };
    (status, Html(page.into_string()))
}

fn form(door: &Door, problem: Option<&str>) -> Markup {
    html! {
        section.door aria-labelledby="door-title" {
            h1 id="door-title" { "Enter the token" }
            @if let Some(problem) = problem {
                div.banner.banner-problem role="alert" { (icon(Icon::Warning)) div id="problem" { (problem) } }
            }
            form method="post" action=(door.base.href("/enter")) {
                div.field {
                    label for="token" { "Token" }
                    input.input.code-input id="token" name="token" type="password" required autofocus
                        autocomplete="off" spellcheck="false"
                        aria-invalid=[problem.map(|_| "true")] aria-describedby=[problem.map(|_| "problem")];
                    p.field-hint { "The console printed the token in its terminal at startup." }
                }
                button.button.button-primary { "Enter" }
            }
        }
    }
}
