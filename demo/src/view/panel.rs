//! A panel: one mode to carry a session, with its state and its forms.

use carafe_core::{
    clock::Timestamp,
    cookie::{MAX_COOKIE_BYTES, http_date},
};
use maud::{Markup, html};

use super::{
    bar::{Fill, bar},
    cookie::{holds, readable},
    dictionary::dictionary,
    icon::{Icon, icon},
    json, keys,
    record::record,
};
use crate::{
    mode::Found,
    mode_id::ModeId,
    panel::{Banner, BrowserCookie, Panel, Trouble},
};
use carafe_console::shared::human::thousands;

/// Size of a cookie from which its bar shows a warning, in bytes.
const NEARLY_FULL: usize = 3500;

/// Always seven children: the style sheet relies on the number.
pub(super) fn session_panel(panel: &Panel<'_>) -> Markup {
    let id = panel.mode.id.as_str();
    html! {
        article.session-panel id=(id) aria-labelledby={ (id) "-title" } {
            header.panel-head {
                div.panel-title { h3 id={ (id) "-title" } { (panel.mode.title) } code { (panel.mode.cookie_name()) } }
                p { (panel.mode.tagline) }
            }
            div.banner-slot { @if let Some(message) = &panel.banner { (banner(id, message)) } }
            (section(id, "holds", "What the browser holds", &holds(panel)))
            @match panel.mode.id {
                ModeId::Signed | ModeId::Encrypted => (section(id, "readable", "What anybody can read in it", &readable(panel))),
                ModeId::Stored => (section(id, "record", "What the database holds", &record(panel.cookie.as_ref()))),
            }
            (section(id, "attributes", "Attributes and size", &attributes(panel)))
            (section(id, "server", "What the server sees", &dictionary(panel)))
            (section(id, "tamper", "Tamper", &tamper(panel)))
        }
    }
}

fn section(id: &str, slug: &str, title: &str, body: &Markup) -> Markup {
    html! {
        section.panel-section aria-labelledby={ (id) "-" (slug) } {
            h4 id={ (id) "-" (slug) } { (title) }
            (body)
        }
    }
}

fn banner(id: &str, message: &Banner) -> Markup {
    let (kind, role, picture) = match message {
        Banner::Set { .. } | Banner::Removed { .. } | Banner::Info(_) | Banner::Reissued(_) => {
            ("info", "status", Icon::Check)
        }
        Banner::Rejected { .. } | Banner::Over => ("rejected", "alert", Icon::Cross),
        Banner::Problem(_) => ("problem", "alert", Icon::Warning),
    };
    html! {
        div class={ "banner banner-" (kind) } role=(role) id={ (id) "-" (kind) } {
            (icon(picture))
            div { (banner_text(message)) }
        }
    }
}

fn banner_text(message: &Banner) -> Markup {
    html! {
        @match message {
            Banner::Set { key, text } => strong { "Set " code { (key) } " = " code { (json::exact(text)) } },
            Banner::Removed { key } => strong { "Removed " code { (key) } },
            Banner::Info(text) => strong { (text) },
            Banner::Reissued(reissued) => { strong { "Written again under the new key" } p { (keys::change(reissued)) } },
            Banner::Over => {
                strong { "This session is over" }
                p { "The database has nothing under this id: the session was ended, has expired, or is of an earlier demo. The next value that is set begins a new one." }
            },
            Banner::Problem(trouble) => { strong { "Not changed" } p { (why_not(trouble)) } },
            Banner::Rejected { code, reason } => {
                strong { "Cookie rejected" }
                p { code { (code) ": " (reason) } br; "The session is empty, and nothing crashed." }
            },
        }
    }
}

fn why_not(trouble: &Trouble) -> Markup {
    html! {
        @match trouble {
            Trouble::Refused(reason) => (reason),
            Trouble::NotJson { value, quoted } => {
                @if value.is_empty() { "An empty value" } @else { code { (value) } }
                " is not JSON. Choose Text, or write it as " code { (quoted) } "."
            },
        }
    }
}

