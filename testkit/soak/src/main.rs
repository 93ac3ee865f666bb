//! Long campaigns against real stores: `cargo xtask soak`.
//!
//! Each campaign has a count, and a seed for repeating it.
//!
//! | module | campaign |
//! |---|---|
//! | `schedules` | random orders of requests of one session, including a log-out |
//! | `history` | concurrent reads and writes, checked for consistency |
//! | `processes` | updates of one counter and writes of many keys from two processes |
//! | `revoke` | very many sessions of a user are revoked while other visitors are served |
//! | `limit` | a new limit of sessions per user, for a user with many more |
//!
//! `store` starts the servers. A campaign that finds an error panics with the seed to repeat it.

mod crowd;
mod history;
mod limit;
mod processes;
mod revoke;
mod schedules;
mod site;
mod store;
mod visitors;

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use clap::{Parser, ValueEnum};
use store::Kind;

/// Long campaigns against real stores.
#[derive(Parser)]
struct Soak {
    /// The campaign to run.
    #[arg(value_enum)]
    campaign: Campaign,
    /// The store to test; all stores in turn by default.
    #[arg(long, value_enum)]
    store: Option<Kind>,
    /// The number of schedules, rounds of histories, or updates.
    #[arg(long, default_value_t = 1_000)]
    count: u64,
    /// The seed of the random choices. Printed; derived from the clock by default.
    #[arg(long)]
    seed: Option<u64>,
    /// For how many seconds `revoke` serves other visitors after the revocations, and for at most
    /// ten seconds before them.
    #[arg(long, default_value_t = 0)]
    after: u64,
    /// The store of the parent, for the second process of `processes` and `revoke`.
    #[arg(long, hide = true)]
    url: Option<String>,
    /// The parent's session, for the second process of `processes`.
    #[arg(long, hide = true)]
    cookie: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Campaign {
    /// Random orders of requests, including a log-out: no session may be restored.
    Schedules,
    /// Concurrent reads and writes: each read must be consistent with the writes.
    History,
    /// Two processes: each update must count, each key must be kept.
    Processes,
    /// One user with very many sessions: all are revoked, also by the next call after a crash.
    Revoke,
    /// One user with more sessions than a new limit: each log-in revokes some of the oldest.
    Limit,
    /// The second process of `processes`.
    #[value(hide = true)]
    Second,
    /// The second process of `revoke`.
    #[value(hide = true)]
    RevokeSecond,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let soak = Soak::parse();
    if let (Campaign::Second, Some(url), Some(cookie)) = (soak.campaign, &soak.url, &soak.cookie) {
        return processes::second(url, cookie, soak.count).await;
    }
    if let (Campaign::RevokeSecond, Some(url), Some(kind)) = (soak.campaign, &soak.url, soak.store)
    {
        return revoke::second(url, kind).await;
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
        // No second process can use the memory store.
        let has_second = matches!(soak.campaign, Campaign::Processes | Campaign::Revoke);
        if has_second && kind == Kind::Memory {
            continue;
        }
        let is_measured = matches!(soak.campaign, Campaign::Revoke | Campaign::Limit);
        let measured = is_measured.then_some(soak.count);
        let (began, running) = (Instant::now(), kind.start(measured).await?);
        let found = match soak.campaign {
            Campaign::Schedules => schedules::run(&running, seed, soak.count).await,
            Campaign::History => history::run(&running, seed, soak.count).await?,
            Campaign::Processes => processes::run(&running, soak.count).await?,
            Campaign::Revoke => revoke::run(&running, kind, soak.count, soak.after).await?,
            Campaign::Limit => limit::run(&running, kind, soak.count).await?,
            Campaign::Second | Campaign::RevokeSecond => {
                anyhow::bail!("this is for the other campaigns themselves")
            }
        };
        let (campaign, seconds) = (soak.campaign, began.elapsed().as_secs());
        println!("{campaign:?} on {kind:?}, seed {seed}: {found}; {seconds} s");
    }
    Ok(())
}
