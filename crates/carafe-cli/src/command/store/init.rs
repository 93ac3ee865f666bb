//! `carafe store init`.

use std::process::ExitCode;

use crate::{
    failure::Failure,
    output,
    stores::{self, Initialized, StoreArgs},
};

/// Make the store's tables, if it needs some and they are not there
///
/// A step of a deployment: no service makes tables unasked. To run it again does no harm.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  carafe store init --store sqlite:sessions.db
  STORE_URL=postgres://app@localhost/shop carafe store init")]
pub(super) struct Init {}

impl Init {
    pub(super) async fn run(&self, store: &StoreArgs) -> Result<ExitCode, Failure> {
        let url = store.url()?;
        output::line(&match stores::init(&url).await? {
            Initialized::Made => format!("{url}: the tables are made"),
            Initialized::WereThere => format!("{url}: the tables were there; nothing was to do"),
            Initialized::NeedsNothing => {
                format!(
                    "{url}: {} needs no tables, and it answers",
                    url.kind().name()
                )
            }
        })?;
        Ok(ExitCode::SUCCESS)
    }
}
