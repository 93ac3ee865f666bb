//! `carafe`: the command line of Carafe.
//!
//! | module | contents |
//! |---|---|
//! | [`command`] | one file per command: its options, its help and its output |
//! | [`stores`] | any store, from its URL |
//! | [`migration`] | moves sessions between stores |
//! | [`console`] | the pages of [`carafe_console`] on this machine, behind a token |
//!
//! Failures, keys, formats and the inspection of cookies are in [`carafe_program`], which the demo
//! also uses. All decisions about sessions are made in `carafe_core`.

mod command;
mod console;
mod json_color;
mod migration;
mod runtime;
mod stores;
mod table;

use std::process::ExitCode;

use carafe_console::shared::{human, json_text};
use carafe_program::{failure, format, inspection, keys, output, shutdown};
use clap::Parser as _;

fn main() -> ExitCode {
    let done = command::Cli::parse().run();
    done.unwrap_or_else(|failure| output::failure(&failure))
}