fn attributes(panel: &Panel<'_>) -> Markup {
    let Some(held) = &panel.cookie else {
        return html! { p.note { "A response that sets no session value carries no " code { "Set-Cookie" } "." } };
    };
    html! {
        (chips(panel, held))
        (size(panel, held))
    }
}

fn chips(panel: &Panel<'_>, held: &BrowserCookie) -> Markup {
    let policy = panel.mode.manager.cookie();
    let mut chips = vec![(format!("Path={}", policy.path()), true)];
    chips.push(("HttpOnly".to_owned(), policy.is_http_only()));
    chips.push(("Secure".to_owned(), policy.is_secure()));
    chips.push(match policy.same_site() {
        Some(same_site) => (format!("SameSite={}", same_site.as_str()), true),
        None => ("SameSite".to_owned(), false),
    });
    // The expiry of a rejected cookie is in its content, which is not authenticated.
    if !panel.is_rejected {
        let expires = expires(panel, held);
        chips.push(expires.map_or(("Expires".to_owned(), false), |date| {
            (format!("Expires={date}"), true)
        }));
    }
    html! {
        ul.chips role="list" aria-label="Attributes of the cookie" {
            @for (text, _) in chips.iter().filter(|(_, present)| *present) { li.chip { (text) } }
            @for (text, _) in chips.iter().filter(|(_, present)| !present) { li.chip.chip-absent { "no " (text) } }
        }
    }
}

/// Returns the expiry. The cookie of a permanent session expires one lifetime after it was written,
/// or with its record.
fn expires(panel: &Panel<'_>, held: &BrowserCookie) -> Option<String> {
    if !panel.is_permanent {
        return None;
    }
    let end: Timestamp = match &held.found {
        Found::Token(token) => {
            let lifetime = i64::try_from(panel.mode.manager.lifetime().as_secs()).ok()?;
            token.issued?.saturating_add(lifetime)
        }
        Found::Record(kept) => kept.as_ref()?.record.meta.expires,
    };
    http_date(end).ok()
}

fn size(panel: &Panel<'_>, held: &BrowserCookie) -> Markup {
    let bytes = panel.mode.cookie_name().len() + held.value.len();
    let fill = if bytes > NEARLY_FULL {
        Fill::Warning
    } else {
        Fill::Plain
    };
    let [of, value] =
        [MAX_COOKIE_BYTES, bytes].map(|bytes| u64::try_from(bytes).unwrap_or(u64::MAX));
    html! {
        p.size { (thousands(bytes)) " of " (thousands(MAX_COOKIE_BYTES)) " bytes, name and value" }
        (bar(value, of, fill))
    }
}

fn tamper(panel: &Panel<'_>) -> Markup {
    let id = panel.mode.id.as_str();
    let button = |action: &str, text: &str| {
        html! { form method="post" action={ "/" (id) "/" (action) } { button.button { (text) } } }
    };
    let changed = panel
        .cookie
        .as_ref()
        .is_some_and(|held| held.changed_at.is_some());
    html! {
        @if panel.is_rejected && changed {
            p.note { "The changed character is marked above. Put it back and the session is there again, or start over." }
            div.button-row { (button("restore", "Put it back")) (button("clear", "Start over")) }
        } @else if panel.is_over() {
            p.note { "There is no session any more to tamper with." }
            (button("clear", "Start over"))
        } @else if panel.is_rejected {
            p.note { "This cookie was not changed here. It may be from before the demo was restarted: each start makes new keys." }
            (button("clear", "Start over"))
        } @else if panel.cookie.is_some() {
            p.note { "Changes one character of the cookie in your browser, then loads this page again." }
            (button("tamper", "Change one character"))
        } @else {
            p.note { "Set a value first, then there is a cookie to tamper with." }
        }
    }
}
