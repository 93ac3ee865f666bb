//! `carafe demo`: the demo page.

use std::{path::PathBuf, process::ExitCode};

use crate::{demo, failure::Failure};

const LISTEN: &str = "127.0.0.1:5000";

/// Serve the demo page: sessions in signed cookies, in encrypted cookies and in an SQLite file, side by side
///
/// Its keys are new at each start, unless SECRET_KEY is set.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  carafe demo
  carafe demo --listen 127.0.0.1:0          on a free port
  carafe demo --file sessions.db            log-ins and counts outlive the demo
  SECRET_KEY=$(cat key) carafe demo         reads the cookies of a Flask application on this host")]
pub(crate) struct DemoArgs {
    /// The address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = LISTEN)]
    listen: String,

    /// Where to keep the server-side sessions: an SQLite file, made if it is not there. Without this, a
    /// private file that is removed at the end
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

impl DemoArgs {
    pub(crate) fn run(&self) -> Result<ExitCode, Failure> {
        demo::serve(&self.listen, self.file.as_deref())?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Default for DemoArgs {
    fn default() -> Self {
        Self {
            listen: LISTEN.to_owned(),
            file: None,
        }
    }
}
