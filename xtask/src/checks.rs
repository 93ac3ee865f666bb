//! The checks that every change must pass, cheapest first, in as few builds as possible.

use crate::command::cargo;
use crate::shell::{Outcome, Shell};
use crate::{api, circles, deny, disk, fuzz, layers, python, shown, suites};

/// The core must not depend on these crates, or on crates named after them (`tower-layer`).
const RUNTIMES: &[&str] = &["tokio", "axum", "hyper", "actix", "tower"];

pub(crate) fn ci(shell: &mut Shell, _: &[String]) -> Outcome {
    shell.step("Room on the disk", disk::has_room)?;
    shell.step_of("Format", &mut cargo("fmt --all --check"))?;
    shell.step("The core has no runtime", core_has_no_runtime)?;
    shell.step("The core's imports point down", layers::imports_point_down)?;
    shell.step("No imports in a circle", circles::imports_have_no_circle)?;
    shell.step("The pages' code is what compiles", shown::pages_match)?;
    shell.step("The pages name the adapters", api::pages_hide_the_core)?;
    lint(shell)?;
    suites::all(shell)?;
    fuzz::replay(shell)?;
    deny::deny(shell)
}

fn lint(shell: &mut Shell) -> Outcome {
    shell.step_of(
        "Clippy",
        &mut cargo("clippy --workspace --all-targets --all-features -- -D warnings"),
    )?;
    // carafe-sqlx without a database fails with its own message
    let mut bare = cargo(
        "clippy --workspace --exclude carafe-sqlx --lib --no-default-features -- -D warnings",
    );
    shell.step_of("Clippy on the libraries without features", &mut bare)?;
    // Separate workspaces have separate lock files.
    for (name, folder) in [
        ("the programs of COMPARE.md", "bench/compare"),
        ("the benchmarks", "bench"),
        ("the benchmark of the peer's SQLite store", "bench/sqlx"),
    ] {
        let mut peers = cargo("clippy --locked --manifest-path");
        peers.arg(format!("{folder}/Cargo.toml"));
        peers.args(["--", "-D", "warnings"]);
        shell.step_of(&format!("Clippy on {name}"), &mut peers)?;
    }
    python::lint(shell)?;
    let mut doc = cargo("doc --workspace --no-deps --all-features");
    shell.step_of("Documentation", doc.env("RUSTDOCFLAGS", "-D warnings"))?;
    api::check(shell)
}

fn core_has_no_runtime(shell: &Shell) -> Outcome {
    let tree = shell.read(&mut cargo(
        "tree --package carafe-core --edges normal --prefix none",
    ))?;
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
