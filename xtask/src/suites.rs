//! The tests of this repository, in the order of their execution.
//!
//! Carafe's own tests, the comparison with real Flask, Starlette and Quart, the tests that need the
//! setup, the tests of flask-carafe, and a slice of each campaign.

use std::env;

use crate::command::{cargo, program};
use crate::disk;
use crate::python;
use crate::setup;
use crate::shell::{Outcome, Shell};
use crate::soak;

/// The variable for the directory of Wycheproof's JWS and JWK groups, which no crate contains.
const WYCHEPROOF: &str = "CARAFE_WYCHEPROOF";
/// Default number of random sessions, for each suite and each direction.
const SESSIONS: &str = "100000";

pub(crate) fn test(shell: &mut Shell, _: &[String]) -> Outcome {
    shell.step("Room on the disk", disk::has_room)?;
    all(shell)
}

/// Runs the tests of `test` once the disk has space. A failed suite does not hide the failures of
/// the others: all run, and the first failure is the result.
pub(crate) fn all(shell: &mut Shell) -> Outcome {
    setup::for_tests(shell)?;
    let suites: [fn(&mut Shell) -> Outcome; 5] = [
        tests,
        |shell| compare(shell, &[]),
        tests_with_setup,
        python::test,
        soak::slices,
    ];
    let outcomes = suites.map(|suite| suite(shell));
    outcomes.into_iter().collect()
}

fn tests(shell: &mut Shell) -> Outcome {
    let mut tests = cargo("test --workspace --all-features --no-fail-fast");
    shell.step_of("Tests", &mut tests)
}

fn tests_with_setup(shell: &mut Shell) -> Outcome {
    // `--tests` excludes the documentation's examples, for which `--ignored` has another meaning
    let mut tests = cargo("test --workspace --all-features --no-fail-fast --tests -- --ignored");
    if env::var_os(WYCHEPROOF).is_none() {
        tests.args(["--skip", "wycheproof::"]);
        let why = format!("{WYCHEPROOF} names no checkout of C2SP/wycheproof");
        shell.skip("Wycheproof's JWS and JWK groups", &why);
    }
    shell.step_of("Tests that need the set-up", &mut tests)
}

pub(crate) fn interop(shell: &mut Shell, arguments: &[String]) -> Outcome {
    setup::for_tests(shell)?;
    compare(shell, arguments)
}

/// Runs the comparison after the setup: builds its programs; a missing file is a failure.
fn compare(shell: &mut Shell, arguments: &[String]) -> Outcome {
    shell.step_of(
        "Examples",
        &mut cargo("build --workspace --all-features --examples"),
    )?;
    shell.step_of(
        "The peer",
        &mut cargo("build --release --package carafe-interop-peer"),
    )?;
    // Uses the features of the previous step, so that the stores are not built again.
    shell.step_of(
        "The peer with stores",
        &mut cargo("build --workspace --all-features --bin carafe-interop-store-peer"),
    )?;
    let mut run = program(setup::python(shell), ["interop/run.py", "--peer"]);
    run.arg(shell.target("release/carafe-interop-peer"))
        .arg("--store-peer")
        .arg(shell.target("debug/carafe-interop-store-peer"))
        .arg("--examples")
        .arg(shell.target("debug/examples"));
    if !arguments
        .iter()
        .any(|argument| argument.starts_with("--sessions"))
    {
        run.args(["--sessions", SESSIONS]);
    }
    shell.step_of("Interoperation", run.args(arguments))
}
