//! Long campaigns against real stores: `cargo xtask soak`. Each has a count and a seed that repeats it.
//!
//! | file | campaign |
//! |---|---|
//! | `schedules` | random orders in which requests of one session meet, one of which logs out |
//! | `history` | concurrent reads and writes, checked against what may be seen |
//! | `processes` | updates of one counter and writes of many keys from two processes |
//!
//! `store` starts the servers. A campaign that finds something panics with what repeats it.

mod history;
mod processes;
mod schedules;
mod site;
mod store;

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use clap::{Parser, ValueEnum};
use store::Kind;

/// Long campaigns against real stores.
#[derive(Parser)]
struct Soak {
    /// What to do.
    #[arg(value_enum)]
    campaign: Campaign,
    /// Where; all stores in turn unless given.
    #[arg(long, value_enum)]
    store: Option<Kind>,
    /// How much: schedules, rounds of histories, or updates.
    #[arg(long, default_value_t = 1_000)]
    count: u64,
    /// Where the random choices begin. Printed, and drawn from the clock unless given.
    #[arg(long)]
    seed: Option<u64>,
    /// The store of the parent, for the second process of `processes`.
    #[arg(long, hide = true)]
    url: Option<String>,
    /// The session of the parent, for the second process of `processes`.
    #[arg(long, hide = true)]
    cookie: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Campaign {
    /// Random orders of requests, one of which logs out: nothing may resurrect.
    Schedules,
    /// Concurrent reads and writes: each read must fit what was written before and meanwhile.
    History,
    /// Two processes: each update must count, each key must stay.
    Processes,
    /// The second of the two.
    #[value(hide = true)]
    Second,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let soak = Soak::parse();
    if let (Campaign::Second, Some(url), Some(cookie)) = (soak.campaign, &soak.url, &soak.cookie) {
        return processes::second(url, cookie, soak.count).await;
    }
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH);
    let seed = match soak.seed {
        Some(seed) => seed,
        None => u64::from(clock()?.subsec_nanos()),
    };
    for kind in soak
        .store
        .map_or_else(|| Kind::ALL.to_vec(), |kind| vec![kind])
    {
        // A process's memory has no second process.
        if matches!((soak.campaign, kind), (Campaign::Processes, Kind::Memory)) {
            continue;
        }
        let (began, running) = (Instant::now(), kind.start().await?);
        let found = match soak.campaign {
            Campaign::Schedules => schedules::run(&running, seed, soak.count).await,
            Campaign::History => history::run(&running, seed, soak.count).await?,
            Campaign::Processes => processes::run(&running, soak.count).await?,
            Campaign::Second => anyhow::bail!("this is for the campaign `processes` itself"),
        };
        let (campaign, seconds) = (soak.campaign, began.elapsed().as_secs());
        println!("{campaign:?} on {kind:?}, seed {seed}: {found}; {seconds} s");
    }
    Ok(())
}
