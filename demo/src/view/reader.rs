//! The form for a cookie of a Flask application, and its result.

use std::time::Duration;

use carafe_core::key::KeyUse;
use maud::{Markup, html};

use super::{
    icon::{Icon, icon},
    json,
};
use crate::reader::{Reader, Reading};
use carafe_console::shared::human::{span, thousands, utc};
use carafe_program::inspection::{Inspection, Verdict};

pub(super) fn reader(reader: &Reader) -> Markup {
    html! {
        section aria-labelledby="read-title" id="read" {
            div.section-head {
                h2 id="read-title" { "Read a cookie a real Flask application wrote" }
                p {
                    "Take the " code { "session" } " cookie out of a browser and the " code { "SECRET_KEY" }
                    " out of the application. Nothing leaves this machine."
                }
            }
            div.reader {
                (form(reader))
                div.reader-result role="region" aria-label="Result" { (result(reader)) }
            }
        }
    }
}

fn form(reader: &Reader) -> Markup {
    html! {
        form.reader-form method="post" action="/read#read" {
            div.field {
                label for="read-cookie" { "Cookie" }
                textarea.input.code-input id="read-cookie" name="cookie" rows="3" required
                    autocomplete="off" autocapitalize="none" spellcheck="false" { (reader.form.cookie) }
            }
            div.field {
                label for="read-key" { "Secret key" }
                textarea.input.code-input id="read-key" name="key" rows="2" required autocomplete="off"
                    autocapitalize="none" spellcheck="false" aria-describedby="read-key-hint" { (reader.form.key) }
                p.field-hint id="read-key-hint" {
                    "One per line: " code { "SECRET_KEY" } " first, then " code { "SECRET_KEY_FALLBACKS" } "."
                }
            }
            (submit(reader.form.any_age()))
            p.sample {
                "No cookie at hand? " a href="/?sample=flask#read" { "Read a sample" }
                ": a cookie Flask wrote in 2023, key " code { "flask-spec-secret" } "."
            }
        }
    }
}

fn submit(any_age: bool) -> Markup {
    html! {
        div.reader-submit {
            div.field {
                label for="read-lifetime" { "Accept cookies up to" }
                select.input id="read-lifetime" name="lifetime" {
                    option value="2678400" selected[!any_age] { "31 days old (Flask’s default)" }
                    option value="any" selected[any_age] { "any age" }
                }
            }
            button.button.button-primary { "Read" }
        }
    }
}

fn result(reader: &Reader) -> Markup {
    match &reader.result {
        None => html! {
            p.nothing { strong { "Nothing read yet." } " The verdict, the payload and the age of the cookie appear here." }
        },
        Some(Reading::KeyRefused(reason)) => html! {
            div.verdict.verdict-malformed { (icon(Icon::Warning)) div { h3 { "No key" } p { (reason) } } }
        },
        Some(Reading::Inspected {
            inspection,
            keys,
            max_age,
        }) => html! {
            (verdict(inspection))
            (facts(inspection, *keys, *max_age, &reader.form.cookie))
        },
    }
}

fn verdict(inspection: &Inspection) -> Markup {
    let (class, picture, title) = match inspection.verdict {
        Verdict::Ok => ("ok", Icon::Check, "OK"),
        Verdict::Expired => ("expired", Icon::Clock, "Expired"),
        Verdict::FromFuture => ("expired", Icon::Clock, "From the future"),
        Verdict::BadSignature => ("bad-signature", Icon::Cross, "Bad signature"),
        Verdict::BadPayload => ("malformed", Icon::Warning, "Not a session"),
        Verdict::Malformed | Verdict::Unverified => ("malformed", Icon::Warning, "Malformed"),
    };
    html! {
        div class={ "verdict verdict-" (class) } {
            (icon(picture))
            div {
                h3 { (title) }
                p { @match &inspection.reason { None => "The signature is valid.", Some(reason) => code { (reason) } } }
            }
        }
    }
}

fn facts(inspection: &Inspection, keys: usize, max_age: Option<Duration>, cookie: &str) -> Markup {
    html! {
        dl.facts {
            @if let Some(payload) = &inspection.payload {
                (fact("Payload", &json::block(payload)))
                (fact("Exact text", &exact_text(payload, inspection.compressed)))
            } @else {
                (fact("Payload", &html! { "not decoded" @if !inspection.is_authentic() { ": nothing vouches for it" } }))
            }
            @if let Some(issued) = inspection.issued { (fact("Written", &html! { (utc(issued)) })) }
            @if let Some(age) = inspection.age { (fact("Age", &age_text(age, max_age))) }
            (key_fact(inspection, keys))
            @if inspection.verdict == Verdict::Malformed {
                (fact("Length", &html! { (thousands(cookie.chars().count())) " characters" }))
            }
            @if let Some(text) = often(inspection.verdict) { (fact("Often", &html! { (text) })) }
        }
    }
}

fn fact(name: &str, text: &Markup) -> Markup {
    html! { div.fact { dt { (name) } dd { (text) } } }
}

fn exact_text(payload: &str, compressed: Option<bool>) -> Markup {
    html! {
        code { (json::exact(payload)) } ", " (thousands(payload.len())) " bytes, "
        @if compressed != Some(true) { "not " } "compressed"
    }
}

fn age_text(age: i64, max_age: Option<Duration>) -> Markup {
    html! {
        @if age < 0 { "−" } (span(age.unsigned_abs()))
        @match max_age {
            None => " (not limited)",
            Some(limit) => { "; accepted up to " (span(limit.as_secs())) },
        }
    }
}

fn key_fact(inspection: &Inspection, keys: usize) -> Markup {
    match inspection.key {
        Some(KeyUse::Current) => fact("Key", &html! { "1 of " (keys) ", the current key" }),
        Some(KeyUse::Fallback(n)) => {
            fact("Key", &html! { (n + 1) " of " (keys) ", fallback " (n) })
        }
        None => fact("Keys tried", &html! { (keys) }),
    }
}

/// Returns the common reasons of a verdict.
const fn often(verdict: Verdict) -> Option<&'static str> {
    match verdict {
        Verdict::BadSignature => Some(
            "the key is another one, or it was read with a line break at its end; the application has its own salt or digest; the cookie was cut when it was copied",
        ),
        Verdict::Malformed => {
            Some("only a part of the cookie was copied, or this is not the session cookie")
        }
        _ => None,
    }
}
