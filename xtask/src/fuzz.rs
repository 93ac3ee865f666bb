//! Fuzzing on stable Rust, and the replay of the corpus; `fuzz/` is a separate workspace.
//!
//! cargo-fuzz needs unstable compiler options, which stable compilers accept with
//! `RUSTC_BOOTSTRAP`. No sanitizer is used, because Carafe has no unsafe code. The replay needs
//! neither: it builds the targets as ordinary programs.

use xshell::cmd;

use crate::setup;
use crate::steps::{Outcome, Steps};

const SECONDS: &str = "60";

pub(crate) fn fuzz(steps: &Steps, arguments: &[String]) -> Outcome {
    let (target, seconds) = match arguments {
        [target] => (target, SECONDS),
        [target, seconds] if seconds.parse::<u32>().is_ok() => (target, seconds.as_str()),
        _ => return Err("needs a target or `all`, and perhaps a number of seconds".into()),
    };
    let chosen: Vec<String> = targets(steps)?
        .into_iter()
        .filter(|name| target == "all" || target == name)
        .collect();
    if chosen.is_empty() {
        return Err(format!("there is no target `{target}` in fuzz/fuzz_targets").into());
    }
    steps.step("Tool cargo-fuzz", |steps| {
        setup::tool(steps, &setup::CARGO_FUZZ)
    })?;
    chosen
        .iter()
        .try_for_each(|target| fuzz_one(steps, target, seconds))
}

fn fuzz_one(steps: &Steps, target: &str, seconds: &str) -> Outcome {
    let fuzz = setup::program_of(steps, &setup::CARGO_FUZZ);
    let run = cmd!(
        steps.sh,
        "{fuzz} fuzz run --sanitizer none {target} -- -max_total_time={seconds}"
    );
    steps.step_of(&format!("Fuzz {target}"), run.env("RUSTC_BOOTSTRAP", "1"))
}

/// Runs every input of the corpus through its target.
pub(crate) fn replay(steps: &Steps) -> Outcome {
    steps.step("Fuzz corpus", |steps| {
        steps.run(cmd!(
            steps.sh,
            "cargo build --bins --manifest-path fuzz/Cargo.toml"
        ))?;
        // libFuzzer requires the folder for its findings, although a replay has none
        steps.sh.create_dir("fuzz/artifacts")?;
        targets(steps)?
            .iter()
            .try_for_each(|target| replay_one(steps, target))
    })
}

fn replay_one(steps: &Steps, target: &str) -> Outcome {
    let corpus = format!("fuzz/corpus/{target}");
    if !steps.sh.path_exists(&corpus) {
        return Err(format!("{target} has no corpus in {corpus}").into());
    }
    let built = steps.target_of("fuzz", "debug").join(target);
    steps.run(cmd!(
        steps.sh,
        "{built} -runs=0 -artifact_prefix=fuzz/artifacts/ {corpus}"
    ))
}

/// Returns the names of the targets, in order.
fn targets(steps: &Steps) -> Outcome<Vec<String>> {
    let paths = steps.sh.read_dir("fuzz/fuzz_targets")?.into_iter();
    let sources = paths.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    Ok(sources
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect())
}
