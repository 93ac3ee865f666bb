//! `carafe store`: the store itself, without a look at its sessions.

mod check;
mod init;

use std::process::ExitCode;

use clap::Subcommand;

use crate::{
    failure::{EXIT_CODES, Failure},
    runtime,
    stores::StoreArgs,
};

/// Prepare a store, or ask how it is
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
