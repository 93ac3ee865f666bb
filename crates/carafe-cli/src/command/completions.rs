//! `carafe completions`.

use std::process::ExitCode;

use clap_complete::Shell;

use crate::{failure::Failure, output};

/// Print the completions of a shell
#[derive(clap::Args)]
#[command(after_help = "Examples:
  carafe completions bash > ~/.local/share/bash-completion/completions/carafe
  carafe completions zsh > ~/.zfunc/_carafe
  carafe completions fish > ~/.config/fish/completions/carafe.fish")]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

impl Completions {
    /// Prints the completions of `program`.
    pub(crate) fn run(&self, mut program: clap::Command) -> Result<ExitCode, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut program, "carafe", &mut script);
        output::line(String::from_utf8_lossy(&script).trim_end())?;
        Ok(ExitCode::SUCCESS)
    }
}
