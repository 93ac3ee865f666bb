//! The options of the demo.

use std::path::PathBuf;

/// Serve the demo page: sessions in signed cookies, in encrypted cookies and in an SQLite file,
/// side by side
///
/// Its keys are new at each start, unless SECRET_KEY is set.
#[derive(clap::Parser)]
#[command(
    name = "carafe-demo",
    version,
    max_term_width = 100,
    after_help = "Examples:
  cargo run
  cargo run -- --listen 127.0.0.1:0         on a free port
  cargo run -- --file sessions.db           log-ins and counts outlive the demo
  SECRET_KEY=$(cat key) cargo run           reads the cookies of a Flask application on this host"
)]
pub(crate) struct Args {
    /// The address and port to listen on; port 0 selects a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:5000")]
    pub(crate) listen: String,

    /// The SQLite file of the server-side sessions; created if it does not exist. Without this
    /// option, a private file that is removed at the end
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}
