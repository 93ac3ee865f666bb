//! `carafe store`: the store itself, not its sessions.

mod check;
mod init;

use std::process::ExitCode;

use clap::Subcommand;

use crate::{
    failure::{EXIT_CODES, Failure},
    runtime,
    stores::StoreArgs,
};

/// Prepare a store, or check its health
#[derive(clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct StoreCommand {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Subcommand)]
enum Action {
    Init(init::Init),
    Check(check::Check),
}

impl StoreCommand {
    pub(crate) fn run(&self) -> Result<ExitCode, Failure> {
        match &self.action {
            Action::Init(init) => runtime::block_on(init.run(&self.store)),
            Action::Check(check) => runtime::block_on(check.run(&self.store)),
        }
    }
}
