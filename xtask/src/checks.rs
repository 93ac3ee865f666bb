//! The checks that every change must pass, cheapest first, in as few builds as possible.

use xshell::cmd;

use crate::steps::{Outcome, Steps};
use crate::{api, circles, deny, disk, fuzz, layers, python, shown, suites};

/// The core must not depend on these crates, or on crates named after them (`tower-layer`).
const RUNTIMES: &[&str] = &["tokio", "axum", "hyper", "actix", "tower"];

pub(crate) fn ci(steps: &Steps, _: &[String]) -> Outcome {
    steps.step("Room on the disk", disk::has_room)?;
    steps.step_of("Format", cmd!(steps.sh, "cargo fmt --all --check"))?;
    steps.step("The core has no runtime", core_has_no_runtime)?;
    steps.step("The core's imports point down", layers::imports_point_down)?;
    steps.step("No imports in a circle", circles::imports_have_no_circle)?;
    steps.step("The pages' code is what compiles", shown::pages_match)?;
    steps.step("The pages name the adapters", api::pages_hide_the_core)?;
    lint(steps)?;
    suites::all(steps)?;
    fuzz::replay(steps)?;
    deny::deny(steps)
}

fn lint(steps: &Steps) -> Outcome {
    let all = cmd!(
        steps.sh,
        "cargo clippy --workspace --all-targets --all-features -- -D warnings"
    );
    steps.step_of("Clippy", all)?;
    // carafe-sqlx without a database fails with its own message
    let bare = cmd!(
        steps.sh,
        "cargo clippy --workspace --exclude carafe-sqlx --lib --no-default-features -- -D warnings"
    );
    steps.step_of("Clippy on the libraries without features", bare)?;
    // Separate workspaces have separate lock files.
    for (name, folder) in [
        ("the programs of COMPARE.md", "bench/compare"),
        ("the benchmarks", "bench"),
        ("the benchmark of the peer's SQLite store", "bench/sqlx"),
    ] {
        let peers = cmd!(
            steps.sh,
            "cargo clippy --locked --manifest-path {folder}/Cargo.toml -- -D warnings"
        );
        steps.step_of(&format!("Clippy on {name}"), peers)?;
    }
    python::lint(steps)?;
    let doc = cmd!(steps.sh, "cargo doc --workspace --no-deps --all-features");
    steps.step_of("Documentation", doc.env("RUSTDOCFLAGS", "-D warnings"))?;
    api::check(steps)
}

fn core_has_no_runtime(steps: &Steps) -> Outcome {
    let tree = cmd!(
        steps.sh,
        "cargo tree --package carafe-core --edges normal --prefix none"
    );
    let tree = steps.read(tree)?;
    match runtimes_in(&tree).as_slice() {
        [] => Ok(()),
        found => Err(format!("carafe-core depends on {}", found.join(", ")).into()),
    }
}

/// Returns the runtimes among the packages in the output of `cargo tree --prefix none`.
fn runtimes_in(tree: &str) -> Vec<&str> {
    let is_runtime = |name: &str| {
        RUNTIMES.iter().any(|runtime| {
            name.strip_prefix(runtime)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        })
    };
    tree.lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| is_runtime(name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::runtimes_in;

    #[test]
    fn a_runtime_is_found_by_its_name_and_by_its_family() {
        let tree =
            "carafe-core v0.1.0 (/src)\ntowering v1.0.0\ntower-layer v0.3.3\ntokio v1.0.0 (*)\n";
        assert_eq!(runtimes_in(tree), ["tower-layer", "tokio"]);
    }
}
