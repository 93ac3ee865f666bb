//! "Fifty increments at once": the button, and the two numbers.

use maud::{Markup, html};

use super::{
    bar::{Fill, bar},
    card::card,
};
use crate::{
    page::Page,
    race::{AT_ONCE, COUNT, Counts},
};

pub(super) fn race(page: &Page<'_>) -> Markup {
    let about = html! {
        (AT_ONCE) " requests of one session, at the same time, each with " code { (COUNT) " + 1" }
        ". The handler, the layer, the file and the disk are the same; only what is saved is not."
    };
    card(
        "race",
        "Fifty increments at once",
        &about,
        &doing(),
        &there(page.race),
    )
}

fn doing() -> Markup {
    html! {
        form method="post" action="/race" {
            button.button.button-primary { "Run " (AT_ONCE) " increments" }
        }
        p.note {
            "The server sends " (AT_ONCE) " requests with your cookie to an application on Carafe’s store, "
            "which sends the store what a request has " em { "changed" } "; where another was faster, the change is made again on the newest value."
        }
        p.note {
            "Then the same to a store that loads the whole record and saves the whole record, as many session libraries do. "
            "It is written for this comparison: " code { "whole_record.rs" } "."
        }
    }
}

fn there(counts: Option<Counts>) -> Markup {
    html! {
        @if let Some(counts) = counts {
            (lane("carafe", "Carafe, key by key", counts.carafe, counts.of))
            (lane("whole", "Whole record, the last save wins", counts.whole_record, counts.of))
        } @else {
            p.nothing { strong { "Not run yet." } " The two numbers that the sessions hold afterwards appear here." }
        }
    }
}

fn lane(id: &str, name: &str, count: u64, of: u64) -> Markup {
    let lost = of.saturating_sub(count);
    html! {
        div.lane id={ "race-" (id) } {
            h3 { (name) }
            p.lane-count { strong { (count) } " of " (of) }
            (bar(count, of, if lost == 0 { Fill::Good } else { Fill::Bad }))
            p.lane-note.lane-lost[lost > 0] {
                @match lost {
                    0 => "Nothing lost",
                    1 => "1 increment lost",
                    _ => { (lost) " increments lost" },
                }
            }
        }
    }
}
