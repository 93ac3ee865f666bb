//! The overview: numbers, plots, the newest sessions.

use carafe_core::{clock::Timestamp, store::Summary};
use maud::{Markup, html};

use super::{
    list::table,
    plot::{Plot, PlotBar, plot},
    text::number,
};
use crate::{
    console::{
        Console,
        histogram::Histogram,
        statistics::{PerUser, Statistics},
    },
    human::{thousands, utc},
};

/// Seconds.
const DAY: i64 = 24 * 60 * 60;

pub(in crate::console) fn overview(
    console: &Console,
    statistics: &Statistics,
    newest: &[Summary],
    now: Timestamp,
) -> Markup {
    html! {
        h1.visually-hidden { "Overview" }
        (tiles(statistics))
        div.plots {
            (plot(&begun(statistics)))
            (plot(&expiring(statistics)))
            (per_user(statistics))
        }
        section.list-box aria-labelledby="newest-title" {
            div.list-head {
                h2 id="newest-title" { "Newest sessions" }
                a href=(console.base.href("/sessions")) { "All sessions" }
            }
            div id="newest" data-live { (table(console, newest, now)) }
        }
        @if !console.read_only {
            section.danger aria-labelledby="danger-title" {
                div {
                    h2 id="danger-title" { "End all sessions" }
                    p.note { "Logs everybody out, after a confirmation." }
                }
                a.button.button-danger href=(console.base.href("/end-all")) { "End all sessions…" }
            }
        }
    }
}

fn tiles(statistics: &Statistics) -> Markup {
    let tile = |name: &str, count: u64| {
        html! {
            div.tile {
                dt { (name) }
                dd {
                    @if !statistics.exact { span.tile-about { "about " } }
                    (number(count, true))
                }
            }
        }
    };
    html! {
        div.tiles-box id="tiles" data-live {
            dl.tiles {
                (tile("Live sessions", statistics.total))
                (tile("Logged in", statistics.logged_in))
                (tile("Not logged in", statistics.total.saturating_sub(statistics.logged_in)))
                (tile("Expire within an hour", statistics.within_an_hour))
            }
            p.visually-hidden data-announce { (number(statistics.total, statistics.exact)) " live sessions" }
            @if !statistics.exact {
                p.note { "Estimated from " (thousands(statistics.sampled)) " sessions picked at random." }
            }
        }
    }
}

fn begun(statistics: &Statistics) -> Plot<'static> {
    let step = statistics.begun.step_name;
    Plot {
        id: "begun",
        title: "When they began",
        about: html! { "Live sessions by their beginning, per " (step) "." },
        columns: ["Beginning, UTC", "Live sessions"],
        bars: bars(&statistics.begun),
        ends: ends(&statistics.begun, ["", "now"]),
        exact: statistics.exact,
    }
}

fn expiring(statistics: &Statistics) -> Plot<'static> {
    let step = statistics.expiring.step_name;
    Plot {
        id: "expiring",
        title: "When they expire",
        about: html! { "Expiries to come, per " (step) ", if no session is used again." },
        columns: ["Expiry, UTC", "Live sessions"],
        bars: bars(&statistics.expiring),
        ends: ends(&statistics.expiring, ["now", ""]),
        exact: statistics.exact,
    }
}

fn per_user(statistics: &Statistics) -> Markup {
    let Some(users) = &statistics.users else {
        return html! {
            section.card-box id="users" data-live aria-labelledby="users-title" {
                h2 id="users-title" { "Sessions per user" }
                p.note { "This took too long to find out just now." }
            }
        };
    };
    let about = match users.followed {
        None => html! { "How many users have how many sessions." },
        Some(count) => {
            html! { "How many users have how many sessions, estimated from " (count) " of them." }
        }
    };
    let bars: Vec<_> = PerUser::GROUPS
        .iter()
        .zip(users.users)
        .map(|(name, count)| PlotBar {
            name: (*name).to_owned(),
            count,
        })
        .collect();
    groups(&about, &bars, users.followed.is_none())
}

/// A bar a line, with its number beside it: a table that is its own drawing.
fn groups(about: &Markup, bars: &[PlotBar], exact: bool) -> Markup {
    let most = bars.iter().map(|bar| bar.count).max().unwrap_or(0).max(1);
    html! {
        section.card-box id="users" data-live aria-labelledby="users-title" {
            h2 id="users-title" { "Sessions per user" }
            p.note { (about) }
            table.groups {
                thead { tr { th scope="col" { "Sessions" } th scope="col" { "Users" } } }
                tbody {
                    @for bar in bars {
                        tr {
                            th scope="row" { (bar.name) }
                            td {
                                span { (number(bar.count, exact)) }
                                svg.bar viewBox={ "0 0 " (most) " 1" } preserveAspectRatio="none" aria-hidden="true" {
                                    rect width=(bar.count) height="1" {}
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn bars(histogram: &Histogram) -> Vec<PlotBar> {
    let name = |at| label(histogram, at);
    let bars = histogram.bars.iter();
    bars.map(|bar| PlotBar {
        name: name(bar.from),
        count: bar.count,
    })
    .collect()
}

/// The texts under a plot; where one end is now, it says so.
fn ends(histogram: &Histogram, named: [&str; 2]) -> [String; 3] {
    let at = |index: usize| {
        histogram
            .bars
            .get(index)
            .map(|bar| label(histogram, bar.from))
    };
    let last = histogram.bars.len().saturating_sub(1);
    let or = |name: &str, index| match name {
        "" => at(index).unwrap_or_default(),
        name => name.to_owned(),
    };
    let middle = match last {
        0..=1 => String::new(),
        _ => at(last / 2).unwrap_or_default(),
    };
    [or(named[0], 0), middle, or(named[1], last)]
}

/// `11-20 13:00`; with steps of a day or more, `2026-11-20`.
fn label(histogram: &Histogram, at: Timestamp) -> String {
    let full = utc(at);
    let part = match histogram.step < DAY {
        true => full.get(5..16),
        false => full.get(..10),
    };
    part.unwrap_or(&full).to_owned()
}
