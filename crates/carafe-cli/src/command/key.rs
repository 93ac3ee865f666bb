//! `carafe key`: a new secret key.

use std::process::ExitCode;

use carafe_core::key::SecretKey;

use crate::{failure::Failure, output};

/// Print a new secret key: 64 hexadecimal digits from 32 random bytes
#[derive(clap::Args)]
#[command(after_help = "Examples:
  export SECRET_KEY=$(carafe key)
  carafe key > secret_key && chmod 600 secret_key")]
pub(crate) struct KeyCommand {}

impl KeyCommand {
    pub(crate) fn run(&self) -> Result<ExitCode, Failure> {
        let key = SecretKey::random_text().map_err(Failure::trouble)?;
        output::line(&key)?;
        Ok(ExitCode::SUCCESS)
    }
}
