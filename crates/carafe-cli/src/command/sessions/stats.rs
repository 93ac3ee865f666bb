//! `carafe sessions stats`: statistics of all sessions from a random sample. `stats/counts.rs`
//! counts them.

mod counts;

use carafe_core::{clock::Timestamp, store::Sample};
use clap::builder::styling::{AnsiColor, Style};
use serde::Serialize;

use crate::{
    failure::Failure,
    human::thousands,
    output,
    stores::StoreArgs,
    table::{Cell, Table},
};
use counts::{Counts, Group};

/// Default size of the sample: cheap for a store with a million sessions, and a share of 1 % is
/// estimated within a tenth of itself.
const SAMPLE: u16 = 10_000;
/// The longest bar, in characters.
const BAR: usize = 32;

/// Count sessions, by age, by when they expire, by user
///
/// If there are more sessions than the sample, the numbers are marked as estimates.
#[derive(clap::Args)]
#[command(after_help = "\
With --json: {\"total\", \"exact\", \"sampled\", \"anonymous\", \"age\": [{\"under\", \"count\"}…],
\"expiring\": [{\"within\", \"count\"}…], \"users\": [{\"user\", \"count\"}…]}, with spans in seconds (null: no end).
`users` are those with the most sessions in the sample, counted in the sample; all other counts are of the store.

Examples:
  carafe sessions stats --store sqlite:sessions.db
  carafe sessions stats --json | jq .total")]
pub(super) struct Stats {
    /// The number of sessions to sample
    #[arg(long, value_name = "N", default_value_t = SAMPLE, value_parser = clap::value_parser!(u16).range(1..))]
    sample: u16,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// The JSON output. Fields are only added.
#[derive(Serialize)]
struct Report<'r> {
    total: u64,
    exact: bool,
    sampled: usize,
    anonymous: u64,
    age: Vec<Under>,
    expiring: Vec<Within>,
    users: Vec<OfUser<'r>>,
}

#[derive(Serialize)]
struct Under {
    under: Option<u64>,
    count: u64,
}

#[derive(Serialize)]
struct Within {
    within: u64,
    count: u64,
}

#[derive(Serialize)]
struct OfUser<'r> {
    user: &'r str,
    count: u64,
}

impl Stats {
    pub(super) async fn run(&self, store: &StoreArgs) -> Result<(), Failure> {
        let (store, now) = (store.open().await?, Timestamp::now());
        let sample = store.listing()?.sample(usize::from(self.sample), now).await;
        let sample = sample.map_err(|error| store.failure(&error))?;
        let counts = Counts::of(&sample, now);
        match self.json {
            true => output::json(&report(&sample, &counts)),
            false => output::line(&readable(&sample, &counts)),
        }
    }
}

fn report<'r>(sample: &Sample, counts: &'r Counts) -> Report<'r> {
    let under = |group: &Group| Under {
        under: group.seconds,
        count: group.count,
    };
    let within = |group: &Group| Within {
        within: group.seconds.unwrap_or(u64::MAX),
        count: group.count,
    };
    Report {
        total: sample.total,
        exact: sample.exact,
        sampled: sample.sessions.len(),
        anonymous: counts.anonymous,
        age: counts.ages.iter().map(under).collect(),
        expiring: counts.expiring.iter().map(within).collect(),
        users: counts
            .users
            .iter()
            .map(|(user, count)| OfUser {
                user,
                count: *count,
            })
            .collect(),
    }
}

fn readable(sample: &Sample, counts: &Counts) -> String {
    let bold = Style::new().bold();
    let about = if sample.exact { "" } else { "about " };
    let total = number(sample.total);
    let mut text = format!("{bold}{about}{total} sessions{bold:#}");
    if !sample.exact {
        let looked_at = number(sample.sessions.len() as u64);
        text.push_str(&format!("  (estimates, from a sample of {looked_at})"));
    }
    let anonymous = format!("\n{about}{} without a user", number(counts.anonymous));
    text.push_str(&anonymous);
    let age = counts.ages.iter().map(|group| (group.name, group.count));
    text.push_str(&section("age", age));
    let expiring = counts.expiring.iter();
    text.push_str(&section(
        "expiring within",
        expiring.map(|group| (group.name, group.count)),
    ));
    let users = counts
        .users
        .iter()
        .map(|(user, count)| (user.as_str(), *count));
    let title = match sample.exact {
        true => "users with the most sessions",
        false => "users with the most sessions in the sample",
    };
    text.push_str(&section(title, users));
    text
}

/// Returns a title with bars below it, or an empty text if there are no bars.
fn section<'n>(title: &str, rows: impl Iterator<Item = (&'n str, u64)> + Clone) -> String {
    let Some(most) = rows.clone().map(|(_, count)| count).max() else {
        return String::new();
    };
    let mut table = Table::new(&[]);
    for (name, count) in rows {
        let bar = Cell::new(&bar(count, most)).styled(AnsiColor::Green.on_default());
        let name = Cell::new(name).at_most(BAR);
        table.row([Cell::new(""), name, Cell::number(&number(count)), bar]);
    }
    let bold = Style::new().bold();
    format!("\n\n{bold}{title}{bold:#}\n{}", table.text())
}

/// Returns a bar with a length in proportion to `count` of `most`. Only zero has no bar.
fn bar(count: u64, most: u64) -> String {
    let length = u128::from(count) * BAR as u128 / u128::from(most.max(1));
    match (count, usize::try_from(length).unwrap_or(BAR)) {
        (0, _) => String::new(),
        (_, 0) => "▏".to_owned(),
        (_, length) => "█".repeat(length),
    }
}

fn number(count: u64) -> String {
    thousands(usize::try_from(count).unwrap_or(usize::MAX))
}
