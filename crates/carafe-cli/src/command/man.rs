//! `carafe man`.

use std::{fs, path::PathBuf, process::ExitCode};

use crate::{failure::Failure, output};

/// Write the manual, one page per command
#[derive(clap::Args)]
#[command(after_help = "Examples:
  carafe man ~/.local/share/man/man1 && man carafe-sessions-list")]
pub(crate) struct Man {
    /// The directory; created if it does not exist
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

impl Man {
    /// Writes the manual of `program`.
    pub(crate) fn run(&self, program: clap::Command) -> Result<ExitCode, Failure> {
        let written = fs::create_dir_all(&self.dir)
            .and_then(|()| clap_mangen::generate_to(program, &self.dir));
        let shown = self.dir.display();
        written
            .map_err(|error| Failure::trouble(format_args!("cannot write to {shown}: {error}")))?;
        output::line(&format!("the pages are in {shown}; the first is carafe.1"))?;
        Ok(ExitCode::SUCCESS)
    }
}
