//! Licenses, sources and known vulnerabilities of the dependencies, according to `deny.toml`.

use xshell::cmd;

use crate::setup;
use crate::steps::{Outcome, Steps};

/// Runs cargo-deny. Without a network, the advisories are skipped, and the summary reports it.
pub(crate) fn deny(steps: &Steps) -> Outcome {
    steps.step("Tool cargo-deny", |steps| {
        setup::tool(steps, &setup::CARGO_DENY)
    })?;
    let deny = setup::program_of(steps, &setup::CARGO_DENY);
    let local = cmd!(
        steps.sh,
        "{deny} --workspace --all-features --locked
         check --hide-inclusion-graph bans licenses sources"
    );
    steps.step_of("Bans, licences, sources", local)?;
    let fetch = cmd!(steps.sh, "timeout 120 {deny} fetch db");
    if steps.run(fetch).is_ok() {
        let check = cmd!(
            steps.sh,
            "{deny} --workspace --all-features --locked check advisories"
        );
        return steps.step_of("Advisories", check);
    }
    steps.skip("Advisories", "the advisory database cannot be reached");
    Ok(())
}
