//! Runs programs. Each step prints its name and the exact command; the first failure stops the run.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::command::shown;

/// The result of a step. The error is one line for the user.
pub(crate) type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// Runs all commands at the root of the repository, without input, and records the steps.
pub(crate) struct Shell {
    root: PathBuf,
    dry: bool,
    steps: Vec<Step>,
}

struct Step {
    name: String,
    took: Duration,
    end: End,
}

enum End {
    Passed,
    Failed,
    Skipped(String),
}

impl Shell {
    /// Creates a shell. A dry shell prints the commands and runs none.
    pub(crate) fn new(dry: bool) -> Self {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        Self {
            root: here.parent().unwrap_or(here).to_owned(),
            dry,
            steps: Vec::new(),
        }
    }

    pub(crate) fn is_dry(&self) -> bool {
        self.dry
    }

    /// Returns a path in the repository.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// Returns a path below cargo's target directory, for everything that can be built again.
    pub(crate) fn target(&self, relative: &str) -> PathBuf {
        self.target_of("", relative)
    }

    /// Returns the target path of the workspace in a folder.
    pub(crate) fn target_of(&self, workspace: &str, relative: &str) -> PathBuf {
        let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
        let target = target.unwrap_or_else(|| Path::new(workspace).join("target"));
        self.root.join(target).join(relative)
    }

    /// Runs a step under a headline, timed for the summary.
    pub(crate) fn step(&mut self, name: &str, work: impl FnOnce(&Shell) -> Outcome) -> Outcome {
        println!("\n=== {name}");
        let start = Instant::now();
        let result = work(self);
        let end = if result.is_ok() {
            End::Passed
        } else {
            End::Failed
        };
        self.steps.push(Step {
            name: name.to_owned(),
            took: start.elapsed(),
            end,
        });
        result.map_err(|why| format!("{name}: {why}").into())
    }

    /// Runs a step that consists of a single command.
    pub(crate) fn step_of(&mut self, name: &str, command: &mut Command) -> Outcome {
        self.step(name, |shell| shell.run(command))
    }

    /// Skips a step. The summary repeats the reason.
    pub(crate) fn skip(&mut self, name: &str, why: &str) {
        println!("\n=== {name}\nskipped: {why}");
        let end = End::Skipped(why.to_owned());
        self.steps.push(Step {
            name: name.to_owned(),
            took: Duration::ZERO,
            end,
        });
    }

    /// Runs a command and shows its output.
    pub(crate) fn run(&self, command: &mut Command) -> Outcome {
        println!("$ {}", shown(command));
        if self.dry {
            return Ok(());
        }
        let status = command
            .current_dir(&self.root)
            .stdin(Stdio::null())
            .status();
        match status.map_err(|why| format!("cannot run `{}`: {why}", shown(command)))? {
            status if status.success() => Ok(()),
            status => Err(format!("`{}` ended with {status}", shown(command)).into()),
        }
    }

    /// Runs a command that only reads, also in a dry shell, and returns its output.
    pub(crate) fn read(&self, command: &mut Command) -> Outcome<String> {
        println!("$ {}", shown(command));
        let output = command
            .current_dir(&self.root)
            .stdin(Stdio::null())
            .output();
        let output = output.map_err(|why| format!("cannot run `{}`: {why}", shown(command)))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let complaint = String::from_utf8_lossy(&output.stderr);
        Err(format!(
            "`{}` ended with {}: {}",
            shown(command),
            output.status,
            complaint.trim()
        )
        .into())
    }

    /// Returns the output of a command, or `None` if it fails. Prints nothing.
    pub(crate) fn probe(&self, mut command: Command) -> Option<String> {
        let output = command
            .current_dir(&self.root)
            .stdin(Stdio::null())
            .output()
            .ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Prints the steps with their durations in seconds.
    pub(crate) fn print_summary(&self) {
        if self.steps.is_empty() {
            return;
        }
        println!("\n=== Summary");
        for Step { name, took, end } in &self.steps {
            let note = match end {
                End::Passed => String::new(),
                End::Failed => "  FAILED".to_owned(),
                End::Skipped(why) => format!("  skipped: {why}"),
            };
            println!("{:7.1} s  {name}{note}", took.as_secs_f64());
        }
        let total: Duration = self.steps.iter().map(|step| step.took).sum();
        println!("{:7.1} s  in all", total.as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::program;

    #[test]
    fn the_first_failure_is_named_and_stays_in_the_list() {
        let mut shell = Shell::new(false);
        let why = shell
            .step_of("No", &mut program("false", [""; 0]))
            .unwrap_err()
            .to_string();
        assert!(
            why.starts_with("No: `false` ended with exit status: 1"),
            "{why}"
        );
        assert!(matches!(shell.steps[0].end, End::Failed));
    }

    #[test]
    fn a_dry_shell_runs_nothing() {
        assert!(Shell::new(true).run(&mut program("false", [""; 0])).is_ok());
    }
}
