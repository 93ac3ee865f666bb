//! Fuzzing on stable Rust, and the replay of the corpus; `fuzz/` is a separate workspace.
//!
//! cargo-fuzz needs unstable compiler options, which stable compilers accept with
//! `RUSTC_BOOTSTRAP`. No sanitizer is used, because Carafe has no unsafe code. The replay needs
//! neither: it builds the targets as ordinary programs.

use std::fs;

use crate::command::{cargo, program};
use crate::setup;
use crate::shell::{Outcome, Shell};

const MANIFEST: &str = "fuzz/Cargo.toml";
const SECONDS: &str = "60";

pub(crate) fn fuzz(shell: &mut Shell, arguments: &[String]) -> Outcome {
    let (target, seconds) = match arguments {
        [target] => (target, SECONDS),
        [target, seconds] if seconds.parse::<u32>().is_ok() => (target, seconds.as_str()),
        _ => return Err("needs a target or `all`, and perhaps a number of seconds".into()),
    };
    let chosen: Vec<String> = targets(shell)?
        .into_iter()
        .filter(|name| target == "all" || target == name)
        .collect();
    if chosen.is_empty() {
        return Err(format!("there is no target `{target}` in fuzz/fuzz_targets").into());
    }
    shell.step("Tool cargo-fuzz", |shell| {
        setup::tool(shell, &setup::CARGO_FUZZ)
    })?;
    chosen
        .iter()
        .try_for_each(|target| fuzz_one(shell, target, seconds))
}

fn fuzz_one(shell: &mut Shell, target: &str, seconds: &str) -> Outcome {
    let mut run = program(
        setup::program_of(shell, &setup::CARGO_FUZZ),
        ["fuzz", "run", "--sanitizer", "none", target, "--"],
    );
    run.arg(format!("-max_total_time={seconds}"))
        .env("RUSTC_BOOTSTRAP", "1");
    shell.step_of(&format!("Fuzz {target}"), &mut run)
}

/// Runs every input of the corpus through its target.
pub(crate) fn replay(shell: &mut Shell) -> Outcome {
    shell.step("Fuzz corpus", |shell| {
        shell.run(cargo("build --bins --manifest-path").arg(MANIFEST))?;
        // libFuzzer requires the folder for its findings, although a replay has none
        let artifacts = shell.path("fuzz/artifacts");
        fs::create_dir_all(&artifacts)
            .map_err(|why| format!("cannot make {}: {why}", artifacts.display()))?;
        targets(shell)?
            .iter()
            .try_for_each(|target| replay_one(shell, target))
    })
}

fn replay_one(shell: &Shell, target: &str) -> Outcome {
    let corpus = format!("fuzz/corpus/{target}");
    if !shell.path(&corpus).exists() {
        return Err(format!("{target} has no corpus in {corpus}").into());
    }
    let built = shell.target_of("fuzz", "debug").join(target);
    shell.run(&mut program(
        built,
        ["-runs=0", "-artifact_prefix=fuzz/artifacts/", &corpus],
    ))
}

/// Returns the names of the targets, in order.
fn targets(shell: &Shell) -> Outcome<Vec<String>> {
    let folder = shell.path("fuzz/fuzz_targets");
    let entries =
        fs::read_dir(&folder).map_err(|why| format!("cannot list {}: {why}", folder.display()))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let sources = paths.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let mut names: Vec<_> = sources
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}
