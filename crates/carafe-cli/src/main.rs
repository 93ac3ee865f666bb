//! `carafe`: the command line of Carafe, and its demo.
//!
//! | room | what it does |
//! |---|---|
//! | [`command`] | one file per command: its options, its help, what it prints |
//! | [`inspection`] | what is to be said about one cookie; shared by `inspect` and the demo |
//! | [`stores`] | any store, from its URL |
//! | [`migration`] | moving sessions between stores |
//! | [`demo`] | the demo page: one server, three sessions, no script |
//! | [`console`] | the console: the live sessions of a store, for operators |
//! | [`web`] | what the pages of both share |
//!
//! Keys come in through [`keys`], formats through [`mod@format`], all text goes out through [`output`].
//! Nothing here decides about sessions; that is `carafe_core`.

mod command;
mod console;
mod demo;
mod failure;
mod format;
mod human;
mod inspection;
mod json_text;
mod keys;
mod migration;
mod output;
mod runtime;
mod stores;
mod table;
mod web;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let done = command::Cli::parse().run();
    done.unwrap_or_else(|failure| failure.report())
}
