//! Licenses, sources and known vulnerabilities of the dependencies, according to `deny.toml`.

use std::process::Command;

use crate::command::program;
use crate::setup;
use crate::shell::{Outcome, Shell};

const LOCAL_CHECKS: &[&str] = &[
    "check",
    "--hide-inclusion-graph",
    "bans",
    "licenses",
    "sources",
];

/// Runs cargo-deny. Without a network, the advisories are skipped, and the summary reports it.
pub(crate) fn deny(shell: &mut Shell) -> Outcome {
    shell.step("Tool cargo-deny", |shell| {
        setup::tool(shell, &setup::CARGO_DENY)
    })?;
    shell.step("Bans, licences, sources", |shell| {
        shell.run(cargo_deny(shell).args(LOCAL_CHECKS))
    })?;
    if fetches_advisories(shell) {
        return shell.step("Advisories", |shell| {
            shell.run(cargo_deny(shell).args(["check", "advisories"]))
        });
    }
    shell.skip("Advisories", "the advisory database cannot be reached");
    Ok(())
}

fn cargo_deny(shell: &Shell) -> Command {
    let mut command = program(
        setup::program_of(shell, &setup::CARGO_DENY),
        ["--workspace", "--all-features"],
    );
    command.arg("--locked");
    command
}

fn fetches_advisories(shell: &Shell) -> bool {
    let mut fetch = program("timeout", ["120"]);
    fetch
        .arg(setup::program_of(shell, &setup::CARGO_DENY))
        .args(["fetch", "db"]);
    shell.run(&mut fetch).is_ok()
}
