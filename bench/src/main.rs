//! Carafe beside its peers, in one run; prints Markdown.
//!
//! | folder | holds |
//! |---|---|
//! | `harness` | rounds, CPU time, allocations, instructions, tables; knows no peer |
//! | `peers` | one file per peer: how it is set up and called |
//! | `codec` | family 1: a cookie's value made and read |
//! | `requests` | family 2: a request through the middleware; axum_session's and actix-web's apart |
//! | `memory` | family 3: what a million sessions in memory take |
//! | `redis` | family 4: a server over HTTP with its sessions in Redis |
//! | `flask_session` | family 5: one server's Redis, shared by Flask-Session and us |
//! | `sqlite` | family 6: loads and durable saves in a file |
//! | `races` | family 7: what survives when a session is changed by many at once |
//! | `timing` | family 8: whether a refusal's time tells how wrong a tag is |
//!
//! A new peer is a file in `peers` and a line in a family; a new family is a file here and a line in
//! [`FAMILIES`]. The README says how to run it and what the numbers mean.

mod arguments;
mod codec;
mod content;
mod flask_session;
mod harness;
mod machine;
mod memory;
mod peers;
mod races;
mod redis;
mod redis_server;
mod requests;
mod sqlite;
mod timing;

use std::process::ExitCode;

use arguments::{Arguments, Mode, USAGE};
use harness::{Candidates, Measured, Outcome, instructions, measure};

#[global_allocator]
static ALLOCATOR: harness::CountingAllocator = harness::CountingAllocator;

/// Things that are measured against each other.
struct Family {
    name: &'static str,
    /// Rounds, unless told otherwise.
    rounds: usize,
    way: Way,
}

/// How a family is measured.
enum Way {
    /// Candidates whose CPU time is taken, and whose instructions valgrind can count.
    Timed {
        /// What is measured; without the peers that run in processes of their own if `alone`.
        candidates: fn(alone: bool) -> Outcome<Candidates>,
        /// The tables that are made of the results.
        report: fn(&Measured),
    },
    /// Measures and prints by itself, with so many rounds.
    Own(fn(usize) -> Outcome),
}

const FAMILIES: &[Family] = &[
    Family {
        name: "codec",
        rounds: 101,
        way: Way::Timed {
            candidates: codec::candidates,
            report: codec::report,
        },
    },
    Family {
        name: "requests",
        rounds: 101,
        way: Way::Timed {
            candidates: requests::candidates,
            report: requests::report,
        },
    },
    Family {
        name: "axum-session",
        rounds: 101,
        way: Way::Timed {
            candidates: requests::candidates_apart,
            report: requests::report_apart,
        },
    },
    Family {
        name: "actix",
        rounds: 101,
        way: Way::Timed {
            candidates: requests::candidates_on_actix,
            report: requests::report_on_actix,
        },
    },
    Family {
        name: "memory",
        rounds: 1,
        way: Way::Own(memory::run),
    },
    Family {
        name: "redis",
        rounds: 41,
        way: Way::Own(redis::run),
    },
    Family {
        name: "flask-session",
        rounds: 41,
        way: Way::Own(flask_session::run),
    },
    Family {
        name: "sqlite",
        rounds: 7,
        way: Way::Own(sqlite::run),
    },
    Family {
        name: "races",
        rounds: 1,
        way: Way::Own(races::run),
    },
    Family {
        name: "timing",
        rounds: 100,
        way: Way::Own(timing::run),
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--help") {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("carafe-bench: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Outcome {
    // This program started by itself, to be looked at from outside.
    match arguments {
        [part, rest @ ..] if part == memory::INSIDE => return memory::inside(rest),
        [part, rest @ ..] if part == redis::SERVER => return redis::serve(rest),
        _ => {}
    }
    let arguments = Arguments::parse(arguments)?;
    if !matches!(arguments.mode, Mode::UnderValgrind) {
        machine::print();
    }
    arguments
        .families
        .iter()
        .try_for_each(|family| family.run(&arguments))
}

impl Family {
    fn run(&self, arguments: &Arguments) -> Outcome {
        let rounds = arguments.rounds.unwrap_or(self.rounds);
        match (&arguments.mode, &self.way) {
            (Mode::Time, Way::Timed { candidates, report }) => {
                report(&measure(candidates(false)?, rounds)?);
                Ok(())
            }
            (Mode::Time, Way::Own(run)) => run(rounds),
            (Mode::Instructions, Way::Timed { .. }) => instructions::report(self.name),
            (Mode::UnderValgrind, Way::Timed { candidates, .. }) => {
                instructions::run(candidates(true)?)
            }
            // Their work is done in other processes and in the kernel.
            (_, Way::Own(_)) => Ok(()),
        }
    }
}
