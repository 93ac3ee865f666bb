//! Carafe beside its peers, in one process and one run; prints Markdown.
//!
//! | folder | holds |
//! |---|---|
//! | `harness` | rounds, CPU time, allocations, instructions, tables; knows no peer |
//! | `peers` | one file per peer: how it is set up and called |
//! | `codec` | family 1: a cookie's value made and read |
//! | `requests` | family 2: a request through the middleware |
//!
//! A new peer is a file in `peers` and a line in a family; a new family is a file here and a line in
//! [`FAMILIES`]. The README says how to run it and what the numbers mean.

mod codec;
mod content;
mod harness;
mod machine;
mod peers;
mod requests;

use std::process::ExitCode;

use harness::{Candidates, Measured, Outcome, instructions, measure};

#[global_allocator]
static ALLOCATOR: harness::CountingAllocator = harness::CountingAllocator;

/// Things that are measured against each other.
struct Family {
    name: &'static str,
    /// What is measured; without the peers that run in processes of their own if `alone`.
    candidates: fn(alone: bool) -> Outcome<Candidates>,
    /// The tables that are made of the results.
    report: fn(&Measured),
}

const FAMILIES: &[Family] = &[
    Family {
        name: "codec",
        candidates: codec::candidates,
        report: codec::report,
    },
    Family {
        name: "requests",
        candidates: requests::candidates,
        report: requests::report,
    },
];

const USAGE: &str = "\
carafe-bench [families…] [--rounds N] [--instructions]

  families          codec, requests; all of them unless named
  --rounds N        how often each candidate is timed, 101 unless given
  --instructions    count instructions with valgrind's callgrind instead of timing";

struct Arguments {
    families: Vec<&'static Family>,
    rounds: usize,
    mode: Mode,
}

enum Mode {
    Time,
    Instructions,
    /// The other side of `Instructions`: this process runs inside valgrind.
    UnderValgrind,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--help") {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    match Arguments::parse(&arguments).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("carafe-bench: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(
    Arguments {
        families,
        rounds,
        mode,
    }: Arguments,
) -> Outcome {
    if !matches!(mode, Mode::UnderValgrind) {
        machine::print();
    }
    families.into_iter().try_for_each(|family| match mode {
        Mode::Time => {
            (family.report)(&measure((family.candidates)(false)?, rounds)?);
            Ok(())
        }
        Mode::Instructions => instructions::report(family.name),
        Mode::UnderValgrind => instructions::run((family.candidates)(true)?),
    })
}

impl Arguments {
    fn parse(arguments: &[String]) -> Outcome<Self> {
        let mut parsed = Self {
            families: Vec::new(),
            rounds: 101,
            mode: Mode::Time,
        };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match argument.as_str() {
                "--rounds" => parsed.rounds = rest.next().ok_or(USAGE)?.parse()?,
                "--instructions" => parsed.mode = Mode::Instructions,
                instructions::INSIDE => parsed.mode = Mode::UnderValgrind,
                name => parsed.families.push(family(name)?),
            }
        }
        if parsed.families.is_empty() {
            parsed.families.extend(FAMILIES);
        }
        Ok(parsed)
    }
}

fn family(name: &str) -> Outcome<&'static Family> {
    let found = FAMILIES.iter().find(|family| family.name == name);
    found.ok_or_else(|| format!("there is no {name:?}\n{USAGE}").into())
}
