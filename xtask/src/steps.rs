//! The steps of a run. Each prints its name and its commands; the first failure stops the run.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use xshell::{Cmd, Shell};

/// The result of a step. The error is one line for the user.
pub(crate) type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// Runs all commands at the root of the repository, without input, and records the steps.
pub(crate) struct Steps {
    /// The shell for `cmd!` and for files; its directory is the root of the repository.
    pub(crate) sh: Shell,
    dry: bool,
    done: RefCell<Vec<Step>>,
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

impl Steps {
    /// Creates an empty list of steps. Dry steps print their commands and run none.
    pub(crate) fn new(dry: bool) -> Outcome<Self> {
        let sh = Shell::new()?;
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        sh.change_dir(here.parent().unwrap_or(here));
        Ok(Self {
            sh,
            dry,
            done: RefCell::default(),
        })
    }

    pub(crate) fn is_dry(&self) -> bool {
        self.dry
    }

    /// Returns a path in the repository.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.sh.current_dir().join(relative)
    }

    /// Returns a path below cargo's target directory, for everything that can be built again.
    pub(crate) fn target(&self, relative: &str) -> PathBuf {
        self.target_of("", relative)
    }

    /// Returns the target path of the workspace in a folder.
    pub(crate) fn target_of(&self, workspace: &str, relative: &str) -> PathBuf {
        let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
        let target = target.unwrap_or_else(|| Path::new(workspace).join("target"));
        self.sh.current_dir().join(target).join(relative)
    }

    /// Runs a step under a headline, timed for the summary.
    pub(crate) fn step(&self, name: &str, work: impl FnOnce(&Steps) -> Outcome) -> Outcome {
        println!("\n=== {name}");
        let start = Instant::now();
        let result = work(self);
        let end = if result.is_ok() {
            End::Passed
        } else {
            End::Failed
        };
        self.done.borrow_mut().push(Step {
            name: name.to_owned(),
            took: start.elapsed(),
            end,
        });
        result.map_err(|why| format!("{name}: {why}").into())
    }

    /// Runs a step that consists of a single command.
    pub(crate) fn step_of(&self, name: &str, command: Cmd<'_>) -> Outcome {
        self.step(name, |steps| steps.run(command))
    }

    /// Skips a step. The summary repeats the reason.
    pub(crate) fn skip(&self, name: &str, why: &str) {
        println!("\n=== {name}\nskipped: {why}");
        let end = End::Skipped(why.to_owned());
        self.done.borrow_mut().push(Step {
            name: name.to_owned(),
            took: Duration::ZERO,
            end,
        });
    }

    /// Runs a command and shows its output.
    pub(crate) fn run(&self, command: Cmd<'_>) -> Outcome {
        let command = self.print(command);
        if !self.dry {
            command.run()?;
        }
        Ok(())
    }

    /// Runs a command that only reads, also in a dry run, and returns its output.
    pub(crate) fn read(&self, command: Cmd<'_>) -> Outcome<String> {
        Ok(self.print(command).read()?)
    }

    /// Prints a command as a user would type it, and returns it with its words and variables.
    ///
    /// xshell prints no variables and does not quote for a shell. A `Cmd` cannot be inspected, so
    /// it is converted, and built again.
    fn print(&self, command: Cmd<'_>) -> Cmd<'_> {
        let command = Command::from(command);
        println!("$ {}", shown(&command));
        let variables = command.get_envs();
        let same = self.sh.cmd(command.get_program()).args(command.get_args());
        same.envs(variables.filter_map(|(name, value)| Some((name, value?))))
            .quiet()
    }

    /// Prints the steps with their durations in seconds.
    pub(crate) fn print_summary(&self) {
        let done = self.done.borrow();
        if done.is_empty() {
            return;
        }
        println!("\n=== Summary");
        for Step { name, took, end } in done.iter() {
            let note = match end {
                End::Passed => String::new(),
                End::Failed => "  FAILED".to_owned(),
                End::Skipped(why) => format!("  skipped: {why}"),
            };
            println!("{:7.1} s  {name}{note}", took.as_secs_f64());
        }
        let total: Duration = done.iter().map(|step| step.took).sum();
        println!("{:7.1} s  in all", total.as_secs_f64());
    }
}

/// Returns the command as a user would type it into a shell.
fn shown(command: &Command) -> String {
    let variables = command
        .get_envs()
        .filter_map(|(name, value)| Some(format!("{}={}", name.display(), quoted(value?))));
    let words = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(quoted);
    variables.chain(words).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=+.,:/@%".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.into_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use xshell::cmd;

    #[test]
    fn the_first_failure_is_named_and_stays_in_the_list() {
        let steps = Steps::new(false).unwrap();
        for (command, expected) in [
            (
                cmd!(steps.sh, "false"),
                "command exited with non-zero code `false`: 1",
            ),
            (
                cmd!(steps.sh, "no-such-program"),
                "command not found: `no-such-program`",
            ),
        ] {
            let why = steps.step_of("No", command).unwrap_err().to_string();
            assert_eq!(why, format!("No: {expected}"));
            assert!(matches!(
                steps.done.borrow().last().unwrap().end,
                End::Failed
            ));
        }
    }

    #[test]
    fn dry_steps_run_nothing() {
        let steps = Steps::new(true).unwrap();
        assert!(steps.run(cmd!(steps.sh, "false")).is_ok());
    }

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        let sh = Shell::new().unwrap();
        let (code, empty) = ("print('x')", "");
        let command = cmd!(sh, "python3 -c {code} {empty}").env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(
            shown(&command.into()),
            r"RUSTDOCFLAGS='-D warnings' python3 -c 'print('\''x'\'')' ''"
        );
    }
}
