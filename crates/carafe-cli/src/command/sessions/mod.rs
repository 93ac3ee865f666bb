//! `carafe sessions`: an operator's view of a store. No command shows an ID or a store key.

mod list;
mod listed;
mod public_id;
mod revoke;
mod show;
mod stats;
mod sweep;

use std::process::ExitCode;

use clap::Subcommand;

use crate::{
    failure::{EXIT_CODES, Failure},
    runtime,
    stores::StoreArgs,
};

/// List, show and revoke the sessions of a store
///
/// A session is named by its public ID, which does not grant access to it.
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
