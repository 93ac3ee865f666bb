//! `carafe store check`.

use std::{collections::BTreeMap, process::ExitCode};

use carafe_core::store::Health;
use clap::builder::styling::{AnsiColor, Style};
use serde::Serialize;

use crate::{
    failure::Failure,
    human::printable,
    output,
    stores::{OpenStore, StoreArgs},
};

/// Check the health of the store and its server
///
/// Exits with 1 if the store has a problem, with 4 if it does not answer.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  carafe store check --store sqlite:sessions.db
  STORE_URL=redis://cache.internal carafe store check --json")]
pub(super) struct Check {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// The JSON output. Fields are only added.
#[derive(Serialize)]
struct Report<'r> {
    store: &'static str,
    url: String,
    good: bool,
    facts: BTreeMap<&'static str, &'r str>,
    problems: &'r [String],
}

impl Check {
    pub(super) async fn run(&self, store: &StoreArgs) -> Result<ExitCode, Failure> {
        let store = store.open().await?;
        let health = store.health().await?;
        match self.json {
            true => output::json(&report(&store, &health))?,
            false => output::line(&readable(&store, &health))?,
        }
        Ok(ExitCode::from(u8::from(!health.is_good())))
    }
}

fn report<'r>(store: &OpenStore, health: &'r Health) -> Report<'r> {
    Report {
        store: store.kind().as_str(),
        url: store.url().to_string(),
        good: health.is_good(),
        facts: health
            .facts
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect(),
        problems: &health.problems,
    }
}

fn readable(store: &OpenStore, health: &Health) -> String {
    let (color, word) = match health.is_good() {
        true => (AnsiColor::Green, "ok"),
        false => (AnsiColor::Red, "unhealthy"),
    };
    let style = color.on_default().bold();
    let muted = Style::new().dimmed();
    let width = health.facts.iter().map(|(name, _)| name.len()).max();
    let width = width.unwrap_or_default();
    let facts = health
        .facts
        .iter()
        .map(|(name, value)| format!("\n  {muted}{name:<width$}{muted:#}  {}", printable(value)));
    let problems = health
        .problems
        .iter()
        .map(|problem| format!("\n  {style}problem:{style:#} {}", printable(problem)));
    let head = format!("{style}{word}{style:#}: {}", store.url());
    std::iter::once(head).chain(facts).chain(problems).collect()
}
