//! Lets the real libraries add to `testdata/vectors/`.
//!
//! Committed lines neither change nor move nor disappear.

use xshell::cmd;

use crate::setup;
use crate::steps::{Outcome, Steps};

pub(crate) fn vectors(steps: &Steps, arguments: &[String]) -> Outcome {
    setup::for_tests(steps)?;
    let python = setup::python(steps);
    let make = cmd!(steps.sh, "{python} interop/make_vectors.py {arguments...}");
    steps.step_of("Make vectors", make)?;
    steps.step("Committed lines are as they were", committed_lines_stay)
}

fn committed_lines_stay(steps: &Steps) -> Outcome {
    let changes = cmd!(steps.sh, "git diff --numstat HEAD -- testdata/vectors");
    let changes = steps.read(changes)?;
    match files_that_lost(&changes).as_slice() {
        [] => Ok(()),
        files => Err(format!(
            "committed lines are gone or changed in {}",
            files.join(", ")
        )
        .into()),
    }
}

/// Returns the files of `git diff --numstat` (added, deleted, path) with deleted lines.
fn files_that_lost(changes: &str) -> Vec<&str> {
    let fields = changes
        .lines()
        .map(|line| line.splitn(3, '\t').collect::<Vec<_>>());
    fields
        .filter(|fields| fields.get(1) != Some(&"0"))
        .filter_map(|fields| fields.last().copied())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::files_that_lost;

    #[test]
    fn a_file_may_only_grow() {
        assert_eq!(
            files_that_lost("3\t0\tgrown.jsonl\n1\t1\tchanged.jsonl\n-\t-\tbinary\n"),
            ["changed.jsonl", "binary"]
        );
    }
}
