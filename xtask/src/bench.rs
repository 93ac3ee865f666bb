//! Measures Carafe and its peers; `bench/` is a separate workspace.

use xshell::cmd;

use crate::setup;
use crate::steps::{Outcome, Steps};

pub(crate) fn bench(steps: &Steps, arguments: &[String]) -> Outcome {
    if arguments
        .iter()
        .any(|argument| argument == "--instructions")
    {
        setup::for_instructions(steps)?;
    }
    let run = cmd!(
        steps.sh,
        "cargo run --release --manifest-path bench/Cargo.toml -- {arguments...}"
    );
    steps.step_of("Benchmarks", run)
}
