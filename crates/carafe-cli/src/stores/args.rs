//! `--store URL`.

use super::{OpenStore, StoreUrl, open};
use crate::failure::Failure;

/// Which store a command works on.
#[derive(clap::Args)]
#[command(next_help_heading = "Store")]
pub(crate) struct StoreArgs {
    // Text, not `StoreUrl`: clap's message for a bad value shows the value, and this may hold a password.
    /// The store: sqlite:FILE, redis://…, postgres://… or mysql://… Better in the environment, if it holds
    /// a password
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
    /// The URL that was given.
    pub(crate) fn url(&self) -> Result<StoreUrl, Failure> {
        let text = self.store.as_deref().filter(|text| !text.is_empty());
        let missing = "no store: pass --store URL or set STORE_URL, such as sqlite:sessions.db";
        StoreUrl::parse(text.ok_or_else(|| Failure::usage(missing))?)
    }

    /// The store, ready for use.
    pub(crate) async fn open(&self) -> Result<OpenStore, Failure> {
        open(&self.url()?).await
    }
}
