//! The option `--store URL`.

use super::{OpenStore, StoreUrl, open};
use crate::failure::Failure;

/// The store of a command.
#[derive(clap::Args)]
#[command(next_help_heading = "Store")]
pub(crate) struct StoreArgs {
    // A `String` and not a `StoreUrl`, because clap's message for an invalid value shows the value,
    // which may contain a password.
    /// The store: sqlite:FILE, redis://…, postgres://… or mysql://… Prefer the environment if it
    /// contains a password
    #[arg(
        long,
        value_name = "URL",
        env = "STORE_URL",
        hide_env_values = true,
        global = true
    )]
    store: Option<String>,
}

impl StoreArgs {
    /// Returns the URL of the store.
    pub(crate) fn url(&self) -> Result<StoreUrl, Failure> {
        let text = self.store.as_deref().filter(|text| !text.is_empty());
        let missing = "no store: pass --store URL or set STORE_URL, such as sqlite:sessions.db";
        StoreUrl::parse(text.ok_or_else(|| Failure::usage(missing))?)
    }

    /// Opens the store.
    pub(crate) async fn open(&self) -> Result<OpenStore, Failure> {
        open(&self.url()?).await
    }
}
