//! The tables of a family of requests.

use crate::harness::{Measured, Table};
use crate::scenario::SCENARIOS;

/// The framework without a layer and with an idle one, as named in the tables.
pub(super) struct Framework {
    pub(super) floor: &'static str,
    pub(super) idle: &'static str,
}

impl Framework {
    pub(super) fn costs(&self, measured: &Measured, rows: &[&str]) {
        let mut times = head();
        times.row(
            &format!("{}, in all", self.floor),
            cells(|scenario| format!("{:.0}", measured.nanoseconds(self.floor, scenario))),
        );
        let mut allocations = head();
        for row in std::iter::once(&self.idle).chain(rows) {
            let added = |scenario: &str| measured.added(row, self.floor, scenario);
            times.row(
                row,
                cells(|scenario| format!("{:+.0}", added(scenario).nanoseconds)),
            );
            allocations.row(
                row,
                cells(|scenario| {
                    let added = added(scenario);
                    format!("{:+.0} ({:+.0} B)", added.allocations, added.bytes)
                }),
            );
        }
        times.print("CPU time, ns");
        allocations.print("Allocations");
    }

    /// Prints the cost of one peer relative to the cost of each of the others.
    pub(super) fn shares(
        &self,
        measured: &Measured,
        title: &str,
        pairs: impl IntoIterator<Item = (&'static str, &'static str, &'static str)>,
    ) {
        let mut table = head();
        for (row, one, other) in pairs {
            let added =
                |who: &str, scenario: &str| measured.added(who, self.floor, scenario).nanoseconds;
            table.row(
                row,
                cells(|scenario| format!("{:.2}", added(one, scenario) / added(other, scenario))),
            );
        }
        table.print(title);
    }
}

pub(super) fn spread(measured: &Measured) {
    println!(
        "\nUsual spread: ± {:.1} %.",
        measured.usual_spread() * 100.0
    );
}

fn head() -> Table {
    Table::new(std::iter::once("").chain(SCENARIOS.iter().map(|scenario| scenario.name)))
}

fn cells(cell: impl Fn(&str) -> String) -> impl Iterator<Item = String> {
    SCENARIOS.iter().map(move |scenario| cell(scenario.name))
}
