//! `carafe demo`: the demo page.

use std::process::ExitCode;

use crate::{demo, failure::Failure};

const LISTEN: &str = "127.0.0.1:5000";

/// Serve the demo page: sessions in signed and in encrypted cookies, side by side
///
/// Its keys are new at each start, unless SECRET_KEY is set.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  carafe demo
  carafe demo --listen 127.0.0.1:0          on a free port
  SECRET_KEY=$(cat key) carafe demo         reads the cookies of a Flask application on this host")]
pub(crate) struct DemoArgs {
    /// The address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = LISTEN)]
    listen: String,
}

impl DemoArgs {
    pub(crate) fn run(&self) -> Result<ExitCode, Failure> {
        demo::serve(&self.listen)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Default for DemoArgs {
    fn default() -> Self {
        Self {
            listen: LISTEN.to_owned(),
        }
    }
}
