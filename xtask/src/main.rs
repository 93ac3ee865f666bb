//! The commands of this repository, as `cargo xtask <command>`; `cargo xtask --help` lists them.
//!
//! One file per concern: `steps` runs commands and records the steps, `setup` prepares a machine
//! for the tests, and the other files are the commands. No file contains session logic.

mod api;
mod bench;
mod checks;
mod circles;
mod deny;
mod disk;
mod fuzz;
mod layers;
mod python;
mod screenshots;
mod setup;
mod shown;
mod soak;
mod source;
mod steps;
mod suites;
mod vectors;

use std::process::ExitCode;

use steps::{Outcome, Steps};

/// A subcommand of `cargo xtask`.
struct Command {
    name: &'static str,
    arguments: &'static str,
    summary: &'static str,
    run: fn(&Steps, &[String]) -> Outcome,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "setup",
        arguments: "",
        summary: "install what the tests need, on Debian or Ubuntu",
        run: setup::setup,
    },
    Command {
        name: "test",
        arguments: "",
        summary: "run setup, then every test",
        run: suites::test,
    },
    Command {
        name: "interop",
        arguments: "[args…]",
        summary: "test real Flask, Starlette and Quart against Carafe",
        run: suites::interop,
    },
    Command {
        name: "ci",
        arguments: "",
        summary: "run every check that a change must pass",
        run: checks::ci,
    },
    Command {
        name: "api",
        arguments: "[--bless]",
        summary: "compare the listings in api/ with the public surface, or write them",
        run: api::api,
    },
    Command {
        name: "bench",
        arguments: "[args…]",
        summary: "measure Carafe and its peers; --instructions counts instructions",
        run: bench::bench,
    },
    Command {
        name: "fuzz",
        arguments: "<target|all> [seconds]",
        summary: "fuzz one parser or each in turn, 60 seconds each",
        run: fuzz::fuzz,
    },
    Command {
        name: "screenshots",
        arguments: "",
        summary: "create the demo's pictures in docs/images",
        run: screenshots::screenshots,
    },
    Command {
        name: "soak",
        arguments: "<campaign|all> [count] [seed]",
        summary: "long campaigns on every store: schedules, history, processes, revoke, limit, kills",
        run: soak::soak_all,
    },
    Command {
        name: "python",
        arguments: "",
        summary: "check and test flask-carafe alone, from its wheel",
        run: python::alone,
    },
    Command {
        name: "wheel",
        arguments: "",
        summary: "build the wheel of flask-carafe into target/wheels",
        run: python::wheel,
    },
    Command {
        name: "vectors",
        arguments: "[names…]",
        summary: "let the real libraries add to testdata/vectors",
        run: vectors::vectors,
    },
];

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let dry = arguments.first().is_some_and(|first| first == "--dry-run");
    arguments.drain(..usize::from(dry));
    match arguments.split_first() {
        None => usage("which command?"),
        Some((name, _)) if matches!(name.as_str(), "help" | "--help" | "-h") => help(),
        Some((name, rest)) => match COMMANDS.iter().find(|command| command.name == name) {
            None => usage(&format!("there is no command `{name}`")),
            Some(command) => run(command, rest, dry),
        },
    }
}

fn run(command: &Command, arguments: &[String], dry: bool) -> ExitCode {
    if arguments.first().is_some_and(|first| first == "--help")
        && !command.arguments.contains("args")
    {
        return help();
    }
    let steps = match Steps::new(dry) {
        Ok(steps) => steps,
        Err(why) => return complain(&why.to_string(), 1),
    };
    let result = match arguments.first() {
        Some(surplus) if command.arguments.is_empty() => {
            Err(format!("`{surplus}`: {} takes no arguments", command.name).into())
        }
        _ => (command.run)(&steps, arguments),
    };
    steps.print_summary();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => complain(&format!("{}: {why}", command.name), 1),
    }
}

fn help() -> ExitCode {
    println!("cargo xtask [--dry-run] <command>\n");
    for Command {
        name,
        arguments,
        summary,
        ..
    } in COMMANDS
    {
        println!("  {:<36} {summary}", format!("{name} {arguments}"));
    }
    println!("\n  --dry-run prints the commands and runs none of them");
    ExitCode::SUCCESS
}

fn usage(why: &str) -> ExitCode {
    complain(
        &format!("{why}; `cargo xtask --help` lists the commands"),
        2,
    )
}

fn complain(why: &str, code: u8) -> ExitCode {
    eprintln!("xtask: {why}");
    ExitCode::from(code)
}
