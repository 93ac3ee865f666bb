//! The frame of the page: head, header, the panels, the cards, footer.

use maud::{DOCTYPE, Markup, html};

use super::{
    code::code_block, devices::devices, icon, keys::keys, panel::session_panel, race::race,
    reader::reader,
};
use crate::{page::Page, panel::Panel, session_file::Place};

/// The whole page.
pub(crate) fn page(page: &Page<'_>) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            (head())
            body {
                a.skip-link href="#sessions" { "Skip to the sessions" }
                (page_header(page.address))
                main.page-width {
                    (sessions(&page.panels, page.place))
                    (race(page))
                    (devices(page))
                    (keys(page))
                    (reader(page.reader))
                }
                (page_footer())
            }
        }
    }
}

fn head() -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { "Carafe demo" }
            link rel="icon" href=(icon::FAVICON);
            link rel="stylesheet" href="/style.css";
        }
    }
}

fn page_header(address: &str) -> Markup {
    html! {
        header.site-header {
            div.page-width {
                h1.brand { (icon::mark()) "Carafe" }
                p.site-summary {
                    "Cookies and sessions for Rust web services, with Flask’s model and wire format."
                    br;
                    span { "A flask keeps; a carafe pours." }
                }
                p.listening {
                    "This demo listens on "
                    a.listening-address href="/" { code { (address) } }
                }
            }
        }
    }
}

fn sessions(panels: &[Panel<'_>], place: &Place) -> Markup {
    html! {
        section aria-labelledby="sessions-title" id="sessions" {
            div.section-head {
                h2 id="sessions-title" { "One dictionary, three ways to carry it" }
                p {
                    "Set a value, see what reaches the browser, then tamper with it. "
                    "The same colour is the same role in every cookie."
                }
            }
            div.sessions { @for panel in panels { (session_panel(panel)) } }
            p.note.place {
                "The database of the server-side sessions is " code { (place.path) }
                @if place.is_private { ", removed when the demo ends." } @else { "." }
            }
        }
    }
}

fn page_footer() -> Markup {
    html! {
        footer.site-footer {
            div.page-width {
                div {
                    h2 id="code-title" { "The same in six lines of Rust" }
                    p.footer-intro { "A counter in a session that a Flask application with the same key can read and write." }
                    (code_block("code-title"))
                }
                nav aria-labelledby="docs-title" {
                    h3.doc-links-title id="docs-title" { "Read on, in the repository" }
                    ul.doc-links role="list" { @for (name, what) in DOCUMENTS { li { code { (name) } small { (what) } } } }
                }
            }
        }
    }
}

/// File names, not links: this server only serves the page.
const DOCUMENTS: [(&str, &str); 5] = [
    ("README.md", "What it is, and how to begin"),
    ("ARCHITECTURE.md", "The map, and what is never done"),
    ("docs/wire-format.md", "The cookies, byte by byte"),
    ("docs/stores.md", "The stores, and what each promises"),
    (
        "cargo doc -p carafe --open",
        "Every item with an example that runs",
    ),
];
