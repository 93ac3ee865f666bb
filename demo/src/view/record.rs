//! "What the database holds": a server-side session as stored.

use carafe_core::store::Record;
use maud::{Markup, html};

use super::json as colours;
use crate::{
    mode::{Found, StoredRecord},
    panel::BrowserCookie,
};
use carafe_console::shared::human::utc;

pub(super) fn record(cookie: Option<&BrowserCookie>) -> Markup {
    match cookie.map(|held| &held.found) {
        Some(Found::Record(Some(kept))) => shown(kept),
        Some(_) => html! {
            p.nothing { strong { "Nothing under this id." } " Nobody can make up an id that is in use: it has 256 random bits." }
        },
        None => {
            html! { p.note { "Nothing yet. A record begins with the first value that is set." } }
        }
    }
}

fn shown(kept: &StoredRecord) -> Markup {
    let StoredRecord { key, record } = kept;
    let data = record.data.payload(Record::STYLE);
    let hash = html! { code.hash { @for byte in key.as_bytes() { (format_args!("{byte:02x}")) } } };
    let user = record.meta.user.as_deref().unwrap_or("none");
    html! {
        dl.record {
            (row("Key", &html! { (hash) small { "SHA-256 of the ID: a reader of the database has no cookie." } }))
            (row("Data", &html! { code { (colours::exact(&data)) } }))
            (row("User", &html! { (user) }))
            (row("Version", &html! { (record.meta.version) }))
            (row("Created", &html! { (utc(record.meta.created)) }))
            (row("Last seen", &html! { (utc(record.meta.last_seen)) }))
            (row("Expires", &html! { (utc(record.meta.expires)) }))
        }
    }
}

fn row(name: &str, text: &Markup) -> Markup {
    html! { div.record-row { dt { (name) } dd { (text) } } }
}
