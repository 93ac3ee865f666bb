//! A bar for a fraction. Decorative: the numbers are beside it.
//!
//! Drawn as HTML, because `<meter>` cannot be styled consistently across browsers.

use maud::{Markup, html};

/// How a bar is filled, as a class of the style sheet.
#[derive(Clone, Copy)]
pub(super) enum Fill {
    Plain,
    Good,
    Warning,
    Bad,
}

pub(super) fn bar(value: u64, of: u64, fill: Fill) -> Markup {
    let class = match fill {
        Fill::Plain => "bar",
        Fill::Good => "bar bar-good",
        Fill::Warning => "bar bar-warning",
        Fill::Bad => "bar bar-bad",
    };
    html! {
        svg class=(class) viewBox={ "0 0 " (of) " 1" } preserveAspectRatio="none" aria-hidden="true" {
            rect width=(value.min(of)) height="1" {}
        }
    }
}
