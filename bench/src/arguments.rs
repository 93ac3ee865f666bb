//! The command line of the program.

use crate::{
    FAMILIES, Family,
    harness::{Outcome, instructions},
};

pub(crate) const USAGE: &str = "\
carafe-bench [families…] [--rounds N] [--instructions]

  families          codec, requests, axum-session, actix, bearer, bearer-actix, tokens, memory, redis,
                    flask-session, sqlite, races, timing; all of them unless named
  --rounds N        how often each candidate is timed, unless given 101 (codec, requests, axum-session, actix,
                    bearer, bearer-actix, tokens), 41 (redis, flask-session), 7 (sqlite) or 100 times 10,000
                    calls (timing)
  --instructions    count instructions with valgrind's callgrind instead of timing (codec, requests,
                    axum-session, actix, bearer, bearer-actix, tokens)";

pub(crate) struct Arguments {
    pub(crate) families: Vec<&'static Family>,
    pub(crate) rounds: Option<usize>,
    pub(crate) mode: Mode,
}

pub(crate) enum Mode {
    Time,
    Instructions,
    /// The inner process of `Instructions`, which runs inside valgrind.
    UnderValgrind,
}

impl Arguments {
    pub(crate) fn parse(arguments: &[String]) -> Outcome<Self> {
        let mut parsed = Self {
            families: Vec::new(),
            rounds: None,
            mode: Mode::Time,
        };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match argument.as_str() {
                "--rounds" => parsed.rounds = Some(rest.next().ok_or(USAGE)?.parse()?),
                "--instructions" => parsed.mode = Mode::Instructions,
                instructions::INSIDE => parsed.mode = Mode::UnderValgrind,
                name => parsed.families.push(family(name)?),
            }
        }
        if parsed.families.is_empty() {
            parsed.families.extend(FAMILIES);
        }
        if parsed.rounds == Some(0) {
            return Err("no rounds, no results".into());
        }
        Ok(parsed)
    }
}

fn family(name: &str) -> Outcome<&'static Family> {
    let found = FAMILIES.iter().find(|family| family.name == name);
    found.ok_or_else(|| format!("there is no {name:?}\n{USAGE}").into())
}
