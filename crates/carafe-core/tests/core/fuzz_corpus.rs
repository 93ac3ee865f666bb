//! Replays every input in the fuzzing corpus. `fuzz/README.md` describes how the inputs were found.
//!
//! The checks are those of the fuzz targets, included here instead of copied.

use std::{
    fs,
    panic::catch_unwind,
    path::{Path, PathBuf},
};

#[path = "../../../../fuzz/src/checks/mod.rs"]
#[allow(unreachable_pub, reason = "a library there, a module here")]
mod checks;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus")
}

fn names_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|why| panic!("{}: {why}", folder.display()));
    let mut names: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    names.sort();
    names
}

#[test]
fn every_check_holds_on_its_corpus() {
    let mut broken = Vec::new();
    for (target, check) in checks::ALL {
        let inputs = names_in(&corpus().join(target));
        assert!(
            inputs.len() >= 10,
            "{target} has a corpus of {}",
            inputs.len()
        );
        for path in inputs {
            let input = fs::read(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
            if catch_unwind(|| check(&input)).is_err() {
                broken.push(path);
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn every_corpus_and_every_target_has_a_check() {
    let targets = corpus().join("../fuzz_targets");
    for folder in [corpus(), targets] {
        let names = names_in(&folder);
        let stems: Vec<_> = names
            .iter()
            .filter_map(|path| path.file_stem()?.to_str())
            .collect();
        let own = checks::ALL.iter().map(|(name, _)| *name);
        let mut checks: Vec<_> = own.chain(checks::ELSEWHERE.iter().copied()).collect();
        checks.sort_unstable();
        assert_eq!(stems, checks, "{}", folder.display());
    }
}
