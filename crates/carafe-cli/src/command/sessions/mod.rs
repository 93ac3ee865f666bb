//! `carafe sessions`: an operator's view of a store. Nothing here ever shows an id or a store's key.

mod list;
mod revoke;
mod show;
mod stats;
mod sweep;

use std::process::ExitCode;

use carafe_core::store::{Handle, Summary};
use clap::Subcommand;
use serde::Serialize;

use crate::{
    failure::{EXIT_CODES, Failure},
    runtime,
    stores::StoreArgs,
};

/// Look at the sessions of a store, and end them
///
/// A session is named by its handle, which is of no use to whoever wants to take it over.
#[derive(clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct SessionsCommand {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Subcommand)]
enum Action {
    List(list::List),
    Show(show::Show),
    Revoke(revoke::Revoke),
    Sweep(sweep::Sweep),
    Stats(stats::Stats),
}

impl SessionsCommand {
    pub(crate) fn run(&self) -> Result<ExitCode, Failure> {
        let done = async {
            match &self.action {
                Action::List(list) => list.run(&self.store).await,
                Action::Show(show) => show.run(&self.store).await,
                Action::Revoke(revoke) => revoke.run(&self.store).await,
                Action::Sweep(sweep) => sweep.run(&self.store).await,
                Action::Stats(stats) => stats.run(&self.store).await,
            }
        };
        runtime::block_on(done)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// A session for programs, with times in seconds since 1970. Fields are only ever added.
#[derive(Serialize)]
struct Facts<'s> {
    handle: String,
    user: Option<&'s str>,
    device: Option<&'s str>,
    created: i64,
    renewed: i64,
    last_seen: i64,
    expires: i64,
    authenticated: Option<i64>,
    version: u64,
}

impl<'s> Facts<'s> {
    fn of(session: &'s Summary) -> Self {
        Self {
            handle: session.handle.to_string(),
            user: session.user.as_deref(),
            device: session.device.as_deref(),
            created: session.created.unix(),
            renewed: session.renewed.unix(),
            last_seen: session.last_seen.unix(),
            expires: session.expires.unix(),
            authenticated: session
                .authenticated
                .map(carafe_core::clock::Timestamp::unix),
            version: session.version,
        }
    }
}

/// For clap.
fn handle(text: &str) -> Result<Handle, &'static str> {
    Handle::parse(text).ok_or("a handle has 16 characters, such as `carafe sessions list` shows")
}
