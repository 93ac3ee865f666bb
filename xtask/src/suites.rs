//! The tests: ours, then real Flask, Starlette and Quart against us, then what needs the set-up, then a slice of each
//! campaign.

use crate::command::{cargo, program};
use crate::disk;
use crate::setup;
use crate::shell::{Outcome, Shell};
use crate::soak;

/// How many random sessions travel between them and us unless the caller says otherwise: in each suite, and each way.
const SESSIONS: &str = "100000";

pub(crate) fn test(shell: &mut Shell, _: &[String]) -> Outcome {
    shell.step("Room on the disk", disk::has_room)?;
    all(shell)
}

/// What `test` runs once there is room for it.
pub(crate) fn all(shell: &mut Shell) -> Outcome {
    setup::for_tests(shell)?;
    shell.step_of("Tests", &mut cargo("test --workspace --all-features"))?;
    compare(shell, &[])?;
    // `--tests` leaves the documentation's examples out, where `--ignored` would mean something else
    shell.step_of(
        "Tests that need the set-up",
        &mut cargo("test --workspace --all-features --tests -- --ignored"),
    )?;
    soak::slices(shell)
}

pub(crate) fn interop(shell: &mut Shell, arguments: &[String]) -> Outcome {
    setup::for_tests(shell)?;
    compare(shell, arguments)
}

/// The set-up is there: what the comparison needs is built, and a file that is missing is a failure.
fn compare(shell: &mut Shell, arguments: &[String]) -> Outcome {
    shell.step_of(
        "Examples",
        &mut cargo("build --workspace --all-features --examples"),
    )?;
    shell.step_of(
        "The peer",
        &mut cargo("build --release --package carafe-interop-peer"),
    )?;
    // With the features of the step before, so that the stores are not built again.
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
