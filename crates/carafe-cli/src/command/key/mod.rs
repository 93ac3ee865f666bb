//! `carafe key`: secret keys. `rotate.rs` replaces one; `token.rs` creates keys of access tokens.

mod rotate;
pub(crate) mod token;

use std::process::ExitCode;

use carafe_core::key::SecretKey;
use clap::Subcommand;

use crate::{failure::Failure, output};

/// Print a new secret key: 64 hexadecimal digits from 32 random bytes
#[derive(clap::Args)]
#[command(after_help = "Examples:
  export SECRET_KEY=$(carafe key)
  carafe key > secret_key && chmod 600 secret_key
  carafe key rotate
  carafe key token > token_key.json
  carafe key jwk-set token_key.json > jwks.json")]
pub(crate) struct KeyCommand {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Subcommand)]
enum Action {
    Rotate(rotate::Rotate),
    Token(token::TokenKey),
    JwkSet(token::JwkSet),
}

impl KeyCommand {
    pub(crate) fn run(&self) -> Result<ExitCode, Failure> {
        let new = || SecretKey::random_text().map_err(Failure::trouble);
        match &self.action {
            None => output::line(&new()?)?,
            Some(Action::Rotate(rotate)) => rotate.run(&new()?)?,
            Some(Action::Token(token)) => token.run()?,
            Some(Action::JwkSet(set)) => set.run()?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
