//! The report of a migration.

use carafe_migration::{Mode, Tally, Trouble};
use clap::builder::styling::{AnsiColor, Style};
use serde::Serialize;

use crate::{
    human::{printable, thousands},
    migration::Comparison,
    stores::StoreUrl,
    table::{Cell, Table},
};

/// The report, which serializes to the JSON output. Fields are only added.
#[derive(Serialize)]
pub(super) struct Report<'r> {
    from: String,
    to: String,
    mode: &'static str,
    #[serde(flatten)]
    tally: &'r Tally,
    verified: Option<&'r Comparison>,
}

impl<'r> Report<'r> {
    pub(super) fn new(
        (from, to): (&StoreUrl, &StoreUrl),
        mode: Mode,
        tally: &'r Tally,
        verified: Option<&'r Comparison>,
    ) -> Self {
        Self {
            from: from.to_string(),
            to: to.to_string(),
            mode: match mode {
                Mode::Copy => "copy",
                Mode::Move => "move",
            },
            tally,
            verified,
        }
    }

    /// Returns the report as text: the counts that are not zero, successes first.
    pub(super) fn readable(&self) -> String {
        let (tally, bold) = (self.tally, Style::new().bold());
        let done = if self.mode == "copy" {
            "copied"
        } else {
            "moved"
        };
        let rows = [
            (done, tally.moved, Style::new()),
            ("updated", tally.updated, Style::new()),
            ("already in the target", tally.already_there, Style::new()),
            (
                "newer in the target, unchanged",
                tally.newer_there,
                Style::new(),
            ),
            ("revoked meanwhile", tally.ended_meanwhile, Style::new()),
            ("expired, skipped", tally.expired, Style::new()),
            (
                "ID recently renewed, skipped",
                tally.left_for_later,
                WARNING,
            ),
            ("unreadable, skipped", tally.unreadable, WARNING),
            (
                "returned different by the target, kept in the source",
                tally.different,
                WARNING,
            ),
            ("refused by the target", tally.refused, WARNING),
        ];
        let mut out = format!(
            "{bold}{} sessions read{bold:#}, from {} to {}\n{}",
            number(tally.seen),
            self.from,
            self.to,
            counts(rows)
        );
        out.push_str(&troubles(&tally.troubles, tally.unreadable + tally.refused));
        if let Some(comparison) = self.verified {
            out.push_str(&verified(comparison));
        }
        out
    }
}

const WARNING: Style = AnsiColor::Yellow.on_default();

fn verified(comparison: &Comparison) -> String {
    let (color, word) = match comparison.is_good() {
        true => (AnsiColor::Green, "the stores are equal"),
        false => (AnsiColor::Red, "the stores differ"),
    };
    let style = color.on_default().bold();
    let rows = [
        ("alike", comparison.same, Style::new()),
        ("missing in the target", comparison.missing, WARNING),
        ("different in the target", comparison.different, WARNING),
        ("only in the target", comparison.extra.unwrap_or(0), WARNING),
    ];
    let not_asked = match comparison.extra {
        Some(_) => "",
        None => "\n  this layout cannot show whether the target has more sessions than the source",
    };
    let all = comparison.missing + comparison.different + comparison.extra.unwrap_or(0);
    format!(
        "\n{style}{word}{style:#}\n{}{not_asked}{}",
        counts(rows),
        troubles(&comparison.differences, all)
    )
}

fn counts<const N: usize>(rows: [(&str, u64, Style); N]) -> String {
    let mut table = Table::new(&[]);
    for (at, (name, count, style)) in rows.into_iter().enumerate() {
        // The first row is shown even if its count is zero.
        if count > 0 || at == 0 {
            let count = Cell::number(&number(count)).styled(style);
            table.row([Cell::new(""), count, Cell::new(name).styled(style)]);
        }
    }
    table.text()
}

fn troubles(named: &[Trouble], all: u64) -> String {
    let muted = Style::new().dimmed();
    let mut out = String::new();
    for Trouble { key, reason } in named {
        out.push_str(&format!(
            "\n    {muted}{key}…{muted:#}  {}",
            printable(reason)
        ));
    }
    let more = all.saturating_sub(named.len() as u64);
    if more > 0 {
        out.push_str(&format!("\n    and {} more", number(more)));
    }
    out
}

fn number(count: u64) -> String {
    thousands(usize::try_from(count).unwrap_or(usize::MAX))
}
