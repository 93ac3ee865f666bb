//! Measures Carafe and its peers; `bench/` is a separate workspace.

use crate::command::cargo;
use crate::setup;
use crate::shell::{Outcome, Shell};

pub(crate) fn bench(shell: &mut Shell, arguments: &[String]) -> Outcome {
    if arguments
        .iter()
        .any(|argument| argument == "--instructions")
    {
        setup::for_instructions(shell)?;
    }
    let mut run = cargo("run --release --manifest-path bench/Cargo.toml --");
    shell.step_of("Benchmarks", run.args(arguments))
}
