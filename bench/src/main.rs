//! Measures Carafe and its peers in one run; prints Markdown.
//!
//! | folder | content |
//! |---|---|
//! | `harness` | rounds, CPU time, allocations, instructions, tables; no peers |
//! | `peers` | one file per peer: its setup and calls |
//! | `codec` | family 1: writing and reading a cookie's value |
//! | `requests` | family 2: requests through the middleware, in cookies and with bearer tokens |
//! | `memory` | family 3: the memory of a million sessions |
//! | `redis` | family 4: a server over HTTP with its sessions in Redis |
//! | `flask_session` | family 5: one server's Redis, shared by Flask-Session and Carafe |
//! | `sqlite` | family 6: loads and durable saves in a file |
//! | `races` | family 7: the changes that survive concurrent requests on one session |
//! | `timing` | family 8: whether the time of a rejection reveals how wrong a tag is |
//! | `tokens` | family 9: signing and verifying access tokens |
//!
//! A new peer is a file in `peers` and a line in a family; a new family is a file here and a line
//! in [`FAMILIES`]. The README describes how to run the program and the meaning of the numbers.

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
mod scenario;
mod sqlite;
mod timing;
mod tokens;

use std::process::ExitCode;

use arguments::{Arguments, Mode, USAGE};
use harness::{Candidates, Measured, Outcome, instructions, measure};

#[global_allocator]
static ALLOCATOR: harness::CountingAllocator = harness::CountingAllocator;

/// Candidates that are compared with each other.
struct Family {
    name: &'static str,
    /// Default number of rounds.
    rounds: usize,
    way: Way,
}

/// The measurement of a family.
enum Way {
    /// Candidates for which CPU time is measured and valgrind can count instructions.
    Timed {
        /// Returns the candidates, without the peers in separate processes if `alone`.
        candidates: fn(alone: bool) -> Outcome<Candidates>,
        /// Prints the tables of the results.
        report: fn(&Measured),
    },
    /// Measures and prints by itself, with the given number of rounds.
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
        name: "bearer",
        rounds: 101,
        way: Way::Timed {
            candidates: requests::candidates_by_bearer,
            report: requests::report_by_bearer,
        },
    },
    Family {
        name: "bearer-actix",
        rounds: 101,
        way: Way::Timed {
            candidates: requests::candidates_by_bearer_on_actix,
            report: requests::report_by_bearer_on_actix,
        },
    },
    Family {
        name: "tokens",
        rounds: 101,
        way: Way::Timed {
            candidates: tokens::candidates,
            report: tokens::report,
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
    // This program started these inner processes itself, to observe them from outside.
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
            // These families work in other processes and in the kernel.
            (_, Way::Own(_)) => Ok(()),
        }
    }
}
