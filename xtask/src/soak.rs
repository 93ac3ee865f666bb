//! Long campaigns against every store.
//!
//! CI runs a slice of each campaign; `docs/assurance.md` contains the results of longer ones.

use xshell::{Cmd, cmd};

use crate::setup;
use crate::steps::{Outcome, Steps};

/// A campaign, and the size of its slice in CI.
struct Campaign {
    name: &'static str,
    slice: &'static str,
    command: for<'a> fn(&'a Steps, count: &str, seed: Option<&str>) -> Cmd<'a>,
}

const CAMPAIGNS: &[Campaign] = &[
    Campaign {
        name: "schedules",
        slice: "400",
        command: |steps, count, seed| soak(steps, "schedules", count, seed),
    },
    Campaign {
        name: "history",
        slice: "5",
        command: |steps, count, seed| soak(steps, "history", count, seed),
    },
    Campaign {
        name: "processes",
        slice: "1000",
        command: |steps, count, seed| soak(steps, "processes", count, seed),
    },
    Campaign {
        name: "revoke",
        slice: "2000",
        command: |steps, count, seed| soak(steps, "revoke", count, seed),
    },
    Campaign {
        name: "limit",
        slice: "6000",
        command: |steps, count, seed| soak(steps, "limit", count, seed),
    },
    Campaign {
        name: "kills",
        slice: "40",
        command: kills,
    },
];

pub(crate) fn soak_all(steps: &Steps, arguments: &[String]) -> Outcome {
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
    setup::for_tests(steps)?;
    run(steps, &chosen, count, seed)
}

/// Runs CI's slice of each campaign, after the setup.
pub(crate) fn slices(steps: &Steps) -> Outcome {
    run(steps, &CAMPAIGNS.iter().collect::<Vec<_>>(), None, None)
}

const USAGE: &str = "needs `all`, `schedules`, `history`, `processes`, `revoke`, `limit` or `kills`, and perhaps a count and a seed";

fn run(steps: &Steps, campaigns: &[&Campaign], count: Option<&str>, seed: Option<&str>) -> Outcome {
    let build = cmd!(
        steps.sh,
        "cargo build --workspace --all-features --bin carafe-soak"
    );
    steps.step_of("Campaigns", build)?;
    for campaign in campaigns {
        let command = (campaign.command)(steps, count.unwrap_or(campaign.slice), seed);
        steps.step_of(&format!("Soak {}", campaign.name), command)?;
    }
    Ok(())
}

fn soak<'a>(steps: &'a Steps, campaign: &str, count: &str, seed: Option<&str>) -> Cmd<'a> {
    let soak = steps.target("debug/carafe-soak");
    let command = cmd!(steps.sh, "{soak} {campaign} --count {count}");
    match seed {
        Some(seed) => command.args(["--seed", seed]),
        None => command,
    }
}

/// Returns the command that repeatedly kills a process while it writes to SQLite.
fn kills<'a>(steps: &'a Steps, count: &str, seed: Option<&str>) -> Cmd<'a> {
    cmd!(
        steps.sh,
        "cargo test --workspace --all-features --test sqlite kill:: -- --nocapture"
    )
    .env("CARAFE_KILL_CYCLES", count)
    .envs(seed.map(|seed| ("CARAFE_KILL_SEED", seed)))
}
