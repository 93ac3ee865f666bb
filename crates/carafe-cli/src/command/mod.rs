//! The commands, one file each.

mod completions;
mod console;
mod input;
mod inspect;
mod key;
mod man;
mod migrate;
mod sessions;
mod sign;
mod store;
mod version;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use carafe_program::exit_codes;

use crate::failure::Failure;

/// Cookies and sessions for Rust web services, with Flask's model and wire format.
#[derive(Parser)]
#[command(name = "carafe", version, long_version = version::long(), max_term_width = 100, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = concat!(
    "\
Secret keys are read from SECRET_KEY, and older ones from SECRET_KEY_FALLBACKS (a JSON list),
so that they need not stand in the shell's history.

Examples:
  export SECRET_KEY=$(carafe key)          a new secret key
  carafe inspect -- eyJ1c2VyX2lkIjo0…      what is in a session cookie, and whether it is good
  carafe sign -- '{\"user_id\":42}'          a session cookie for tests
  carafe store init --store sqlite:s.db    the tables of a store
  carafe sessions list --store sqlite:s.db the sessions in it
  carafe console --store sqlite:s.db       a page for operators

",
    exit_codes!()
);

#[derive(Subcommand)]
enum Command {
    Console(console::ConsoleArgs),
    Key(key::KeyCommand),
    Inspect(inspect::InspectArgs),
    Sign(sign::SignArgs),
    Sessions(sessions::SessionsCommand),
    Store(store::StoreCommand),
    Migrate(migrate::Migrate),
    Completions(completions::Completions),
    Man(man::Man),
}

impl Cli {
    /// Runs the command.
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        match self.command {
            Command::Console(args) => args.run(),
            Command::Key(args) => args.run(),
            Command::Inspect(args) => args.run(),
            Command::Sign(args) => args.run(),
            Command::Sessions(args) => args.run(),
            Command::Store(args) => args.run(),
            Command::Migrate(args) => args.run(),
            Command::Completions(args) => args.run(Self::command()),
            Command::Man(args) => args.run(Self::command()),
        }
    }
}
