//! Long campaigns against every store.
//!
//! CI runs a slice of each campaign; `docs/assurance.md` contains the results of longer ones.

use std::process::Command;

use crate::command::{cargo, program};
use crate::setup;
use crate::shell::{Outcome, Shell};

/// A campaign, and the size of its slice in CI.
struct Campaign {
    name: &'static str,
    slice: &'static str,
    command: fn(&Shell, count: &str, seed: Option<&str>) -> Command,
}

const CAMPAIGNS: &[Campaign] = &[
    Campaign {
        name: "schedules",
        slice: "400",
        command: |shell, count, seed| soak(shell, "schedules", count, seed),
    },
    Campaign {
        name: "history",
        slice: "5",
        command: |shell, count, seed| soak(shell, "history", count, seed),
    },
    Campaign {
        name: "processes",
        slice: "1000",
        command: |shell, count, seed| soak(shell, "processes", count, seed),
    },
    Campaign {
        name: "revoke",
        slice: "2000",
        command: |shell, count, seed| soak(shell, "revoke", count, seed),
    },
    Campaign {
        name: "limit",
        slice: "6000",
        command: |shell, count, seed| soak(shell, "limit", count, seed),
    },
    Campaign {
        name: "kills",
        slice: "40",
        command: kills,
    },
];

pub(crate) fn soak_all(shell: &mut Shell, arguments: &[String]) -> Outcome {
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    let (name, count, seed) = match words[..] {
        [name] => (name, None, None),
        [name, count] => (name, Some(count), None),
        [name, count, seed] => (name, Some(count), Some(seed)),
        _ => return Err(USAGE.into()),
    };
    let numbers = [count, seed].into_iter().flatten();
    if !numbers.clone().all(|number| number.parse::<u64>().is_ok()) {
        return Err(USAGE.into());
    }
    let chosen: Vec<_> = CAMPAIGNS
        .iter()
        .filter(|campaign| name == "all" || campaign.name == name)
        .collect();
    if chosen.is_empty() {
        return Err(format!("there is no campaign `{name}`; {USAGE}").into());
    }
    setup::for_tests(shell)?;
    run(shell, &chosen, count, seed)
}

/// Runs CI's slice of each campaign, after the setup.
pub(crate) fn slices(shell: &mut Shell) -> Outcome {
    run(shell, &CAMPAIGNS.iter().collect::<Vec<_>>(), None, None)
}

const USAGE: &str = "needs `all`, `schedules`, `history`, `processes`, `revoke`, `limit` or `kills`, and perhaps a count and a seed";

fn run(
    shell: &mut Shell,
    campaigns: &[&Campaign],
    count: Option<&str>,
    seed: Option<&str>,
) -> Outcome {
    shell.step_of(
        "Campaigns",
        &mut cargo("build --workspace --all-features --bin carafe-soak"),
    )?;
    for campaign in campaigns {
        let mut command = (campaign.command)(shell, count.unwrap_or(campaign.slice), seed);
        shell.step_of(&format!("Soak {}", campaign.name), &mut command)?;
    }
    Ok(())
}

fn soak(shell: &Shell, campaign: &str, count: &str, seed: Option<&str>) -> Command {
    let mut command = program(
        shell.target("debug/carafe-soak"),
        [campaign, "--count", count],
    );
    if let Some(seed) = seed {
        command.args(["--seed", seed]);
    }
    command
}

/// Returns the command that repeatedly kills a process while it writes to SQLite.
fn kills(_: &Shell, count: &str, seed: Option<&str>) -> Command {
    let mut command = cargo("test --workspace --all-features --test sqlite kill:: -- --nocapture");
    command.env("CARAFE_KILL_CYCLES", count);
    if let Some(seed) = seed {
        command.env("CARAFE_KILL_SEED", seed);
    }
    command
}
