//! The tests of this repository, in the order of their execution.
//!
//! Carafe's own tests, the comparison with real Flask, Starlette and Quart, the tests that need the
//! setup, the tests of flask-carafe, and a slice of each campaign.

use std::env;

use xshell::cmd;

use crate::disk;
use crate::python;
use crate::setup;
use crate::soak;
use crate::steps::{Outcome, Steps};

/// The variable for the directory of Wycheproof's JWS and JWK groups, which no crate contains.
const WYCHEPROOF: &str = "CARAFE_WYCHEPROOF";
/// Default number of random sessions, for each suite and each direction.
const SESSIONS: &str = "100000";

pub(crate) fn test(steps: &Steps, _: &[String]) -> Outcome {
    steps.step("Room on the disk", disk::has_room)?;
    all(steps)
}

/// Runs the tests of `test` once the disk has space. A failed suite does not hide the failures of
/// the others: all run, and the first failure is the result.
pub(crate) fn all(steps: &Steps) -> Outcome {
    setup::for_tests(steps)?;
    let suites: [fn(&Steps) -> Outcome; 5] = [
        tests,
        |steps| compare(steps, &[]),
        tests_with_setup,
        python::test,
        soak::slices,
    ];
    let outcomes = suites.map(|suite| suite(steps));
    outcomes.into_iter().collect()
}

fn tests(steps: &Steps) -> Outcome {
    let tests = cmd!(
        steps.sh,
        "cargo test --workspace --all-features --no-fail-fast"
    );
    steps.step_of("Tests", tests)
}

fn tests_with_setup(steps: &Steps) -> Outcome {
    // `--tests` excludes the documentation's examples, for which `--ignored` has another meaning
    let mut tests = cmd!(
        steps.sh,
        "cargo test --workspace --all-features --no-fail-fast --tests -- --ignored"
    );
    if env::var_os(WYCHEPROOF).is_none() {
        tests = tests.args(["--skip", "wycheproof::"]);
        let why = format!("{WYCHEPROOF} names no checkout of C2SP/wycheproof");
        steps.skip("Wycheproof's JWS and JWK groups", &why);
    }
    steps.step_of("Tests that need the set-up", tests)
}

pub(crate) fn interop(steps: &Steps, arguments: &[String]) -> Outcome {
    setup::for_tests(steps)?;
    compare(steps, arguments)
}

/// Runs the comparison after the setup: builds its programs; a missing file is a failure.
fn compare(steps: &Steps, arguments: &[String]) -> Outcome {
    let sh = &steps.sh;
    let examples = cmd!(sh, "cargo build --workspace --all-features --examples");
    steps.step_of("Examples", examples)?;
    let peer = cmd!(sh, "cargo build --release --package carafe-interop-peer");
    steps.step_of("The peer", peer)?;
    // Uses the features of the previous step, so that the stores are not built again.
    let peer = cmd!(
        sh,
        "cargo build --workspace --all-features --bin carafe-interop-store-peer"
    );
    steps.step_of("The peer with stores", peer)?;
    let python = setup::python(steps);
    let peer = steps.target("release/carafe-interop-peer");
    let store_peer = steps.target("debug/carafe-interop-store-peer");
    let examples = steps.target("debug/examples");
    let mut run = cmd!(
        sh,
        "{python} interop/run.py --peer {peer} --store-peer {store_peer} --examples {examples}"
    );
    if !arguments
        .iter()
        .any(|argument| argument.starts_with("--sessions"))
    {
        run = run.args(["--sessions", SESSIONS]);
    }
    steps.step_of("Interoperation", run.args(arguments))
}
