//! `carafe store init`.

use std::process::ExitCode;

use crate::{
    failure::Failure,
    output,
    stores::{self, Initialized, StoreArgs},
};

/// Create the tables of the store, if it needs any and they are missing
///
/// A step of a deployment: no service creates tables by itself. The command is idempotent.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  carafe store init --store sqlite:sessions.db
  STORE_URL=postgres://app@localhost/shop carafe store init")]
pub(super) struct Init {}

impl Init {
    pub(super) async fn run(&self, store: &StoreArgs) -> Result<ExitCode, Failure> {
        let url = store.url()?;
        output::line(&match stores::init(&url).await? {
            Initialized::Made => format!("{url}: the tables were created"),
            Initialized::WereThere => format!("{url}: the tables exist; nothing to do"),
            Initialized::NeedsNothing => {
                format!(
                    "{url}: {} needs no tables; the store answers",
                    url.kind().name()
                )
            }
        })?;
        Ok(ExitCode::SUCCESS)
    }
}
