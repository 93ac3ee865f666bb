//! `carafe console`: the live sessions of a store, on a page for operators.

use std::{net::IpAddr, process::ExitCode};

use crate::{
    console::{self, Base, Options},
    failure::Failure,
    stores::StoreArgs,
};

/// Serve a web console to search, show and revoke the live sessions of a store
///
/// It listens on this machine only, and requires the token that it prints at start.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  carafe console --store sqlite:sessions.db
  STORE_URL=redis://cache.internal carafe console --read-only
  carafe console --store … --base-path /ops/carafe --allow-host ops.example    behind a proxy with TLS")]
pub(crate) struct ConsoleArgs {
    /// The port to listen on; 0 selects a free one
    #[arg(long, value_name = "PORT", default_value_t = 5001)]
    port: u16,

    /// The address to listen on: 127.0.0.1 or ::1. Other machines reach it through a proxy only
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    address: IpAddr,

    /// The path under which a proxy serves the console, and which it passes on, such as /ops/carafe
    #[arg(
        long,
        value_name = "PATH",
        default_value = "",
        hide_default_value = true
    )]
    base_path: String,

    /// A host name under which a proxy reaches the console, as in `Host`; repeatable
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,

    /// Read-only: nothing can be revoked
    #[arg(long)]
    read_only: bool,

    // Last, because its heading applies to everything after it.
    #[command(flatten)]
    store: StoreArgs,
}

impl ConsoleArgs {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let options = Options {
            address: self.address,
            port: self.port,
            base: Base::parse(&self.base_path)?,
            hosts: self.allow_host,
            read_only: self.read_only,
        };
        console::serve(&self.store, options)?;
        Ok(ExitCode::SUCCESS)
    }
}
