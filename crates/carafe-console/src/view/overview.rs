//! The overview: numbers, plots, the newest sessions.

use carafe_core::{clock::Timestamp, store::SessionMeta};
use maud::{Markup, html};

use super::{
    list::table,
    plot::{Plot, PlotBar, plot},
    text::number,
};
use crate::{
    context::Context,
    histogram::Histogram,
    per_user::PerUser,
    shared::human::{span, thousands, utc},
    statistics::Statistics,
    trend::Slots,
};

/// Seconds of a day.
const DAY: i64 = 24 * 60 * 60;

pub(crate) fn overview(
    context: &Context,
    statistics: &Statistics,
    trend: &Slots,
    newest: &[SessionMeta],
    now: Timestamp,
) -> Markup {
    html! {
        h1.visually-hidden { "Overview" }
        (tiles(statistics))
        div.plots {
            (plot(&begun(statistics)))
            (plot(&expiring(statistics)))
            (plot(&over_time(trend, statistics.exact)))
            (per_user(statistics))
        }
        section.list-box aria-labelledby="newest-title" {
            div.list-head {
                h2 id="newest-title" { "Newest sessions" }
                a href=(context.href("/sessions")) { "All sessions" }
            }
            div id="newest" data-live { (table(context, newest, now)) }
        }
        @if !context.settings.is_read_only() {
            section.danger aria-labelledby="danger-title" {
                div {
                    h2 id="danger-title" { "Revoke all sessions" }
                    p.note { "Logs all users out, after a confirmation." }
                }
                a.button.button-danger href=(context.href("/end-all")) { "Revoke all sessions…" }
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

fn over_time(trend: &Slots, exact: bool) -> Plot<'static> {
    let bars = trend.slots.iter().map(|&(from, count)| PlotBar {
        name: label(trend.step, from),
        count,
    });
    let reach = trend.step.unsigned_abs() * trend.slots.len() as u64;
    Plot {
        id: "trend",
        title: "Live sessions over time",
        about: html! { "Number of live sessions since the start of this console." },
        columns: ["Time, UTC", "Live sessions"],
        bars: bars.collect(),
        ends: [
            format!("{} ago", span(reach)),
            String::new(),
            "now".to_owned(),
        ],
        exact,
    }
}

fn begun(statistics: &Statistics) -> Plot<'static> {
    let step = statistics.begun.step_name;
    Plot {
        id: "begun",
        title: "Creation",
        about: html! { "Live sessions by the time of their creation, per " (step) "." },
        columns: ["Created, UTC", "Live sessions"],
        bars: bars(&statistics.begun),
        ends: ends(&statistics.begun, ["", "now"]),
        exact: statistics.exact,
    }
}

fn expiring(statistics: &Statistics) -> Plot<'static> {
    let step = statistics.expiring.step_name;
    Plot {
        id: "expiring",
        title: "Expiry",
        about: html! { "Live sessions by the time of their expiry, per " (step) ". A use of a session postpones its expiry." },
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
                p.note { "Counting took too long." }
            }
        };
    };
    let about = match users.followed {
        None => html! { "Number of users by the number of their sessions." },
        Some(count) => {
            html! { "Number of users by the number of their sessions, estimated from a sample of " (count) " users." }
        }
    };
    let groups = PerUser::GROUPS.into_iter().zip(users.users);
    let most = users.users.into_iter().max().unwrap_or(0).max(1);
    let exact = users.followed.is_none();
    html! {
        section.card-box id="users" data-live aria-labelledby="users-title" {
            h2 id="users-title" { "Sessions per user" }
            p.note { (about) }
            table.groups {
                thead { tr { th scope="col" { "Sessions" } th scope="col" { "Users" } } }
                tbody {
                    @for (name, count) in groups {
                        tr {
                            th scope="row" { (name) }
                            td {
                                svg.bar viewBox={ "0 0 " (most) " 1" } preserveAspectRatio="none" aria-hidden="true" {
                                    rect width=(count) height="1" {}
                                }
                                span { (number(count, exact)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn bars(histogram: &Histogram) -> Vec<PlotBar> {
    let bars = histogram.bars.iter().map(|bar| PlotBar {
        name: label(histogram.step, bar.from),
        count: Some(bar.count),
    });
    bars.collect()
}

/// Returns the texts under a plot. `named` replaces the time at an end that is now.
fn ends(histogram: &Histogram, named: [&str; 2]) -> [String; 3] {
    let at = |index: usize| {
        histogram
            .bars
            .get(index)
            .map(|bar| label(histogram.step, bar.from))
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

/// Formats a time as `11-20 13:00`, or as `2026-11-20` for steps of a day or more.
fn label(step: i64, at: Timestamp) -> String {
    let full = utc(at);
    let part = match step < DAY {
        true => full.get(5..16),
        false => full.get(..10),
    };
    part.unwrap_or(&full).to_owned()
}
