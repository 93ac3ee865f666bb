//! `carafe sessions sweep`.

use carafe_core::clock::Timestamp;
use serde::Serialize;

use crate::{failure::Failure, human::thousands, output, stores::StoreArgs};

/// Number of sessions that one step removes, so that no visitor waits for all of them.
const STEP: usize = 1000;

/// Remove sessions that have expired, step by step
///
/// Expired sessions are never accepted. Removing them frees their space.
#[derive(clap::Args)]
#[command(after_help = "\
With --json: {\"swept\": N}.

Examples:
  carafe sessions sweep --store sqlite:sessions.db
  0 4 * * *  STORE_URL=postgres://app@localhost/shop carafe sessions sweep      every night, by cron")]
pub(super) struct Sweep {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    swept: usize,
}

impl Sweep {
    pub(super) async fn run(&self, store: &StoreArgs) -> Result<(), Failure> {
        let (store, now) = (store.open().await?, Timestamp::now());
        let sweeper = store.sessions().powers().sweeper();
        let mut swept = 0;
        if let Some(sweeper) = sweeper {
            loop {
                let step = sweeper.sweep(STEP, now).await;
                match step.map_err(|error| store.failure(&error))? {
                    0 => break,
                    some => swept += some,
                }
            }
        }
        match (self.json, sweeper) {
            (true, _) => output::json(&Report { swept }),
            (false, Some(_)) => {
                output::line(&format!("{} expired sessions removed", thousands(swept)))
            }
            (false, None) => {
                let name = store.kind().name();
                output::line(&format!(
                    "{name} removes expired sessions itself; nothing to do"
                ))
            }
        }
    }
}
