//! `carafe key`: a new secret key. Next: `rotate.rs`, how to bring one in.

mod rotate;

use std::process::ExitCode;

use carafe_core::key::SecretKey;
use clap::Subcommand;

use crate::{failure::Failure, output};

/// Print a new secret key: 64 hexadecimal digits from 32 random bytes
#[derive(clap::Args)]
#[command(after_help = "Examples:
  export SECRET_KEY=$(carafe key)
  carafe key > secret_key && chmod 600 secret_key
  carafe key rotate")]
pub(crate) struct KeyCommand {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Subcommand)]
enum Action {
    Rotate(rotate::Rotate),
}

impl KeyCommand {
    pub(crate) fn run(&self) -> Result<ExitCode, Failure> {
        let key = SecretKey::random_text().map_err(Failure::trouble)?;
        match &self.action {
            None => output::line(&key)?,
            Some(Action::Rotate(rotate)) => rotate.run(&key)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
